// A slot as the module keeps it: its token, who is logged in, how many sessions are open, and its session objects.
#pragma once

#include <atomic>
#include <mutex>

#include "base/guarded.h"
#include "session/session_objects.h"
#include "token/object_rules.h"
#include "token/token_source.h"

namespace cardea {

class Slot {
 public:
  Slot(CK_SLOT_ID id, TokenSlotPtr source) : id_(id), source_(std::move(source)) {}

  CK_SLOT_ID id() const noexcept { return id_; }
  const TokenSlotPtr& source() const noexcept { return source_; }
  /// The token in the slot at present; token_absent, token_not_recognized …
  Result<TokenPtr> token() const { return source_->token(); }
  /// The same, for who only wants to know whether there is one.
  TokenPtr token_or_null() const {
    Result<TokenPtr> found = token();
    return found ? *found : nullptr;
  }
  SessionObjects& session_objects() noexcept { return session_objects_; }

  Role role() const noexcept { return role_.load(std::memory_order_acquire); }
  /// Changes with every login and logout; an operation with a private key ends with the login it was started under.
  std::uint64_t login_epoch() const noexcept { return login_epoch_.load(std::memory_order_acquire); }

  /// Takes note of the token that sessions are now opened on; true when it is another one than before.
  bool adopt(const TokenPtr& token);
  /// Ends a login that is not on this token, because its token has left the slot.
  void end_other_login(const TokenPtr& token);

  /// C_Login for user and SO: once per process and token (PKCS#11 3.2, 5.6.6). device_removed when the
  /// sessions are on a token that has been replaced since: its PIN is not for the new one.
  Status login(Role role, const Pin& pin);
  /// C_Logout; user_not_logged_in when nobody was.
  Status logout();

  struct SessionCounts {
    std::size_t total = 0;
    std::size_t read_write = 0;
  };
  SessionCounts session_counts() const {
    return counts_.read([](const SessionCounts& counts) { return counts; });
  }
  /// Counts a session in; session_read_write_so_exists for a read-only one while the SO is logged in.
  Status session_opened(bool read_write);
  /// Counts a session out; the last one logs out (PKCS#11 3.2, 5.6.2).
  void session_closed(bool read_write);

 private:
  Status check_login(Role role) const;
  void forget_login(const TokenPtr& token);

  // What every call reads stands apart from what some calls write.
  static constexpr std::size_t cache_line = 64;
  const CK_SLOT_ID id_;
  const TokenSlotPtr source_;
  std::atomic<Role> role_{Role::none};
  std::atomic<std::uint64_t> login_epoch_{1};
  alignas(cache_line) SessionObjects session_objects_;
  std::mutex login_mutex_;  // serialises login and logout; not held by anything that signs
  TokenPtr logged_in_;      // the token that the login is on; guarded by login_mutex_
  Guarded<TokenPtr> adopted_;
  Guarded<SessionCounts> counts_;
};
using SlotPtr = std::shared_ptr<Slot>;

}  // namespace cardea
