#include "domain/certificate_policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "domain/audit_log.h"
#include "domain/document_reader.h"

namespace cardea::manager {

namespace {

// RFC 4514, 3 and the attributes of requirements C9 that a mapping makes sense for.
constexpr std::array<std::string_view, 17> subject_types = {"CN",
                                                            "OU",
                                                            "O",
                                                            "L",
                                                            "ST",
                                                            "C",
                                                            "DC",
                                                            "UID",
                                                            "SN",
                                                            "GN",
                                                            "title",
                                                            "serialNumber",
                                                            "emailAddress",
                                                            "street",
                                                            "postalCode",
                                                            "pseudonym",
                                                            "organizationIdentifier"};
constexpr std::array<std::string_view, 9> person_members = {"name",        "display_name", "email", "department", "upn",
                                                            "employee_id", "sid",          "uuid",  "fascn"};
constexpr std::array<std::string_view, 4> token_members = {"serial", "label", "kind", "model"};

template <std::size_t count>
bool among(const std::array<std::string_view, count>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Why a source cannot work; empty when it can.
std::string source_mistake(std::string_view from) {
  if (from.starts_with("=")) return from.size() > 1 ? "" : "a fixed value must not be empty";
  if (from.starts_with("person.attributes."))
    return from.size() > 18 ? "" : "person.attributes. needs the attribute's name";
  if (from.starts_with("person.") && among(person_members, from.substr(7))) return "";
  if (from.starts_with("token.") && among(token_members, from.substr(6))) return "";
  return fmt::format(
      "'{}' is no source: use person.{{{}}}, person.attributes.NAME, token.{{{}}}, or '=' and a fixed value", from,
      fmt::join(person_members, "|"), fmt::join(token_members, "|"));
}

bool digits(std::string_view text, std::size_t count, bool hex) {
  return text.size() == count && std::all_of(text.begin(), text.end(), [&](char c) {
           return hex ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : (c >= '0' && c <= '9');
         });
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  std::string bare;
  for (const char c : text)
    if (c != '-') bare += c;
  return digits(bare, 32, true);
}

bool is_mail(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos && text.find_first_of(" ,;<>\"") == std::string_view::npos;
}

bool is_sid(std::string_view text) {
  return text.starts_with("S-1-") && text.find_first_not_of("0123456789-", 2) == std::string_view::npos &&
         text.size() > 6 && text.size() <= 184;
}

// Why a value cannot stand there; empty when it can. Lengths are the upper bounds of RFC 5280, appendix A.
std::string value_mistake(std::string_view type, std::string_view value) {
  if (value.size() > 256) return "is longer than 256 bytes";
  if (type == "C" && !(value.size() == 2 && std::isalpha(static_cast<unsigned char>(value[0])) != 0 &&
                       std::isalpha(static_cast<unsigned char>(value[1])) != 0))
    return "is no country code of two letters";
  if ((type == "CN" || type == "OU" || type == "O" || type == "serialNumber" || type == "title") && value.size() > 64)
    return "is longer than 64 bytes";
  if ((type == "emailAddress" || type == "email" || type == "upn") && !is_mail(value))
    return "is no address name@domain";
  if (type == "uuid" && !is_uuid(value)) return "is no UUID";
  if (type == "fasc-n" && !digits(value, 50, true)) return "is no FASC-N of 50 hexadecimal digits";
  if (type == "sid" && !is_sid(value)) return "is no security identifier S-1-…";
  if (type == "naci" && value != "Yes" && value != "No") return "must be Yes or No";
  return "";
}

AttributeSource read_source(DocumentReader& in, std::string_view type, std::string_view at) {
  AttributeSource source;
  source.from = in.required_text("from");
  source.optional = in.flag("optional", false);
  if (source.from.empty()) return source;
  if (const std::string mistake = source_mistake(source.from); !mistake.empty()) in.refuse("from", mistake);
  if (source.from.size() > 1 && source.from[0] == '=')
    if (const std::string mistake = value_mistake(type, std::string_view(source.from).substr(1)); !mistake.empty())
      in.refuse("from", fmt::format("the fixed value of {} {}", at, mistake));
  return source;
}

std::vector<MappedName> read_names(DocumentReader& in, std::string_view member, bool subject) {
  std::vector<MappedName> names;
  in.each(member, 32, [&](DocumentReader& one) {
    MappedName name;
    name.type = one.required_text("type", 64);
    if (!name.type.empty() && subject && !among(subject_types, name.type))
      one.refuse("type", fmt::format("must be one of: {}", fmt::join(subject_types, ", ")));
    if (!name.type.empty() && !subject)
      if (auto kind = alternative_name_kind(name.type); !kind) one.refuse("type", kind.error().detail);
    name.source = read_source(one, name.type, name.type);
    names.push_back(std::move(name));
  });
  return names;
}

// The value of a source for that person and token; empty when there is none.
std::string value_of(std::string_view from, const Person& person, const Token* token) {
  if (from.starts_with("=")) return std::string(from.substr(1));
  if (from.starts_with("token.")) {
    if (token == nullptr) return "";
    from.remove_prefix(6);
    return from == "serial" ? token->serial
                            : (from == "label" ? token->label : (from == "kind" ? token->kind : token->model));
  }
  from.remove_prefix(7);
  if (from == "name") return person.name;
  if (from == "display_name") return person.display_name;
  if (from == "email") return person.email;
  if (from == "department") return person.department;
  if (from.starts_with("attributes.")) from.remove_prefix(11);
  const auto found = person.attributes.find(std::string(from));
  return found == person.attributes.end() ? "" : found->second;
}

// Empty for an optional one that is not there.
Result<std::string> mapped(const AttributeSource& source, std::string_view type, const Person& person,
                           const Token* token) {
  std::string value = value_of(source.from, person, token);
  if (value.empty()) {
    if (source.optional) return std::string();
    return error(Code::arguments_bad, fmt::format("the certificate attribute {} comes from {}, which is empty for {}",
                                                  type, source.from, person.name));
  }
  if (const std::string mistake = value_mistake(type, value); !mistake.empty())
    return error(Code::arguments_bad, fmt::format("the certificate attribute {} comes from {}, and '{}' {}", type,
                                                  source.from, value, mistake));
  return value;
}

// RFC 4514, 2.4.
std::string escaped_rdn_value(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool edge = (c == ' ' && (i == 0 || i + 1 == value.size())) || (c == '#' && i == 0);
    if (c == '\0') {
      out += "\\00";
      continue;
    }
    if (edge || std::string_view("\"+,;<>\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Result<PolicyRules> read_policy(const json::object& document) {
  DocumentMistakes mistakes;
  DocumentReader in(document, mistakes);
  PolicyRules rules;
  rules.display_name = in.text("display_name", "");
  rules.description = in.text("description", "", 1000);
  rules.allow_identity_mapping = in.flag("allow_identity_mapping", false);
  rules.reverse_dn = in.flag("reverse_dn", false);
  rules.archive_keys = in.flag("archive_keys", false);
  rules.automatic_renewal = in.flag("automatic_renewal", true);
  rules.requires_validation = in.flag("requires_validation", false);
  rules.lifetime_days = in.number("lifetime_days", 0, 0, 36600);
  rules.certificate_storage =
      in.word("certificate_storage", KeyStorage::both, {"hardware", "software", "both", "none"});
  rules.recovery_storage = in.word("recovery_storage", KeyStorage::both, {"hardware", "software", "both", "none"});
  rules.subject = read_names(in, "subject", true);
  rules.alternative_names = read_names(in, "alternative_names", false);
  in.inside("sid", [&](DocumentReader& one) { rules.sid = read_source(one, "sid", "the SID"); });
  in.inside("naci_pending",
            [&](DocumentReader& one) { rules.naci_pending = read_source(one, "naci", "the NACI indicator"); });
  if (rules.subject.empty() && rules.alternative_names.empty())
    in.refuse("subject", "is missing: a certificate must name somebody, here or in alternative_names");
  in.finish();
  CARDEA_TRY(mistakes.status());
  return rules;
}

Result<MappedAttributes> map_attributes(const PolicyRules& rules, const Person& person, const Token* token) {
  MappedAttributes out;
  std::vector<std::string> parts;
  for (const auto& name : rules.subject) {
    CARDEA_ASSIGN(const std::string value, mapped(name.source, name.type, person, token));
    if (!value.empty()) parts.push_back(name.type + "=" + escaped_rdn_value(value));
  }
  // RFC 4514, 2.1: the text begins with the last component, so it is written backwards unless reverse_dn says not to.
  if (!rules.reverse_dn) std::reverse(parts.begin(), parts.end());
  out.subject = fmt::format("{}", fmt::join(parts, ","));
  for (const auto& name : rules.alternative_names) {
    CARDEA_ASSIGN(const auto kind, alternative_name_kind(name.type));
    CARDEA_ASSIGN(const std::string value, mapped(name.source, name.type, person, token));
    if (!value.empty()) out.alternative_names.push_back({kind, value});
  }
  if (rules.sid) {
    CARDEA_ASSIGN(const std::string value, mapped(*rules.sid, "sid", person, token));
    if (!value.empty()) out.extensions.sid = value;
  }
  if (rules.naci_pending) {
    CARDEA_ASSIGN(const std::string value, mapped(*rules.naci_pending, "naci", person, token));
    if (!value.empty()) out.extensions.naci_pending = value == "Yes";
  }
  return out;
}

Result<CertificatePolicy> save_policy(const Ports& ports, const Actor& actor, const CertificatePolicy& policy) {
  CARDEA_TRY(require(actor, Right::ca_write));
  if (policy.name.empty() || policy.name.size() > 64)
    return error(Code::arguments_bad, "/name: must have 1 to 64 bytes");
  if (auto rules = read_policy(policy.document); !rules) return std::move(rules).error();
  CertificatePolicy saved;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    if (auto ca = store.ca(policy.ca); !ca) {
      if (ca.code() != Code::not_found) return std::move(ca).error();
      return error(Code::arguments_bad, "/ca: there is no such certification authority");
    }
    saved = policy;
    saved.updated = ports.clock.now();
    if (policy.id == 0) {
      saved.created = saved.updated;
      CARDEA_ASSIGN(saved.id, store.insert(saved));
    } else {
      CARDEA_ASSIGN(const CertificatePolicy before, store.policy(policy.id));
      if (before.name != policy.name)
        return error(Code::arguments_bad,
                     "/name: stays as it is, since profiles, certificates and archived keys know the policy by it; add "
                     "another policy instead");
      CARDEA_TRY(store.update(saved));
    }
    return audit(store, actor, saved.updated, AuditAction::policy_saved, fmt::format("policy:{}", saved.id),
                 {{"name", saved.name}, {"ca", saved.ca}});
  }));
  return saved;
}

}  // namespace cardea::manager
