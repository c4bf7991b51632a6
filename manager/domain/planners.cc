// What each kind of job consists of: from the credential profile and from what the token is.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "domain/archive.h"
#include "domain/journal_parts.h"
#include "domain/requests.h"

namespace cardea::manager::journal {

namespace {

// What planning works with. Steps are collected in order.
struct Plan {
  Transaction& store;
  const Ports& ports;
  const JobView& view;
  const json::object& inspected;
  const Token& token;
  KindSecrets secrets;
  std::vector<Step> steps = {};
  json::array proofs = {};  ///< containers for prove_keys

  void add(std::string_view kind, json::object parameters = {}) {
    steps.push_back(planned_step(kind, std::move(parameters)));
  }
};

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& text : list) out.emplace_back(text);
  return out;
}

// The SHA-256 of the public key that the token holds in a container, as the agent told; empty without one.
std::string key_in_container(const json::object& inspected, std::string_view container) {
  const json::value* list = inspected.if_contains("containers");
  if (list == nullptr || !list->is_array()) return "";
  for (const auto& one : list->get_array())
    if (one.is_object() && text_of(one.get_object(), "container") == container)
      if (const Bytes spki = bytes_of(one.get_object(), "spki"); !spki.empty())
        if (const auto hash = crypto::digest(Hash::sha256, spki)) return to_hex(*hash);
  return "";
}

// The administrator's secrets, unless they are ours already or the profile leaves them alone.
void plan_admin_key(Plan& plan, std::uint32_t version) {
  if (!plan.secrets.admin_key || plan.token.secret_version >= version) return;
  std::string algorithm = text_of(plan.inspected, "admin_algorithm");
  if (algorithm.empty()) algorithm = plan.token.kind == "tpm" ? "hmac-sha256" : "3des";
  plan.add("replace_admin_key", {{"algorithm", algorithm}, {"version", version}});
}

// A PUK, or the SO PIN of kinds that have that instead.
void plan_puk(Plan& plan, std::uint32_t version) {
  if (plan.secrets.puk_digits + plan.secrets.so_pin_digits == 0 || plan.token.puk_version >= version) return;
  plan.add("replace_puk", {{"version", version}});
}

void plan_first_secrets(Plan& plan) {
  // A token that we make has secrets of ours from its first moment, though not yet those that follow from its number.
  const bool replace = plan.secrets.made || plan.view.rules.admin_key == AdminKeyPolicy::derived;
  if (!replace) return;
  plan_admin_key(plan, 1);
  plan_puk(plan, 1);
}

void plan_pin(Plan& plan) {
  const auto& rules = plan.view.rules;
  const bool factory = plan.token.secret_version == 0 && !plan.secrets.made;
  plan.add("set_pin", {{"policy", rules.pin_policy},
                       {"mode", rules.initial_pin == InitialPin::chosen ? "chosen" : "random"},
                       {"old", factory ? "factory" : "none"}});
}

void plan_proof(Plan& plan, std::string_view container) {
  Bytes nonce(32);
  // A nonce that could be foreseen would let an old signature pass; without entropy nothing is planned to be proved and
  // prove_keys refuses an empty nonce.
  if (!crypto::random_bytes(nonce)) nonce.clear();
  plan.proofs.push_back(json::object{{"container", std::string(container)}, {"nonce", base64(nonce)}});
}

// A TPM's statement counts only once the TPM has answered for it (docs/tpm.md, "Attestation").
void plan_attestation(Plan& plan, const CertificateRule& rule) {
  const AttestationPolicy wish = plan.view.rules.attestation;
  if (wish == AttestationPolicy::none) return;
  Bytes nonce(32);
  // Without entropy nothing is expected, and verify_attestation refuses an empty nonce.
  if (!crypto::random_bytes(nonce)) nonce.clear();
  const json::object about{{"container", rule.container}, {"required", wish == AttestationPolicy::required}};
  json::object check = about;
  check["pin_policy"] = rule.pin_policy;
  check["touch_policy"] = rule.touch_policy;
  plan.add("attest_key", {{"container", rule.container}, {"nonce", base64(nonce)}});
  plan.add("verify_attestation", check);
  if (plan.token.kind != "tpm") return;
  plan.add("answer_attestation", {{"container", rule.container}});
  plan.add("confirm_attestation", about);
}

bool attests(const Step& step) {
  constexpr std::string_view kinds[] = {"generate_key", "attest_key", "verify_attestation", "answer_attestation",
                                        "confirm_attestation"};
  return std::find(std::begin(kinds), std::end(kinds), step.kind) != std::end(kinds);
}

// Where a profile demands attestation no authority is asked for anything before every key has passed. What makes room
// for keys (history) stays in front.
void attest_first(Plan& plan) {
  if (plan.view.rules.attestation != AttestationPolicy::required) return;
  const auto issues = std::find_if(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
    return step.kind == "issue_certificate" || step.kind == "generate_archived_key";
  });
  std::stable_partition(issues, plan.steps.end(), attests);
}

void plan_key_on_token(Plan& plan, const CertificateRule& rule, bool fresh) {
  if (fresh)
    plan.add("generate_key", {{"container", rule.container},
                              {"algorithm", rule.algorithm},
                              {"pin_policy", rule.pin_policy},
                              {"touch_policy", rule.touch_policy},
                              {"replace", key_in_container(plan.inspected, rule.container)}});
  plan_attestation(plan, rule);
  plan.add("make_request", {{"container", rule.container}, {"subject", ""}, {"hash", "sha256"}});
  plan.add("issue_certificate", {{"container", rule.container},
                                 {"policy", rule.policy},
                                 {"attested", plan.view.rules.attestation == AttestationPolicy::required}});
  plan.add("write_certificate", {{"container", rule.container}});
  plan_proof(plan, rule.container);
}

void plan_archived_key(Plan& plan, const CertificateRule& rule) {
  plan.add("generate_archived_key",
           {{"container", rule.container}, {"policy", rule.policy}, {"algorithm", rule.algorithm}});
  plan.add("issue_certificate", {{"container", rule.container}, {"policy", rule.policy}});
  plan.add("import_key",
           {{"container", rule.container}, {"replace", key_in_container(plan.inspected, rule.container)}});
  plan.add("write_certificate", {{"container", rule.container}});
  plan_proof(plan, rule.container);
}

// The person's live archived certificate under a policy; empty without one.
Result<std::optional<Certificate>> live_archived(Plan& plan, const CertificateRule& rule) {
  Filter filter;
  filter.person = plan.view.person.id;
  filter.state = "active";
  filter.limit = 1000;
  CARDEA_ASSIGN(const auto page, plan.store.certificates(filter));
  std::optional<Certificate> newest;
  for (const auto& certificate : page.items) {
    const bool good = certificate.archived_key && certificate.policy == rule.policy && certificate.not_after &&
                      *certificate.not_after > plan.ports.clock.now();
    if (good && (!newest || *newest->not_after < *certificate.not_after)) newest = certificate;
  }
  return newest;
}

Status plan_existing_key(Plan& plan, const CertificateRule& rule) {
  CARDEA_ASSIGN(const auto live, live_archived(plan, rule));
  if (!live) {
    plan_archived_key(plan, rule);
    return {};
  }
  plan.add("import_key", {{"container", rule.container},
                          {"archived_key", *live->archived_key},
                          {"replace", key_in_container(plan.inspected, rule.container)}});
  plan.add("write_certificate", {{"container", rule.container}, {"certificate", live->id}});
  plan_proof(plan, rule.container);
  return {};
}

// Whose keys the history may hold without a recovery: those that were on this token before.
enum class Former : std::uint8_t { of_the_token, of_the_person };

Result<bool> was_on(Plan& plan, const ArchivedKey& key) {
  CARDEA_ASSIGN(const auto certificate, plan.store.certificate(*key.certificate));
  return certificate.token == plan.token.id;
}

// Former decryption keys, which the token gets in its places for history (K5).
// `leaving` is the container whose key the job is about to replace; empty: none.
Status plan_history(Plan& plan, std::size_t depth, Former former, std::string_view leaving = {}) {
  if (depth == 0) return {};
  CARDEA_ASSIGN(const auto keys, key_history(plan.store, plan.view.person.id, depth));
  json::array ids;
  for (const auto& key : keys) {
    if (former == Former::of_the_token) {
      CARDEA_ASSIGN(const bool here, was_on(plan, key));
      if (!here) continue;
    }
    CARDEA_ASSIGN(const KeyStorage storage, recovery_storage(plan.store, key));
    const KeyStorage here = plan.token.kind == "keystore" ? KeyStorage::software : KeyStorage::hardware;
    if (storage == KeyStorage::both || storage == here) ids.emplace_back(key.id);
  }
  if (!ids.empty()) plan.add("write_history", {{"keys", ids}, {"keep", true}, {"leaving", leaving}});
  return {};
}

// Names that cannot be certified, and tokens that a policy does not let its certificates onto, are found before a key
// is made for them.
Status check_names(Plan& plan, const CertificateRule& rule) {
  CARDEA_ASSIGN(const CertificatePolicy policy, plan.store.policy_by_name(rule.policy));
  CARDEA_ASSIGN(const PolicyRules rules, read_policy(policy.document));
  const bool software = plan.token.kind == "keystore";
  const KeyStorage here = software ? KeyStorage::software : KeyStorage::hardware;
  if (rules.certificate_storage != KeyStorage::both && rules.certificate_storage != here)
    return error(Code::action_prohibited,
                 fmt::format("the certificate policy '{}' does not let its certificates onto {}", policy.name,
                             software ? "software keystores" : "hardware tokens"));
  auto mapped = map_attributes(rules, plan.view.person, &plan.token);
  return mapped ? Status() : Status(std::move(mapped).error());
}

// A token that cannot say where its keys were made is refused before anything is changed on it.
Status check_attests(Plan& plan) {
  std::string why = attestation_obstacle(plan.ports, plan.view.rules, plan.token.kind, &plan.inspected);
  if (why.empty()) return {};
  return error(Code::action_prohibited, std::move(why));
}

Status plan_certificate(Plan& plan, const CertificateRule& rule) {
  if (rule.source == CertificateSource::historic_only) return {};
  CARDEA_TRY(check_names(plan, rule));
  if (rule.source == CertificateSource::use_existing) return plan_existing_key(plan, rule);
  if (rule.archived) {
    plan_archived_key(plan, rule);
    return {};
  }
  CARDEA_TRY(check_attests(plan));
  plan_key_on_token(plan, rule, true);
  return {};
}

void plan_end(Plan& plan) {
  if (!plan.proofs.empty()) plan.add("prove_keys", {{"containers", plan.proofs}});
  plan.add("activate");
}

// Other software knows a PIV card again by its card UUID, which some makers leave to the issuer (SP 800-73-4 part
// 1, 3.1.2). Empty content has the agent make one up.
void plan_card_uuid(Plan& plan) {
  if (flag_of(plan.inspected, "lacks_card_uuid")) plan.add("write_objects", {{"objects", json::object{{"chuid", ""}}}});
}

Status plan_issue(Plan& plan) {
  plan_first_secrets(plan);
  plan_pin(plan);
  plan_card_uuid(plan);
  // Before the new keys: the archive holds none of them yet, so only former ones are taken for history.
  if (plan.view.request.parameters.contains(former_keys))
    CARDEA_TRY(plan_history(plan, plan.view.rules.history_depth, Former::of_the_person));
  for (const auto& rule : plan.view.rules.certificates) CARDEA_TRY(plan_certificate(plan, rule));
  plan_end(plan);
  if (plan.view.rules.initial_pin == InitialPin::blocked) plan.add("block_pin");
  return {};
}

Status plan_replace(Plan& plan) {
  CARDEA_TRY(plan_issue(plan));
  plan.add("revoke_certificates", {{"token", *plan.view.request.token}, {"reason", plan.view.request.reason}});
  plan.add("close_token", {{"token", *plan.view.request.token}, {"event", "cancel"}});
  return {};
}

// The certificates on the token, by container.
Result<std::vector<Certificate>> certificates_on(Plan& plan) {
  Filter filter;
  filter.token = plan.token.id;
  filter.state = "active";
  filter.limit = 1000;
  CARDEA_ASSIGN(auto page, plan.store.certificates(filter));
  return std::move(page.items);
}

const CertificateRule* rule_of(const ProfileRules& rules, std::string_view container) {
  for (const auto& rule : rules.certificates)
    if (rule.container == container) return &rule;
  return nullptr;
}

// Anew over the same containers. Keys that stay let the old certificate work until the new one does; a fresh decryption
// key is imported only after the one before has its place among the history.
Status plan_renewed(Plan& plan, const std::vector<Certificate>& old, json::array& replaced) {
  bool fresh_archived = false;
  for (const auto& certificate : old)
    if (const auto* rule = rule_of(plan.view.rules, certificate.container); rule != nullptr && rule->archived)
      fresh_archived = true;
  if (fresh_archived)
    CARDEA_TRY(plan_history(plan, std::max<std::size_t>(plan.view.rules.history_depth, 1), Former::of_the_token,
                            "encryption"));
  for (const auto& certificate : old) {
    const auto* rule = rule_of(plan.view.rules, certificate.container);
    if (rule == nullptr) continue;
    CARDEA_TRY(check_names(plan, *rule));
    replaced.emplace_back(certificate.id);
    if (rule->archived) {
      plan_archived_key(plan, *rule);
      continue;
    }
    CARDEA_TRY(check_attests(plan));
    plan_key_on_token(plan, *rule, rule->renewal == RenewalKey::fresh);
  }
  return {};
}

void plan_superseded(Plan& plan, json::array replaced) {
  if (replaced.empty()) return;
  plan.add("supersede_certificates",
           {{"certificates", std::move(replaced)}, {"revoke", plan.view.rules.revoke_replaced}});
}

Status plan_renew(Plan& plan) {
  CARDEA_ASSIGN(const auto old, certificates_on(plan));
  json::array replaced;
  CARDEA_TRY(plan_renewed(plan, old, replaced));
  if (replaced.empty())
    return error(Code::action_prohibited, "there is no certificate on the token that could be renewed");
  plan_end(plan);
  plan_superseded(plan, std::move(replaced));
  return {};
}

// What the profile names and the token lacks is issued; what it no longer names is revoked.
Status plan_update(Plan& plan) {
  CARDEA_ASSIGN(const auto held, certificates_on(plan));
  json::array superfluous;
  for (const auto& certificate : held)
    if (rule_of(plan.view.rules, certificate.container) == nullptr) superfluous.emplace_back(certificate.id);
  for (const auto& rule : plan.view.rules.certificates) {
    const bool there =
        std::any_of(held.begin(), held.end(), [&](const auto& one) { return one.container == rule.container; });
    if (!there) CARDEA_TRY(plan_certificate(plan, rule));
  }
  CARDEA_TRY(plan_history(plan, plan.view.rules.history_depth, Former::of_the_token));
  plan_end(plan);
  if (!superfluous.empty())
    plan.add("revoke_certificates", {{"certificates", superfluous}, {"reason", "cessationOfOperation"}});
  return {};
}

Status plan_unblock(Plan& plan) {
  plan.add("unblock_pin", {{"policy", plan.view.rules.pin_policy}});
  // The secret went to the user's machine, so it is used up (docs/manager.md).
  plan_puk(plan, plan.token.puk_version + 1);
  return {};
}

Status plan_rotate(Plan& plan) {
  plan_admin_key(plan, plan.token.secret_version + 1);
  plan_puk(plan, plan.token.puk_version + 1);
  return {};
}

Status plan_recover(Plan& plan) {
  const json::value* wanted = plan.view.request.parameters.if_contains("keys");
  if (wanted != nullptr && wanted->is_array()) {
    plan.add("write_history", {{"keys", wanted->get_array()}, {"keep", true}});
    return {};
  }
  const bool latest = wanted != nullptr && wanted->is_string() && wanted->get_string() == "latest";
  return plan_history(plan, latest ? 1 : 100, Former::of_the_person);
}

Status plan_retire(Plan& plan) {
  plan.add("revoke_certificates", {{"token", plan.token.id}, {"reason", plan.view.request.reason}});
  plan.add("erase_token");
  plan.add("close_token", {{"token", plan.token.id}, {"event", "retire"}});
  return {};
}

struct Planner {
  std::string_view kind;
  Status (*plan)(Plan&);
};
constexpr Planner planners[] = {{"issue", plan_issue},     {"replace", plan_replace}, {"renew", plan_renew},
                                {"update", plan_update},   {"unblock", plan_unblock}, {"rotate", plan_rotate},
                                {"recover", plan_recover}, {"retire", plan_retire}};

}  // namespace

std::vector<Step> first_steps(const JobView& view) {
  const std::string& kind = view.request.kind;
  const json::object token = view.request.token ? json::object{{"token", *view.request.token}} : json::object{};
  json::object revoke = token;
  revoke["reason"] = view.request.reason;
  const auto close = [&](std::string_view event) {
    json::object parameters = token;
    parameters["event"] = std::string(event);
    return planned_step("close_token", parameters);
  };
  if (kind == "disable") return {planned_step("suspend_certificates", token), close("disable")};
  if (kind == "enable") return {planned_step("unsuspend_certificates", token), close("enable")};
  if (kind == "cancel") return {planned_step("revoke_certificates", revoke), close("cancel")};
  std::vector<std::string> kinds = view.rules.device_kinds;
  json::object wanted;
  if (view.token && kind != "replace") {
    kinds = {view.token->kind};
    wanted["serial"] = view.token->serial;
  }
  wanted["kinds"] = texts(kinds);
  return {planned_step("inspect_token", wanted), planned_step("claim_token")};
}

Result<std::vector<Step>> steps_on_token(Transaction& store, const Ports& ports, const JobView& view,
                                         const json::object& inspected) {
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(view.token->kind));
  Plan plan{store, ports, view, inspected, *view.token, secrets};
  for (const auto& planner : planners)
    if (planner.kind == view.request.kind) {
      CARDEA_TRY(planner.plan(plan));
      attest_first(plan);
      return std::move(plan.steps);
    }
  return error(Code::internal, fmt::format("nothing is planned for '{}'", view.request.kind));
}

}  // namespace cardea::manager::journal
