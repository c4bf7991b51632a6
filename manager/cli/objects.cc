#include "cli/objects.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exit_status.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

std::string words_of(const Wanted& wanted) {
  std::string result;
  if (wanted.label) result += fmt::format(" with label '{}'", printable(*wanted.label));
  if (wanted.id) result += fmt::format("{} with id {}", result.empty() ? "" : " and", to_hex(*wanted.id));
  return result;
}

std::string listing(const Session& session, const std::vector<CK_OBJECT_HANDLE>& objects) {
  std::string result;
  for (const CK_OBJECT_HANDLE object : objects) {
    const auto id = session.attribute(object, CKA_ID);
    result += fmt::format("{}'{}' (id {})", result.empty() ? "" : ", ", session.text(object, CKA_LABEL),
                          id ? to_hex(*id) : "none");
  }
  return result;
}

}  // namespace

void add_object_options(const Command& command, ObjectChoice& choice, const std::string& what) {
  command.text("object", choice.name, what + ": pkcs11: URI, label, or id:HEX", "OBJECT");
  command.text("--label", choice.label, what + " by label", "LABEL");
  command.text("--id", choice.id, what + " by CKA_ID in hexadecimal", "HEX");
}

Status take_choice(Context& context, const ObjectChoice& choice) {
  CARDEA_TRY(take_uri(context, choice.name));
  return {};
}

Result<Bytes> parse_hex(std::string_view text, std::string_view option) {
  std::string digits(text);
  std::erase(digits, ':');
  Bytes bytes;
  if (digits.empty() || !from_hex(digits, bytes)) {
    return failure(
        Code::arguments_bad,
        fmt::format("{} takes bytes in hexadecimal, like 01ab2f; '{}' is something else.", option, printable(text)));
  }
  return bytes;
}

Result<Wanted> wanted_object(const Context& context, const ObjectChoice& choice) {
  Wanted wanted;
  if (context.uri) {
    wanted.label = context.uri->object;
    wanted.id = context.uri->id;
  }
  if (choice.name.starts_with("id:")) {
    CARDEA_ASSIGN(wanted.id, parse_hex(std::string_view(choice.name).substr(3), "id:"));
  } else if (!choice.name.empty() && !is_uri(choice.name)) {
    wanted.label = choice.name;
  }
  if (!choice.label.empty()) wanted.label = choice.label;
  if (!choice.id.empty()) {
    CARDEA_ASSIGN(wanted.id, parse_hex(choice.id, "--id"));
  }
  return wanted;
}

Result<std::vector<CK_OBJECT_HANDLE>> find_objects(const Session& session, const Wanted& wanted,
                                                   CK_OBJECT_CLASS of_class) {
  Template attributes;
  attributes.number(CKA_CLASS, of_class);
  if (wanted.label) attributes.text(CKA_LABEL, *wanted.label);
  if (wanted.id) attributes.bytes(CKA_ID, *wanted.id);
  return session.find(attributes);
}

Result<CK_OBJECT_HANDLE> find_key(const Session& session, const Wanted& wanted) {
  CARDEA_ASSIGN(auto keys, find_objects(session, wanted, CKO_PRIVATE_KEY));
  CARDEA_ASSIGN(const auto secrets, find_objects(session, wanted, CKO_SECRET_KEY));
  keys.insert(keys.end(), secrets.begin(), secrets.end());
  if (keys.size() == 1) return keys.front();
  if (keys.empty()) {
    return failure(Code::not_found,
                   fmt::format("Token '{}' has no private or secret key{}. `cardea key list --login` shows "
                               "its keys.",
                               session.token().label, words_of(wanted)));
  }
  return failure(Code::arguments_bad, fmt::format("{} keys fit: {}. Choose one by label or with --id.", keys.size(),
                                                  listing(session, keys)));
}

Result<CK_OBJECT_HANDLE> find_public_or_secret_key(const Session& session, const Wanted& wanted) {
  for (const CK_OBJECT_CLASS of_class : {CKO_PUBLIC_KEY, CKO_SECRET_KEY}) {
    CARDEA_ASSIGN(const auto keys, find_objects(session, wanted, of_class));
    if (keys.size() == 1) return keys.front();
    if (keys.empty()) continue;
    return failure(Code::arguments_bad, fmt::format("{} keys fit: {}. Choose one by label or with --id.", keys.size(),
                                                    listing(session, keys)));
  }
  return failure(Code::not_found,
                 fmt::format("Token '{}' shows no public or secret key{}. `cardea key list` shows its keys; a secret "
                             "key shows only after login (--login).",
                             session.token().label, words_of(wanted)));
}

Result<CK_OBJECT_HANDLE> public_half(const Session& session, CK_OBJECT_HANDLE key) {
  Wanted wanted;
  wanted.id = session.attribute(key, CKA_ID);
  if (const auto label = session.attribute(key, CKA_LABEL); !wanted.id && label) wanted.label = text_of(*label);
  CARDEA_ASSIGN(const auto found, find_objects(session, wanted, CKO_PUBLIC_KEY));
  if (found.empty()) {
    return failure(Code::not_found,
                   fmt::format("The public key of '{}' is not on the token.", session.text(key, CKA_LABEL)));
  }
  return found.front();
}

std::string uri_type(CK_OBJECT_CLASS of_class) {
  switch (of_class) {
    case CKO_CERTIFICATE:
      return "cert";
    case CKO_DATA:
      return "data";
    case CKO_PRIVATE_KEY:
      return "private";
    case CKO_PUBLIC_KEY:
      return "public";
    case CKO_SECRET_KEY:
      return "secret-key";
    default:
      return "";
  }
}

std::string object_uri(const Session& session, CK_OBJECT_HANDLE object) {
  const auto id = session.attribute(object, CKA_ID);
  const auto label = session.attribute(object, CKA_LABEL);
  const auto of_class = session.number(object, CKA_CLASS);
  return format_uri(session.token().label, session.token().serial, label ? text_of(*label) : "", id ? *id : Bytes{},
                    of_class ? uri_type(*of_class) : "");
}

}  // namespace cardea::cli
