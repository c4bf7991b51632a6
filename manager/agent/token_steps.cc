// Which token, who answers for what, and the steps around its secrets.
#include "agent/token_steps.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "agent/device_kinds.h"
#include "agent/key_use.h"
#include "agent/parameters.h"
#include "crypto/digest.h"
#include "x509/encoding.h"

namespace cardea::agent {
namespace {

json::object pin_facts(const PinState& state) {
  json::object facts{{"initialized", state.initialized}, {"locked", state.locked}};
  if (state.retries_left) facts["retries_left"] = *state.retries_left;
  return facts;
}

json::object factory_facts(const FactorySecrets& factory) {
  json::object facts;
  if (factory.admin_key) facts["admin_key"] = *factory.admin_key;
  if (factory.puk) facts["puk"] = *factory.puk;
  if (factory.user_pin) facts["pin"] = *factory.user_pin;
  return facts;
}

Result<json::array> container_facts(const std::vector<DeviceContainer>& containers) {
  constexpr std::size_t longest_name = 64;
  json::array facts;
  for (const DeviceContainer& container : containers) {
    if (container.name.empty() || container.name.size() > longest_name) continue;
    json::object entry{{"container", container.name}, {"spki", x509::to_base64(container.public_key)}};
    if (!container.certificate.empty()) {
      CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, container.certificate));
      entry["certificate_sha256"] = to_hex(digest);
    }
    facts.push_back(std::move(entry));
  }
  return facts;
}

/// Which of a kind's factory secrets a card has: PIV cards differ in the algorithm of the administrator's key.
std::string card_type(const DeviceDescription& about) {
  const bool usual = about.kind != "piv" || about.admin_algorithm.empty() || about.admin_algorithm == "3des";
  return usual ? "" : about.admin_algorithm;
}

/// A person's name as a token's label: 32 bytes of UTF-8, cut between characters.
std::string cut_to_label(std::string text) {
  constexpr std::size_t longest = 32;
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<Byte>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

bool fits(const LocalToken& token, const std::string& wanted) {
  return wanted.empty() || token.kind == wanted || token.serial == wanted || token.label == wanted ||
         token.place.find(wanted) != std::string::npos;
}

Error too_many(const std::vector<LocalToken>& tokens) {
  std::string list;
  for (const LocalToken& token : tokens) {
    list += fmt::format("{}{} {} ({})", list.empty() ? "" : ", ", words_of_kind(token.kind), token.serial, token.place);
  }
  return error(
      Code::arguments_bad,
      fmt::format("there are several tokens to choose from; name one by its serial number with --device: {}", list));
}

}  // namespace

TokenSteps::Action TokenSteps::action_of(std::string_view kind) {
  constexpr std::array<std::pair<std::string_view, Action>, 17> actions{
      {{"inspect_token", &TokenSteps::inspect_token},
       {"create_token", &TokenSteps::create_token},
       {"replace_admin_key", &TokenSteps::replace_admin_key},
       {"replace_puk", &TokenSteps::replace_puk},
       {"set_pin", &TokenSteps::set_pin},
       {"block_pin", &TokenSteps::block_pin},
       {"unblock_pin", &TokenSteps::unblock_pin},
       {"generate_key", &TokenSteps::generate_key},
       {"attest_key", &TokenSteps::attest_key},
       {"answer_attestation", &TokenSteps::answer_attestation},
       {"make_request", &TokenSteps::make_request},
       {"import_key", &TokenSteps::import_key},
       {"write_certificate", &TokenSteps::write_certificate},
       {"write_history", &TokenSteps::write_history},
       {"write_objects", &TokenSteps::write_objects},
       {"prove_keys", &TokenSteps::prove_keys},
       {"erase_token", &TokenSteps::erase_token}}};
  const auto* const found = std::ranges::find(actions, kind, &std::pair<std::string_view, Action>::first);
  return found == actions.end() ? nullptr : found->second;
}

Result<json::object> TokenSteps::run(const NextStep& step) {
  const Action action = action_of(step.kind);
  if (action == nullptr) {
    return error(Code::function_not_supported,
                 fmt::format("this version of cardea does not know the step '{}'; install a newer one", step.kind));
  }
  step_ = step.index;
  return (this->*action)(step.parameters);
}

// Authority -----------------------------------------------------------------------------------------------------------

Result<Pin> TokenSteps::user_pin(bool refused) {
  if (refused || !pin_) {
    CARDEA_ASSIGN(pin_, user_.present_pin(token_words(), refused));
  }
  return Pin(pin_->view());
}

// Also where one is kept: it need not be the token's any more.
Result<Pin> TokenSteps::last_user_pin() {
  CARDEA_ASSIGN(pin_, user_.present_last_pin(token_words()));
  return Pin(pin_->view());
}

Result<Bytes> TokenSteps::answer(const AdminChallenge& challenge, int attempt) {
  // Which key a token has is not always to be told; what it is believed to have comes first.
  if (attempt > 1) return error(Code::pin_incorrect, "the token has another administrator's key than the daemon knows");
  const bool factory = factory_key_ == (attempt == 0);
  Result<Bytes> answer = server_.answer(session_, step_, challenge, factory);
  const bool declined = !answer && answer.code() != Code::timed_out;
  if (declined && attempt == 0) answer = server_.answer(session_, step_, challenge, !factory);
  return answer;
}

Result<Pin> TokenSteps::unblocking_secret() {
  if (!unblocking_secret_) return error(Code::user_not_logged_in, "the daemon did not send the unblock secret");
  return Pin(unblocking_secret_->view());
}

Result<SecretBytes> TokenSteps::admin_key() {
  if (!admin_key_) return error(Code::user_not_logged_in, "the daemon did not send the administrator's present key");
  return admin_key_->copy();
}

void TokenSteps::keep_pin(const Pin& pin) {
  pin_.emplace(pin.view());
}

// The token -----------------------------------------------------------------------------------------------------------

std::string TokenSteps::token_words() const {
  if (!token_) return "the token";
  return token_->label.empty() ? fmt::format("{} {}", words_of_kind(token_->kind), token_->serial) : token_->label;
}

Result<Device*> TokenSteps::device() {
  if (device_ == nullptr) {
    if (!token_) {
      CARDEA_ASSIGN(token_, choose(session_.device_kinds, {}));
      if (!token_) return error(Code::token_absent, "the token of this job is not there");
    }
    CARDEA_ASSIGN(device_, tokens_.open(*token_));
  }
  return device_.get();
}

Result<std::optional<LocalToken>> TokenSteps::choose(const std::vector<std::string>& kinds, std::string_view serial) {
  CARDEA_ASSIGN(const std::vector<LocalToken> there, tokens_.list(kinds));
  // The one that the job is about, unless somebody names another.
  const auto meant = std::ranges::find(there, serial, &LocalToken::serial);
  if (wanted_.empty() && !serial.empty() && meant != there.end()) return std::optional(*meant);
  std::vector<LocalToken> fitting;
  for (const LocalToken& token : there) {
    // What is made is made for a job that issues, unless somebody names one that is there.
    const bool named = token.serial == wanted_ || token.label == wanted_;
    if (session_.makes_tokens && is_made(token.kind) && !named) continue;
    if (fits(token, wanted_)) fitting.push_back(token);
  }
  if (fitting.size() == 1) return std::optional(fitting.front());
  if (fitting.size() > 1) return too_many(fitting);
  const bool can_make = std::ranges::any_of(
      kinds, [&](const std::string& kind) { return is_made(kind) && (wanted_.empty() || wanted_ == kind); });
  if (can_make && session_.makes_tokens) return std::optional<LocalToken>();
  return error(Code::token_absent, wanted_.empty() ? std::string("there is no token that fits; insert or connect it")
                                                   : fmt::format("there is no token '{}' that fits", wanted_));
}

Result<json::object> TokenSteps::facts() {
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const DeviceDescription about, token->describe());
  factory_key_ = about.factory.admin_key.value_or(false);
  CARDEA_ASSIGN(json::array containers, container_facts(about.containers));
  return json::object{{"kind", about.kind},
                      {"serial", about.serial},
                      {"label", about.label},
                      {"model", about.model},
                      {"card_type", card_type(about)},
                      {"pin", pin_facts(about.user_pin)},
                      {"factory", factory_facts(about.factory)},
                      {"containers", std::move(containers)},
                      {"free_history", about.free_history},
                      {"admin_algorithm", about.admin_algorithm},
                      {"attests", about.attests},
                      {"lacks_card_uuid", about.lacks_card_uuid},
                      {"write_needs", about.user_writes ? "pin" : "admin"}};
}

Result<json::object> TokenSteps::inspect_token(const json::object& parameters) {
  std::vector<std::string> kinds;
  if (const json::value* const list = parameters.if_contains("kinds"); list != nullptr && list->is_array()) {
    for (const json::value& kind : list->get_array()) {
      if (kind.is_string()) kinds.emplace_back(kind.get_string());
    }
  }
  if (kinds.empty()) kinds = session_.device_kinds;
  CARDEA_ASSIGN(const std::string serial, optional_text(parameters, "serial"));
  if (!token_) {
    CARDEA_ASSIGN(token_, choose(kinds, serial));
  }
  if (token_) return facts();
  for (const std::string& kind : kinds) {
    if (!is_made(kind) || (!wanted_.empty() && wanted_ != kind)) continue;
    const bool is_tpm = made_kind(kind) == MadeKind::tpm;
    return json::object{{"kind", kind},
                        {"serial", ""},
                        {"pin", json::object{{"initialized", false}, {"locked", false}}},
                        {"factory", json::object()},
                        {"containers", json::array()},
                        {"admin_algorithm", is_tpm ? "hmac-sha256" : ""},
                        {"attests", is_tpm},
                        {"write_needs", "pin"}};
  }
  return error(Code::token_absent, "there is no token that fits");
}

Result<json::object> TokenSteps::create_token(const json::object& parameters) {
  CARDEA_ASSIGN(std::string kind, optional_text(parameters, "kind"));
  if (kind.empty()) kind = parameters.contains("so_pin") ? "keystore" : "tpm";
  if (!is_made(kind)) return error(Code::arguments_bad, fmt::format("tokens of the kind '{}' are not made", kind));
  NewToken wanted;
  CARDEA_ASSIGN(const std::string label, required_text(parameters, "label"));
  wanted.label = cut_to_label(label);
  if (made_kind(kind) == MadeKind::keystore) {
    CARDEA_ASSIGN(wanted.so_pin, required_pin(parameters, "so_pin"));
    unblocking_secret_.emplace(wanted.so_pin.view());
  } else {
    CARDEA_ASSIGN(wanted.puk, required_pin(parameters, "puk"));
    CARDEA_ASSIGN(wanted.admin_key, required_secret(parameters, "admin_key"));
    unblocking_secret_.emplace(wanted.puk.view());
    admin_key_ = wanted.admin_key.copy();
  }
  // Made by an earlier attempt of this job, whose report was lost.
  if (token_) return facts();
  CARDEA_ASSIGN(device_, tokens_.create(kind, wanted));
  CARDEA_ASSIGN(const DeviceDescription about, device_->describe());
  token_ = LocalToken{kind, about.serial, about.label, kind};
  return facts();
}

// Secrets -------------------------------------------------------------------------------------------------------------

Result<json::object> TokenSteps::replace_admin_key(const json::object& parameters) {
  CARDEA_ASSIGN(const SecretBytes fresh, required_secret(parameters, "new_key"));
  CARDEA_ASSIGN(std::optional<SecretBytes> old, optional_secret(parameters, "old_key"));
  if (old) admin_key_ = std::move(old);
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_TRY(token->set_admin_key(*this, fresh));
  factory_key_ = false;
  admin_key_ = fresh.copy();
  return json::object();
}

Result<json::object> TokenSteps::replace_puk(const json::object& parameters) {
  CARDEA_ASSIGN(const Pin fresh, required_pin(parameters, "new_puk"));
  CARDEA_ASSIGN(std::optional<Pin> old, optional_pin(parameters, "old_puk"));
  if (old) unblocking_secret_ = std::move(old);
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_TRY(token->set_puk(*this, fresh));
  unblocking_secret_.emplace(fresh.view());
  return json::object();
}

Result<PinPolicy> TokenSteps::policy_of(const json::object& parameters, DeviceDescription& about) {
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(about, token->describe());
  CARDEA_ASSIGN(const json::object document, optional_object(parameters, "policy"));
  CARDEA_ASSIGN(const PinPolicy policy, read_pin_policy(document));
  return within_token(policy, about.min_pin_length, about.max_pin_length);
}

Result<Pin> TokenSteps::choose_pin(const PinPolicy& policy, const Pin* present) {
  const std::string rules = describe_policy(policy);
  std::string problem;
  constexpr int most_attempts = 10;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    CARDEA_ASSIGN(Pin chosen, user_.new_pin(token_words(), rules, problem));
    const Status checked = check_pin(policy, chosen);
    if (!checked) {
      problem = checked.error().detail;
      continue;
    }
    const bool same = present != nullptr && policy.history > 0 && same_bytes(present->view(), chosen.view());
    CARDEA_ASSIGN(const bool used, history_.contains(token_->serial, chosen, policy.history));
    if (!same && !used) return chosen;
    problem = "the PIN was used before";
  }
  return error(Code::function_canceled, fmt::format("no PIN was chosen that fits: {}", problem));
}

Status TokenSteps::put_pin(const json::object& parameters, const Pin& fresh, const Pin* present) {
  CARDEA_ASSIGN(const std::string old, optional_text(parameters, "old"));
  CARDEA_ASSIGN(std::optional<Pin> puk, optional_pin(parameters, "puk"));
  if (puk) unblocking_secret_ = std::move(puk);
  CARDEA_ASSIGN(Device* const token, device());
  if (present != nullptr) return token->change_user_pin(*present, fresh);
  if (old != "factory") return token->set_user_pin(*this, fresh);
  const Status first = token->set_first_pin(*this, fresh);
  const bool other_pin = !first && (first.code() == Code::pin_incorrect || first.code() == Code::pin_locked);
  // Not the factory's any more: what an earlier attempt set, of which nobody knows the PIN now.
  return other_pin && unblocking_secret_ ? token->set_user_pin(*this, fresh) : first;
}

Result<json::object> TokenSteps::set_pin(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string mode, required_text(parameters, "mode"));
  CARDEA_ASSIGN(const std::string old, optional_text(parameters, "old"));
  DeviceDescription about;
  CARDEA_ASSIGN(const PinPolicy policy, policy_of(parameters, about));
  json::object enforced;
  for (const Enforcement& each : enforcement(policy, about.min_pin_length, about.max_pin_length)) {
    enforced[each.rule] = each.by_token ? "token" : "agent";
  }
  const bool is_random = mode == "random";
  if (mode == "keep") {
    CARDEA_ASSIGN(Device* const token, device());
    CARDEA_TRY(token->prove_user(*this));
    return json::object{{"enforced", std::move(enforced)}, {"must_change", false}};
  }
  if (!is_random && mode != "chosen") return error(Code::arguments_bad, "the daemon's 'mode' is unknown");
  std::optional<Pin> present;
  if (old == "user") {
    CARDEA_ASSIGN(present, about.user_pin.retries_left == 1 ? last_user_pin() : user_pin(false));
  }
  const Pin* const known = present ? &*present : nullptr;
  CARDEA_ASSIGN(std::optional<Pin> given, optional_pin(parameters, "pin"));
  Pin fresh;
  if (!is_random) {
    CARDEA_ASSIGN(fresh, choose_pin(policy, known));
  } else if (given) {
    fresh = std::move(*given);
  } else {
    CARDEA_ASSIGN(fresh, random_pin(policy));
  }
  CARDEA_TRY(put_pin(parameters, fresh, known));
  if (known != nullptr) CARDEA_TRY(history_.add(token_->serial, *known, policy.history));
  if (is_random) CARDEA_TRY(user_.show_pin(token_words(), fresh));
  keep_pin(fresh);
  return json::object{{"enforced", std::move(enforced)}, {"must_change", is_random && policy.first_use_change}};
}

Result<json::object> TokenSteps::unblock_pin(const json::object& parameters) {
  json::object setting(parameters, parameters.storage());  // it holds a secret, and its memory is wiped
  setting["mode"] = "chosen";
  setting["old"] = "none";
  return set_pin(setting);
}

Result<json::object> TokenSteps::block_pin(const json::object& parameters) {
  CARDEA_ASSIGN(std::optional<Pin> puk, optional_pin(parameters, "puk"));
  if (puk) unblocking_secret_ = std::move(puk);
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_TRY(token->block_user_pin(*this));
  pin_.reset();
  return json::object();
}

Result<json::object> TokenSteps::erase_token(const json::object& parameters) {
  CARDEA_ASSIGN(const json::object restore, optional_object(parameters, "restore"));
  CARDEA_ASSIGN(const std::optional<SecretBytes> key, optional_secret(restore, "admin_key"));
  CARDEA_ASSIGN(const std::optional<Pin> factory_puk, optional_pin(restore, "puk"));
  CARDEA_ASSIGN(const std::optional<Pin> factory_pin, optional_pin(restore, "pin"));
  CARDEA_ASSIGN(std::optional<Pin> puk, optional_pin(parameters, "puk"));
  if (puk) unblocking_secret_ = std::move(puk);
  const Result<Device*> token = device();
  // A token that was made is gone when it was erased before.
  const bool is_gone = !token && token_ && is_made(token_->kind) && token.code() == Code::token_absent;
  if (is_gone) return json::object();
  if (!token) return token.error();
  CARDEA_ASSIGN(const DeviceDescription about, (*token)->describe());
  const bool is_new = about.factory.admin_key.value_or(false) && about.containers.empty() && !is_made(about.kind);
  if (is_new) return json::object();
  pin_.reset();
  CARDEA_ASSIGN(const bool restored, (*token)->erase(*this));
  if (is_made(about.kind)) device_.reset();
  if (restored) return json::object();
  if (factory_pin) CARDEA_TRY((*token)->set_user_pin(*this, *factory_pin));
  if (factory_puk) CARDEA_TRY((*token)->set_puk(*this, *factory_puk));
  if (key) CARDEA_TRY((*token)->set_admin_key(*this, *key));
  return json::object();
}

}  // namespace cardea::agent
