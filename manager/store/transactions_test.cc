// All or nothing, races between writers, groups, jobs and claims.
#include <atomic>
#include <barrier>
#include <set>
#include <thread>

#include "store/testing.h"

namespace cardea::manager::store {

BOOST_FIXTURE_TEST_SUITE(transactions, TestStore)

BOOST_AUTO_TEST_CASE(a_failure_takes_everything_back) {
  const Status failed = store->transact([](Transaction& t) -> Status {
    CARDEA_TRY(t.put_setting("a", "1"));
    return error(Code::function_rejected, "no");
  });
  BOOST_TEST((failed.code() == Code::function_rejected));
  BOOST_TEST(!read<std::optional<std::string>>([](Transaction& t) { return t.setting("a"); }).has_value());
  const Status thrown = store->transact([](Transaction& t) -> Status {
    CARDEA_TRY(t.put_setting("a", "1"));
    throw std::runtime_error("out of luck");
  });
  BOOST_TEST((thrown.code() == Code::internal));
  BOOST_TEST(!read<std::optional<std::string>>([](Transaction& t) { return t.setting("a"); }).has_value());
}

BOOST_AUTO_TEST_CASE(names_are_unique_without_regard_to_case_and_work_may_go_on) {
  add(person_named("Alice"));
  must(store->transact([](Transaction& t) -> Status {
    BOOST_TEST((t.insert(person_named("aLICE")).code() == Code::exists));
    return t.put_setting("after", "yes");
  }));
  BOOST_TEST(*read<std::optional<std::string>>([](Transaction& t) { return t.setting("after"); }) == "yes");
}

BOOST_AUTO_TEST_CASE(a_row_that_was_changed_meanwhile_is_not_overwritten) {
  const Id id = add(person_named("alice"));
  Person mine = read<Person>([&](Transaction& t) { return t.person(id); });
  Person theirs = mine;
  theirs.email = "theirs";
  must(store->transact([&](Transaction& t) { return t.update(theirs); }));
  mine.email = "mine";
  BOOST_TEST((store->transact([&](Transaction& t) { return t.update(mine); }).code() == Code::key_changed));
  BOOST_TEST(read<Person>([&](Transaction& t) { return t.person(id); }).email == "theirs");
  mine.id = id + 100;
  BOOST_TEST((store->transact([&](Transaction& t) { return t.update(mine); }).code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(one_transaction_changes_a_row_as_often_as_it_likes) {
  must(store->transact([&](Transaction& t) -> Status {
    Person person = person_named("alice");
    CARDEA_ASSIGN(person.id, t.insert(person));
    for (int i = 0; i < 3; ++i) {
      person.email = std::to_string(i);
      CARDEA_TRY(t.update(person));
    }
    return {};
  }));
  BOOST_TEST(read<Person>([](Transaction& t) { return t.person_by_name("alice"); }).email == "2");
}

BOOST_AUTO_TEST_CASE(what_a_row_refers_to_must_be_there) {
  Token token{.kind = "piv", .serial = "1"};
  token.person = 77;
  BOOST_TEST((store
                  ->transact([&](Transaction& t) -> Status {
                    auto id = t.insert(token);
                    return id ? Status() : id.error();
                  })
                  .code() == Code::data_invalid));
}

BOOST_AUTO_TEST_CASE(after_an_error_of_the_database_nothing_of_the_transaction_stays) {
  Token token{.kind = "piv", .serial = "1"};
  token.person = 77;
  const Status status = store->transact([&](Transaction& t) -> Status {
    CARDEA_TRY(t.put_setting("before", "x"));
    (void)t.insert(token);
    (void)t.put_setting("after", "x");
    return {};  // as if nothing had happened
  });
  BOOST_TEST((status.code() == Code::data_invalid));
  BOOST_TEST(!read<std::optional<std::string>>([](Transaction& t) { return t.setting("before"); }).has_value());
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_utf8_is_refused) {
  for (const std::string& text : {std::string("a\xFF"), std::string("a\0b", 3), std::string("\xC0\x80")}) {
    Person person = person_named("p");
    person.attributes = {};
    person.email = text;
    BOOST_TEST((store
                    ->transact([&](Transaction& t) -> Status {
                      auto id = t.insert(person);
                      return id ? Status() : id.error();
                    })
                    .code() == Code::data_invalid));
    BOOST_TEST(
        (store->transact([&](Transaction& t) { return t.put_setting("x", text); }).code() == Code::data_invalid));
  }
}

BOOST_AUTO_TEST_CASE(work_that_only_reads_cannot_write_and_sees_one_moment) {
  BOOST_TEST((store->read([](Transaction& t) { return t.put_setting("a", "1"); }).code() == Code::device_error));
  add(person_named("before"));
  must(store->read([&](Transaction& t) -> Status {
    CARDEA_ASSIGN(const auto first, t.people({}));
    std::thread([&] { add(person_named("during")); }).join();
    CARDEA_ASSIGN(const auto second, t.people({}));
    BOOST_TEST(first.items.size() == 1U);
    BOOST_TEST(second.items.size() == 1U);
    return {};
  }));
  BOOST_TEST(read<Page<Person>>([](Transaction& t) { return t.people({}); }).items.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_transaction_inside_another_is_refused_and_reading_is_not) {
  must(store->transact([&](Transaction&) -> Status {
    BOOST_TEST((store->transact([](Transaction&) { return Status(); }).code() == Code::operation_active));
    return store->read([](Transaction& t) -> Status { return t.people({}) ? Status() : Status(Code::internal); });
  }));
}

// Every caller gets its own result, whatever became of the others in its group.
BOOST_AUTO_TEST_CASE(many_threads_write_in_groups_and_none_gets_anothers_result) {
  constexpr int threads = 12, rounds = 20;
  std::atomic<int> wrong = 0;
  std::barrier together(threads);
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      for (int round = 0; round < rounds; ++round) {
        together.arrive_and_wait();
        const bool fails = (thread + round) % 3 == 0;
        const std::string name = std::to_string(thread) + "." + std::to_string(round);
        const Status status = store->transact([&](Transaction& t) -> Status {
          CARDEA_TRY(t.put_setting(name, "x"));
          CARDEA_TRY(t.append({.at = at(1), .actor = name, .action = "test", .subject = "test:1"}));
          return fails ? error(Code::function_rejected) : Status();
        });
        if (status.ok() == fails) ++wrong;
      }
    });
  }
  for (std::thread& one : running) one.join();
  BOOST_TEST(wrong == 0);
  int stored = 0;
  must(store->read([&](Transaction& t) -> Status {
    for (int thread = 0; thread < threads; ++thread)
      for (int round = 0; round < rounds; ++round) {
        CARDEA_ASSIGN(const auto value, t.setting(std::to_string(thread) + "." + std::to_string(round)));
        if (value.has_value() == ((thread + round) % 3 == 0)) ++wrong;
        if (value) ++stored;
      }
    return {};
  }));
  BOOST_TEST(wrong == 0);
  BOOST_TEST(must(check(database.settings())).audit_events == static_cast<std::uint64_t>(stored));
}

BOOST_AUTO_TEST_CASE(jobs_are_claimed_when_they_can_run_and_once) {
  const Id person = add(person_named("alice"));
  const Id request = add(Request{.kind = "issue", .person = person});
  const auto job = [&](JobState state, std::optional<Time> next) {
    Job one{.request = request, .kind = "issue", .state = state};
    one.next_attempt = next;
    return add(one);
  };
  job(JobState::completed, {});
  job(JobState::failed, at(1));
  job(JobState::waiting, {});
  const Id later = job(JobState::waiting, at(500));
  const Id ready = job(JobState::ready, at(900));
  const Id undoing = job(JobState::undoing, {});
  const auto claim = [&](std::string daemon, Time now) {
    return write<std::optional<Job>>(
        [&](Transaction& t) { return t.claim_job(daemon, now, std::chrono::seconds(60)); });
  };
  const auto first = claim("d1", at(100));
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(first->id == ready);
  BOOST_TEST(first->claimed_by == "d1");
  BOOST_TEST((first->claimed_until == at(160)));
  BOOST_TEST(claim("d2", at(100))->id == undoing);
  BOOST_TEST(!claim("d2", at(159)).has_value());
  // The lease is over: d1 is taken for dead, and what it does with the job now is refused.
  BOOST_TEST(claim("d2", at(160))->id == ready);
  Job late = *first;
  late.state = JobState::completed;
  BOOST_TEST((store->transact([&](Transaction& t) { return t.update(late); }).code() == Code::key_changed));
  BOOST_TEST(claim("d2", at(160))->id == undoing);
  BOOST_TEST(claim("d2", at(500))->id == ready);
  BOOST_TEST(claim("d2", at(500))->id == undoing);
  const auto woken = claim("d2", at(500));
  BOOST_REQUIRE(woken.has_value());
  BOOST_TEST(woken->id == later);
  // What was claimed can be updated by who claimed it.
  Job done = *woken;
  done.state = JobState::completed;
  must(store->transact([&](Transaction& t) { return t.update(done); }));
  BOOST_TEST(!claim("d2", at(550)).has_value());
}

BOOST_AUTO_TEST_CASE(revoked_certificates_come_in_the_order_of_their_numbers) {
  const Id ca = add(CaRecord{.name = "ca"});
  const Id other = add(CaRecord{.name = "other"});
  const auto add_certificate = [&](Id of, std::string serial, CertificateState state, std::int64_t not_after) {
    Certificate one{.state = state, .ca = of, .serial = std::move(serial)};
    one.not_after = at(not_after);
    one.revoked_at = at(5);
    one.revocation_reason = "keyCompromise";
    add(one);
  };
  constexpr std::int64_t future = 4'000'000'000;
  add_certificate(ca, "ff", CertificateState::revoked, future);
  add_certificate(ca, "100", CertificateState::suspended, future);
  add_certificate(ca, "2", CertificateState::revoked, future);
  add_certificate(ca, "a", CertificateState::revoked, 10);
  add_certificate(ca, "b", CertificateState::active, future);
  add_certificate(other, "3", CertificateState::revoked, future);
  const auto serials = [&](bool expired_too) {
    std::string out;
    must(store->read([&](Transaction& t) {
      return t.revoked(ca, expired_too, [&](const Transaction::RevokedEntry& entry) -> Status {
        BOOST_TEST((entry.revoked_at == at(5)));
        BOOST_TEST(entry.reason == "keyCompromise");
        out += std::string(entry.serial) + " ";
        return {};
      });
    }));
    return out;
  };
  BOOST_TEST(serials(false) == "2 ff 100 ");
  BOOST_TEST(serials(true) == "2 a ff 100 ");
  const Status stopped = store->read([&](Transaction& t) {
    return t.revoked(ca, true, [](const Transaction::RevokedEntry&) { return Status(Code::function_canceled); });
  });
  BOOST_TEST((stopped.code() == Code::function_canceled));
  // Two certificates of one authority never have the same number; of two, they may.
  BOOST_TEST((store
                  ->transact([&](Transaction& t) -> Status {
                    auto id = t.insert(Certificate{.ca = ca, .serial = "ff"});
                    return id ? Status() : id.error();
                  })
                  .code() == Code::exists));
  add(Certificate{.ca = other, .serial = "ff"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager::store
