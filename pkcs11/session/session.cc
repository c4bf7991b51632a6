#include "session/session.h"

#include <algorithm>

#include "session/built_in_objects.h"

namespace cardea {
namespace {

/// A key with a count of users on a cache line of its own (Session::key_for).
struct alignas(64) CountedApart {
  KeyRef key;
};

/// CKA_ALLOWED_MECHANISMS: empty or absent allows all (PKCS#11 3.2, 4.8).
bool allows_mechanism(const AttributeSet& attributes, CK_MECHANISM_TYPE mechanism) {
  const auto allowed = attributes.get(CKA_ALLOWED_MECHANISMS);
  if (!allowed || allowed->empty()) return true;
  for (std::size_t offset = 0; offset + sizeof(CK_ULONG) <= allowed->size(); offset += sizeof(CK_ULONG)) {
    CK_ULONG value = 0;
    std::copy_n(allowed->data() + offset, sizeof value, reinterpret_cast<Byte*>(&value));
    if (value == mechanism) return true;
  }
  return false;
}

bool is_key(const Object& object) {
  const CK_OBJECT_CLASS object_class = object.object_class();
  return object_class == CKO_PUBLIC_KEY || object_class == CKO_PRIVATE_KEY || object_class == CKO_SECRET_KEY;
}

}  // namespace

CK_STATE Session::state() const noexcept {
  switch (slot_->role()) {
    case Role::user:
      return read_write_ ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    case Role::security_officer:
      return CKS_RW_SO_FUNCTIONS;
    case Role::none:
      break;
  }
  return read_write_ ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

Actor Session::actor() const {
  return Actor{.read_write = read_write_,
               .user = sees_private_objects(),
               .security_officer = slot_->role() == Role::security_officer,
               .token_login_required = true};
}

Result<LocatedObject> Session::object(CK_OBJECT_HANDLE handle) const {
  const auto parts = ObjectHandle::unpack(handle);
  if (!parts || parts->slot != slot_->id()) return Code::object_handle_invalid;
  const auto find = [&]() -> Result<ObjectPtr> {
    switch (parts->residence) {
      case Residence::token:
        return token_->object(parts->id);
      case Residence::session:
        return slot_->session_objects().object(parts->id);
      case Residence::built_in:
        return built_in_object(parts->id);
    }
    return Code::object_handle_invalid;
  };
  CARDEA_ASSIGN(ObjectPtr object, find());
  if (object->is_private() && !sees_private_objects()) return Code::object_handle_invalid;
  return LocatedObject{std::move(object), parts->residence};
}

Result<SecretAttributes> Session::secrets(const LocatedObject& located) const {
  switch (located.residence) {
    case Residence::token:
      return token_->secrets(*located.object);
    case Residence::session:
      return slot_->session_objects().secrets(*located.object);
    case Residence::built_in:
      break;
  }
  return SecretAttributes{};
}

Result<KeyPtr> Session::usable_key(const LocatedObject& located) const {
  switch (located.residence) {
    case Residence::token:
      return token_->key(*located.object);
    case Residence::session:
      return slot_->session_objects().key(*located.object);
    case Residence::built_in:
      break;
  }
  return Code::key_handle_invalid;
}

std::uint64_t Session::objects_generation(Residence residence) const {
  return residence == Residence::token ? token_->generation() : slot_->session_objects().generation();
}

Result<KeyRef> Session::key_for(CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE usage, const Mechanism& mechanism) {
  const auto check_use = [&](const Object& object) -> Status {
    if (!object.attributes.get_bool(usage)) return Code::key_function_not_permitted;
    if (!allows_mechanism(object.attributes, mechanism.type())) return Code::mechanism_invalid;
    return {};
  };
  const auto parts = ObjectHandle::unpack(handle);
  if (!parts) return Code::key_handle_invalid;
  // Asked before the object is fetched: a change in between makes the cached key look old, never fresh.
  const std::uint64_t objects = objects_generation(parts->residence);
  const std::uint64_t login = slot_->login_epoch();
  {
    const std::lock_guard lock(mutex_);
    if (cached_key_.handle == handle && cached_key_.objects == objects && cached_key_.login == login) {
      CARDEA_TRY(check_use(*cached_key_.key.object));
      return cached_key_.key;
    }
  }
  Result<LocatedObject> located = object(handle);
  if (!located)
    return located.code() == Code::object_handle_invalid ? Error{error(Code::key_handle_invalid)}
                                                         : std::move(located).error();
  if (!is_key(*located->object)) return Code::key_handle_invalid;
  CARDEA_TRY(check_use(*located->object));
  CARDEA_ASSIGN(KeyPtr key, usable_key(*located));
  // Sessions share the key but count its users apart: threads that count in one place wait for each other's caches, at
  // every call, for longer than all else here takes.
  const auto own = std::make_shared<const CountedApart>(CountedApart{{std::move(located->object), std::move(key)}});
  KeyRef reference{ObjectPtr(own, own->key.object.get()), KeyPtr(own, own->key.key.get())};
  const std::lock_guard lock(mutex_);
  cached_key_ = CachedKey{handle, objects, login, reference};
  return reference;
}

Status Session::begin(OperationKind kind, ActiveOperationPtr operation) {
  operation->login_epoch = slot_->login_epoch();
  if (operation->key.object) {
    const AttributeSet& attributes = operation->key.object->attributes;
    operation->uses_private_object = attributes.get_bool(CKA_PRIVATE);
    operation->needs_context_login = attributes.get_bool(CKA_ALWAYS_AUTHENTICATE);
  }
  const std::lock_guard lock(mutex_);
  Place& here = place(kind);
  if (here.leased || here.operation) return Code::operation_active;
  here.operation = std::move(operation);
  return {};
}

bool Session::active(OperationKind kind) const {
  const std::lock_guard lock(mutex_);
  return place(kind).leased || place(kind).operation;
}

Status Session::expect_none(OperationKind kind) const {
  if (active(kind)) return Code::operation_active;
  return {};
}

void Session::cancel(OperationKind kind) {
  ActiveOperationPtr ended;  // released after the lock
  const std::lock_guard lock(mutex_);
  Place& here = place(kind);
  if (here.leased) here.cancelled = true;
  ended = std::move(here.operation);
}

Status Session::context_login(const Pin& pin) {
  const auto waiting = [this]() -> ActiveOperation* {
    for (Place& each : places_) {
      if (each.operation && each.operation->needs_context_login) return each.operation.get();
    }
    return nullptr;
  };
  {
    const std::lock_guard lock(mutex_);
    if (waiting() == nullptr) return Code::operation_not_initialized;
  }
  CARDEA_TRY(token_->authenticate_again(pin));
  const std::lock_guard lock(mutex_);
  ActiveOperation* const operation = waiting();
  if (operation == nullptr) return Code::operation_not_initialized;
  operation->needs_context_login = false;
  return {};
}

Result<Session::Lease> Session::lease(OperationKind kind) {
  ActiveOperationPtr operation;
  {
    const std::lock_guard lock(mutex_);
    Place& here = place(kind);
    if (here.leased) return Code::operation_active;
    if (!here.operation) return Code::operation_not_initialized;
    operation = std::move(here.operation);
    if ((operation->uses_private_object && operation->login_epoch != slot_->login_epoch()) ||
        operation->needs_context_login) {
      return Code::user_not_logged_in;
    }
    here.leased = true;
    here.cancelled = false;
  }
  return Lease(*this, kind, std::move(operation));
}

Session::Lease::~Lease() {
  if (session_ == nullptr) return;
  const std::lock_guard lock(session_->mutex_);
  Place& here = session_->place(kind_);
  here.leased = false;
  if (keep_ && !here.cancelled) here.operation = std::move(operation_);
}

}  // namespace cardea
