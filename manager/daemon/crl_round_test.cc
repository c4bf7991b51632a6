// Authorities whose keys are there and gone, and what a round of CRLs says of them.
#include "daemon/crl_round.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/testing.h"
#include "domain/crl_publisher.h"
#include "domain/store_status.h"
#include "domain/testing/memory_keys.h"
#include "domain/testing/memory_store.h"
#include "domain/testing/rig.h"
#include "embedded/creation.h"
#include "embedded/settings.h"

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;
using cardea::testing::must;
void must(const Status& status) {
  BOOST_REQUIRE_MESSAGE(status.ok(), (status ? "" : describe(status.error())));
}

// Two roots and one that waits for its certificate. The log is a file.
struct Fixture {
  Fixture() : folder(fs::temp_directory_path() / ("cardea-crl-round-" + std::to_string(getpid()))) {
    fs::create_directories(folder);
    LogSettings settings;
    settings.file = folder / "log";
    log = must(Log::open(settings));
    first = add("first", false);
    second = add("second", false);
    add("waiting", true);
    round.emplace(ports, authorities, *log, failing);
  }
  ~Fixture() { fs::remove_all(folder); }

  CaRecord add(const std::string& name, bool waits) {
    ca::CaCreation wanted;
    wanted.name = name;
    wanted.subject = "CN=" + name;
    if (waits) wanted.type = ca::CaType::issuing;
    CaRecord record;
    record.name = name;
    record.connector = "embedded";
    const ca::EmbeddedParts parts{keys, status, clock};
    record.settings = ca::write_settings(must(waits ? ca::request_ca(parts, wanted) : ca::create_root(parts, wanted)));
    must(store.transact([&](Transaction& transaction) -> Status {
      CARDEA_ASSIGN(record.id, transaction.insert(record));
      return {};
    }));
    return record;
  }
  // Has the row name another key, or its own again.
  void lose_key(const CaRecord& which) { store.state.cas_rows.at(which.id).settings["key"] = "gone"; }
  void find_key(const CaRecord& which) { store.state.cas_rows.at(which.id).settings = which.settings; }
  std::uint64_t crl_number(const CaRecord& which) {
    const auto found = store.state.crls.find(which.id);
    return found == store.state.crls.end() ? 0 : found->second.number;
  }
  std::vector<std::string> names() {
    return failing.read([](const auto& list) { return list; });
  }
  std::size_t lines(std::string_view what) {
    log->flush();
    std::ifstream in(folder / "log");
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) count += line.find(what) != std::string::npos ? 1 : 0;
    return count;
  }

  testing::MemoryStore store;
  testing::MemoryKeys keys;
  testing::SetClock clock;
  StoreStatus status{store};
  ca::Connectors connectors{ca::ConnectorParts{keys, status, clock}};
  Ports ports{store, keys, connectors, clock};
  Authorities authorities{ports, ca::ConnectorParts{keys, status, clock}, "http://localhost"};
  Guarded<std::vector<std::string>> failing;
  fs::path folder;
  std::unique_ptr<Log> log;
  std::optional<CrlRound> round;
  CaRecord first;
  CaRecord second;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(crl_round, Fixture)

BOOST_AUTO_TEST_CASE(an_authority_without_its_key_is_told_once_and_named_until_it_works) {
  lose_key(first);
  must(round->run());
  BOOST_TEST((names() == std::vector<std::string>{"first"}));
  BOOST_TEST(lines("cardea ca check first") == 1U);
  // The others have theirs.
  BOOST_TEST(crl_number(first) == 0U);
  BOOST_TEST(crl_number(second) == 1U);
  must(round->run());
  BOOST_TEST(lines("cardea ca check first") == 1U);
  find_key(first);
  must(round->run());
  BOOST_TEST(names().empty());
  BOOST_TEST(lines("an authority works again authority=first") == 1U);
  BOOST_TEST(crl_number(first) == 1U);
  // It is news again when it happens again.
  lose_key(first);
  must(round->run());
  BOOST_TEST(lines("cardea ca check first") == 2U);
}

BOOST_AUTO_TEST_CASE(a_key_that_goes_while_the_authority_is_open_is_told_when_a_crl_is_due) {
  must(round->run());
  BOOST_TEST(names().empty());
  must(keys.destroy_key(std::string(second.settings.at("key").as_string())));
  clock.at += std::chrono::days(2);
  must(round->run());
  BOOST_TEST((names() == std::vector<std::string>{"second"}));
  BOOST_TEST(crl_number(first) == 2U);
  BOOST_TEST(crl_number(second) == 1U);
}

BOOST_AUTO_TEST_CASE(certificates_of_authorities_are_known_whether_keys_are_there_or_not) {
  lose_key(first);
  BOOST_TEST(must(authorities.local_certificates()).size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
