// What the store's tests share: a fresh database, of the kind that the environment names.
#pragma once

#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "domain/store.h"
#include "fakes/process.h"
#include "store/connection.h"
#include "store/database.h"

namespace cardea::manager::store {

template <class T>
T must(Result<T> result, std::string_view what = "it") {
  BOOST_REQUIRE_MESSAGE(result.ok(), what << " failed: " << (result ? "" : describe(result.error())));
  return std::move(*result);
}
inline void must(Status status, std::string_view what = "it") {
  BOOST_REQUIRE_MESSAGE(status.ok(), what << " failed: " << (status ? "" : describe(status.error())));
}

inline Time at(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

/// An empty database, gone with the object. CARDEA_TEST_DATABASE (libpq's keywords of a server on which databases can
/// be made) chooses PostgreSQL; otherwise it is an SQLite file.
class TestDatabase {
 public:
  TestDatabase() {
    if (const char* const server = std::getenv("CARDEA_TEST_DATABASE")) server_ = server;
    if (sqlite()) {
      settings_.database = "sqlite:" + file();
      return;
    }
    static std::atomic<int> count = 0;
    name_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
    must(administrator()->once("CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING 'UTF8'"));
    settings_.database = "postgresql:" + server_ + " dbname=" + name_;
  }
  ~TestDatabase() {
    if (!sqlite()) (void)administrator()->once("DROP DATABASE " + name_ + " WITH (FORCE)");
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const Settings& settings() const { return settings_; }
  bool sqlite() const { return server_.empty(); }
  /// The SQLite file.
  std::string file() const { return (folder_.path() / "manager.db").string(); }
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::unique_ptr<Connection> connect() const {
    return must(Connection::open(must(place_of(settings_.database)), false, settings_.patience));
  }
  /// A connection to the PostgreSQL server itself.
  std::unique_ptr<Connection> administrator() const {
    return must(Connection::open({Dialect::postgresql, server_ + " dbname=postgres"}, false, settings_.patience));
  }

 private:
  test::TemporaryFolder folder_;
  std::string server_;
  std::string name_;
  Settings settings_;
};

/// A database at this program's schema and a store over it.
struct TestStore {
  TestStore() {
    must(migrate(database.settings()));
    store = must(open(database.settings()));
  }
  TestDatabase database;
  std::unique_ptr<Store> store;

  /// What `work` gives in a transaction of its own.
  template <class T>
  T write(const std::function<Result<T>(Transaction&)>& work) const {
    T out{};
    must(store->transact([&](Transaction& transaction) -> Status {
      CARDEA_ASSIGN(out, work(transaction));
      return {};
    }));
    return out;
  }
  template <class T>
  T read(const std::function<Result<T>(Transaction&)>& work) const {
    T out{};
    must(store->read([&](Transaction& transaction) -> Status {
      CARDEA_ASSIGN(out, work(transaction));
      return {};
    }));
    return out;
  }
  template <class T>
  Id add(const T& value) const {
    return write<Id>([&](Transaction& transaction) { return transaction.insert(value); });
  }
};

inline Person person_named(std::string name) {
  Person person;
  person.name = std::move(name);
  person.display_name = person.name;
  return person;
}

}  // namespace cardea::manager::store
