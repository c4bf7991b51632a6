// PKCS#11 3.2, 5.6, 5.20, 5.21: session management, parallel and asynchronous functions.
#include <array>

#include "abi/functions.h"
#include "session/ciphering.h"
#include "session/provider.h"

namespace cardea::abi {

Status C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR, CK_NOTIFY, CK_SESSION_HANDLE_PTR session) {
  if (!provider().started()) return Code::not_initialized;
  if (session == nullptr) return Code::arguments_bad;
  if ((flags & CKF_SERIAL_SESSION) == 0) return Code::session_parallel_not_supported;
  CARDEA_ASSIGN(const SessionPtr opened, provider().open_session(slot, (flags & CKF_RW_SESSION) != 0));
  *session = opened->handle();
  return {};
}

Status C_CloseSession(CK_SESSION_HANDLE session) {
  return provider().close_session(session);
}

Status C_CloseAllSessions(CK_SLOT_ID slot) {
  return provider().close_all_sessions(slot);
}

Status C_GetSessionInfo(CK_SESSION_HANDLE session_handle, CK_SESSION_INFO_PTR info) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  if (info == nullptr) return Code::arguments_bad;
  *info = CK_SESSION_INFO{};
  info->slotID = session->slot().id();
  info->state = session->state();
  info->flags = CKF_SERIAL_SESSION | (session->read_write() ? CKF_RW_SESSION : 0);
  return {};
}

Status C_GetOperationState(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR operation_state,
                           CK_ULONG_PTR operation_state_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return save_operation_state(*session, OutputBuffer(operation_state, operation_state_len));
}

Status C_SetOperationState(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR operation_state, CK_ULONG operation_state_len,
                           CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView state, input_bytes(operation_state, operation_state_len));
  return restore_operation_state(*session, state, encryption_key, authentication_key);
}

Status C_Login(CK_SESSION_HANDLE session_handle, CK_USER_TYPE user_type, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView bytes, input_bytes(pin, pin_len));
  switch (user_type) {
    case CKU_USER:
      return session->slot().login(Role::user, Pin(bytes));
    case CKU_SO:
      return session->slot().login(Role::security_officer, Pin(bytes));
    case CKU_CONTEXT_SPECIFIC:
      return session->context_login(Pin(bytes));
    default:
      return Code::user_type_invalid;
  }
}

Status C_LoginUser(CK_SESSION_HANDLE session_handle, CK_USER_TYPE user_type, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len,
                   CK_UTF8CHAR_PTR username, CK_ULONG username_len) {
  CARDEA_TRY(provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView name, input_bytes(username, username_len));
  // No token kind has named users: only the nameless user is known, and letting anybody else in would be a lie.
  if (!name.empty()) return Code::user_type_invalid;
  return abi::C_Login(session_handle, user_type, pin, pin_len);
}

Status C_Logout(CK_SESSION_HANDLE session_handle) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return session->slot().logout();
}

Status C_SessionCancel(CK_SESSION_HANDLE session_handle, CK_FLAGS flags) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  struct Cancelled {
    CK_FLAGS flag;
    OperationKind kind;
  };
  constexpr std::array cancelled{Cancelled{CKF_MESSAGE_ENCRYPT, OperationKind::message_encrypt},
                                 Cancelled{CKF_MESSAGE_DECRYPT, OperationKind::message_decrypt},
                                 Cancelled{CKF_MESSAGE_SIGN, OperationKind::message_sign},
                                 Cancelled{CKF_MESSAGE_VERIFY, OperationKind::message_verify},
                                 Cancelled{CKF_FIND_OBJECTS, OperationKind::find},
                                 Cancelled{CKF_ENCRYPT, OperationKind::encrypt},
                                 Cancelled{CKF_DECRYPT, OperationKind::decrypt},
                                 Cancelled{CKF_DIGEST, OperationKind::digest},
                                 Cancelled{CKF_SIGN, OperationKind::sign},
                                 Cancelled{CKF_SIGN_RECOVER, OperationKind::sign_recover},
                                 Cancelled{CKF_VERIFY, OperationKind::verify},
                                 Cancelled{CKF_VERIFY, OperationKind::verify_signature},
                                 Cancelled{CKF_VERIFY_RECOVER, OperationKind::verify_recover}};
  for (const Cancelled& each : cancelled) {
    if ((flags & each.flag) != 0) session->cancel(each.kind);
  }
  return {};
}

Status C_GetSessionValidationFlags(CK_SESSION_HANDLE session_handle, CK_SESSION_VALIDATION_FLAGS_TYPE type,
                                   CK_FLAGS_PTR flags) {
  CARDEA_TRY(provider().session(session_handle));
  if (flags == nullptr || type != CKS_LAST_VALIDATION_OK) return Code::arguments_bad;
  // There are no validation objects, so no operation was a validated one (PKCS#11 3.2, 4.15).
  *flags = 0;
  return {};
}

Status C_GetFunctionStatus(CK_SESSION_HANDLE session) {
  CARDEA_TRY(provider().session(session));
  return Code::function_not_parallel;
}

Status C_CancelFunction(CK_SESSION_HANDLE session) {
  CARDEA_TRY(provider().session(session));
  return Code::function_not_parallel;
}

// No function of ours is asynchronous: nothing answers CKR_PENDING, so there is nothing to complete or join.
Status C_AsyncComplete(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ASYNC_DATA_PTR) {
  CARDEA_TRY(provider().session(session));
  return Code::function_not_supported;
}

Status C_AsyncGetID(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ULONG_PTR) {
  CARDEA_TRY(provider().session(session));
  return Code::function_not_supported;
}

Status C_AsyncJoin(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG) {
  CARDEA_TRY(provider().session(session));
  return Code::function_not_supported;
}

}  // namespace cardea::abi
