// The database locked, gone, replaced, damaged, newer, restarted: what callers are told, and that it goes on by itself.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "store/migrations.h"
#include "store/testing.h"

namespace cardea::manager::store {
namespace {

namespace fs = std::filesystem;

Status set(Store& store, std::string_view name) {
  return store.transact([&](Transaction& t) { return t.put_setting(name, "x"); });
}

bool has(Store& store, std::string_view name) {
  bool found = false;
  must(store.read([&](Transaction& t) -> Status {
    CARDEA_ASSIGN(const auto value, t.setting(name));
    found = value.has_value();
    return {};
  }));
  return found;
}

struct Impatient {
  Impatient() {
    must(migrate(database.settings()));
    Settings settings = database.settings();
    settings.patience = std::chrono::milliseconds(60);
    settings.readers = 2;
    store = must(open(settings));
  }
  TestDatabase database;
  std::unique_ptr<Store> store;
};

void run_command_of(const char* variable) {
  const char* const command = std::getenv(variable);
  BOOST_REQUIRE(command);
  BOOST_REQUIRE(test::run({command}, {}).succeeded());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(faults, Impatient)

BOOST_AUTO_TEST_CASE(a_lock_of_another_process_is_waited_for_and_then_told) {
  const auto other = database.connect();
  if (database.sqlite()) {
    must(other->once("BEGIN IMMEDIATE"));
  } else {
    must(other->once("BEGIN"));
    must(other->once("LOCK TABLE settings"));
  }
  const Status locked = set(*store, "a");
  BOOST_TEST((locked.code() == Code::timed_out));
  if (database.sqlite()) BOOST_TEST(!has(*store, "a"));  // readers are not held up
  must(other->once("ROLLBACK"));
  must(set(*store, "a"));
  BOOST_TEST(has(*store, "a"));
}

BOOST_AUTO_TEST_CASE(a_reader_waits_for_a_free_connection_and_then_gives_up) {
  must(store->read([&](Transaction&) -> Status {
    return store->read([&](Transaction&) -> Status {
      BOOST_TEST((store->read([](Transaction&) { return Status(); }).code() == Code::timed_out));
      return {};
    });
  }));
  must(store->read([](Transaction&) { return Status(); }));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_in_words) {
  TestDatabase empty;
  if (empty.sqlite()) BOOST_TEST((open(empty.settings()).code() == Code::device_error));
  if (empty.sqlite()) test::write_file(empty.file(), "");
  BOOST_TEST((open(empty.settings()).code() == Code::not_initialized));
  must(database.connect()->once("INSERT INTO schema_steps (step) VALUES (99)"));
  const auto newer = open(database.settings());
  BOOST_TEST((newer.code() == Code::store_newer));
  BOOST_TEST(newer.error().detail.find("schema 99") != std::string::npos);
  BOOST_TEST((migrate(database.settings()).code() == Code::store_newer));
  Settings wrong;
  for (const char* const name : {"", "mysql:x", "sqlite:", "sqlite:/tmp/a=b"}) {
    wrong.database = name;
    BOOST_TEST((open(wrong).code() == Code::arguments_bad));
  }
}

BOOST_AUTO_TEST_CASE(migrating_twice_and_from_several_threads_is_harmless) {
  TestDatabase fresh;
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0, made = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const auto migrated = migrate(fresh.settings());
      if (!migrated)
        ++failures;
      else if (migrated->from == 0)
        ++made;
    });
  for (std::thread& one : threads) one.join();
  BOOST_TEST(failures == 0);
  BOOST_TEST(made == 1);
  BOOST_TEST(must(migrate(fresh.settings())).from == newest_schema());
  must(open(fresh.settings()));
}

BOOST_AUTO_TEST_CASE(only_its_owner_reads_the_file) {
  if (!database.sqlite()) return;
  must(set(*store, "a"));
  for (const char* const end : {"", "-wal", "-shm"}) {
    struct stat found = {};
    BOOST_REQUIRE(::stat((database.file() + end).c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777) == 0600U);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_gone_or_replaced_is_noticed_before_anything_is_lost) {
  if (!database.sqlite()) return;
  must(set(*store, "old"));
  BOOST_TEST(has(*store, "old"));
  const fs::path aside = database.folder() / "aside";
  fs::create_directory(aside);
  for (const char* const end : {"", "-wal", "-shm"})
    fs::rename(database.file() + end, aside / ("manager.db" + std::string(end)));
  BOOST_TEST((set(*store, "lost").code() == Code::device_error));
  BOOST_TEST((store->read([](Transaction&) { return Status(); }).code() == Code::device_error));
  must(migrate(database.settings()));  // another one in its place
  must(set(*store, "new"));
  BOOST_TEST(!has(*store, "old"));
  BOOST_TEST(has(*store, "new"));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_called_damaged) {
  if (!database.sqlite()) return;
  TestDatabase garbage;
  test::write_file(garbage.file(), std::string(8192, 'x'));
  BOOST_TEST((open(garbage.settings()).code() == Code::store_corrupt));
  BOOST_TEST((migrate(garbage.settings()).code() == Code::store_corrupt));
}

BOOST_AUTO_TEST_CASE(a_changed_audit_event_is_found_by_a_check) {
  for (int i = 0; i < 3; ++i)
    must(store->transact([](Transaction& t) { return t.append({.actor = "a", .action = "b", .subject = "c"}); }));
  BOOST_TEST(must(check(database.settings())).audit_events == 3U);
  must(database.connect()->once("UPDATE audit SET actor = 'mallory' WHERE number = 2"));
  const auto changed = check(database.settings());
  BOOST_REQUIRE(!changed);
  BOOST_TEST(changed.error().detail == "event 2 of the audit log was changed");
  must(database.connect()->once("DELETE FROM audit WHERE number = 2"));
  BOOST_TEST(check(database.settings()).error().detail == "event 2 is missing from the audit log");
}

BOOST_AUTO_TEST_CASE(audit_events_cut_off_at_the_end_stay_missing) {
  const auto add = [&] {
    must(store->transact([](Transaction& t) { return t.append({.actor = "a", .action = "b", .subject = "c"}); }));
  };
  for (int i = 0; i < 3; ++i) add();
  must(database.connect()->once("DELETE FROM audit WHERE number >= 2"));
  BOOST_TEST(check(database.settings()).error().detail == "events 2 to 3 are missing at the end of the audit log");
  add();
  BOOST_TEST(check(database.settings()).error().detail == "event 2 is missing from the audit log");
}

BOOST_AUTO_TEST_CASE(a_backup_is_made_beside_writers_and_can_be_restored) {
  const std::string file = (database.folder() / "backup.db").string();
  if (!database.sqlite()) {
    BOOST_TEST((backup(database.settings(), file).code() == Code::function_not_supported));
    BOOST_TEST((restore(database.settings(), file).code() == Code::function_not_supported));
    return;
  }
  must(set(*store, "before"));
  must(store->transact([&](Transaction& t) -> Status {
    CARDEA_TRY(t.put_setting("during", "x"));
    return backup(database.settings(), file);
  }));
  BOOST_TEST((backup(database.settings(), file).code() == Code::exists));
  struct stat found = {};
  BOOST_REQUIRE(::stat(file.c_str(), &found) == 0);
  BOOST_TEST((found.st_mode & 0777) == 0600U);
  BOOST_TEST((restore(database.settings(), file).code() == Code::exists));
  TestDatabase target;
  must(restore(target.settings(), file));
  const auto restored = must(open(target.settings()));
  BOOST_TEST(has(*restored, "before"));
  BOOST_TEST(!has(*restored, "during"));
  must(set(*restored, "after"));
  TestDatabase unharmed;
  test::write_file(database.folder() / "garbage", std::string(8192, 'x'));
  BOOST_TEST((restore(unharmed.settings(), (database.folder() / "garbage").string()).code() == Code::store_corrupt));
  BOOST_TEST(!fs::exists(unharmed.file()));
  BOOST_TEST((restore(unharmed.settings(), (database.folder() / "nothing").string()).code() == Code::device_error));
}

BOOST_AUTO_TEST_CASE(connections_that_were_ended_are_made_again) {
  if (database.sqlite()) return;
  must(set(*store, "a"));
  BOOST_TEST(has(*store, "a"));
  const std::string end =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> "
      "pg_backend_pid() AND datname = (SELECT current_database())";
  for (int i = 0; i < 3; ++i) {
    must(database.connect()->once(end));
    must(set(*store, "b" + std::to_string(i)));
    BOOST_TEST(has(*store, "b" + std::to_string(i)));
  }
  // In the middle of a transaction: it runs again from the start, or is told to have failed, and is there once at most.
  int runs = 0;
  must(store->transact([&](Transaction& t) -> Status {
    if (++runs == 1) must(database.connect()->once(end));
    return t.append({.actor = "a", .action = "b", .subject = "c"});
  }));
  BOOST_TEST(runs == 2);
  BOOST_TEST(must(check(database.settings())).audit_events == 1U);
}

BOOST_AUTO_TEST_CASE(a_server_that_crashed_and_came_back_is_used_again) {
  if (database.sqlite()) return;
  must(set(*store, "before"));
  run_command_of("CARDEA_POSTGRESQL_STOP");
  BOOST_TEST((set(*store, "lost").code() == Code::device_error));
  BOOST_TEST((store->read([](Transaction&) { return Status(); }).code() == Code::device_error));
  run_command_of("CARDEA_POSTGRESQL_START");
  must(set(*store, "after"));
  BOOST_TEST(has(*store, "before"));
  BOOST_TEST(!has(*store, "lost"));
  BOOST_TEST(has(*store, "after"));
}

BOOST_AUTO_TEST_CASE(what_the_database_asks_to_be_run_again_is_run_again) {
  if (database.sqlite()) return;
  const auto connection = database.connect();
  // A sequence keeps its count when the transaction is taken back.
  must(connection->once("CREATE SEQUENCE failures"));
  must(
      connection->once("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''failures'') < 3 "
                       "THEN RAISE EXCEPTION USING ERRCODE = ''40001''; END IF; RETURN NEW; END'"));
  must(connection->once("CREATE TRIGGER fail BEFORE INSERT ON settings FOR EACH ROW EXECUTE FUNCTION fail()"));
  int runs = 0;
  must(store->transact([&](Transaction& t) -> Status {
    ++runs;
    return t.put_setting("a", "x");
  }));
  BOOST_TEST(runs == 3);
  BOOST_TEST(has(*store, "a"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager::store
