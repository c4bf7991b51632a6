// The module between C_Initialize and C_Finalize: slots, sessions, and waiting for slot events.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <vector>

#include "base/config.h"
#include "session/session.h"

namespace cardea {

/// Bytes of a saved operation state.
inline constexpr std::size_t saved_state_size = 16;

/// One per process, reached through the process root and never destroyed: calls may come at any time, from threads that
/// outlive main, and after a fork from a child, which gets its own.
class Provider {
 public:
  using Sources = std::vector<std::unique_ptr<TokenSource>>;

  /// What a start needs; made only when the module is not running yet.
  struct Parts {
    Settings settings;
    Sources sources;
  };
  /// already_initialized when it is.
  Status start(const std::function<Parts()>& make_parts);
  /// Ends sessions and logins and wakes C_WaitForSlotEvent; not_initialized when it was not started.
  Status stop();
  bool started() const noexcept { return started_.load(std::memory_order_acquire); }
  const Settings& settings() const noexcept { return settings_; }

  /// The slots; `refresh` looks for new ones (PKCS#11 3.2, 5.5.1: only when the caller asks for their number).
  Result<std::vector<SlotPtr>> slots(bool refresh);
  Result<SlotPtr> slot(CK_SLOT_ID id);
  /// A slot whose token came or went; waits for one unless told not to. no_event, not_initialized once stopped.
  Result<CK_SLOT_ID> wait_for_event(bool wait);

  Result<SessionPtr> open_session(CK_SLOT_ID slot, bool read_write);
  /// session_invalid when there is none, or its token has left the slot: then all its sessions are closed.
  Result<SessionPtr> session(CK_SESSION_HANDLE handle);
  Status close_session(CK_SESSION_HANDLE handle);
  Status close_all_sessions(CK_SLOT_ID slot);

  /// Keeps a digest's state for C_SetOperationState and answers the name under which it is kept. States are few and the
  /// oldest is dropped when there are too many.
  Result<Bytes> save_digest(CK_MECHANISM_TYPE mechanism, DigestPtr digest);
  /// A copy of a saved state; saved_state_invalid when there is none by that name.
  Result<ActiveOperationPtr> restore_digest(ByteView name);

 private:
  // Sessions are found by handle in one of several tables, so that threads with sessions of their own do not meet.
  static constexpr std::size_t shard_count = 64;
  struct alignas(64) Shard {
    Guarded<std::unordered_map<CK_SESSION_HANDLE, SessionPtr>> sessions;
  };
  struct SavedDigest {
    Bytes name;
    CK_MECHANISM_TYPE mechanism;
    DigestPtr digest;
  };
  struct SlotTable {
    std::vector<SlotPtr> slots;
    std::vector<std::uint64_t> occupants;  ///< by slot id, as last seen by wait_for_event
  };
  Shard& shard(CK_SESSION_HANDLE handle) { return shards_[handle % shard_count]; }
  /// Has the sources report changes. Not before somebody waits: most applications never do, and listening to readers
  /// takes a thread.
  void listen();
  /// Takes in slots that were not there before; `new_is_event`: C_WaitForSlotEvent reports them.
  void refresh_slots(bool new_is_event);
  std::optional<CK_SLOT_ID> changed_slot();
  void end(const SessionPtr& session);
  /// Closes the sessions of a slot that are not on this token (null: all) and ends a login that is not on it.
  void close_other_sessions(Slot& slot, const TokenPtr& token);
  template <class Predicate>
  void close_sessions(Predicate predicate);

  std::mutex lifecycle_;  // serialises start and stop
  std::atomic<bool> started_{false};
  Settings settings_;
  Sources sources_;
  bool listening_ = false;  // guarded by lifecycle_
  Guarded<SlotTable> slots_;
  std::array<Shard, shard_count> shards_;
  std::atomic<CK_SESSION_HANDLE> next_session_{1};
  std::atomic<std::size_t> open_sessions_{0};
  Guarded<std::deque<SavedDigest>> saved_digests_;
  std::mutex event_mutex_;
  std::condition_variable event_;
  bool event_pending_ = false;  // guarded by event_mutex_
};

/// The provider of this process.
Provider& provider();

}  // namespace cardea
