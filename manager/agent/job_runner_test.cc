#include "agent/job_runner.h"

#include <fstream>

#include "agent/testing/runner_rig.h"

namespace cardea::agent {
namespace {

using namespace testing;

BOOST_AUTO_TEST_SUITE(job_runner)

BOOST_AUTO_TEST_CASE(credential_is_issued_step_by_step) {
  Rig rig;
  add_issuance(rig.daemon);
  const Status done = rig.collect();
  BOOST_REQUIRE_MESSAGE(done.ok(), (done ? "" : describe(done.error())));
  BOOST_TEST(rig.daemon.done());
  const json::object& facts = rig.daemon.result("inspect_token");
  BOOST_TEST(facts.at("kind").as_string() == "piv");
  BOOST_TEST(facts.at("card_type").as_string() == "aes192");
  BOOST_TEST(facts.at("write_needs").as_string() == "admin");
  BOOST_TEST(facts.at("factory").at("admin_key").as_bool());
  BOOST_TEST(rig.daemon.result("attest_key").at("format").as_string() == "yubico-piv");
  BOOST_TEST(rig.daemon.result("attest_key").at("certificates").as_array().size() == 2U);
  BOOST_TEST(rig.daemon.result("attest_key").at("spki") == rig.daemon.result("generate_key").at("spki"));
  BOOST_TEST(rig.daemon.result("answer_attestation").empty());
  BOOST_TEST(rig.daemon.result("set_pin").at("enforced").at("length").as_string() == "token");
  BOOST_TEST(rig.daemon.result("set_pin").at("enforced").at("weak").as_string() == "agent");
  const Bytes key = bytes_in(rig.daemon.result("generate_key"), "spki");
  const Bytes certificate = card::certificate_for(key);
  BOOST_TEST(rig.daemon.result("write_certificate").at("certificate_sha256").as_string() ==
             to_hex(*crypto::digest(Hash::sha256, certificate)));
  BOOST_TEST(rig.daemon.result("prove_keys").at("proofs").at(0).at("mechanism").as_string() == "ecdsa-sha256");
  BOOST_TEST(rig.user.lines.back() == "all done");
  // Nothing is left of a job that is over.
  BOOST_TEST(
      (!std::filesystem::exists(rig.folder.path / "agent") || std::filesystem::is_empty(rig.folder.path / "agent")));
}

BOOST_AUTO_TEST_CASE(chain_that_the_token_has_no_place_for_is_left_out_and_told) {
  Rig rig;
  add_secrets(rig.daemon);
  add_pin(rig.daemon, {{"mode", "chosen"}, {"old", "factory"}});
  rig.daemon.add("generate_key", {{"container", "authentication"}, {"algorithm", "ec:P-256"}, {"replace", ""}});
  rig.daemon.add("write_certificate", [](const Daemon& known) {
    const Bytes certificate = card::certificate_for(bytes_in(known.result("generate_key"), "spki"));
    return json::object{{"container", "authentication"},
                        {"certificate", base64(certificate)},
                        {"chain", json::array{base64(certificate)}}};
  });
  BOOST_REQUIRE(rig.collect().ok());
  BOOST_TEST(rig.daemon.result("write_certificate").at("chain").as_string() == "left_out");
  BOOST_TEST(std::ranges::any_of(rig.user.lines, [](const std::string& line) {
    return line.find("certificates of the CA are left out") != std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(pin_is_in_no_message) {
  Rig rig;
  add_issuance(rig.daemon);
  BOOST_REQUIRE(rig.collect().ok());
  for (const char* const kind : {"inspect_token", "set_pin", "generate_key", "make_request", "prove_keys"}) {
    BOOST_TEST(json::serialize(rig.daemon.result(kind)).find("592037") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(pin_that_does_not_fit_is_asked_for_again) {
  Rig rig;
  rig.user.typed = {"123456", "1234", "777777", "592037"};
  add_issuance(rig.daemon);
  BOOST_REQUIRE(rig.collect().ok());
  BOOST_TEST(rig.user.problems.size() == 3U);
}

BOOST_AUTO_TEST_CASE(random_pin_is_shown_once) {
  Rig rig;
  add_secrets(rig.daemon);
  add_pin(rig.daemon, {{"mode", "random"}, {"old", "factory"}});
  add_pin(rig.daemon, {{"mode", "keep"}, {"old", "user"}});
  BOOST_REQUIRE(rig.collect().ok());
  BOOST_TEST(rig.user.shown.size() == 8U);
}

BOOST_AUTO_TEST_CASE(pin_stays_where_the_former_one_cannot_be_noted) {
  Rig rig;
  add_secrets(rig.daemon);
  add_pin(rig.daemon, {{"mode", "chosen"}, {"old", "factory"}});
  const auto there = rig.readers.list({"piv"});
  BOOST_REQUIRE((there.ok() && there->size() == 1U));
  const auto name = crypto::digest(Hash::sha256, view_of(there->front().serial));
  BOOST_REQUIRE(name.ok());
  rig.daemon.add("set_pin", [&](const Daemon&) {
    // Where the list of former PINs is to be there is something else.
    std::filesystem::create_directories(rig.folder.path / "agent" / ("pins-" + to_hex(*name)));
    const json::object policy{{"min_length", 6}, {"max_length", 8}, {"history", 3}};
    return json::object{{"mode", "random"}, {"old", "user"}, {"policy", policy}};
  });
  BOOST_TEST(!rig.collect().ok());
  BOOST_REQUIRE(rig.daemon.problem.has_value());
  BOOST_TEST(rig.daemon.problem->code == Code::permission_denied);
  BOOST_TEST(rig.user.shown.empty());
  const auto device = rig.readers.open(there->front());
  BOOST_REQUIRE(device.ok());
  const Status changed = (*device)->change_user_pin(Pin(view_of("592037")), Pin(view_of("840271")));
  BOOST_TEST(changed.ok(), (changed ? "" : describe(changed.error())));
}

BOOST_AUTO_TEST_CASE(no_session_is_opened_that_could_not_be_kept) {
  Rig rig;
  add_secrets(rig.daemon);
  std::ofstream(rig.folder.path / "agent") << "no folder";
  BOOST_TEST(!rig.collect().ok());
  BOOST_TEST(rig.user.lines.empty());
  std::filesystem::remove(rig.folder.path / "agent");
  BOOST_TEST(rig.collect().ok());
  // Nothing stays behind a code that was refused.
  BOOST_TEST(!rig.collect("8765 4321").ok());
  BOOST_TEST(std::filesystem::is_empty(rig.folder.path / "agent"));
}

BOOST_AUTO_TEST_CASE(wrong_code_is_told) {
  Rig rig;
  const Status refused = rig.collect("8765 4321");
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::pin_incorrect);
}

BOOST_AUTO_TEST_CASE(what_passes_is_tried_again_and_not_for_ever) {
  Rig rig;
  add_issuance(rig.daemon);
  rig.daemon.be_unreachable(5);
  BOOST_REQUIRE(rig.collect().ok());
  BOOST_TEST(rig.waited.size() == 5U);
  for (const auto& time : rig.waited) BOOST_TEST(time.count() == 10);

  Rig gone;
  add_issuance(gone.daemon);
  gone.daemon.be_unreachable(1000);
  const Status given_up = gone.collect();
  BOOST_REQUIRE(!given_up.ok());
  BOOST_TEST(given_up.code() == Code::timed_out);
  BOOST_TEST(gone.waited.size() == 5U);
}

BOOST_AUTO_TEST_CASE(token_that_comes_back_goes_on) {
  Rig rig;
  add_issuance(rig.daemon);
  rig.readers.lose(3);
  BOOST_REQUIRE(rig.collect().ok());
  BOOST_TEST(rig.waited.size() == 3U);
}

BOOST_AUTO_TEST_CASE(job_that_was_cut_off_resumes_on_its_own_token) {
  Rig rig;
  rig.user.typed.clear();
  add_issuance(rig.daemon);
  const Status stopped = rig.collect();
  BOOST_REQUIRE(!stopped.ok());
  BOOST_TEST(stopped.code() == Code::function_canceled);
  BOOST_REQUIRE(rig.daemon.problem.has_value());
  BOOST_TEST(rig.daemon.problem->code == Code::function_canceled);
  BOOST_TEST(!rig.daemon.resumed);
  // Another card is there now too, and alone it is not taken.
  rig.readers.insert();
  rig.user.typed = {"592037"};
  const Status resumed = rig.collect();
  BOOST_REQUIRE_MESSAGE(resumed.ok(), (resumed ? "" : describe(resumed.error())));
  BOOST_TEST(rig.daemon.resumed);
}

BOOST_AUTO_TEST_CASE(another_token_is_not_taken_for_the_jobs_own) {
  Rig rig;
  rig.user.typed.clear();
  add_issuance(rig.daemon);
  BOOST_REQUIRE(!rig.collect().ok());
  rig.readers.remove(0);
  rig.readers.insert();
  rig.user.typed = {"592037"};
  const Status refused = rig.collect();
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::device_removed);
}

BOOST_AUTO_TEST_CASE(who_takes_a_job_over_goes_on_with_its_token_or_not_at_all) {
  Rig rig;
  const auto mine = rig.readers.list({"piv"});
  BOOST_REQUIRE((mine.ok() && mine->size() == 1U));
  const auto tries_left = [&]() -> std::optional<int> {
    const auto device = rig.readers.open(mine->front());
    BOOST_REQUIRE(device.ok());
    const auto about = (*device)->describe();
    BOOST_REQUIRE(about.ok());
    return about->user_pin.retries_left;
  };
  const auto before = tries_left();
  // The agent that began, elsewhere, has gone; here is one other card.
  rig.daemon.begun_with = "0000000000000001";
  rig.daemon.add("block_pin");
  const Status refused = rig.collect();
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::token_absent);
  BOOST_TEST(refused.error().detail.find("0000000000000001") != std::string::npos);
  BOOST_TEST((tries_left() == before));
  BOOST_TEST(!rig.daemon.done());
  rig.daemon.begun_with = mine->front().serial;
  rig.readers.insert();
  BOOST_TEST(rig.collect().ok());
  BOOST_TEST((tries_left() == 0));
}

BOOST_AUTO_TEST_CASE(a_token_that_the_daemon_does_not_want_can_be_exchanged) {
  Rig rig;
  const auto first = rig.readers.list({"piv"});
  BOOST_REQUIRE(first.ok());
  rig.daemon.add("inspect_token");
  // Asked again, as the daemon does where another token is needed.
  rig.daemon.add("inspect_token", [&](const Daemon&) {
    rig.readers.remove(0);
    rig.readers.insert();
    return json::object();
  });
  BOOST_REQUIRE(rig.collect().ok());
  BOOST_TEST(rig.daemon.result("inspect_token").at("serial").as_string() != first->front().serial);
}

BOOST_AUTO_TEST_CASE(several_tokens_want_a_choice) {
  Rig rig;
  rig.readers.insert();
  add_issuance(rig.daemon);
  const Status refused = rig.collect();
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::arguments_bad);
  const auto there = rig.readers.list({"piv"});
  BOOST_REQUIRE(there.ok());
  BOOST_TEST(refused.error().detail.find((*there)[1].serial) != std::string::npos);
  BOOST_REQUIRE(rig.collect("1234 5678", (*there)[1].serial).ok());
  BOOST_TEST(rig.daemon.result("inspect_token").at("serial").as_string() == (*there)[1].serial);
}

BOOST_AUTO_TEST_CASE(what_cannot_go_on_has_the_job_undone) {
  Rig rig;
  rig.daemon.add("inspect_token");
  rig.daemon.add("levitate");
  const Status failed = rig.collect();
  BOOST_REQUIRE(!failed.ok());
  BOOST_TEST(failed.code() == Code::function_failed);
  BOOST_TEST(failed.error().detail == "taken back");
  BOOST_REQUIRE(rig.daemon.problem.has_value());
  BOOST_TEST(rig.daemon.problem->code == Code::function_not_supported);
}

BOOST_AUTO_TEST_CASE(blocked_pin_is_unblocked_and_the_token_erased) {
  Rig rig;
  add_issuance(rig.daemon);
  rig.daemon.add("block_pin");
  rig.daemon.add("unblock_pin", {{"policy", json::object()}, {"puk", "90817263"}});
  rig.daemon.add("erase_token", {{"puk", "90817263"}, {"restore", json::object{{"pin", "123456"}}}});
  rig.user.typed = {"592037", "840271"};
  const Status done = rig.collect();
  BOOST_REQUIRE_MESSAGE(done.ok(), (done ? "" : describe(done.error())));
  // Once more, after a report that got lost.
  Daemon again;
  again.add("inspect_token");
  again.add("erase_token", {{"puk", "90817263"}, {"restore", json::object{{"pin", "123456"}}}});
  RunnerOptions options{
      .server = "https://daemon", .device = {}, .directory = rig.folder.path, .wait = [](auto) { return true; }};
  BOOST_TEST(JobRunner(again, rig.readers, rig.user, options).collect("1234 5678").ok());
  BOOST_TEST(again.result("inspect_token").at("containers").as_array().empty());
}

/// Has the secrets of a new card and no others.
struct FactoryAuthority final : Authority {
  Result<Pin> user_pin(bool refused) override {
    return refused ? Result<Pin>(Code::pin_incorrect) : Result<Pin>(Pin(view_of("123456")));
  }
  Result<Bytes> answer(const AdminChallenge& challenge, int attempt) override {
    return attempt == 0 ? daemon.answer({}, 0, challenge, true) : Result<Bytes>(Code::pin_incorrect);
  }
  Result<Pin> unblocking_secret() override { return Pin(view_of("12345678")); }
  Result<SecretBytes> admin_key() override { return Code::user_not_logged_in; }

  Daemon daemon;
};

/// Gives the card a key with a certificate, and secrets of its own; answers the key.
Bytes personalise(Device& card) {
  FactoryAuthority factory;
  const auto key = card.generate(factory, "authentication", *parse_key_spec("ec:P-256"), {});
  BOOST_REQUIRE(key.ok());
  BOOST_REQUIRE(card.write_certificate(factory, "authentication", card::certificate_for(*key)).ok());
  BOOST_REQUIRE(card.set_first_pin(factory, Pin(view_of("592037"))).ok());
  BOOST_REQUIRE(card.set_puk(factory, Pin(view_of("90817263"))).ok());
  BOOST_REQUIRE(card.set_admin_key(factory, SecretBytes(ByteView(factory.daemon.derived_key))).ok());
  return *key;
}

/// Retires cards that tell this maker's number, each cut off one command later than the one before, and goes on with
/// what is remembered. `look` sees what is on the card afterwards.
void retire_with_cuts(std::uint32_t number, const std::function<void(const DeviceDescription& about)>& look) {
  bool through = false;
  for (std::size_t command = 1; !through; ++command) {
    BOOST_REQUIRE(command < 500U);
    Rig rig;
    rig.readers.remove(0);
    vcard::PivState state = *vcard::new_piv({});
    state.serial = number;
    rig.readers.insert(std::move(state));
    const auto card = [&] {
      auto opened = rig.readers.open(rig.readers.list({"piv"})->front());
      BOOST_REQUIRE(opened.ok());
      return std::move(*opened);
    };
    const Bytes key = personalise(*card());
    const std::string serial = card()->describe()->serial;
    rig.daemon.add("inspect_token", {{"kinds", json::array{"piv"}}});
    rig.daemon.add(
        "erase_token",
        {{"puk", "90817263"},
         {"restore", json::object{{"pin", "123456"}, {"puk", "12345678"}, {"admin_key", base64(factory_key())}}}});
    const auto retire = [&] {
      RunnerOptions options{
          .server = "https://daemon", .device = {}, .directory = rig.folder.path, .attempts = 0, .wait = [](auto) {
            return true;
          }};
      return JobRunner(rig.daemon, rig.readers, rig.user, options).collect("1234 5678");
    };
    rig.readers.pull_at(command);
    through = retire().ok();
    rig.readers.pull_at(0);
    BOOST_TEST_CONTEXT("after a pull at command " << command) {
      if (!through) {
        const Status resumed = retire();
        BOOST_REQUIRE_MESSAGE(resumed.ok(), describe(resumed.error()));
      }
      FactoryAuthority factory;
      const std::unique_ptr<Device> erased = card();
      const DeviceDescription about = *erased->describe();
      BOOST_TEST(about.serial == serial);
      BOOST_TEST(erased->prove_administrator(factory).ok());
      BOOST_TEST(erased->set_puk(factory, Pin(view_of("12345678"))).ok());
      BOOST_TEST(erased->prove_user(factory).ok());
      for (const DeviceContainer& each : about.containers) BOOST_TEST(each.public_key != key);
      look(about);
    }
  }
}

BOOST_AUTO_TEST_CASE(erased_card_keeps_its_number_wherever_the_work_is_cut_off) {
  retire_with_cuts(12345, [](const DeviceDescription& about) { BOOST_TEST(about.containers.empty()); });
}

// Without a maker's number it would not be found again after a reset, so what is on it is destroyed piece by piece.
BOOST_AUTO_TEST_CASE(card_without_a_makers_number_is_erased_without_a_reset) {
  retire_with_cuts(0, [](const DeviceDescription& about) {
    for (const DeviceContainer& each : about.containers) BOOST_TEST(each.certificate.empty());
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(agent_parts)

BOOST_AUTO_TEST_CASE(former_pins_are_known_again) {
  const Folder folder;
  const PinHistory history(folder.path / "agent");
  const auto known = [&](std::string_view pin, std::size_t depth) {
    const auto answer = history.contains("0123", Pin(view_of(pin)), depth);
    BOOST_REQUIRE(answer.ok());
    return *answer;
  };
  BOOST_TEST(!known("592037", 3));
  for (const std::string_view pin : {"592037", "840271", "118822"}) {
    BOOST_REQUIRE(history.add("0123", Pin(view_of(pin)), 2).ok());
  }
  BOOST_TEST(known("118822", 2));
  BOOST_TEST(known("840271", 2));
  BOOST_TEST(!known("840271", 1));
  BOOST_TEST(!known("592037", 2));
  BOOST_TEST(!*history.contains("another", Pin(view_of("118822")), 2));
  // A step that was cut off and runs again notes it once.
  BOOST_REQUIRE(history.add("0123", Pin(view_of("118822")), 2).ok());
  BOOST_TEST(known("840271", 2));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path / "agent")) {
    const bool mine = (entry.status().permissions() & std::filesystem::perms::all) ==
                      (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    BOOST_TEST(mine);
  }
}

BOOST_AUTO_TEST_CASE(job_memory_keeps_one_job_a_request) {
  const Folder folder;
  const JobMemory memory(folder.path, "https://daemon", "12-1234 5678");
  BOOST_TEST(!memory.load().has_value());
  BOOST_REQUIRE(
      memory.save({SecretBytes(view_of("secret")), LocalToken{"piv", "0123", "PIV 0123", "reader", "77", {1, 2, 3}}})
          .ok());
  // Whoever reads the name of the file must not be able to try out codes by it, so it says nothing of the secret.
  const auto loaded = JobMemory(folder.path, "https://daemon", " 12 -87654321").load();
  BOOST_REQUIRE(loaded.has_value());
  BOOST_TEST(text_of(loaded->session.view()) == "secret");
  BOOST_REQUIRE(loaded->token.has_value());
  BOOST_TEST(loaded->token->serial == "0123");
  BOOST_TEST(loaded->token->maker_number == "77");
  BOOST_TEST(loaded->token->number_object == (Bytes{1, 2, 3}));
  BOOST_TEST(!JobMemory(folder.path, "https://other", "12-12345678").load().has_value());
  BOOST_TEST(!JobMemory(folder.path, "https://daemon", "1-12345678").load().has_value());
  BOOST_REQUIRE(JobMemory(folder.path, "https://daemon", "contact piv AB-12").save({SecretBytes(), {}, 4}).ok());
  BOOST_TEST(!JobMemory(folder.path, "https://daemon", "contact piv AB-34").load().has_value());
  memory.forget();
  BOOST_TEST(!memory.load().has_value());
}

BOOST_AUTO_TEST_CASE(base64_is_read_strictly) {
  const auto text_in = [](std::string_view encoded) {
    const auto bytes = from_base64(encoded);
    return bytes ? std::string(text_of(*bytes)) : std::string("refused");
  };
  // RFC 4648, 10.
  BOOST_TEST(text_in("") == "");
  BOOST_TEST(text_in("Zg==") == "f");
  BOOST_TEST(text_in("Zm8=") == "fo");
  BOOST_TEST(text_in("Zm9vYmFy") == "foobar");
  for (const std::string_view wrong : {"Zg", "Zg=", "Z===", "Zm9v YmFy", "Zm9v\n", "Z=9v", "Zm9-", "===="}) {
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST(text_in(wrong) == "refused");
    }
  }
}

BOOST_AUTO_TEST_CASE(answers_that_are_none_are_refused) {
  const auto object = [](std::string_view text) { return boost::json::parse(text).as_object(); };
  for (const std::string_view wrong :
       {"{}", R"({"state": "step"})", R"({"state": "step", "step": 3})",
        R"({"state": "step", "step": {"index": -1, "kind": "x"}})", R"({"state": "step", "step": {"index": 1}})",
        R"({"state": "step", "step": {"index": 1, "kind": "x", "parameters": []}})", R"({"state": "flying"})"}) {
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST(!read_next_step(object(wrong)).ok());
    }
  }
  for (const std::string_view wrong :
       {"{}", R"({"session": "x", "job": 1})", R"({"session": "x", "job": "one", "device_kinds": []})",
        R"({"session": "", "job": 1, "device_kinds": []})", R"({"session": "x", "job": 1, "device_kinds": [1]})"}) {
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST(!read_session(object(wrong)).ok());
    }
  }
  const auto waiting = read_next_step(object(R"({"state": "waiting", "text": "CA", "retry_after": 999999})"));
  BOOST_REQUIRE(waiting.ok());
  BOOST_TEST(waiting->retry_after.count() == 3600);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::agent
