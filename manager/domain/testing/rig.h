// A manager in memory for tests of the domain: store, keys, authority, clock, a person, operators, policies, a profile.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include "domain/certificate_policy.h"
#include "domain/journal.h"
#include "domain/people.h"
#include "domain/profile.h"
#include "domain/requests.h"
#include "domain/testing/fake_ca.h"
#include "domain/testing/fake_token.h"
#include "domain/testing/memory_keys.h"
#include "domain/testing/memory_store.h"

namespace cardea::manager::testing {

class SetClock : public Clock {
 public:
  Time at = Time(std::chrono::sys_days(std::chrono::year(2027) / 1 / 15));
  Time now() const override { return at; }
};

inline json::object parsed(std::string_view text) {
  return json::parse(json::string_view(text.data(), text.size())).as_object();
}

struct Rig {
  MemoryStore memory;
  MemoryKeys keys;
  FakeAuthorities authorities;
  SetClock clock;
  Store& store;  ///< `memory`, unless another was given
  Ports ports{store, keys, authorities, clock};
  Actor admin = manager_actor();
  Person person;
  Profile profile;
  std::vector<Actor> approvers;

  static constexpr std::string_view standard_profile = R"({
    "device_kinds": ["piv", "keystore", "gids", "tpm"],
    "certificates": [
      {"container": "authentication", "policy": "authentication"},
      {"container": "signature", "policy": "signature"},
      {"container": "encryption", "policy": "encryption", "archived": true, "algorithm": "ec:P-256"}]})";

  explicit Rig(std::string_view document = standard_profile, Store* other = nullptr)
      : store(other == nullptr ? memory : *other) {
    BOOST_REQUIRE(ensure_manager_keys(keys).ok());
    CaRecord ca;
    ca.name = "ca";
    Id ca_id = 0;
    BOOST_REQUIRE(store
                      .transact([&](Transaction& store) -> Status {
                        CARDEA_ASSIGN(ca_id, store.insert(ca));
                        return {};
                      })
                      .ok());
    for (const char* name : {"authentication", "signature", "encryption"}) {
      CertificatePolicy policy;
      policy.ca = ca_id;
      policy.name = policy.ca_profile = name;
      policy.document = parsed(R"({"subject": [{"type": "CN", "from": "person.display_name"}],
                                   "alternative_names": [{"type": "email", "from": "person.email", "optional": true}]})");
      auto saved = save_policy(ports, admin, policy);
      BOOST_REQUIRE_MESSAGE(saved.ok(), (saved ? "" : describe(saved.error())));
    }
    person.name = "alice";
    person.display_name = "Alice Archer";
    person.email = "alice@example.org";
    person.department = "archery";
    person = *save_person(ports, admin, person);
    profile.name = "staff";
    profile.document = parsed(document);
    auto saved = save_profile(ports, admin, profile);
    BOOST_REQUIRE_MESSAGE(saved.ok(), (saved ? "" : saved.error().detail));
    profile = *saved;
  }

  Actor officer(const std::string& name, std::vector<std::string> roles) {
    Operator row;
    row.name = name;
    row.roles = std::move(roles);
    row.scope = "all";
    auto saved = save_operator(ports, admin, row);
    BOOST_REQUIRE_MESSAGE(saved.ok(), (saved ? "" : saved.error().detail));
    std::optional<Actor> actor;
    BOOST_REQUIRE(store
                      .read([&](Transaction& store) -> Status {
                        CARDEA_ASSIGN(actor, operator_actor(store, *saved));
                        return {};
                      })
                      .ok());
    return *actor;
  }

  Request ask(std::string kind, std::optional<Id> token = {}, std::string reason = "", json::object parameters = {}) {
    NewRequest wanted;
    wanted.kind = std::move(kind);
    wanted.person = person.id;
    if (wanted.kind == "issue") wanted.profile = "staff";
    wanted.token = token;
    wanted.reason = std::move(reason);
    wanted.parameters = std::move(parameters);
    auto made = create_request(ports, admin, wanted);
    BOOST_REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error().detail));
    if (made->parameters.contains(former_keys)) made = agreed(made->id);
    return *made;
  }

  /// Two operators approve a recovery.
  Result<Request> agreed(Id request) {
    if (approvers.empty())
      for (const char* name : {"rosa", "ruth"}) approvers.push_back(officer(name, {"key_recovery"}));
    BOOST_REQUIRE(approve_request(ports, approvers[0], request, "").ok());
    auto approved = approve_request(ports, approvers[1], request, "");
    BOOST_REQUIRE_MESSAGE(approved.ok(), (approved ? "" : approved.error().detail));
    return approved;
  }

  /// Opens a session for a request with a fresh code.
  AgentSession collect(const Request& request) {
    auto code = make_code(ports, admin, request.id);
    BOOST_REQUIRE_MESSAGE(code.ok(), (code ? "" : code.error().detail));
    auto session = open_agent_session(ports, text_of(code->text.view()), "", "test");
    BOOST_REQUIRE_MESSAGE(session.ok(), (session ? "" : session.error().detail));
    return std::move(*session);
  }

  /// Runs a job with the token until it ends or waits longer than the clock is put forward.
  NextStep work(Id job, FakeToken& token, int rounds = 100) {
    std::optional<StepReport> report;
    NextStep next;
    for (int round = 0; round < rounds; ++round) {
      auto answer = next_step(ports, job, report);
      BOOST_REQUIRE_MESSAGE(answer.ok(), (answer ? "" : describe(answer.error())));
      next = std::move(*answer);
      report.reset();
      if (next.state == NextStep::State::waiting) clock.at += next.retry_after;
      if (next.state != NextStep::State::step) {
        if (next.state != NextStep::State::waiting) break;
        continue;
      }
      report = StepReport{next.index, true, token.run(next), "", "", false};
    }
    return next;
  }

  /// Works off what needs no agent.
  void work_alone() {
    for (int round = 0; round < 50; ++round) {
      auto worked = run_one_job(ports);
      BOOST_REQUIRE_MESSAGE(worked.ok(), (worked ? "" : describe(worked.error())));
      if (!*worked) return;
    }
  }

  template <class T>
  std::vector<T> all(Result<Page<T>> (Transaction::*list)(const Filter&)) {
    std::vector<T> out;
    BOOST_REQUIRE(store
                      .read([&](Transaction& transaction) -> Status {
                        Filter filter;
                        filter.limit = 1000;
                        CARDEA_ASSIGN(auto page, (transaction.*list)(filter));
                        out = std::move(page.items);
                        std::sort(out.begin(), out.end(), [](const T& a, const T& b) { return a.id < b.id; });
                        return {};
                      })
                      .ok());
    return out;
  }
  Token only_token() { return all(&Transaction::tokens).at(0); }
  std::vector<Certificate> certificates(CertificateState state) {
    std::vector<Certificate> out = all(&Transaction::certificates);
    std::erase_if(out, [&](const Certificate& row) { return row.state != state; });
    return out;
  }
  /// Certificates that the authority made and that are neither known as live here nor revoked there.
  std::size_t orphans() {
    const std::vector<Certificate> rows = all(&Transaction::certificates);
    std::size_t count = 0;
    for (const auto& [request, der] : authorities.ca->issued) {
      bool known = authorities.ca->revoked.contains(der);
      for (const auto& row : rows)
        known = known || (row.der == der &&
                          (row.state == CertificateState::active || row.state == CertificateState::superseded ||
                           row.state == CertificateState::suspended));
      count += known ? 0 : 1;
    }
    return count;
  }
  /// Issues the standard credential onto a token.
  void issue(FakeToken& token) {
    const AgentSession session = collect(ask("issue"));
    const NextStep end = work(session.job, token);
    BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  }
};

}  // namespace cardea::manager::testing
