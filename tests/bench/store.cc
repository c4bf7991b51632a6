// The manager's store at size: what an issuance costs as the tables grow, how long searches take in a full database,
// how many durable commits a second there are beside SQLite's own, and PostgreSQL beside SQLite.
#include <fmt/format.h>
#include <sqlite3.h>
#include <time.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "fakes/process.h"
#include "store/connection.h"
#include "store/database.h"

namespace cardea::manager::store {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t start_of_time = 1'700'000'000;
constexpr int writers = 64;

struct Sizes {
  int certificates = 1'000'000;
  int tokens = 100'000;
  int issuances = 10'000;
  int searches = 1000;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void need(const Status& status) {
  if (status) return;
  fmt::print(stderr, "{}\n", describe(status.error()));
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result) need(Status(result.error()));
  return std::move(*result);
}

/// What this process has computed, in microseconds: unlike time it does not depend on what else the machine does.
double computed_us() {
  timespec now = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

long peak_memory_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtol(line.c_str() + 6, nullptr, 10) / 1024;
  return 0;
}

/// Spread like real serial numbers: an odd multiplier walks through all 64 bits.
std::string serial_of(std::uint64_t i) {
  return fmt::format("{:x}{:016x}", 1 + i % 15, (i + 1) * 0x9E3779B97F4A7C15U);
}

Certificate certificate_of(std::uint64_t i, Id ca, Id person) {
  Certificate one;
  one.state = CertificateState::active;
  one.ca = ca;
  one.policy = "logon";
  one.serial = serial_of(i);
  one.subject = fmt::format("CN=User {:07},OU=Department {},O=Example", (i * 7919) % 10'000'019, i % 97);
  one.issuer = "CN=Issuing CA,O=Example";
  one.person = person;
  one.container = "authentication";
  one.der = Bytes(700, static_cast<Byte>(i));
  one.public_key_hash = Bytes(32, static_cast<Byte>(i));
  one.not_before = Time(std::chrono::seconds(start_of_time));
  one.not_after = Time(std::chrono::seconds(start_of_time + static_cast<std::int64_t>(i) * 60));
  return one;
}

class Bench {
 public:
  Bench(Settings settings, Sizes sizes) : settings_(std::move(settings)), sizes_(sizes) {
    need(migrate(settings_));
    store_ = need(open(settings_));
    need(store_->transact([&](Transaction& t) -> Status {
      CARDEA_ASSIGN(ca_, t.insert(CaRecord{.name = "ca"}));
      CARDEA_ASSIGN(person_, t.insert(Person{.name = "owner"}));
      return {};
    }));
  }

  void fill_and_issue() {
    fmt::print("  issuances a second ({} threads; each is an insert, an update and an audit event, durable):\n",
               writers);
    for (const int size : {1000, 100'000, 1'000'000}) {
      if (size > sizes_.certificates) break;
      fill(size);
      const double begin = computed_us();
      const double rate = issue();
      fmt::print("    with {:>9} certificates: {:>8.0f}   {:>6.0f} us of computing each\n", size, rate,
                 (computed_us() - begin) / sizes_.issuances);
    }
    fill(sizes_.certificates);
    fill_tokens();
  }

  void search() {
    std::mt19937 random(1);
    const auto any = [&](int below) {
      return static_cast<std::uint64_t>(random()) % static_cast<std::uint64_t>(below);
    };
    const auto certificate = [&] { return certificate_of(any(sizes_.certificates), ca_, person_); };
    fmt::print("  searches in {} certificates and {} tokens, a page of 50, in ms:\n", sizes_.certificates,
               sizes_.tokens);
    certificates("certificate by the beginning of its name",
                 [&](Filter& f) { f.text = certificate().subject.substr(3, 8); });
    certificates("certificate by its whole name", [&](Filter& f) { f.text = certificate().subject; });
    certificates("certificate by serial number", [&](Filter& f) { f.text = certificate().serial; });
    certificates("certificates by expiry", [&](Filter& f) {
      f.from = *certificate().not_after;
      f.to = *f.from + std::chrono::hours(24 * 30);
    });
    certificates("active certificates by expiry", [&](Filter& f) {
      f.state = "active";
      f.from = *certificate().not_after;
      f.to = *f.from + std::chrono::hours(24 * 30);
    });
    measure(
        "token by serial number", [&](Transaction& t, Filter& f) { return t.tokens(f); },
        [&](Filter& f) { f.text = fmt::format("{:08}", any(sizes_.tokens)); });
    measure(
        "tokens of a state", [&](Transaction& t, Filter& f) { return t.tokens(f); },
        [&](Filter& f) { f.state = "issued"; });
  }

  void open_again() {
    store_.reset();
    const auto begin = Clock::now();
    store_ = need(open(settings_));
    fmt::print("  opened in {:.0f} ms; most memory so far {} MiB\n", seconds_since(begin) * 1000, peak_memory_mib());
  }

  /// Transactions of one small row, which can be set beside raw commits.
  double commits(int threads, int count) {
    std::atomic<int> next = 0;
    return in_threads(threads, count, [&] {
      const int number = next++;
      // Another value each time: SQLite writes nothing for a row that stays the same.
      need(store_->transact(
          [&](Transaction& t) { return t.put_setting(std::to_string(number % 1000), std::to_string(number)); }));
    });
  }

 private:
  template <class Work>
  double in_threads(int threads, int count, Work work) {
    std::atomic<int> left = count;
    const auto begin = Clock::now();
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i)
      running.emplace_back([&] {
        while (left-- > 0) work();
      });
    for (std::thread& one : running) one.join();
    return count / seconds_since(begin);
  }

  void fill(int size) {
    while (filled_ < size) {
      need(store_->transact([&](Transaction& t) -> Status {
        for (int i = 0; i < 2000 && filled_ < size; ++i) {
          auto id = t.insert(certificate_of(static_cast<std::uint64_t>(filled_++), ca_, person_));
          if (!id) return std::move(id).error();
        }
        return {};
      }));
    }
  }

  void fill_tokens() {
    for (int begin = 0; begin < sizes_.tokens; begin += 2000)
      need(store_->transact([&](Transaction& t) -> Status {
        for (int i = begin; i < std::min(begin + 2000, sizes_.tokens); ++i) {
          Token token{.kind = "piv", .serial = fmt::format("{:08}", i), .label = fmt::format("card {}", i)};
          token.state = i % 10 ? TokenState::issued : TokenState::stock;
          auto id = t.insert(token);
          if (!id) return std::move(id).error();
        }
        return {};
      }));
  }

  double issue() {
    std::atomic<std::uint64_t> next = issued_;
    const double rate = in_threads(writers, sizes_.issuances, [&] {
      const std::uint64_t i = 1'000'000'000 + next++;
      Certificate one = certificate_of(i, ca_, person_);
      const Certificate whole = one;
      one.state = CertificateState::requested;
      one.serial.clear();
      one.der.clear();
      // Intent first, in a transaction of its own, as the daemon does it.
      need(store_->transact([&](Transaction& t) -> Status {
        CARDEA_ASSIGN(one.id, t.insert(one));
        return {};
      }));
      need(store_->transact([&](Transaction& t) -> Status {
        Certificate done = whole;
        done.id = one.id;
        CARDEA_TRY(t.update(done));
        return t.append({.at = Time(std::chrono::seconds(start_of_time)),
                         .actor = "operator:bench",
                         .action = "certificate_issued",
                         .subject = fmt::format("certificate:{}", one.id),
                         .detail = {{"serial", whole.serial}}});
      }));
    });
    issued_ = next;
    return rate;
  }

  template <class Prepare>
  void certificates(std::string_view what, Prepare prepare) {
    measure(
        what, [](Transaction& t, Filter& f) { return t.certificates(f); }, prepare);
  }

  template <class List, class Prepare>
  void measure(std::string_view what, List list, Prepare prepare) {
    std::vector<double> first, second;
    for (int i = 0; i < sizes_.searches; ++i) {
      Filter filter;
      prepare(filter);
      for (std::vector<double>* const times : {&first, &second}) {
        const auto begin = Clock::now();
        need(store_->read([&](Transaction& t) -> Status {
          CARDEA_ASSIGN(auto page, list(t, filter));
          filter.cursor = page.cursor;
          return {};
        }));
        times->push_back(seconds_since(begin) * 1000);
        if (filter.cursor.empty()) break;
      }
    }
    fmt::print("    {:<42} p50 {:>7.3f}  p99 {:>7.3f}", what, percentile(first, 50), percentile(first, 99));
    if (second.empty())
      fmt::print("\n");
    else
      fmt::print("   next page p50 {:>7.3f}  p99 {:>7.3f}\n", percentile(second, 50), percentile(second, 99));
  }

  static double percentile(std::vector<double> values, std::size_t percent) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, values.size() * percent / 100)];
  }

  Settings settings_;
  Sizes sizes_;
  std::unique_ptr<Store> store_;
  Id ca_ = 0;
  Id person_ = 0;
  int filled_ = 0;
  std::uint64_t issued_ = 0;
};

/// Durable commits of one row a second by SQLite itself, one after the other.
double raw_commits(const std::string& file, int count) {
  sqlite3* database = nullptr;
  sqlite3_open(file.c_str(), &database);
  sqlite3_exec(database,
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (name TEXT PRIMARY KEY, v)",
               nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO t VALUES (?, ?)", -1, &insert, nullptr);
  const auto begin = Clock::now();
  for (int i = 0; i < count; ++i) {
    sqlite3_bind_int(insert, 1, i % 1000);
    sqlite3_bind_int(insert, 2, i);
    if (sqlite3_step(insert) != SQLITE_DONE) need(Status(error(Code::device_error, sqlite3_errmsg(database))));
    sqlite3_reset(insert);
  }
  const double rate = count / seconds_since(begin);
  sqlite3_finalize(insert);
  sqlite3_close(database);
  return rate;
}

void all_of(Bench& bench, int commits) {
  fmt::print("  durable commits a second of one row: {:.0f} from one thread, {:.0f} from {}\n",
             bench.commits(1, commits), bench.commits(writers, commits), writers);
  bench.fill_and_issue();
  bench.search();
  bench.open_again();
}

}  // namespace

int run(int count, char** arguments) {
  Sizes sizes;
  bool smoke = false;
  CLI::App app{"Measures the manager's store"};
  app.add_option("--certificates", sizes.certificates, "how many certificates to search in");
  app.add_option("--tokens", sizes.tokens, "how many tokens");
  app.add_flag("--smoke", smoke, "only prove that it works");
  CLI11_PARSE(app, count, arguments);
  if (smoke) sizes = {2000, 500, 200, 50};
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int commits = smoke ? 200 : 20'000;
  const test::TemporaryFolder folder;
  fmt::print("SQLite\n");
  fmt::print("  SQLite alone, durable commits a second of one row: {:.0f}\n",
             raw_commits((folder.path() / "raw.db").string(), commits / 10));
  {
    Bench sqlite({.database = "sqlite:" + (folder.path() / "manager.db").string()}, sizes);
    all_of(sqlite, commits);
  }
  const char* const server = std::getenv("CARDEA_TEST_DATABASE");
  if (!server) {
    fmt::print("PostgreSQL: not measured; run this by tests/integration/store_with_postgresql.sh\n");
    return 0;
  }
  fmt::print("PostgreSQL\n");
  const std::string target = fmt::format("{} dbname=", server);
  need(need(Connection::open({Dialect::postgresql, target + "postgres"}, false, std::chrono::seconds(5)))
           ->once("CREATE DATABASE bench TEMPLATE template0 ENCODING 'UTF8'"));
  Bench postgresql({.database = "postgresql:" + target + "bench"}, sizes);
  all_of(postgresql, commits);
  return 0;
}

}  // namespace cardea::manager::store

int main(int count, char** arguments) {
  return cardea::manager::store::run(count, arguments);
}
