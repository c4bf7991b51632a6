// Users who type their PINs on the reader's pad.
#include "agent/resident_agent.h"
#include "agent/testing/runner_rig.h"

namespace cardea::agent {
namespace {

using namespace testing;

json::object proof_of(const char* container) {
  return {{"containers", json::array{json::object{{"container", container}, {"nonce", base64(Bytes(32, 1))}}}}};
}

/// The job of a card that was issued on the same reader: it reads, signs and proves, and sets no PIN.
void add_renewal(Daemon& daemon) {
  daemon.add("inspect_token", {{"kinds", json::array{"piv"}}});
  daemon.add("set_pin", {{"policy", json::object()}, {"mode", "keep"}, {"old", "user"}});
  daemon.add("make_request", {{"container", "authentication"}, {"subject", ""}, {"hash", "sha256"}});
  daemon.add("prove_keys", proof_of("authentication"));
}

/// A PIV card with one credential and the PIN 592037, in a reader with a pad.
struct Issued : Rig {
  Issued() {
    add_issuance(daemon);
    BOOST_REQUIRE(collect().ok());
    user.pin.clear();  // nobody types it on the keyboard from now on
    pad = &readers.add_pad(0);
  }
  Status renew() {
    RunnerOptions options{
        .server = "https://daemon", .device = "", .directory = folder.path / "agent", .wait = [](std::chrono::seconds) {
          return true;
        }};
    return JobRunner(renewal, readers, user, options).collect("1234 5678");
  }

  card::TypingPad* pad = nullptr;
  Daemon renewal;
};

/// One card behind one channel, in a reader with a pad, whose administrator is its factory's.
struct CardAtPad final : Authority {
  explicit CardAtPad(vcard::CardState state) : card(std::move(state)) {
    channel->attach(reader);
    auto opened = CardDevice::open(channel);
    BOOST_REQUIRE(opened.ok());
    device = std::move(*opened);
  }
  Result<Pin> user_pin(bool) override { return typed_here(); }
  Result<Pin> last_user_pin() override { return typed_here(); }
  Result<bool> types_on_pad(bool refused, bool last) override {
    refusals += refused ? 1 : 0;
    if (last) return error(Code::pin_incorrect, "nobody said yes");
    return true;
  }
  Result<Bytes> answer(const AdminChallenge&, int) override { return Code::pin_incorrect; }
  Result<Pin> unblocking_secret() override { return Code::user_not_logged_in; }
  Result<SecretBytes> admin_key() override { return Code::user_not_logged_in; }
  bool was_reset() const {
    const auto state = channel->begin();
    channel->end(card::AtEnd::leave);
    return state.ok() && *state == card::CardState::reset;
  }

  vcard::VirtualCard card;
  std::shared_ptr<card::MemoryChannel> channel = std::make_shared<card::MemoryChannel>(
      card.atr(), card::ApduLimits{}, [this](ByteView command) { return Result<Bytes>(card.exchange(command)); });
  card::TypingPad pad{[this](ByteView command) { return card.exchange(command); }};
  card::ReaderPinPad reader = pad.pad();
  std::unique_ptr<CardDevice> device;
  std::string here;  ///< the PIN that is typed on the keyboard; empty: nobody is asked
  int refusals = 0;

 private:
  Result<Pin> typed_here() const {
    BOOST_TEST(!here.empty());
    return Pin(view_of(here));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pin_pad)

BOOST_AUTO_TEST_CASE(a_job_takes_one_entry_on_the_pad_and_none_on_the_keyboard) {
  Issued rig;
  add_renewal(rig.renewal);
  rig.pad->typed = {"592037"};
  const Status done = rig.renew();
  BOOST_REQUIRE_MESSAGE(done.ok(), (done ? "" : describe(done.error())));
  BOOST_TEST(rig.pad->entries == 1);
  BOOST_TEST(rig.user.turned_to_pad == 1);
  BOOST_TEST(rig.renewal.result("prove_keys").at("proofs").as_array().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_pin_in_a_file_is_not_asked_for_on_the_pad) {
  Issued rig;
  rig.user.pin = "592037";
  rig.user.uses_pad = false;
  add_renewal(rig.renewal);
  BOOST_REQUIRE(rig.renew().ok());
  BOOST_TEST(rig.pad->entries == 0);
}

BOOST_AUTO_TEST_CASE(who_gives_up_at_the_pad_leaves_the_job_where_it_stands) {
  Issued rig;
  add_renewal(rig.renewal);
  rig.pad->cancels = true;
  const Status stopped = rig.renew();
  BOOST_REQUIRE(!stopped.ok());
  BOOST_TEST(stopped.code() == Code::function_canceled);
  BOOST_TEST(rig.renewal.problem->code == Code::function_canceled);
  rig.pad->cancels = false;
  rig.pad->typed = {"592037"};
  BOOST_REQUIRE(rig.renew().ok());
}

BOOST_AUTO_TEST_CASE(a_wrong_pin_is_typed_again_and_the_last_try_takes_a_yes) {
  Issued rig;
  add_renewal(rig.renewal);
  rig.pad->typed = {"111111", "222222", "592037"};
  const Status stopped = rig.renew();
  BOOST_REQUIRE(!stopped.ok());
  BOOST_TEST(stopped.code() == Code::pin_incorrect);
  BOOST_TEST(rig.pad->entries == 2);
  BOOST_TEST(rig.user.turned_to_pad == 2);
}

BOOST_AUTO_TEST_CASE(a_new_pin_is_typed_here_and_it_is_said_what_the_pad_would_hide) {
  Rig rig;
  card::TypingPad& pad = rig.readers.add_pad(0);
  add_issuance(rig.daemon);
  const Status done = rig.collect();
  BOOST_REQUIRE_MESSAGE(done.ok(), (done ? "" : describe(done.error())));
  // The PIN that was typed here serves for the rest of the job.
  BOOST_TEST(pad.entries == 0);
  BOOST_TEST(
      (rig.user.rules.find("these could not be checked: whether it is one that everybody takes.") != std::string::npos),
      rig.user.rules);
  BOOST_TEST(rig.daemon.result("set_pin").at("enforced").at("weak").as_string() == "agent");
}

BOOST_AUTO_TEST_CASE(a_policy_that_hides_nothing_is_not_given_as_the_reason) {
  Rig rig;
  rig.readers.add_pad(0);
  add_secrets(rig.daemon);
  rig.daemon.add("set_pin", {{"policy", json::object{{"min_length", 6}, {"max_length", 8}, {"weak_list", false}}},
                             {"puk", "90817263"},
                             {"mode", "chosen"},
                             {"old", "factory"}});
  BOOST_REQUIRE(rig.collect().ok());
  BOOST_TEST(rig.user.rules.find("could not be checked") == std::string::npos);
  BOOST_TEST((rig.user.rules.find("for who types the present one") != std::string::npos), rig.user.rules);
}

BOOST_AUTO_TEST_CASE(a_card_that_forgets_when_it_is_selected_takes_one_entry_too) {
  CardAtPad rig(vcard::CardState{vcard::new_initialised_gids()});
  rig.pad.typed = {"123456"};
  const auto key = rig.device->generate(rig, "authentication", *parse_key_spec("ec:P-256"), {});
  BOOST_REQUIRE_MESSAGE(key.ok(), (key ? "" : describe(key.error())));
  BOOST_REQUIRE(rig.device->write_certificate(rig, "authentication", card::certificate_for(*key)).ok());
  BOOST_REQUIRE(rig.device->describe().ok());
  BOOST_REQUIRE(rig.device->sign(rig, "authentication", Hash::none, view_of("text")).ok());
  BOOST_TEST(rig.pad.entries == 1);
  BOOST_TEST(rig.channel->kept());
  // Whoever comes next finds the card closed.
  rig.device.reset();
  BOOST_TEST(rig.was_reset());
  BOOST_TEST(!rig.channel->kept());
}

BOOST_AUTO_TEST_CASE(a_card_that_somebody_reset_is_opened_again) {
  CardAtPad rig(vcard::CardState{vcard::new_initialised_gids()});
  rig.pad.typed = {"123456", "123456"};
  BOOST_REQUIRE(rig.device->prove_user(rig).ok());
  rig.card.reset();
  rig.channel->reset();
  BOOST_REQUIRE(rig.device->generate(rig, "authentication", *parse_key_spec("ec:P-256"), {}).ok());
  BOOST_TEST(rig.pad.entries == 2);
  BOOST_TEST(rig.refusals == 0);
}

BOOST_AUTO_TEST_CASE(a_card_in_which_somebody_chose_another_application_is_opened_again) {
  CardAtPad rig(vcard::CardState{vcard::new_initialised_gids()});
  rig.pad.typed = {"123456", "123456"};
  BOOST_REQUIRE(rig.device->prove_user(rig).ok());
  const Bytes select_something{0x00, 0xa4, 0x04, 0x00, 0x05, 0xa0, 0x00, 0x00, 0x03, 0x08};
  rig.card.exchange(select_something);
  BOOST_REQUIRE(rig.device->generate(rig, "authentication", *parse_key_spec("ec:P-256"), {}).ok());
}

BOOST_AUTO_TEST_CASE(a_key_that_wants_the_pin_each_time_has_it_typed_each_time) {
  Rig rig;
  add_secrets(rig.daemon);
  add_pin(rig.daemon, {{"mode", "chosen"}, {"old", "factory"}});
  rig.daemon.add("generate_key", {{"container", "signature"}, {"algorithm", "ec:P-256"}, {"replace", ""}});
  rig.daemon.add("write_certificate", [](const Daemon& known) {
    const Bytes certificate = card::certificate_for(bytes_in(known.result("generate_key"), "spki"));
    return json::object{{"container", "signature"}, {"certificate", base64(certificate)}};
  });
  BOOST_REQUIRE(rig.collect().ok());
  card::TypingPad& pad = rig.readers.add_pad(0);
  pad.typed = {"592037", "592037", "592037"};
  Daemon again;
  again.add("inspect_token", {{"kinds", json::array{"piv"}}});
  again.add("prove_keys", proof_of("signature"));
  again.add("prove_keys", proof_of("signature"));
  RunnerOptions options{
      .server = "https://daemon", .device = "", .directory = rig.folder.path / "agent", .wait = [](auto) {
        return true;
      }};
  BOOST_REQUIRE(JobRunner(again, rig.readers, rig.user, options).collect("1234 5678").ok());
  BOOST_TEST(pad.entries == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::agent
