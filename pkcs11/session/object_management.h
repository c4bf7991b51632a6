// Objects in a session: create, copy, destroy, read, change, find (PKCS#11 3.2, 5.7).
#pragma once

#include "session/session.h"

namespace cardea {

/// Stores new objects, on the token or in the session as their CKA_TOKEN says; all of them or none. Handles come in the
/// same order. token_write_protected where the token stores nothing.
Result<std::vector<CK_OBJECT_HANDLE>> store_objects(Session& session, std::vector<NewObject> objects);
Result<CK_OBJECT_HANDLE> store_object(Session& session, NewObject object);
/// Destroys an object just stored, when a later step of the same call fails.
void take_back(Session& session, CK_OBJECT_HANDLE handle) noexcept;

Result<CK_OBJECT_HANDLE> create_object(Session& session, Template attributes);
Result<CK_OBJECT_HANDLE> copy_object(Session& session, CK_OBJECT_HANDLE source, Template changes);
Status destroy_object(Session& session, CK_OBJECT_HANDLE handle);
/// Bytes the object takes in its store.
Result<CK_ULONG> object_size(Session& session, CK_OBJECT_HANDLE handle);
Status change_object(Session& session, CK_OBJECT_HANDLE handle, Template changes);

/// Reads attribute values of one object; secrets are fetched at most once, and only when they may be shown.
class AttributeReader {
 public:
  static Result<AttributeReader> open(Session& session, CK_OBJECT_HANDLE handle);

  struct Value {
    Visibility visibility;
    ByteView bytes;  ///< meaningful when shown or secret; lives as long as the reader
  };
  Result<Value> read(CK_ATTRIBUTE_TYPE type);

 private:
  AttributeReader(Session& session, LocatedObject located) : session_(&session), located_(std::move(located)) {}
  Session* session_;
  LocatedObject located_;
  std::optional<SecretAttributes> secrets_;
};

Status find_init(Session& session, Template attributes);
/// Writes at most `room` handles and answers how many.
Result<std::size_t> find_next(Session& session, CK_OBJECT_HANDLE* handles, std::size_t room);
Status find_finish(Session& session);

}  // namespace cardea
