// Which token it is, and who answers for what.
#include "agent/token_steps.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "agent/device_kinds.h"
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
  constexpr std::array<std::pair<std::string_view, Action>, 18> actions{
      {{"inspect_token", &TokenSteps::inspect_token},
       {"create_token", &TokenSteps::create_token},
       {"initialise_token", &TokenSteps::initialise_token},
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

Result<bool> TokenSteps::types_on_pad(bool refused, bool last) {
  // One that was set in this job was typed here already.
  if (pin_ && !refused && !last) return false;
  CARDEA_ASSIGN(const bool on_pad, user_.turn_to_pad(token_words(), refused, last));
  if (on_pad) pin_.reset();
  return on_pad;
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
      CARDEA_ASSIGN(token_, begun_with());
    }
    if (!token_) {
      CARDEA_ASSIGN(token_, choose(session_.device_kinds, {}));
      if (!token_) return error(Code::token_absent, "the token of this job is not there");
    }
    CARDEA_ASSIGN(device_, tokens_.open(*token_));
  }
  return device_.get();
}

// Erasing and locking take no proof on some kinds, so nothing is done to a token because it happens to be the only one.
Result<std::optional<LocalToken>> TokenSteps::begun_with() {
  if (session_.token_serial.empty()) return std::optional<LocalToken>();
  CARDEA_ASSIGN(const std::vector<LocalToken> there, tokens_.list({session_.token_kind}));
  const auto found = std::ranges::find(there, session_.token_serial, &LocalToken::serial);
  if (found != there.end()) return std::optional(*found);
  return error(Code::token_absent,
               fmt::format("this job was begun with {} {}, which is not there; insert or connect it",
                           words_of_kind(session_.token_kind), session_.token_serial));
}

Result<Device*> TokenSteps::device_without_number() {
  if (!token_->maker_number.empty() && !token_->number_object.empty()) {
    CARDEA_ASSIGN(const std::vector<LocalToken> there, tokens_.list({token_->kind}));
    const auto same = std::ranges::find(there, token_->maker_number, &LocalToken::maker_number);
    if (same != there.end()) {
      CARDEA_ASSIGN(std::unique_ptr<Device> reset, tokens_.open(*same));
      CARDEA_TRY(reset->give_back_number(token_->number_object));
      device_ = std::move(reset);
      return device_.get();
    }
  }
  return error(Code::device_removed, fmt::format("{} is in no reader", token_words()));
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
  token_->number_object = about.number_object;
  CARDEA_ASSIGN(json::array containers, container_facts(about.containers));
  return json::object{{"kind", about.kind},
                      {"serial", about.serial},
                      {"label", about.label},
                      {"model", about.model},
                      {"card_type", card_type(about)},
                      {"pin", pin_facts(about.user_pin)},
                      {"factory", factory_facts(about.factory)},
                      {"blank", about.blank},
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
  choose_anew_without_number();
  CARDEA_TRY(choose_anew_where_another_is_wanted(serial));
  if (!token_) {
    CARDEA_ASSIGN(token_, choose(kinds, serial));
  }
  if (token_) {
    CARDEA_ASSIGN(json::object told, facts());
    was_told_ = true;
    return told;
  }
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

void TokenSteps::choose_anew_without_number() {
  if (!token_ || !token_->serial.empty()) return;
  token_.reset();
  device_.reset();
}

// Nothing was done to it yet: the daemon takes a token after it was told of it.
Status TokenSteps::choose_anew_where_another_is_wanted(std::string_view serial) {
  if (!token_ || !was_told_) return {};
  CARDEA_ASSIGN(const std::vector<LocalToken> there, tokens_.list({token_->kind}));
  const bool is_there = std::ranges::find(there, token_->serial, &LocalToken::serial) != there.end();
  const bool is_wanted = serial.empty() || serial == token_->serial;
  if (is_there && is_wanted) return {};
  token_.reset();
  device_.reset();
  was_told_ = false;
  return {};
}

Result<json::object> TokenSteps::initialise_token(const json::object& parameters) {
  CARDEA_ASSIGN(const SecretBytes admin_key, required_secret(parameters, "admin_key"));
  CARDEA_ASSIGN(const Pin pin, required_pin(parameters, "pin"));
  choose_anew_without_number();
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const DeviceDescription about, token->describe());
  // Otherwise done by an earlier attempt, whose report was lost.
  if (about.blank) {
    CARDEA_ASSIGN(token_->serial, token->initialise(pin, admin_key));
  }
  return facts();
}

}  // namespace cardea::agent
