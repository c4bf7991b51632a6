// The agent that stays, with virtual cards and a daemon that has one job.
#include "agent/resident_agent.h"

#include <utility>

#include "agent/testing/runner_rig.h"

namespace cardea::agent {
namespace {

using namespace testing;
using std::chrono::steady_clock;

class Office final : public Contacts {
 public:
  explicit Office(Daemon& daemon) : daemon_(daemon) {}

  Result<std::string> nonce() override { return "nonce " + std::to_string(++nonces); }
  Result<Contact> contact(const ContactProof& proof) override {
    ++proofs;
    BOOST_TEST(proof.nonce == "nonce " + std::to_string(nonces));
    BOOST_TEST(!proof.signature.empty());
    BOOST_TEST(!proof.certificate.empty());
    if (denied) return error(Code::permission_denied, "the token's certificate is not active");
    return Contact{"ticket", jobs};
  }
  Result<Contact> contact(const std::string& ticket) override {
    ++tickets;
    BOOST_TEST(ticket == "ticket");
    if (denied) return error(Code::permission_denied, "too old");
    return Contact{ticket, jobs};
  }
  Result<AgentSession> open(const ContactProof&, std::int64_t request, ByteView resume) override {
    BOOST_TEST(request == 9);
    ++opened;
    return daemon_.open("1234 5678", resume);
  }

  std::vector<WaitingJob> jobs;
  bool denied = false;
  int nonces = 0;
  int opened = 0;
  int proofs = 0;
  int tickets = 0;

 private:
  Daemon& daemon_;
};

class AskedTypist final : public User {
 public:
  void tell(std::string_view line) override { lines.emplace_back(line); }
  Result<Pin> present_pin(std::string_view, bool refused) override {
    ++asked;
    if (pin.empty() || refused) return error(Code::user_not_logged_in, "nobody is there");
    return Pin(view_of(pin));
  }
  Result<Pin> present_last_pin(std::string_view) override {
    ++asked_for_last;
    if (last_pin.empty()) return error(Code::pin_incorrect, "the last try was not used");
    return Pin(view_of(last_pin));
  }
  Result<bool> turn_to_pad(std::string_view, bool, bool) override {
    ++turned_to_pad;
    return true;
  }
  Result<Pin> new_pin(std::string_view, std::string_view, std::string_view) override {
    return error(Code::function_canceled);
  }
  Status show_pin(std::string_view, const Pin&) override { return {}; }

  std::vector<std::string> lines;
  std::string pin = "592037";
  std::string last_pin;
  int asked = 0;
  int asked_for_last = 0;
  int turned_to_pad = 0;
};

/// A card that was issued by a job with a code, and an agent that stays beside it.
struct Stay {
  Stay() {
    add_issuance(rig.daemon);
    const Status done = rig.collect();
    BOOST_REQUIRE_MESSAGE(done.ok(), (done ? "" : describe(done.error())));
  }
  ResidentAgent agent() {
    ResidentOptions options{.server = "https://daemon",
                            .device = "",
                            .directory = rig.folder.path / "agent",
                            .wait = [this](std::chrono::seconds) { return --glances > 0; },
                            .ending = [this] { return ending; }};
    return ResidentAgent(renewal, office, rig.readers, user, options);
  }
  void add_renewal(int proofs = 1) {
    office.jobs = {{9, "renew", "Renew 'staff'"}};
    renewal.add("inspect_token", {{"kinds", json::array{"piv"}}});
    for (int i = 0; i < proofs; ++i)
      renewal.add("prove_keys", {{"containers", json::array{json::object{{"container", "authentication"},
                                                                         {"nonce", base64(Bytes(32, 1))}}}}});
  }

  Rig rig;
  Daemon renewal;
  Office office{renewal};
  AskedTypist user;
  bool ending = false;
  int glances = 0;
};

BOOST_AUTO_TEST_SUITE(resident_agent)

BOOST_AUTO_TEST_CASE(a_token_proves_itself_once_and_then_its_ticket_asks) {
  Stay stay;
  ResidentAgent agent = stay.agent();
  const auto start = steady_clock::now();
  BOOST_TEST(agent.round(start));
  BOOST_TEST(agent.round(start));
  BOOST_TEST(stay.office.proofs == 1);
  BOOST_TEST(stay.office.tickets == 0);
  BOOST_TEST(agent.round(start + std::chrono::seconds(300)));
  BOOST_TEST(stay.office.proofs == 1);
  BOOST_TEST(stay.office.tickets == 1);
  BOOST_TEST(stay.user.asked == 1);
  BOOST_TEST(stay.user.lines.empty());
}

BOOST_AUTO_TEST_CASE(what_waits_is_carried_out_with_one_pin) {
  Stay stay;
  stay.add_renewal();
  ResidentAgent agent = stay.agent();
  BOOST_TEST(agent.round(steady_clock::now()));
  BOOST_TEST(stay.renewal.done());
  BOOST_TEST(stay.user.asked == 1);
  BOOST_TEST(stay.user.lines.back() == "all done");
}

BOOST_AUTO_TEST_CASE(on_a_pad_the_pin_is_typed_for_the_proof_and_for_the_job) {
  Stay stay;
  stay.add_renewal(2);
  stay.user.pin.clear();
  card::TypingPad& pad = stay.rig.readers.add_pad(0);
  pad.typed = {"592037", "592037", "592037"};
  ResidentAgent agent = stay.agent();
  BOOST_TEST(agent.round(steady_clock::now()));
  BOOST_TEST(stay.renewal.done());
  BOOST_TEST(pad.entries == 2);
  BOOST_TEST(stay.user.turned_to_pad == 2);
  BOOST_TEST(stay.user.asked == 0);
}

BOOST_AUTO_TEST_CASE(nobody_at_the_pad_puts_the_token_off) {
  Stay stay;
  stay.user.pin.clear();
  const card::TypingPad& pad = stay.rig.readers.add_pad(0);
  ResidentAgent agent = stay.agent();
  const auto start = steady_clock::now();
  BOOST_TEST(!agent.round(start));
  BOOST_TEST(agent.round(start + std::chrono::seconds(600)));
  BOOST_TEST(pad.entries == 1);
  BOOST_TEST(stay.office.proofs == 0);
}

BOOST_AUTO_TEST_CASE(an_end_is_taken_between_two_steps_and_the_job_goes_on_later) {
  Stay stay;
  stay.add_renewal(3);
  ResidentAgent agent = stay.agent();
  stay.ending = true;
  BOOST_TEST(agent.round(steady_clock::now()));  // it does not begin
  BOOST_TEST(stay.office.proofs == 0);
  stay.ending = false;
  stay.renewal.add("inspect_token", [&stay, told = false](const Daemon&) mutable {
    stay.ending = !std::exchange(told, true);
    return json::object{{"kinds", json::array{"piv"}}};
  });
  stay.renewal.add("inspect_token", {{"kinds", json::array{"piv"}}});
  BOOST_TEST(!agent.round(steady_clock::now()));
  BOOST_TEST(!stay.renewal.done());
  stay.ending = false;
  stay.office.jobs.clear();
  ResidentAgent next = stay.agent();
  BOOST_TEST(next.round(steady_clock::now()));
  BOOST_TEST(stay.office.opened == 1);
  BOOST_TEST(stay.renewal.done());
}

/// A renewal that made a fresh key and was cut off before there is a certificate for it.
struct CutStay : Stay {
  CutStay() {
    office.jobs = {{9, "renew", "Renew 'staff'"}};
    renewal.add("inspect_token", {{"kinds", json::array{"piv"}}});
    const Bytes present = bytes_in(rig.daemon.result("generate_key"), "spki");
    renewal.add("generate_key", {{"container", "authentication"},
                                 {"algorithm", "ec:P-256"},
                                 {"replace", to_hex(*crypto::digest(Hash::sha256, present))}});
    renewal.add("make_request", [this, told = false](const Daemon&) mutable {
      ending = !std::exchange(told, true);
      return json::object{{"container", "authentication"}, {"subject", ""}, {"hash", "sha256"}};
    });
    renewal.add("write_certificate", [](const Daemon& known) {
      return json::object{
          {"container", "authentication"},
          {"certificate", base64(card::certificate_for(bytes_in(known.result("generate_key"), "spki")))}};
    });
    ResidentAgent first = agent();
    BOOST_TEST(!first.round(steady_clock::now()));
    BOOST_REQUIRE(!renewal.done());
    office.jobs.clear();
    ending = false;
  }
};

BOOST_AUTO_TEST_CASE(a_token_with_a_fresh_key_and_no_certificate_goes_on) {
  CutStay stay;
  const auto there = *stay.rig.readers.list({"piv"});
  const auto about = (*stay.rig.readers.open(there.at(0)))->describe();
  BOOST_REQUIRE(about.ok());
  BOOST_REQUIRE(std::ranges::none_of(about->containers, [](const auto& each) { return !each.certificate.empty(); }));
  // Not without its holder.
  stay.user.pin.clear();
  BOOST_TEST(!stay.agent().round(steady_clock::now()));
  BOOST_TEST(!stay.renewal.done());
  stay.user.pin = "592037";
  BOOST_TEST(stay.agent().round(steady_clock::now()));
  BOOST_TEST(stay.renewal.done());
  BOOST_TEST(stay.office.opened == 1);
}

BOOST_AUTO_TEST_CASE(a_job_that_another_agent_took_over_is_forgotten) {
  CutStay stay;
  stay.renewal.taken_over = true;
  ResidentAgent agent = stay.agent();
  BOOST_TEST(agent.round(steady_clock::now()));
  BOOST_TEST(std::filesystem::is_empty(stay.rig.folder.path / "agent"));
  BOOST_TEST(!stay.renewal.done());
}

BOOST_AUTO_TEST_CASE(without_a_pin_the_person_is_told_once_until_the_token_comes_anew) {
  Stay stay;
  stay.user.pin.clear();
  ResidentAgent agent = stay.agent();
  const auto start = steady_clock::now();
  BOOST_TEST(!agent.round(start));
  BOOST_TEST(agent.round(start + std::chrono::hours(1)));
  BOOST_TEST(stay.user.asked == 1);
  BOOST_REQUIRE(stay.user.lines.size() == 1U);
  BOOST_TEST((stay.user.lines[0].find("nobody is there") != std::string::npos));
  BOOST_TEST(stay.office.proofs == 0);
}

BOOST_AUTO_TEST_CASE(the_last_try_is_left_alone_until_a_pin_is_given_for_it) {
  Stay stay;
  const auto tries = [&] {
    const auto there = *stay.rig.readers.list({"piv"});
    return (*stay.rig.readers.open(there.at(0)))->describe()->user_pin.retries_left;
  };
  const auto visit = [&] { return stay.agent().round(steady_clock::now()); };
  stay.user.pin = "111222";
  constexpr int most_tries = 20;
  for (int i = 0; i < most_tries && tries() != 1; ++i) BOOST_TEST(!visit());
  BOOST_REQUIRE(tries().value_or(0) == 1);
  stay.user.pin = "592037";
  stay.user.asked = stay.user.asked_for_last = 0;
  BOOST_TEST(!visit());
  BOOST_TEST(stay.user.asked == 0);
  BOOST_TEST(stay.user.asked_for_last == 1);
  BOOST_TEST(stay.office.proofs == 0);
  BOOST_REQUIRE(tries().value_or(0) == 1);
  stay.user.last_pin = "592037";
  BOOST_TEST(visit());
  BOOST_TEST(stay.user.asked_for_last == 2);
  BOOST_TEST(stay.office.proofs == 1);
}

BOOST_AUTO_TEST_CASE(a_token_that_the_daemon_does_not_take_is_told_once_and_asked_again) {
  Stay stay;
  stay.office.denied = true;
  ResidentAgent agent = stay.agent();
  const auto start = steady_clock::now();
  BOOST_TEST(!agent.round(start));
  BOOST_TEST(!agent.round(start + std::chrono::hours(1)));
  BOOST_TEST(stay.user.lines.size() == 1U);
  stay.office.denied = false;
  BOOST_TEST(agent.round(start + std::chrono::hours(2)));
}

BOOST_AUTO_TEST_CASE(an_old_ticket_is_replaced_by_a_proof) {
  Stay stay;
  ResidentAgent agent = stay.agent();
  const auto start = steady_clock::now();
  BOOST_TEST(agent.round(start));
  stay.office.denied = true;
  BOOST_TEST(!agent.round(start + std::chrono::hours(1)));
  BOOST_TEST(stay.office.tickets == 1);
  BOOST_TEST(stay.office.proofs == 2);
}

BOOST_AUTO_TEST_CASE(a_card_that_nobody_issued_has_nothing_to_ask_with) {
  Stay stay;
  stay.rig.readers.remove(0);
  stay.rig.readers.insert();
  ResidentAgent agent = stay.agent();
  BOOST_TEST(agent.round(steady_clock::now()));
  BOOST_TEST(stay.office.nonces == 0);
  BOOST_TEST(stay.user.lines.empty());
}

BOOST_AUTO_TEST_CASE(it_stays_until_it_is_told_to_end) {
  Stay stay;
  stay.glances = 5;
  ResidentAgent agent = stay.agent();
  agent.stay();
  BOOST_TEST(stay.glances == 0);
  BOOST_TEST(stay.office.proofs == 1);
}

BOOST_AUTO_TEST_CASE(answers_that_make_no_sense_are_refused) {
  const auto object = [](std::string_view text) {
    return json::parse(json::string_view(text.data(), text.size())).as_object();
  };
  for (const std::string_view wrong :
       {"{}", R"({"ticket": "x"})", R"({"ticket": "", "jobs": []})", R"({"ticket": "x", "jobs": 1})",
        R"({"ticket": "x", "jobs": [1]})", R"({"ticket": "x", "jobs": [{"request": 0}]})",
        R"({"ticket": "x", "jobs": [{"request": "1"}]})"})
    BOOST_TEST(!read_contact(object(wrong)).ok(), wrong);
  BOOST_TEST(read_contact(object(R"({"ticket": "x", "jobs": [{"request": 3, "kind": "renew"}]})")).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::agent
