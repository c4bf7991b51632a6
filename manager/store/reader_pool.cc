#include "store/reader_pool.h"

#include "store/migrations.h"

namespace cardea::manager::store {

Result<std::unique_ptr<Connection>> ReaderPool::take() {
  std::unique_ptr<Connection> idle;
  {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_for(lock, patience_, [&] { return in_use_ < most_; }))
      return error(Code::timed_out, "every connection to the database is in use for too long");
    ++in_use_;
    if (!idle_.empty()) {
      idle = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (idle && idle->in_place()) return idle;
  idle.reset();
  auto fresh = Connection::open(place_, true, patience_);
  Status fits = fresh ? check_schema(**fresh) : Status(fresh.error());
  if (fits) return fresh;
  give_back({}, false);
  return std::move(fits).error();
}

void ReaderPool::give_back(std::unique_ptr<Connection> connection, bool usable) {
  if (!usable) connection.reset();
  const std::lock_guard lock(mutex_);
  --in_use_;
  if (connection) idle_.push_back(std::move(connection));
  freed_.notify_one();
}

}  // namespace cardea::manager::store
