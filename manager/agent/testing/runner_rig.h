// What tests of the agent run on: virtual PIV cards in readers, somebody who types, and a daemon with one job.
#pragma once

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>

#include "agent/base64.h"
#include "agent/card_device.h"
#include "agent/job_memory.h"
#include "agent/job_runner.h"
#include "agent/key_use.h"
#include "agent/pin_history.h"
#include "agent/rest_server.h"
#include "base/testing_codes.h"
#include "base/testing_folder.h"
#include "card/virtual_card.h"
#include "cardmodules/module_rig.h"
#include "crypto/digest.h"
#include "crypto/symmetric_key.h"
#include "pcsc/typing_pad.h"
#include "x509/encoding.h"

namespace cardea::agent::testing {

using cardea::testing::Folder;

/// Virtual PIV cards in readers called by their numbers.
class Readers final : public LocalTokens {
 public:
  void insert() { insert(*vcard::new_piv({})); }
  void insert(vcard::PivState card) {
    cards_.push_back(std::make_unique<vcard::VirtualCard>(vcard::CardState{std::move(card)}));
  }
  /// The next so many attempts to open a card find none.
  void lose(int times) { lost_ = times; }
  void remove(std::size_t number) { cards_[number].reset(); }
  /// The readers have a pad from now on, on which the person types for the card with this number.
  card::TypingPad& add_pad(std::size_t number) {
    pad_ = std::make_unique<card::TypingPad>(
        [card = cards_[number].get()](ByteView command) { return card->exchange(command); });
    reader_pad_ = std::make_unique<card::ReaderPinPad>(pad_->pad());
    return *pad_;
  }
  /// A card is pulled out at this command from now on, and is there again when it is opened anew; 0: none is.
  void pull_at(std::size_t command) { until_pulled_ = command; }

  Result<std::vector<LocalToken>> list(const std::vector<std::string>& kinds) override {
    std::vector<LocalToken> found;
    if (std::ranges::find(kinds, "piv") == kinds.end()) return found;
    for (std::size_t i = 0; i < cards_.size(); ++i) {
      if (!cards_[i]) continue;
      const auto device = CardDevice::open(channel(i));
      if (!device) continue;
      found.push_back({.kind = "piv",
                       .serial = (*device)->serial(),
                       .label = (*device)->label(),
                       .place = std::to_string(i),
                       .maker_number = (*device)->maker_number()});
    }
    return found;
  }
  Result<std::unique_ptr<Device>> open(const LocalToken& token) override {
    if (lost_-- > 0) return error(Code::device_removed);
    for (std::size_t i = 0; i < cards_.size(); ++i) {
      if (!cards_[i]) continue;
      CARDEA_ASSIGN(std::unique_ptr<CardDevice> device, CardDevice::open(channel(i)));
      if (device->serial() == token.serial) return std::unique_ptr<Device>(std::move(device));
    }
    return error(Code::device_removed);
  }
  Result<std::unique_ptr<Device>> create(std::string_view, const NewToken&) override {
    return error(Code::function_not_supported);
  }

 private:
  card::CardChannelPtr channel(std::size_t number) {
    auto channel = std::make_shared<card::MemoryChannel>(
        cards_[number]->atr(), card::ApduLimits{.command_data = 65535, .answer_data = 65536},
        [this, card = cards_[number].get(), pulled = false](ByteView command) mutable -> Result<Bytes> {
          pulled = pulled || (until_pulled_ > 0 && --until_pulled_ == 0);
          if (pulled) return error(Code::device_removed);
          return card->exchange(command);
        });
    cards_[number]->reset();  // whoever opens it finds it without power before
    if (reader_pad_) channel->attach(*reader_pad_);
    return channel;
  }

  std::vector<std::unique_ptr<vcard::VirtualCard>> cards_;
  int lost_ = 0;
  std::size_t until_pulled_ = 0;
  std::unique_ptr<card::TypingPad> pad_;
  std::unique_ptr<card::ReaderPinPad> reader_pad_;
};

class Typist final : public User {
 public:
  void tell(std::string_view line) override { lines.emplace_back(line); }
  Result<Pin> present_pin(std::string_view, bool refused) override {
    if (refused) return error(Code::function_canceled);
    return Pin(view_of(pin));
  }
  Result<Pin> present_last_pin(std::string_view) override { return error(Code::pin_incorrect, "nobody said yes"); }
  Result<bool> turn_to_pad(std::string_view, bool, bool last) override {
    if (last) return error(Code::pin_incorrect, "nobody said yes");
    ++turned_to_pad;
    return uses_pad;
  }
  Result<Pin> new_pin(std::string_view, std::string_view rules, std::string_view problem) override {
    BOOST_TEST(!rules.empty());
    this->rules = rules;
    if (!problem.empty()) problems.emplace_back(problem);
    if (typed.empty()) return error(Code::function_canceled);
    pin = typed.front();
    typed.pop_front();
    return Pin(view_of(pin));
  }
  Status show_pin(std::string_view, const Pin& given) override {
    shown = text_of(given.view());
    return {};
  }

  std::vector<std::string> lines;
  std::vector<std::string> problems;
  std::deque<std::string> typed{"592037"};
  std::string pin;
  std::string shown;
  std::string rules;
  bool uses_pad = true;  ///< where there is one
  int turned_to_pad = 0;
};

inline Bytes factory_key() {
  Bytes key;
  for (int i = 0; i < 24; ++i) key.push_back(static_cast<Byte>(i % 8 + 1));
  return key;
}

inline std::string base64(ByteView bytes) {
  return x509::to_base64(bytes);
}

/// A daemon whose job is this list of steps; parameters may follow from the results before.
class Daemon final : public Server {
 public:
  using Parameters = std::function<json::object(const Daemon&)>;

  void add(std::string kind, Parameters parameters) { steps_.emplace_back(std::move(kind), std::move(parameters)); }
  void add(std::string kind, json::object parameters = {}) {
    add(std::move(kind), [parameters](const Daemon&) { return parameters; });
  }
  const json::object& result(const std::string& kind) const { return results_.at(kind); }
  bool done() const { return position_ == steps_.size(); }

  Result<AgentSession> open(std::string_view code, ByteView resume) override {
    if (code != "1234 5678") return error(Code::pin_incorrect, "the code is wrong");
    resumed = text_of(resume) == "a secret";
    AgentSession session;
    session.secret = SecretBytes(view_of("a secret"));
    session.job = 7;
    session.text = "Issue 'staff' to Alice Archer";
    session.device_kinds = {"piv"};
    session.token_kind = begun_with.empty() ? "" : "piv";
    session.token_serial = begun_with;
    return session;
  }

  Result<NextStep> next(const AgentSession& session, const std::optional<StepReport>& report) override {
    BOOST_TEST(text_of(session.secret.view()) == "a secret");
    if (taken_over) return error(Code::permission_denied, "this session has been taken over");
    if (unreachable_ > 0) {
      --unreachable_;
      return error(Code::timed_out, "nobody answers");
    }
    if (report && report->step == position_) {
      if (report->result) {
        results_[steps_[position_].first] = *report->result;
        ++position_;
      } else {
        problem = report->problem;
        failed_ = !report->retry;
      }
    }
    NextStep step;
    if (failed_ || done()) {
      step.state = failed_ ? NextStep::State::failed : NextStep::State::completed;
      step.text = failed_ ? "taken back" : "all done";
      return step;
    }
    step.state = NextStep::State::step;
    step.index = static_cast<std::uint32_t>(position_);
    step.of = static_cast<std::uint32_t>(steps_.size());
    step.kind = steps_[position_].first;
    step.text = "step " + step.kind;
    step.parameters = steps_[position_].second(*this);
    return step;
  }

  Result<Bytes> answer(const AgentSession&, std::uint32_t step, const AdminChallenge& challenge,
                       bool factory) override {
    BOOST_TEST(step == position_);
    ++challenges;
    if (factory && results_.contains("replace_admin_key")) return error(Code::action_prohibited, "not any more");
    const Bytes key = factory ? factory_key() : derived_key;
    const crypto::SymmetricKeyPtr ready = crypto::SymmetricKey::make(SecretBytes(ByteView(key)));
    CARDEA_ASSIGN(crypto::CipherContext cipher, ready->cipher(crypto::Cipher::aes_ecb, crypto::Direction::encrypt));
    CARDEA_TRY(cipher.start({}));
    Bytes out(challenge.bytes.size() + 16);
    CARDEA_ASSIGN(const std::size_t size, cipher.update(challenge.bytes, out));
    out.resize(size);
    return out;
  }

  /// The next so many calls find nobody.
  void be_unreachable(int calls) { unreachable_ = calls; }

  const Bytes derived_key = Bytes(24, 0x5d);
  int challenges = 0;
  bool resumed = false;
  bool taken_over = false;
  std::string begun_with;  ///< number of the token that an agent before has told of
  std::optional<Error> problem;

 private:
  std::vector<std::pair<std::string, Parameters>> steps_;
  std::map<std::string, json::object> results_;
  std::size_t position_ = 0;
  int unreachable_ = 0;
  bool failed_ = false;
};

inline Bytes bytes_in(const json::object& result, const char* member) {
  const auto bytes = from_base64(std::string_view(result.at(member).as_string()));
  BOOST_REQUIRE(bytes.ok());
  return *bytes;
}

inline void add_secrets(Daemon& daemon) {
  daemon.add("inspect_token", {{"kinds", json::array{"piv"}}});
  daemon.add("replace_admin_key", {{"algorithm", "aes192"}, {"new_key", base64(Bytes(24, 0x5d))}});
  daemon.add("replace_puk", {{"old_puk", "12345678"}, {"new_puk", "90817263"}});
}

inline void add_pin(Daemon& daemon, json::object more) {
  json::object parameters{{"policy", json::object{{"min_length", 6}, {"max_length", 8}}}, {"puk", "90817263"}};
  for (const auto& each : more) parameters[each.key()] = each.value();
  daemon.add("set_pin", parameters);
}

inline void add_issuance(Daemon& daemon) {
  add_secrets(daemon);
  add_pin(daemon, {{"mode", "chosen"}, {"old", "factory"}});
  daemon.add("generate_key", {{"container", "authentication"}, {"algorithm", "ec:P-256"}, {"replace", ""}});
  daemon.add("attest_key", {{"container", "authentication"}, {"nonce", base64(Bytes(32, 2))}});
  daemon.add("answer_attestation", {{"container", "authentication"}, {"credential", ""}});
  daemon.add("make_request", {{"container", "authentication"}, {"subject", ""}, {"hash", "sha256"}});
  daemon.add("write_certificate", [](const Daemon& known) {
    const Bytes key = bytes_in(known.result("generate_key"), "spki");
    return json::object{{"container", "authentication"}, {"certificate", base64(card::certificate_for(key))}};
  });
  daemon.add(
      "prove_keys",
      {{"containers", json::array{json::object{{"container", "authentication"}, {"nonce", base64(Bytes(32, 1))}}}}});
}

struct Rig {
  Rig() { readers.insert(); }
  Status collect(std::string_view code = "1234 5678", const std::string& wanted = "") {
    RunnerOptions options{.server = "https://daemon",
                          .device = wanted,
                          .directory = folder.path / "agent",
                          .wait = [this](std::chrono::seconds time) {
                            waited.push_back(time);
                            return true;
                          }};
    return JobRunner(daemon, readers, user, options).collect(code);
  }

  Folder folder;
  Readers readers;
  Daemon daemon;
  Typist user;
  std::vector<std::chrono::seconds> waited;
};

}  // namespace cardea::agent::testing
