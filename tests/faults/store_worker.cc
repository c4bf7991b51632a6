// A process that works on the manager's store and may die or run out of disk at any of its system calls.
//   store_worker DATABASE write COUNT FAILURE AT   writes transactions 1 to COUNT from two threads; acknowledges each
//   by a
//                                                  line on standard output, after it was committed
//   store_worker DATABASE full COUNT               lets the disk be full from the 1st, 2nd, … COUNT-th call on, and
//   frees it store_worker DATABASE claim NAME               claims jobs until there is none and prints their ids
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "fakes/failing_calls.h"
#include "store/database.h"

namespace cardea::manager::store {
namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", describe(error).c_str());
  return 1;
}

/// One issuance's worth of changes: all or nothing of it must be found later.
Status issue(Transaction& t, const std::string& number) {
  CARDEA_TRY(t.put_setting(number, "issued"));
  Certificate certificate;
  certificate.subject = "CN=" + number;
  certificate.serial = number;
  CARDEA_ASSIGN(certificate.id, t.insert(certificate));
  certificate.state = CertificateState::issued;
  CARDEA_TRY(t.update(certificate));
  return t.append({.actor = "worker", .action = "issued", .subject = number});
}

int write(Store& store, int count, test::Failure failure, std::uint64_t at) {
  std::atomic<int> next = 0;
  std::atomic<bool> failed = false;
  test::plan_failure(failure, at);
  const auto work = [&] {
    for (int i = ++next; i <= count && !failed; i = ++next) {
      const std::string number = std::to_string(i);
      if (Status done = store.transact([&](Transaction& t) { return issue(t, number); }); !done) {
        failed = true;
        fail(done.error());
        return;
      }
      const std::string line = number + "\n";
      if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) failed = true;
    }
  };
  std::thread other(work);
  work();
  other.join();
  std::fprintf(stderr, "calls %llu\n", static_cast<unsigned long long>(test::counted_calls()));
  return failed ? 1 : 0;
}

int full(Store& store, std::uint64_t count) {
  bool seen = false;
  for (std::uint64_t at = 1; at <= count; ++at) {
    const std::string number = std::to_string(at);
    test::plan_failure(test::Failure::disk_full, at);
    const Status during = store.transact([&](Transaction& t) { return issue(t, "1" + number); });
    test::forget_failure();
    if (!during && during.code() != Code::device_memory) return fail(during.error());
    seen = seen || !during;
    if (Status after = store.transact([&](Transaction& t) { return issue(t, "2" + number); }); !after)
      return fail(after.error());
  }
  return seen ? 0 : fail(error(Code::internal, "the disk was never full"));
}

int claim(Store& store, const std::string& name) {
  while (true) {
    std::optional<Job> job;
    const Status done = store.transact([&](Transaction& t) -> Status {
      CARDEA_ASSIGN(job, t.claim_job(name, Time(std::chrono::seconds(100)), std::chrono::seconds(60)));
      return {};
    });
    if (!done) return fail(done.error());
    if (!job) return 0;
    std::printf("%lld\n", static_cast<long long>(job->id));
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) return 2;
  auto store = open({.database = arguments[0]});
  if (!store) return fail(store.error());
  const std::string& task = arguments[1];
  if (task == "claim") return claim(**store, arguments[2]);
  if (task == "full") return full(**store, std::stoul(arguments[2]));
  if (task != "write" || arguments.size() != 5) return 2;
  const auto failure = arguments[3] == "killed"           ? test::Failure::killed
                       : arguments[3] == "killed_halfway" ? test::Failure::killed_halfway
                                                          : test::Failure::none;
  return write(**store, std::stoi(arguments[2]), failure, std::stoul(arguments[4]));
}

}  // namespace
}  // namespace cardea::manager::store

int main(int count, char** arguments) {
  return cardea::manager::store::run({arguments + 1, arguments + count});
}
