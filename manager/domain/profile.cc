#include "domain/profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "domain/audit_log.h"
#include "domain/certificate_policy.h"
#include "domain/document_reader.h"
#include "domain/job_kinds.h"
#include "domain/token_secrets.h"
#include "pins/pin_policy.h"

namespace cardea::manager {

namespace {

constexpr std::array<std::string_view, 4> container_words = {"authentication", "signature", "encryption",
                                                             "card_authentication"};
constexpr std::array<std::string_view, 6> algorithm_words = {"rsa:2048", "rsa:3072", "rsa:4096",
                                                             "ec:P-256", "ec:P-384", "ec:P-521"};

template <std::size_t count>
bool among(const std::array<std::string_view, count>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

CertificateRule read_certificate_rule(DocumentReader& in) {
  CertificateRule rule;
  rule.container = in.required_text("container", 32);
  if (!rule.container.empty() && !among(container_words, rule.container))
    in.refuse("container", fmt::format("must be one of: {}", fmt::join(container_words, ", ")));
  rule.source = in.word("source", CertificateSource::issue_new, {"issue_new", "use_existing", "historic_only"});
  rule.policy = in.text("policy", "");
  if (rule.policy.empty() && rule.source != CertificateSource::historic_only)
    in.refuse("policy", "is missing: the name of a certificate policy");
  rule.algorithm = in.text("algorithm", "ec:P-256", 16);
  if (!among(algorithm_words, rule.algorithm))
    in.refuse("algorithm", fmt::format("must be one of: {}", fmt::join(algorithm_words, ", ")));
  rule.archived = in.flag("archived", rule.source == CertificateSource::use_existing);
  if (rule.archived && rule.container != "encryption")
    in.refuse("archived",
              "only a decryption key may be archived: a copy of any other lets somebody sign as its person");
  if (!rule.archived && rule.source == CertificateSource::use_existing)
    in.refuse("source", "use_existing needs an archived key");
  rule.renewal = in.word("renewal_key", rule.archived ? RenewalKey::fresh : RenewalKey::same, {"same", "fresh"});
  rule.pin_policy = in.text("pin_policy", "", 16);
  if (!rule.pin_policy.empty() && !among(std::array<std::string_view, 3>{"never", "once", "always"}, rule.pin_policy))
    in.refuse("pin_policy", "must be one of: never, once, always");
  rule.touch_policy = in.text("touch_policy", "", 16);
  if (!rule.touch_policy.empty() &&
      !among(std::array<std::string_view, 3>{"never", "cached", "always"}, rule.touch_policy))
    in.refuse("touch_policy", "must be one of: never, cached, always");
  return rule;
}

void read_certificates(DocumentReader& in, ProfileRules& rules) {
  in.each("certificates", 8, [&](DocumentReader& one) {
    CertificateRule rule = read_certificate_rule(one);
    for (const auto& other : rules.certificates)
      if (!rule.container.empty() && other.container == rule.container)
        one.refuse("container", fmt::format("'{}' is there twice", rule.container));
    rules.certificates.push_back(std::move(rule));
  });
  if (rules.certificates.empty()) in.refuse("certificates", "is missing: at least one certificate");
}

void read_code(DocumentReader& in, CodeRules& code) {
  in.inside("code", [&](DocumentReader& one) {
    code.alphabet = one.text("alphabet", code.alphabet, 16);
    if (code.alphabet != "numeric" && code.alphabet != "alphanumeric")
      one.refuse("alphabet", "must be one of: numeric, alphanumeric");
    // Written as in "8-12": the shortest and the longest (requirements L3).
    const std::string length = one.text("length", "8-8", 16);
    unsigned min = 0;
    unsigned max = 0;
    int end = 0;
    if (std::sscanf(length.c_str(), "%2u-%2u%n", &min, &max, &end) != 2 ||
        static_cast<std::size_t>(end) != length.size() || min < 6 || max > 32 || min > max)
      one.refuse("length", "must be 'minimum-maximum' with 6 to 32 characters, for example 8-8");
    else
      code.min_length = min, code.max_length = max;
    code.valid_hours = one.number("valid_hours", code.valid_hours, 1, 24 * 90);
    code.attempts = one.number("attempts", code.attempts, 1, 20);
  });
}

void read_who(DocumentReader& in, ProfileRules& rules) {
  in.inside("roles", [&](DocumentReader& one) {
    rules.may_request = one.texts("request");
    rules.may_approve = one.texts("approve");
    rules.may_collect = one.texts("collect");
    rules.may_unblock = one.texts("unblock");
  });
  rules.self_service = in.texts("self_service", 16, 32);
  for (const auto& kind : rules.self_service)
    if (const JobKind* known = job_kind(kind); known == nullptr || !known->self_service)
      in.refuse("self_service", fmt::format("'{}' is nothing that a person can do alone", kind));
  if (in.has("without_code")) rules.without_code = in.texts("without_code", 4, 32);
  // What acts on a token that its holder has already. Never a new token, a recovery, or a PIN set without the old one.
  for (const auto& kind : rules.without_code)
    if (kind != "renew" && kind != "update" && kind != "rotate" && kind != "retire")
      in.refuse("without_code", "holds only: renew, update, rotate, retire");
  rules.approvals = in.number("approvals", 0, 0, 2);
}

void read_renewal(DocumentReader& in, ProfileRules& rules) {
  in.inside("renewal", [&](DocumentReader& one) {
    rules.renewal_window_days = one.number("window_days", rules.renewal_window_days, 1, 365);
    rules.automatic_renewal = one.flag("automatic", rules.automatic_renewal);
    rules.revoke_replaced = one.flag("revoke_replaced", rules.revoke_replaced);
    const json::object reminders = one.object("reminders");
    for (const auto& member : reminders) {
      const bool known = member.key() == "first" || member.key() == "second" || member.key() == "third";
      if (!known || !member.value().is_int64() || member.value().get_int64() < 1 || member.value().get_int64() > 365)
        one.refuse("reminders", "holds days from 1 to 365 named first, second and third");
      else
        rules.reminders.push_back(static_cast<std::uint32_t>(member.value().get_int64()));
    }
  });
}

// As the agent reads it, so that a mistake is found here and not on the user's machine.
void check_pin_policy(const DocumentReader& in, const json::object& policy, DocumentMistakes& mistakes) {
  std::vector<pins::PolicyMistake> found;
  pins::read_pin_policy(policy, found);
  DocumentReader place(policy, mistakes, in.at("pin_policy"));
  for (const auto& mistake : found) place.refuse(mistake.member, mistake.sentence);
}

}  // namespace

Result<ProfileRules> read_profile(const json::object& document) {
  DocumentMistakes mistakes;
  DocumentReader in(document, mistakes);
  ProfileRules rules;
  rules.description = in.text("description", "", 1000);
  rules.device_kinds = in.texts("device_kinds", 8, 16);
  for (const auto& kind : rules.device_kinds)
    if (!kind_secrets(kind)) in.refuse("device_kinds", fmt::format("there is no kind of token called '{}'", kind));
  if (rules.device_kinds.empty()) in.refuse("device_kinds", "is missing: at least one kind of token");
  read_certificates(in, rules);
  rules.pin_policy = in.object("pin_policy");
  check_pin_policy(in, rules.pin_policy, mistakes);
  rules.initial_pin = in.word("initial_pin", InitialPin::chosen, {"chosen", "random", "blocked"});
  rules.admin_key = in.word("admin_key", AdminKeyPolicy::derived, {"derived", "kept"});
  rules.attestation = in.word("attestation", AttestationPolicy::none, {"none", "wanted", "required"});
  rules.lifetime_days = in.number("lifetime_days", 0, 0, 3660);
  rules.devices_per_person = in.number("devices_per_person", 1, 0, 100);
  rules.registered_stock_only = in.flag("registered_stock_only", false);
  rules.own_devices_only = in.flag("own_devices_only", false);
  for (const auto& kind : rules.device_kinds)
    if (const auto secrets = kind_secrets(kind); rules.own_devices_only && secrets && secrets->made)
      in.refuse("own_devices_only",
                fmt::format("a token of kind {} is made when it is issued, so nobody has it before", kind));
  rules.history_depth = in.number("history_depth", 20, 0, 20);
  rules.write_chain = in.flag("write_chain", false);
  read_code(in, rules.code);
  read_who(in, rules);
  read_renewal(in, rules);
  rules.notifications = in.object("notifications");
  in.finish();
  CARDEA_TRY(mistakes.status());
  return rules;
}

Result<Profile> save_profile(const Ports& ports, const Actor& actor, const Profile& profile) {
  CARDEA_TRY(require(actor, Right::profile_write));
  if (profile.name.empty() || profile.name.size() > 64)
    return error(Code::arguments_bad, "/name: must have 1 to 64 bytes");
  CARDEA_ASSIGN(const ProfileRules rules, read_profile(profile.document));
  Profile saved = profile;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    DocumentMistakes mistakes;
    for (std::size_t i = 0; i < rules.certificates.size(); ++i) {
      const auto& rule = rules.certificates[i];
      const std::string at = fmt::format("/certificates/{}/policy", i);
      if (rule.policy.empty()) continue;
      auto policy = store.policy_by_name(rule.policy);
      if (!policy && policy.code() != Code::not_found) return std::move(policy).error();
      if (!policy) {
        mistakes.add(at, fmt::format("there is no certificate policy called '{}'", rule.policy));
        continue;
      }
      if (!policy->enabled) mistakes.add(at, fmt::format("the certificate policy '{}' is disabled", rule.policy));
      CARDEA_ASSIGN(const PolicyRules policy_rules, read_policy(policy->document));
      if (policy_rules.archive_keys && !rule.archived)
        mistakes.add(fmt::format("/certificates/{}/archived", i),
                     fmt::format("the certificate policy '{}' wants its keys archived", rule.policy));
    }
    CARDEA_TRY(mistakes.status());
    saved = profile;
    saved.updated = ports.clock.now();
    if (profile.id == 0) {
      saved.version = 1;
      saved.created = saved.updated;
      CARDEA_ASSIGN(saved.id, store.insert(saved));
    } else {
      CARDEA_ASSIGN(const Profile before, store.profile(profile.id));
      saved.version = before.version + 1;
      saved.created = before.created;
      CARDEA_TRY(store.update(saved));
    }
    return audit(store, actor, saved.updated, AuditAction::profile_saved, fmt::format("profile:{}", saved.id),
                 {{"name", saved.name}, {"version", saved.version}});
  }));
  return saved;
}

const std::vector<ExampleProfile>& example_profiles() {
  // Without a destructor, so that nothing runs when the process ends.
  static const auto& examples = *new std::vector<ExampleProfile>{{"staff-piv", R"({
  "description": "Staff card (PIV): log-on, signature, mail",
  "device_kinds": ["piv"],
  "certificates": [
    {"container": "authentication", "policy": "authentication", "algorithm": "ec:P-256"},
    {"container": "signature", "policy": "signature", "algorithm": "ec:P-256", "pin_policy": "always"},
    {"container": "encryption", "policy": "encryption", "algorithm": "rsa:2048", "archived": true}],
  "pin_policy": {"min_length": 6, "max_length": 8},
  "self_service": ["unblock", "renew"]
})"},
                                                                 {"staff-gids", R"({
  "description": "Staff card (GIDS): log-on, signature, mail",
  "device_kinds": ["gids"],
  "certificates": [
    {"container": "authentication", "policy": "authentication", "algorithm": "rsa:2048"},
    {"container": "signature", "policy": "signature", "algorithm": "rsa:2048"},
    {"container": "encryption", "policy": "encryption", "algorithm": "rsa:2048", "archived": true}],
  "pin_policy": {"min_length": 6, "max_length": 15},
  "self_service": ["unblock", "renew"]
})"},
                                                                 {"staff-keystore", R"({
  "description": "Staff keystore: log-on, signature, mail",
  "device_kinds": ["keystore"],
  "certificates": [
    {"container": "authentication", "policy": "authentication", "algorithm": "ec:P-256"},
    {"container": "signature", "policy": "signature", "algorithm": "ec:P-256"},
    {"container": "encryption", "policy": "encryption", "algorithm": "rsa:2048", "archived": true}],
  "pin_policy": {"min_length": 8, "max_length": 64},
  "self_service": ["unblock", "renew"]
})"},
                                                                 {"staff-tpm", R"({
  "description": "Staff card in the computer's TPM: log-on, signature, mail",
  "device_kinds": ["tpm"],
  "certificates": [
    {"container": "authentication", "policy": "authentication", "algorithm": "ec:P-256"},
    {"container": "signature", "policy": "signature", "algorithm": "ec:P-256"},
    {"container": "encryption", "policy": "encryption", "algorithm": "rsa:2048", "archived": true}],
  "pin_policy": {"min_length": 6, "max_length": 64},
  "self_service": ["unblock", "renew"]
})"}};
  return examples;
}

}  // namespace cardea::manager
