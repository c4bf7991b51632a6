// PKCS#11 3.2, 5.7: object management.
#include "abi/functions.h"
#include "abi/template.h"
#include "session/object_management.h"
#include "session/provider.h"

namespace cardea::abi {

Status C_CreateObject(CK_SESSION_HANDLE session_handle, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
                      CK_OBJECT_HANDLE_PTR object) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, count));
  if (object == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*object, create_object(*session, wanted));
  return {};
}

Status C_CopyObject(CK_SESSION_HANDLE session_handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes,
                    CK_ULONG count, CK_OBJECT_HANDLE_PTR new_object) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template changes, caller_template(attributes, count));
  if (new_object == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*new_object, copy_object(*session, object, changes));
  return {};
}

Status C_DestroyObject(CK_SESSION_HANDLE session_handle, CK_OBJECT_HANDLE object) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return destroy_object(*session, object);
}

Status C_GetObjectSize(CK_SESSION_HANDLE session_handle, CK_OBJECT_HANDLE object, CK_ULONG_PTR size) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  if (size == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*size, object_size(*session, object));
  return {};
}

Status C_GetAttributeValue(CK_SESSION_HANDLE session_handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes,
                           CK_ULONG count) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(AttributeReader reader, AttributeReader::open(*session, object));
  return read_attributes([&reader](CK_ATTRIBUTE_TYPE type) { return reader.read(type); }, attributes, count);
}

Status C_SetAttributeValue(CK_SESSION_HANDLE session_handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes,
                           CK_ULONG count) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template changes, caller_template(attributes, count));
  return change_object(*session, object, changes);
}

Status C_FindObjectsInit(CK_SESSION_HANDLE session_handle, CK_ATTRIBUTE_PTR attributes, CK_ULONG count) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, count));
  return find_init(*session, wanted);
}

Status C_FindObjects(CK_SESSION_HANDLE session_handle, CK_OBJECT_HANDLE_PTR object, CK_ULONG max_object_count,
                     CK_ULONG_PTR object_count) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  if (object_count == nullptr || (object == nullptr && max_object_count != 0)) return Code::arguments_bad;
  CARDEA_ASSIGN(*object_count, find_next(*session, object, max_object_count));
  return {};
}

Status C_FindObjectsFinal(CK_SESSION_HANDLE session_handle) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return find_finish(*session);
}

}  // namespace cardea::abi
