// The steps around a token's secrets, from the first to the last.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <utility>

#include "agent/device_kinds.h"
#include "agent/parameters.h"
#include "agent/token_steps.h"

namespace cardea::agent {
namespace {

/// Why a new PIN is typed on the keyboard though the reader has a pad.
std::string words_about_pad(const std::vector<pins::Enforcement>& rules) {
  std::string hidden;
  for (const pins::Enforcement& rule : rules) {
    if (!rule.by_token) hidden += fmt::format("{}{}", hidden.empty() ? "" : ", ", pins::words_of_rule(rule.rule));
  }
  if (hidden.empty()) return " It is typed here: the reader's pad changes a PIN only for who types the present one.";
  return fmt::format(
      " It is typed here: a PIN on the reader's pad is seen by nobody, so these could not be checked: {}.", hidden);
}

}  // namespace

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

Result<pins::PinPolicy> TokenSteps::policy_of(const json::object& parameters, DeviceDescription& about) {
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(about, token->describe());
  CARDEA_ASSIGN(const json::object document, optional_object(parameters, "policy"));
  CARDEA_ASSIGN(const pins::PinPolicy policy, pins::read_pin_policy(document));
  return pins::within_token(policy, about.min_pin_length, about.max_pin_length);
}

Result<Pin> TokenSteps::choose_pin(const pins::PinPolicy& policy, const Pin* present, const std::string& about_pad) {
  const std::string rules = pins::describe_policy(policy) + about_pad;
  std::string problem;
  constexpr int most_attempts = 10;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    CARDEA_ASSIGN(Pin chosen, user_.new_pin(token_words(), rules, problem));
    const Status checked = pins::check_pin(policy, chosen);
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
  CARDEA_ASSIGN(const pins::PinPolicy policy, policy_of(parameters, about));
  const std::vector<pins::Enforcement> rules = pins::enforcement(policy, about.min_pin_length, about.max_pin_length);
  json::object enforced;
  for (const pins::Enforcement& each : rules) enforced[each.rule] = each.by_token ? "token" : "agent";
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
    CARDEA_ASSIGN(fresh, choose_pin(policy, known, about.has_pin_pad ? words_about_pad(rules) : std::string()));
  } else if (given) {
    fresh = std::move(*given);
  } else {
    CARDEA_ASSIGN(fresh, pins::random_pin(policy));
  }
  // Before the token has a PIN that nobody was told yet: a list that cannot be written changes nothing.
  if (known != nullptr) CARDEA_TRY(history_.add(token_->serial, *known, policy.history));
  CARDEA_TRY(put_pin(parameters, fresh, known));
  keep_pin(fresh);
  if (is_random) CARDEA_TRY(user_.show_pin(token_words(), fresh));
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

Status TokenSteps::restore_pin(Device& token, const Pin& factory_pin, const std::optional<Pin>& factory_puk) {
  Status set = token.set_user_pin(*this, factory_pin);
  if (set || set.code() != Code::pin_incorrect || !factory_puk) return set;
  // The PUK is the factory's again where an earlier attempt was cut off behind it.
  unblocking_secret_.emplace(factory_puk->view());
  return token.set_user_pin(*this, factory_pin);
}

Result<json::object> TokenSteps::erase_token(const json::object& parameters) {
  CARDEA_ASSIGN(const json::object restore, optional_object(parameters, "restore"));
  CARDEA_ASSIGN(const std::optional<SecretBytes> key, optional_secret(restore, "admin_key"));
  CARDEA_ASSIGN(const std::optional<Pin> factory_puk, optional_pin(restore, "puk"));
  CARDEA_ASSIGN(const std::optional<Pin> factory_pin, optional_pin(restore, "pin"));
  CARDEA_ASSIGN(std::optional<Pin> puk, optional_pin(parameters, "puk"));
  if (puk) unblocking_secret_ = std::move(puk);
  Result<Device*> token = device();
  if (!token && token.code() == Code::device_removed) token = device_without_number();
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
  if (factory_pin) CARDEA_TRY(restore_pin(**token, *factory_pin, factory_puk));
  if (factory_puk) CARDEA_TRY((*token)->set_puk(*this, *factory_puk));
  if (key) CARDEA_TRY((*token)->set_admin_key(*this, *key));
  return json::object();
}

}  // namespace cardea::agent
