#include "agent/parameters.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include "agent/base64.h"

namespace cardea::agent {
namespace {

Error wrong(std::string_view member, std::string_view why) {
  return error(Code::arguments_bad, fmt::format("the daemon's '{}' {}", member, why));
}

/// Null when it is missing.
Result<const json::string*> text_member(const json::object& parameters, std::string_view member) {
  const json::value* const value = parameters.if_contains(member);
  if (value == nullptr || value->is_null()) return static_cast<const json::string*>(nullptr);
  if (!value->is_string()) return wrong(member, "is no text");
  return &value->get_string();
}

Result<SecretBytes> decoded(std::string_view text, std::string_view member) {
  Result<SecretBytes> bytes = secret_from_base64(text);
  if (!bytes) return wrong(member, "is no base64");
  return bytes;
}

}  // namespace

Result<std::string> optional_text(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(const json::string* const text, text_member(parameters, member));
  return text == nullptr ? std::string() : std::string(*text);
}

Result<std::string> required_text(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(std::string text, optional_text(parameters, member));
  if (text.empty()) return wrong(member, "is missing");
  return text;
}

Result<std::optional<Pin>> optional_pin(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(const json::string* const text, text_member(parameters, member));
  if (text == nullptr || text->empty()) return std::optional<Pin>();
  return std::optional<Pin>(Pin(view_of(std::string_view(*text))));
}

Result<Pin> required_pin(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(std::optional<Pin> pin, optional_pin(parameters, member));
  if (!pin) return wrong(member, "is missing");
  return std::move(*pin);
}

Result<std::optional<SecretBytes>> optional_secret(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(const json::string* const text, text_member(parameters, member));
  if (text == nullptr || text->empty()) return std::optional<SecretBytes>();
  CARDEA_ASSIGN(SecretBytes bytes, decoded(*text, member));
  return std::optional<SecretBytes>(std::move(bytes));
}

Result<SecretBytes> required_secret(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(std::optional<SecretBytes> bytes, optional_secret(parameters, member));
  if (!bytes) return wrong(member, "is missing");
  return std::move(*bytes);
}

Result<Bytes> required_bytes(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(const SecretBytes bytes, required_secret(parameters, member));
  return to_bytes(bytes.view());
}

Result<Bytes> optional_hex(const json::object& parameters, std::string_view member) {
  CARDEA_ASSIGN(const json::string* const text, text_member(parameters, member));
  Bytes bytes;
  if (text != nullptr && !from_hex(*text, bytes)) return wrong(member, "is no hexadecimal number");
  return bytes;
}

Result<std::vector<Bytes>> bytes_list(const json::object& parameters, std::string_view member) {
  std::vector<Bytes> list;
  const json::value* const value = parameters.if_contains(member);
  if (value == nullptr || value->is_null()) return list;
  if (!value->is_array()) return wrong(member, "is no list");
  for (const json::value& each : value->get_array()) {
    if (!each.is_string()) return wrong(member, "holds something that is no text");
    CARDEA_ASSIGN(const SecretBytes bytes, decoded(each.get_string(), member));
    list.push_back(to_bytes(bytes.view()));
  }
  return list;
}

Result<std::vector<const json::object*>> objects_in(const json::object& parameters, std::string_view member) {
  std::vector<const json::object*> objects;
  const json::value* const value = parameters.if_contains(member);
  if (value == nullptr || value->is_null()) return objects;
  if (!value->is_array()) return wrong(member, "is no list");
  for (const json::value& each : value->get_array()) {
    if (!each.is_object()) return wrong(member, "holds something that is no object");
    objects.push_back(&each.get_object());
  }
  return objects;
}

Result<json::object> optional_object(const json::object& parameters, std::string_view member) {
  const json::value* const value = parameters.if_contains(member);
  if (value == nullptr || value->is_null()) return json::object();
  if (!value->is_object()) return wrong(member, "is no object");
  // In the same memory: it may hold secrets.
  return json::object(value->get_object(), value->storage());
}

}  // namespace cardea::agent
