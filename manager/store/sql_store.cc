#include "store/sql_store.h"

#include <fmt/format.h>

#include <thread>

#include "domain/cause.h"
#include "store/migrations.h"
#include "store/transaction.h"

namespace cardea::manager::store {
namespace {

constexpr int most_attempts = 5;
constexpr std::chrono::milliseconds pause{20};
// For a lock that was waited for in vain: groups queue behind each other, and each waiting as long as the first would
// hold up everything that the daemon does.
constexpr std::chrono::milliseconds short_patience{250};

// Held by whoever writes, over all daemons on one PostgreSQL: the audit log is one chain, so writers must follow each
// other anyway. It goes with the transaction, however that ends. SQLite has its own lock of this kind.
const std::string writers_lock = "SELECT pg_advisory_xact_lock(4848485748002)";

/// Whether this thread runs somebody's work: a transaction inside would wait for itself.
thread_local bool working = false;

Status guarded(const SqlStore::Work& work, Transaction& transaction) {
  try {
    return work(transaction);
  } catch (const std::bad_alloc&) {
    return error(Code::host_memory);
  } catch (const std::exception& problem) {
    return error(Code::internal, problem.what());
  }
}

}  // namespace

SqlStore::SqlStore(const Settings& settings, Place place)
    : place_(std::move(place)),
      patience_(settings.patience),
      readers_(place_, std::max<std::size_t>(settings.readers, 1), settings.patience),
      writers_([this](Group group) { commit(group); }) {}

Status SqlStore::connect() {
  return ready_writer();
}

Status SqlStore::ready_writer() {
  if (writer_ && writer_->in_place()) return {};
  writer_.reset();
  CARDEA_ASSIGN(auto fresh, Connection::open(place_, false, patience_));
  CARDEA_TRY(check_schema(*fresh));
  writer_ = std::move(fresh);
  return {};
}

Status SqlStore::transact(const Work& work) {
  if (working) return error(Code::operation_active, "a transaction began inside another");
  return writers_.run(work);
}

void SqlStore::commit(Group group) {
  working = true;
  Attempt last;
  const auto end = std::chrono::steady_clock::now() + patience_;
  for (int attempts = 1; attempts <= most_attempts; ++attempts) {
    last = attempt(group);
    // Whoever is silent was waited for already.
    if (!last.again || std::chrono::steady_clock::now() >= end) break;
    std::this_thread::sleep_for(pause * attempts);
  }
  working = false;
  if (last.status) return;
  for (Writers::Item* item : group) item->status = last.status;
}

Status SqlStore::begin() {
  writer_->forgive();
  CARDEA_TRY(writer_->wait_for_locks(locked_out_ ? std::min(short_patience, patience_) : patience_));
  if (place_.dialect == Dialect::sqlite) return writer_->control("BEGIN IMMEDIATE");
  CARDEA_TRY(writer_->once("BEGIN"));
  return writer_->once(writers_lock);
}

SqlStore::Attempt SqlStore::attempt(Group group) {
  if (Status ready = ready_writer(); !ready) {
    const bool unreachable = ready.code() == Code::device_error && place_.dialect == Dialect::postgresql;
    return {std::move(ready), unreachable};
  }
  if (Status begun = begin(); !begun) return ended(std::move(begun), false);
  bool any = false;
  for (Writers::Item* item : group) {
    if (Status ran = run_one(*item, group.size() == 1); !ran) return ended(std::move(ran), false);
    any = any || item->status.ok();
  }
  writer_->forgive();
  if (Status done = writer_->control(any ? "COMMIT" : "ROLLBACK"); !done) return ended(std::move(done), any);
  if (any && !writer_->in_place())
    return {error(Code::device_error, "the database file was removed or replaced while it was written"), false};
  locked_out_ = false;
  return {};
}

Status SqlStore::run_one(Writers::Item& item, bool alone) {
  if (!alone) CARDEA_TRY(writer_->control("SAVEPOINT one"));
  writer_->forgive();
  SqlTransaction transaction(*writer_);
  item.status = guarded(*item.work, transaction);
  if (!transaction.state()) {
    const Fault fault = writer_->fault();
    if (fault != Fault::none && fault != Fault::statement) return transaction.state();
    item.status = transaction.state();
  }
  if (alone) return {};
  if (!item.status) CARDEA_TRY(writer_->control("ROLLBACK TO SAVEPOINT one"));
  return writer_->control("RELEASE SAVEPOINT one");
}

SqlStore::Attempt SqlStore::ended(Status status, bool committing) {
  const Fault fault = writer_->fault();
  locked_out_ = fault == Fault::busy;
  // Whether a commit was done whose answer is lost, nobody can tell.
  const bool unknown = committing && fault == Fault::connection;
  if (fault == Fault::connection || !writer_->control("ROLLBACK")) writer_.reset();
  if (unknown)
    return {
        error(Code::device_error, fmt::format("{}; whether the change was stored is not known", cause(status.error()))),
        false};
  return {std::move(status), fault == Fault::again || fault == Fault::connection};
}

Status SqlStore::read(const Work& work) {
  const std::string begin =
      place_.dialect == Dialect::sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  Status begun;
  for (int attempts = 1; attempts <= most_attempts; ++attempts) {
    CARDEA_ASSIGN(std::unique_ptr<Connection> connection, readers_.take());
    connection->forgive();
    begun = connection->control(begin);
    if (!begun) {
      // It was lost while nobody used it.
      readers_.give_back(std::move(connection), false);
      continue;
    }
    SqlTransaction transaction(*connection);
    Status done = guarded(work, transaction);
    if (!transaction.state()) done = transaction.state();
    const bool usable = connection->control("ROLLBACK").ok();
    readers_.give_back(std::move(connection), usable);
    return done;
  }
  return begun;
}

}  // namespace cardea::manager::store
