#include "session/object_management.h"

#include <algorithm>

#include "session/built_in_objects.h"
#include "token/key_material.h"

namespace cardea {
namespace {

bool is_asymmetric_key(const NewObject& object) {
  const CK_OBJECT_CLASS object_class = object.attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED);
  return object_class == CKO_PUBLIC_KEY || object_class == CKO_PRIVATE_KEY;
}

bool is_key_object(const NewObject& object) {
  return is_asymmetric_key(object) || object.attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED) == CKO_SECRET_KEY;
}

}  // namespace

Result<std::vector<CK_OBJECT_HANDLE>> store_objects(Session& session, std::vector<NewObject> objects) {
  std::vector<CK_OBJECT_HANDLE> handles(objects.size(), CK_INVALID_HANDLE);
  std::vector<NewObject> for_token;
  std::vector<std::size_t> token_places;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (!objects[i].attributes.get_bool(CKA_TOKEN)) continue;
    token_places.push_back(i);
    for_token.push_back(std::move(objects[i]));
  }
  if (!for_token.empty()) {
    ObjectStore* const store = session.token().object_store();
    if (store == nullptr || !session.read_write()) {
      return store == nullptr ? Code::token_write_protected : Code::session_read_only;
    }
    CARDEA_ASSIGN(const std::vector<ObjectPtr> stored, store->create(std::move(for_token)));
    for (std::size_t i = 0; i < stored.size(); ++i) {
      handles[token_places[i]] = session.handle_of(*stored[i], Residence::token);
    }
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (handles[i] != CK_INVALID_HANDLE) continue;
    Result<ObjectPtr> stored = session.slot().session_objects().create(std::move(objects[i]), session.handle());
    if (!stored) {
      for (const CK_OBJECT_HANDLE handle : handles) take_back(session, handle);
      return std::move(stored).error();
    }
    handles[i] = session.handle_of(**stored, Residence::session);
  }
  return handles;
}

Result<CK_OBJECT_HANDLE> store_object(Session& session, NewObject object) {
  std::vector<NewObject> one;
  one.push_back(std::move(object));
  CARDEA_ASSIGN(const std::vector<CK_OBJECT_HANDLE> handles, store_objects(session, std::move(one)));
  return handles.front();
}

namespace {

Status destroy_at(Session& session, const ObjectHandle& parts) {
  switch (parts.residence) {
    case Residence::session:
      return session.slot().session_objects().destroy(parts.id);
    case Residence::token:
      if (ObjectStore* const store = session.token().object_store()) return store->destroy(parts.id);
      return Code::token_write_protected;
    case Residence::built_in:
      break;
  }
  return Code::action_prohibited;
}

}  // namespace

void take_back(Session& session, CK_OBJECT_HANDLE handle) noexcept {
  const auto parts = ObjectHandle::unpack(handle);
  // The call fails with its own reason; an object that is gone already needs no second word.
  if (parts) static_cast<void>(destroy_at(session, *parts).ok());
}

Result<CK_OBJECT_HANDLE> create_object(Session& session, Template attributes) {
  CARDEA_ASSIGN(NewObject object, new_object(Origin::create, attributes, AttributeSet{}, session.actor()));
  if (is_asymmetric_key(object)) CARDEA_TRY(complete_key(object));
  CARDEA_TRY(finish_key(object, Origin::create, KeyFacts{}));
  // What makes no usable key is refused now, not at its first use.
  if (is_key_object(object)) CARDEA_TRY(make_key(object.attributes, object.secrets));
  return store_object(session, std::move(object));
}

Result<CK_OBJECT_HANDLE> copy_object(Session& session, CK_OBJECT_HANDLE source, Template changes) {
  CARDEA_ASSIGN(const LocatedObject located, session.object(source));
  CARDEA_ASSIGN(AttributeSet attributes, copied_attributes(*located.object, changes, session.actor()));
  CARDEA_ASSIGN(SecretAttributes secrets, session.secrets(located));
  NewObject copy{std::move(attributes), std::move(secrets)};
  settle_secrets(copy);
  return store_object(session, std::move(copy));
}

Status destroy_object(Session& session, CK_OBJECT_HANDLE handle) {
  CARDEA_ASSIGN(const LocatedObject located, session.object(handle));
  CARDEA_TRY(may_destroy(*located.object, session.actor()));
  return destroy_at(session, *ObjectHandle::unpack(handle));
}

Result<CK_ULONG> object_size(Session& session, CK_OBJECT_HANDLE handle) {
  CARDEA_ASSIGN(const LocatedObject located, session.object(handle));
  return static_cast<CK_ULONG>(located.object->attributes.serialised().size());
}

Status change_object(Session& session, CK_OBJECT_HANDLE handle, Template changes) {
  CARDEA_ASSIGN(const LocatedObject located, session.object(handle));
  CARDEA_ASSIGN(AttributeSet attributes, changed_attributes(*located.object, changes, session.actor()));
  const ObjectId id = located.object->id;
  switch (located.residence) {
    case Residence::session: {
      CARDEA_TRY(session.slot().session_objects().replace(id, std::move(attributes)));
      return {};
    }
    case Residence::token: {
      ObjectStore* const store = session.token().object_store();
      if (store == nullptr) return Code::token_write_protected;
      CARDEA_TRY(store->replace(id, attributes));
      return {};
    }
    case Residence::built_in:
      break;
  }
  return Code::action_prohibited;
}

Result<AttributeReader> AttributeReader::open(Session& session, CK_OBJECT_HANDLE handle) {
  CARDEA_ASSIGN(LocatedObject located, session.object(handle));
  return AttributeReader(session, std::move(located));
}

Result<AttributeReader::Value> AttributeReader::read(CK_ATTRIBUTE_TYPE type) {
  const Object& object = *located_.object;
  const Visibility visible = visibility(object, type);
  switch (visible) {
    case Visibility::shown:
      return Value{visible, object.attributes.get(type).value_or(ByteView{})};
    case Visibility::sensitive:
    case Visibility::absent:
      return Value{visible, {}};
    case Visibility::secret:
      break;
  }
  if (!secrets_) {
    CARDEA_ASSIGN(secrets_, session_->secrets(located_));
  }
  const auto found = secrets_->find(type);
  // A part that this key was never given, such as CKA_SEED or CKA_PRIME_1.
  if (found == secrets_->end()) return Value{Visibility::absent, {}};
  return Value{visible, found->second.view()};
}

Status find_init(Session& session, Template attributes) {
  CARDEA_TRY(session.expect_none(OperationKind::find));
  CARDEA_ASSIGN(AttributeSet match, search_template(attributes));
  const Query query{std::move(match), session.sees_private_objects()};
  Found found;
  const auto collect = [&](Residence residence) {
    return [&, residence](const ObjectPtr& object) { found.push_back(session.handle_of(*object, residence)); };
  };
  CARDEA_TRY(session.token().find(query, collect(Residence::token)));
  session.slot().session_objects().find(query, collect(Residence::session));
  find_built_in_objects(session.token(), query, collect(Residence::built_in));
  auto operation = std::make_unique<ActiveOperation>();
  operation->work = std::move(found);
  return session.begin(OperationKind::find, std::move(operation));
}

Result<std::size_t> find_next(Session& session, CK_OBJECT_HANDLE* handles, std::size_t room) {
  CARDEA_ASSIGN(Session::Lease operation, session.lease(OperationKind::find));
  operation.keep();
  Found& found = *std::get_if<Found>(&operation->work);
  const std::size_t count = std::min(room, found.size());
  std::copy_n(found.begin(), count, handles);
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

Status find_finish(Session& session) {
  CARDEA_TRY(session.lease(OperationKind::find));
  return {};
}

}  // namespace cardea
