// Power cuts: every job is stopped at every point where it touches store, authority or token, before and after the
// effect, and must reach the same end when it is resumed, with no certificate left over.
#include <boost/test/unit_test.hpp>

#include "domain/certificates.h"
#include "domain/housekeeping.h"
#include "domain/job_kinds.h"
#include "domain/testing/fake_verifier.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::FakeVerifier;
using testing::Rig;

// Counts the points at which the world may end, and ends it at one of them.
struct Cut {
  int countdown = -1;  ///< 0: now; negative: never
  bool over = false;
  int passed = 0;
  bool operator()() {
    ++passed;
    if (over) return true;
    if (countdown < 0) return false;
    over = countdown-- == 0;
    return over;
  }
};

// A store that fails before a transaction, or after it is durable: the caller cannot tell which.
class CutStore : public Store {
 public:
  CutStore(Store& real, Cut& cut) : real_(real), cut_(cut) {}
  Status transact(const std::function<Status(Transaction&)>& work) override {
    if (cut_()) return error(Code::device_error, "planned");
    CARDEA_TRY(real_.transact(work));
    if (cut_()) return error(Code::device_error, "planned");
    return {};
  }
  Status read(const std::function<Status(Transaction&)>& work) override {
    if (cut_.over) return error(Code::device_error, "planned");
    return real_.read(work);
  }

 private:
  Store& real_;
  Cut& cut_;
};

// A kind of job and what has to be so before it. A kind may have several.
struct Case {
  std::string kind;
  std::string reason = "";
  json::object parameters = {};
  bool issued_before = true;
  bool attested = false;  ///< the profile demands that the token attests its keys
  bool blank = false;     ///< a generic minidriver card that has no layout yet
};

std::vector<Case> cases() {
  return {{.kind = "issue", .issued_before = false},
          {.kind = "issue", .issued_before = false, .attested = true},
          {.kind = "issue", .issued_before = false, .blank = true},
          {.kind = "renew"},
          {.kind = "renew", .attested = true},
          {.kind = "replace", .reason = "damaged"},
          {.kind = "unblock"},
          {.kind = "recover", .parameters = {{"to", "token"}, {"keys", "all"}}},
          {.kind = "recover", .parameters = {{"to", "token"}, {"keys", "latest"}}},
          {.kind = "rotate"},
          {.kind = "update"},
          {.kind = "disable"},
          {.kind = "enable"},
          {.kind = "cancel", .reason = "lost"},
          {.kind = "retire", .reason = "left"}};
}

// The request whose job is cut, with everything before it done.
Request ready_request(Rig& rig, const Case& what, FakeToken& first) {
  if (what.issued_before) rig.issue(first);
  if (what.kind == "enable") {
    rig.ask("disable", rig.only_token().id);
    rig.work_alone();
  }
  if (what.kind == "recover") {
    // Two generations of keys, of which the card has lost the former.
    const AgentSession renewal = rig.collect(rig.ask("renew", rig.only_token().id));
    BOOST_REQUIRE(rig.work(renewal.job, first).state == NextStep::State::completed);
    first.history.clear();
  }
  const std::optional<Id> id = what.issued_before ? std::optional(rig.only_token().id) : std::nullopt;
  const Request request = rig.ask(what.kind, id, what.reason, what.parameters);
  return what.kind == "recover" ? *rig.agreed(request.id) : request;
}

// What there is at the end, whichever way it was reached.
std::string picture(Rig& rig, const FakeToken& token) {
  std::string out;
  for (const auto& [id, row] : rig.memory.state.tokens_rows)
    out += row.serial + " " + std::string(name(row.state)) + " " + std::to_string(row.secret_version) + " " +
           std::to_string(row.puk_version) + "\n";
  std::map<std::string, int> certificates;
  for (const auto& [id, row] : rig.memory.state.certificates_rows)
    ++certificates[row.container + " " + std::string(name(row.state))];
  for (const auto& [what, count] : certificates) out += what + " " + std::to_string(count) + "\n";
  for (const auto& [id, row] : rig.memory.state.requests_rows)
    out += row.kind + " " + std::string(name(row.state)) + "\n";
  out += "held " + std::to_string(token.containers.size()) + " history " + std::to_string(token.history.size()) + "\n";
  return out;
}

struct Run {
  std::string picture;
  std::size_t orphans = 0;
  int points = 0;
  bool right_puk = false;
};

// One job, cut at a point; then everything runs again without cuts.
Run run_with_cut(const Case& what, int point) {
  std::string document(Rig::standard_profile);
  if (what.attested) document.insert(document.rfind('}'), R"(, "attestation": "required")");
  FakeVerifier verifier;
  Rig rig(document);
  rig.ports.attestation = &verifier;
  FakeToken first;
  first.blank = what.blank;
  if (what.blank) first.kind = "gids";
  FakeToken spare;
  spare.serial = "1002";
  const Request request = ready_request(rig, what, first);
  FakeToken& token = what.kind == "replace" ? spare : first;
  const bool agent = !request.job;
  const Id job = agent ? rig.collect(request).job : *request.job;

  Cut cut;
  cut.countdown = point;
  CutStore store(rig.memory, cut);
  rig.authorities.ca->cut = [&] { return cut(); };
  const Ports cut_ports{store, rig.keys, rig.authorities, rig.clock, &verifier};
  std::optional<StepReport> report;
  for (int round = 0; round < 100 && !cut.over; ++round) {
    if (!agent) {
      const auto worked = run_one_job(cut_ports);
      if (worked && !*worked) break;
      continue;
    }
    auto next = next_step(cut_ports, job, report);
    report.reset();
    if (!next || next->state == NextStep::State::completed || next->state == NextStep::State::failed) break;
    if (next->state == NextStep::State::waiting) {
      rig.clock.at += next->retry_after;
      continue;
    }
    if (cut()) break;  // the card was pulled before the step
    json::object result = token.run(*next);
    if (cut()) break;  // and after it, before anybody knew
    report = StepReport{next->index, true, std::move(result), "", "", false};
  }
  rig.authorities.ca->cut = [] { return false; };
  rig.clock.at += std::chrono::minutes(20);  // leases pass
  if (agent)
    rig.work(job, token);
  else
    for (int round = 0; round < 20; ++round) {
      rig.work_alone();
      rig.clock.at += std::chrono::minutes(2);
    }
  Run run{picture(rig, token), rig.orphans(), cut.passed, true};
  for (const auto& [token_id, row] : rig.memory.state.tokens_rows)
    if (row.serial == token.serial && row.puk_version > 0) {
      const auto derived = derived_digits(rig.keys, SecretPurpose::puk, {"piv", row.serial}, row.puk_version, 8);
      run.right_puk = text_of(derived->view()) == token.puk;
    }
  return run;
}

BOOST_AUTO_TEST_SUITE(fault_suite)

BOOST_AUTO_TEST_CASE(every_kind_of_job_has_a_case_here) {
  const std::vector<Case> all = cases();
  for (const JobKind& kind : job_kinds()) BOOST_TEST_CONTEXT(kind.name) {
      BOOST_TEST(std::any_of(all.begin(), all.end(), [&](const Case& one) { return one.kind == kind.name; }));
    }
}

BOOST_AUTO_TEST_CASE(every_job_survives_a_cut_at_every_point) {
  for (const auto& what : cases()) {
    const Run whole = run_with_cut(what, -1);
    BOOST_TEST_CONTEXT(what.kind) {
      BOOST_REQUIRE(whole.points > 3);
      BOOST_TEST(whole.orphans == 0U);
      BOOST_TEST(whole.picture.find("failed") == std::string::npos);
    }
    for (int point = 0; point < whole.points; ++point) {
      const Run run = run_with_cut(what, point);
      BOOST_TEST_CONTEXT(what.kind << " cut at point " << point) {
        BOOST_TEST(run.picture == whole.picture);
        BOOST_TEST(run.orphans == 0U);
        BOOST_TEST(run.right_puk);
      }
    }
  }
}

// What a certificate for a request made elsewhere came to, after a cut and two rounds of housekeeping.
void issue_for_csr_with_cut(bool wrong_key, int point, int& passed) {
  Rig rig;
  rig.authorities.ca->wrong_key = wrong_key;
  Cut cut;
  cut.countdown = point;
  CutStore store(rig.memory, cut);
  rig.authorities.ca->cut = [&] { return cut(); };
  const Ports cut_ports{store, rig.keys, rig.authorities, rig.clock};
  CsrIssuance wanted;
  wanted.policy = "authentication";
  wanted.csr = *request_for_key(generate_decryption_key("ec:P-256")->pkcs8);
  wanted.subject = "CN=host.example.org";
  const auto answer = issue_for_csr(cut_ports, rig.admin, wanted);
  passed = cut.passed;
  rig.authorities.ca->cut = [] { return false; };
  const bool recorded = !rig.memory.state.certificates_rows.empty();
  for (int round = 0; round < 2; ++round) {
    rig.clock.at += std::chrono::minutes(10);
    const auto kept = keep_house(rig.ports);
    BOOST_REQUIRE_MESSAGE(kept.ok(), (kept ? "" : describe(kept.error())));
    BOOST_REQUIRE_MESSAGE(!kept->failure, (kept->failure ? describe(*kept->failure) : ""));
  }
  BOOST_TEST(rig.orphans() == 0U);
  BOOST_TEST(rig.certificates(CertificateState::active).size() == (recorded && !wrong_key ? 1U : 0U));
  BOOST_TEST(rig.certificates(CertificateState::revoked).size() == (recorded && wrong_key ? 1U : 0U));
  for (const auto state : {CertificateState::requested, CertificateState::pending, CertificateState::issued})
    BOOST_TEST(rig.certificates(state).empty());
  for (const auto& [id, row] : rig.memory.state.certificates_rows) BOOST_TEST(row.wish.empty());
  if (answer) BOOST_TEST((answer->state == CertificateState::active));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_a_request_survives_a_cut_at_every_point) {
  for (const bool wrong_key : {false, true}) {
    int points = 0;
    issue_for_csr_with_cut(wrong_key, -1, points);
    BOOST_REQUIRE(points >= (wrong_key ? 10 : 6));
    for (int point = 0; point < points; ++point)
      BOOST_TEST_CONTEXT((wrong_key ? "wrong key, " : "") << "cut at point " << point) {
        int passed = 0;
        issue_for_csr_with_cut(wrong_key, point, passed);
      }
  }
}

BOOST_AUTO_TEST_CASE(an_authority_that_is_silent_or_slow_is_asked_again_for_a_certificate) {
  for (const bool dead : {true, false}) {
    Rig rig;
    rig.authorities.ca->dead = dead;
    rig.authorities.ca->pending = dead ? 0 : 3;
    CsrIssuance wanted;
    wanted.policy = "authentication";
    wanted.csr = *request_for_key(generate_decryption_key("ec:P-256")->pkcs8);
    wanted.person = rig.person.id;
    const auto answer = issue_for_csr(rig.ports, rig.admin, wanted);
    BOOST_TEST(answer.ok() == !dead);
    // Nobody asks while somebody may still wait.
    BOOST_TEST(keep_house(rig.ports)->settled_issuances == 0U);
    std::size_t settled = 0;
    for (int minutes = 0; minutes < 60 && settled == 0; ++minutes) {
      rig.authorities.ca->dead = dead && minutes < 12;
      rig.clock.at += std::chrono::minutes(1);
      settled = keep_house(rig.ports)->settled_issuances;
    }
    BOOST_TEST(settled == 1U);
    const auto live = rig.certificates(CertificateState::active);
    BOOST_REQUIRE(live.size() == 1U);
    BOOST_TEST((live[0].person == rig.person.id));
    BOOST_TEST(rig.orphans() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_job_given_up_at_every_step_leaves_nothing_behind) {
  for (std::uint32_t stop = 0; stop < 30; ++stop) {
    Rig rig;
    FakeToken card;
    const AgentSession session = rig.collect(rig.ask("issue"));
    std::optional<StepReport> report;
    NextStep next;
    for (int round = 0; round < 100; ++round) {
      auto answer = next_step(rig.ports, session.job, report);
      BOOST_REQUIRE(answer.ok());
      next = std::move(*answer);
      if (next.state != NextStep::State::step) break;
      if (next.index >= stop)
        report = StepReport{next.index, false, {}, "the card is broken", "device_error", false};
      else
        report = StepReport{next.index, true, card.run(next), "", "", false};
    }
    if (next.state == NextStep::State::completed) return;
    BOOST_TEST_CONTEXT("stopped at step " << stop) {
      BOOST_TEST((next.state == NextStep::State::failed));
      BOOST_TEST(rig.orphans() == 0U);
      BOOST_TEST(rig.certificates(CertificateState::active).empty());
      for (const auto& [id, row] : rig.memory.state.tokens_rows) BOOST_TEST((row.state == TokenState::stock));
    }
  }
  BOOST_ERROR("the job was never completed");
}

BOOST_AUTO_TEST_CASE(a_dead_authority_is_given_up_by_its_schedule_and_undone_when_it_is_back) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  rig.authorities.ca->dead = true;
  const NextStep end = rig.work(session.job, card, 100);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST(end.text.find("does not answer") != std::string::npos);
  BOOST_TEST((rig.only_token().state == TokenState::stock));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
