// A store's objects as this process sees them, kept in step with what other processes write.
#pragma once

#include <atomic>
#include <functional>
#include <limits>

#include "base/guarded.h"
#include "keystore/object_index.h"
#include "keystore/open_stores.h"

namespace cardea::keystore {

/// A write of objects under way.
struct WriteTransaction {
  StoreFile& file;
  std::uint64_t epoch;                  ///< the store's present epoch
  std::uint64_t change;                 ///< the change number that this write gets
  std::vector<ObjectPtr> written = {};  ///< to be filled with what was created or replaced
  std::vector<ObjectId> gone = {};      ///< to be filled with what was destroyed
  bool restarted = false;               ///< everything was replaced
};

/// Thread-safe. Warm reads take no lock but the index's shared one and make no system call.
class Contents {
 public:
  /// Told which object changed, or null for "any may have". Called with internal locks held: must not call back.
  using ChangeHook = std::function<void(std::optional<ObjectId>)>;

  Contents(OpenStore& store, ChangeHook changed) : store_(store), changed_(std::move(changed)) {}

  /// See Token::generation().
  std::uint64_t generation();
  /// Takes over what others have written since the last call.
  Status refresh();
  /// Which master key the store had when last looked at; a login under another one is void.
  std::uint64_t epoch() const;
  Status find(const Query& query, const ObjectSink& sink);
  Result<ObjectPtr> object(ObjectId id);

  /// Runs `body` in a durable transaction and takes its outcome over. Nothing is changed when it fails.
  Status write(const std::function<Status(WriteTransaction&)>& body);

  /// Loads everything and answers one sentence for each damaged object.
  Result<std::vector<std::string>> check();
  /// The same for what has been noticed so far.
  std::vector<std::string> damage() const;

 private:
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  Status synchronise(StoreFile& file);
  Status take_changes(StoreFile& file, const Meta& meta);
  Status load(StoreFile& file);
  Status load_one_by_one(StoreFile& file, ObjectIndex& index);
  Status find_cold(const Query& query, std::vector<ObjectPtr>& found);
  Result<bool> find_by_index(StoreFile& file, const Query& query, std::vector<ObjectPtr>& found);
  void apply(const WriteTransaction& transaction);

  OpenStore& store_;
  ChangeHook changed_;
  SharedGuarded<ObjectIndex> index_;
  std::atomic<std::uint64_t> synchronised_{never};  // the even counter value that index_ stands for
  std::atomic<std::uint64_t> writing_{never};       // the odd value of our own write under way; index_ is current then
  int single_reads_ = 0;                            // answers by SQL so far; under the store's lock
};

}  // namespace cardea::keystore
