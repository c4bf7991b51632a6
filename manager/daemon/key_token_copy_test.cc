// A copy of a store that is being written to is the state of one moment.
#include "daemon/key_token_copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <thread>

#include "store/connection.h"
#include "store/database.h"

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("cardea-copy-" + std::to_string(getpid()))) {
    fs::create_directories(path / "keys/tokens/1234");
    fs::create_directories(path / "keys/tokens/.being-made");
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::unique_ptr<store::Connection> opened(const fs::path& file) {
  auto connection = store::Connection::open({store::Dialect::sqlite, file.string()}, false, std::chrono::seconds(10));
  BOOST_REQUIRE_MESSAGE(connection.ok(), (connection ? "" : describe(connection.error())));
  return std::move(*connection);
}

void run(store::Connection& connection, const std::string& sql) {
  const Status done = connection.once(sql);
  BOOST_REQUIRE_MESSAGE(done.ok(), sql + ": " + (done ? "" : describe(done.error())));
}

std::string asked(store::Connection& connection, const std::string& sql) {
  std::string answer;
  const store::Kind columns[] = {store::Kind::text};
  const Status done = connection.query(sql, {}, columns, [&](store::Row row) -> Status {
    answer = row[0].text;
    return {};
  });
  BOOST_REQUIRE_MESSAGE(done.ok(), sql + ": " + (done ? "" : describe(done.error())));
  return answer;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_token_copy)

BOOST_AUTO_TEST_CASE(a_store_that_is_written_to_is_copied_whole) {
  const Folder folder;
  const fs::path file = folder.path / "keys/tokens/1234/store.sqlite";
  std::ofstream(file).close();
  const auto writer = opened(file);
  run(*writer, "PRAGMA journal_mode = WAL");
  run(*writer, "PRAGMA application_id = 1130459748");
  run(*writer, "PRAGMA user_version = 3");
  run(*writer, "CREATE TABLE t (id INTEGER PRIMARY KEY, half TEXT NOT NULL)");
  std::ofstream(file.parent_path() / "tries") << "0123456789abcdef";
  std::ofstream(file.parent_path() / "generation") << "12345678";
  std::ofstream(file.parent_path() / "lock") << "";

  // Pairs of rows, each pair one transaction, over many pages and with the log put away now and then.
  std::atomic<bool> stop = false;
  std::atomic<int> pairs = 0;
  std::atomic<bool> failed = false;
  std::thread busy([&] {
    const auto half = "INSERT INTO t (half) VALUES (hex(zeroblob(700)))";
    while (!stop) {
      const bool fine = writer->once("BEGIN IMMEDIATE").ok() && writer->once(half).ok() && writer->once(half).ok() &&
                        writer->once("COMMIT").ok() &&
                        (++pairs % 20 != 0 || writer->once("PRAGMA wal_checkpoint(PASSIVE)").ok());
      if (!fine) failed = true;
      if (!fine) return;
    }
  });
  for (int round = 0; round < 5; ++round) {
    for (const int seen = pairs; pairs < seen + 10 && !failed;) std::this_thread::yield();
    const fs::path copy = folder.path / ("copy" + std::to_string(round));
    const Status done = copy_stores(folder.path / "keys", copy);
    BOOST_CHECK_MESSAGE(done.ok(), (done ? "" : describe(done.error())));
    const auto copied = opened(copy / "tokens/1234/store.sqlite");
    BOOST_TEST(asked(*copied, "PRAGMA integrity_check") == "ok");
    BOOST_TEST(asked(*copied, "PRAGMA journal_mode") == "wal");
    BOOST_TEST(asked(*copied, "SELECT CAST(count(*) % 2 AS TEXT) FROM t") == "0");
    BOOST_TEST(asked(*copied, "SELECT CAST(count(*) >= 20 AS TEXT) FROM t") == "1");
  }
  stop = true;
  busy.join();
  BOOST_TEST(!failed);

  const auto copied = opened(folder.path / "copy0/tokens/1234/store.sqlite");
  BOOST_TEST(asked(*copied, "SELECT CAST(application_id AS TEXT) FROM pragma_application_id") == "1130459748");
  BOOST_TEST(asked(*copied, "SELECT CAST(user_version AS TEXT) FROM pragma_user_version") == "3");
  struct stat found {};
  BOOST_REQUIRE(stat((folder.path / "copy0/tokens/1234/store.sqlite").c_str(), &found) == 0);
  BOOST_TEST((found.st_mode & 0777) == 0600U);
  BOOST_TEST(fs::exists(folder.path / "copy0/tokens/1234/tries"));
  for (const char* name : {"generation", "lock"}) BOOST_TEST(!fs::exists(folder.path / "copy0/tokens/1234" / name));
  BOOST_TEST(!fs::exists(folder.path / "copy0/tokens/.being-made"));
  BOOST_TEST((copy_stores(folder.path / "keys", folder.path / "copy0").code() == Code::exists));
  BOOST_TEST(copy_stores(folder.path / "none", folder.path / "nothing").ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
