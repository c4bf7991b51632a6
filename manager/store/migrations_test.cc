// Every released schema upgrades with what was in it, and stays what it was.
#include "store/migrations.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <regex>
#include <sstream>

#include "crypto/digest.h"
#include "store/testing.h"

namespace cardea::manager::store {
namespace {

/// Rows of a database at that schema, as SQLite dumps them: fixtures/schema_<step>.sql.
std::vector<std::string> rows_of(int step, bool sqlite) {
  const char* const source = std::getenv("CARDEA_SOURCE");
  BOOST_REQUIRE(source);
  const std::filesystem::path file =
      std::filesystem::path(source) / "manager/store/fixtures" / ("schema_" + std::to_string(step) + ".sql");
  std::istringstream lines(test::read_file(file));
  std::vector<std::string> out;
  for (std::string line; std::getline(lines, line);)
    out.push_back(sqlite ? line : std::regex_replace(line, std::regex("X'([0-9a-f]*)'"), "'\\x$1'"));
  BOOST_REQUIRE(!out.empty());
  return out;
}

/// A database as the program that knew no later step left it.
void make_at(const TestDatabase& database, int step) {
  if (database.sqlite()) test::write_file(database.file(), "");
  const auto connection = database.connect();
  must(connection->once("BEGIN"));
  must(connection->once("CREATE TABLE schema_steps (step BIGINT NOT NULL PRIMARY KEY)"));
  for (int i = 1; i <= step; ++i) {
    for (const std::string& sql : schema_step(i, connection->dialect())) must(connection->once(sql), sql);
    must(connection->once("INSERT INTO schema_steps (step) VALUES (" + std::to_string(i) + ")"));
  }
  for (const std::string& row : rows_of(step, database.sqlite())) must(connection->once(row), row);
  must(connection->once("COMMIT"));
}

std::string fingerprint(int step, Dialect dialect) {
  std::string all;
  for (const std::string& sql : schema_step(step, dialect)) all += sql + ";\n";
  return to_hex(must(crypto::digest(Hash::sha256, view_of(all)))).substr(0, 16);
}

}  // namespace

// Databases of users were made by these statements; a change of them needs a new step.
BOOST_AUTO_TEST_CASE(released_steps_are_what_they_were) {
  const std::map<int, std::pair<std::string, std::string>> released = {
      {1, {"7fa36f325c33c7e5", "16b5bf0e8800dd09"}}, {2, {"8f731438a965bd52", "a10f531a48872bf3"}},
      {3, {"29b10304f3626a2c", "f4e8d9f2e820e4cb"}}, {4, {"d065b202ca66b05d", "ec9e5b693a5eb87e"}},
      {5, {"e71937f505d83b59", "a1586ee664061320"}}, {6, {"95ffe13423d54e13", "a6a1a246ba096c61"}}};
  BOOST_TEST(released.size() == static_cast<std::size_t>(newest_schema()));
  for (const auto& [step, wanted] : released) {
    BOOST_TEST(fingerprint(step, Dialect::sqlite) == wanted.first);
    BOOST_TEST(fingerprint(step, Dialect::postgresql) == wanted.second);
  }
}

BOOST_AUTO_TEST_CASE(every_released_schema_upgrades_with_what_was_in_it) {
  for (int step = 1; step <= newest_schema(); ++step) {
    TestDatabase database;
    make_at(database, step);
    const Migrated migrated = must(migrate(database.settings()));
    BOOST_TEST(migrated.from == step);
    BOOST_TEST(migrated.to == newest_schema());
    BOOST_TEST(must(check(database.settings())).audit_events == 3U);
    const auto store = must(open(database.settings()));
    must(store->transact([](Transaction& t) -> Status {
      CARDEA_ASSIGN(Person alice, t.person_by_name("ALICE"));
      BOOST_TEST(alice.display_name == "Alice Ärcher");
      alice.email = "new@example.org";
      CARDEA_TRY(t.update(alice));
      CARDEA_ASSIGN(const Token token, t.token_by_serial("piv", "00a1"));
      BOOST_TEST(token.secret_version == 2U);
      CARDEA_ASSIGN(const Certificate certificate, t.certificate_by_serial(1, "7f01"));
      BOOST_TEST((certificate.der == Bytes{0x30, 0, 0xFF}));
      CARDEA_ASSIGN(const Operator root, t.operator_by_certificate("AA01"));
      BOOST_TEST(root.name == "root");
      CARDEA_ASSIGN(const auto job,
                    t.claim_job("d1", Time(std::chrono::seconds(1'700'000'100)), std::chrono::seconds(9)));
      BOOST_TEST(job.has_value());
      return t.append({.actor = "manager", .action = "upgraded", .subject = "store"});
    }));
    BOOST_TEST(must(check(database.settings())).audit_events == 4U);
  }
}

}  // namespace cardea::manager::store
