// A session: which token, which rights, and the operations it is in the middle of.
#pragma once

#include <array>
#include <mutex>

#include "session/active_operation.h"
#include "session/handle.h"
#include "session/slot.h"

namespace cardea {

/// An object with where it lives.
struct LocatedObject {
  ObjectPtr object;
  Residence residence = Residence::token;
};

/// On cache lines of its own: each thread writes to its session at every call, and sessions opened one after the other
/// would lie side by side.
class alignas(64) Session {
 public:
  Session(CK_SESSION_HANDLE handle, SlotPtr slot, TokenPtr token, bool read_write)
      : handle_(handle), slot_(std::move(slot)), token_(std::move(token)), read_write_(read_write) {}

  CK_SESSION_HANDLE handle() const noexcept { return handle_; }
  Slot& slot() const noexcept { return *slot_; }
  Token& token() const noexcept { return *token_; }
  bool read_write() const noexcept { return read_write_; }
  CK_STATE state() const noexcept;
  /// The caller as the attribute rules see it.
  Actor actor() const;
  bool sees_private_objects() const noexcept {
    const Role role = slot_->role();
    return role == Role::user || (role == Role::security_officer && token_->officer_writes_objects());
  }

  // Objects.

  /// The object behind a handle, if this session may see it; object_handle_invalid otherwise.
  Result<LocatedObject> object(CK_OBJECT_HANDLE handle) const;
  CK_OBJECT_HANDLE handle_of(const Object& object, Residence residence) const noexcept {
    return ObjectHandle{slot_->id(), residence, object.id}.packed();
  }
  /// Secret attributes, from wherever the object lives.
  Result<SecretAttributes> secrets(const LocatedObject& located) const;
  /// The usable key of a key object.
  Result<KeyPtr> usable_key(const LocatedObject& located) const;
  /// A key for a use: `usage` (CKA_SIGN …) must be true and the mechanism among CKA_ALLOWED_MECHANISMS.
  /// key_handle_invalid, key_function_not_permitted, mechanism_invalid, user_not_logged_in.
  Result<KeyRef> key_for(CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE usage, const Mechanism& mechanism);

  // Operations.

  /// Starts one; operation_active when one of that kind is there already. `key` may be null (digests, searches).
  Status begin(OperationKind kind, ActiveOperationPtr operation);
  /// operation_active when one of that kind is there: asked before anything costly is done.
  Status expect_none(OperationKind kind) const;
  bool active(OperationKind kind) const;
  /// Ends operations without a result (C_SessionCancel; an Init call with a null mechanism).
  void cancel(OperationKind kind);
  /// C_Login with CKU_CONTEXT_SPECIFIC, for the operation that waits for it.
  Status context_login(const Pin& pin);

  /// An operation taken out of the session for the time of one call, so that no lock is held while keys work. It ends
  /// with the call unless keep() is said. Calls for the same kind meanwhile get operation_active.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : session_(other.session_), kind_(other.kind_), operation_(std::move(other.operation_)) {
      other.session_ = nullptr;
    }
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    ActiveOperation* operator->() const noexcept { return operation_.get(); }
    ActiveOperation& operator*() const noexcept { return *operation_; }
    void keep() noexcept { keep_ = true; }

   private:
    friend class Session;
    Lease(Session& session, OperationKind kind, ActiveOperationPtr operation)
        : session_(&session), kind_(kind), operation_(std::move(operation)) {}
    Session* session_;
    OperationKind kind_;
    ActiveOperationPtr operation_;
    bool keep_ = false;
  };
  /// operation_not_initialized; user_not_logged_in when the login has ended or a context login is missing.
  Result<Lease> lease(OperationKind kind);

  /// Runs one call of an operation: keeps it on success while `more` (or the caller asked for the size or had too small
  /// a buffer), ends it otherwise.
  template <class Call>
  Status run(OperationKind kind, bool more, bool size_query, Call&& call) {
    CARDEA_ASSIGN(Lease operation, lease(kind));
    Status status = std::forward<Call>(call)(*operation);
    if (status ? (more || size_query) : status.code() == Code::buffer_too_small) operation.keep();
    return status;
  }

 private:
  struct Place {
    ActiveOperationPtr operation;
    bool leased = false;
    bool cancelled = false;  // while leased
  };
  struct CachedKey {
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    std::uint64_t objects = 0;
    std::uint64_t login = 0;
    KeyRef key;
  };
  std::uint64_t objects_generation(Residence residence) const;
  Place& place(OperationKind kind) { return places_[static_cast<std::size_t>(kind)]; }
  const Place& place(OperationKind kind) const { return places_[static_cast<std::size_t>(kind)]; }

  const CK_SESSION_HANDLE handle_;
  const SlotPtr slot_;
  const TokenPtr token_;
  const bool read_write_;
  mutable std::mutex mutex_;  // guards places_ and cached_key_; never held during a key's work
  std::array<Place, static_cast<std::size_t>(OperationKind::count)> places_;
  CachedKey cached_key_;
};
using SessionPtr = std::shared_ptr<Session>;

}  // namespace cardea
