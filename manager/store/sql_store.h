// domain's Store: grouped writers on one connection, readers on their own.
#pragma once

#include "domain/store.h"
#include "store/group_commit.h"
#include "store/reader_pool.h"

namespace cardea::manager::store {

class SqlStore final : public Store {
 public:
  using Work = std::function<Status(Transaction&)>;

  SqlStore(const Settings& settings, Place place);

  /// Connects and checks the schema.
  Status connect();

  Status transact(const Work& work) override;
  Status read(const Work& work) override;

 private:
  using Writers = GroupCommit<Work>;
  using Group = std::span<Writers::Item* const>;
  /// How an attempt at a group ended.
  struct Attempt {
    Status status;
    bool again = false;  ///< nothing was stored and another attempt may succeed
  };

  void commit(Group group);
  Attempt attempt(Group group);
  Status ready_writer();
  Status begin();
  /// An error here ends the group; what only one piece of work did wrong is its own status.
  Status run_one(Writers::Item& item, bool alone);
  Attempt ended(Status status, bool committing);

  const Place place_;
  const std::chrono::milliseconds patience_;
  bool locked_out_ = false;  ///< the last group waited for a lock in vain
  ReaderPool readers_;
  std::unique_ptr<Connection> writer_;  ///< used by the leader of a group only
  Writers writers_;
};

}  // namespace cardea::manager::store
