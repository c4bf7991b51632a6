// PKCS#11 3.2, 5.9, 5.11, 5.14 and 5.16: message-based functions.
#include "session/messages.h"
#include "abi/functions.h"
#include "session/provider.h"

namespace cardea::abi {

Status C_MessageEncryptInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_cipher_init(*session, OperationKind::message_encrypt, mechanism, key);
}

Status C_EncryptMessage(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                        CK_BYTE_PTR associated_data, CK_ULONG associated_data_len, CK_BYTE_PTR plaintext,
                        CK_ULONG plaintext_len, CK_BYTE_PTR ciphertext, CK_ULONG_PTR ciphertext_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView aad, input_bytes(associated_data, associated_data_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(plaintext, plaintext_len));
  return message_cipher_single(*session, OperationKind::message_encrypt, message, aad, input,
                               OutputBuffer(ciphertext, ciphertext_len));
}

Status C_EncryptMessageBegin(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                             CK_BYTE_PTR associated_data, CK_ULONG associated_data_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView aad, input_bytes(associated_data, associated_data_len));
  return message_cipher_begin(*session, OperationKind::message_encrypt, message, aad);
}

Status C_EncryptMessageNext(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                            CK_BYTE_PTR plaintext_part, CK_ULONG plaintext_part_len, CK_BYTE_PTR ciphertext_part,
                            CK_ULONG_PTR ciphertext_part_len, CK_FLAGS flags) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(plaintext_part, plaintext_part_len));
  const bool last = (flags & CKF_END_OF_MESSAGE) != 0;
  return message_cipher_next(*session, OperationKind::message_encrypt, message, input,
                             OutputBuffer(ciphertext_part, ciphertext_part_len), last);
}

Status C_MessageEncryptFinal(CK_SESSION_HANDLE session_handle) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_finish(*session, OperationKind::message_encrypt);
}

Status C_MessageDecryptInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_cipher_init(*session, OperationKind::message_decrypt, mechanism, key);
}

Status C_DecryptMessage(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                        CK_BYTE_PTR associated_data, CK_ULONG associated_data_len, CK_BYTE_PTR ciphertext,
                        CK_ULONG ciphertext_len, CK_BYTE_PTR plaintext, CK_ULONG_PTR plaintext_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView aad, input_bytes(associated_data, associated_data_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(ciphertext, ciphertext_len));
  return message_cipher_single(*session, OperationKind::message_decrypt, message, aad, input,
                               OutputBuffer(plaintext, plaintext_len));
}

Status C_DecryptMessageBegin(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                             CK_BYTE_PTR associated_data, CK_ULONG associated_data_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView aad, input_bytes(associated_data, associated_data_len));
  return message_cipher_begin(*session, OperationKind::message_decrypt, message, aad);
}

Status C_DecryptMessageNext(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                            CK_BYTE_PTR ciphertext_part, CK_ULONG ciphertext_part_len, CK_BYTE_PTR plaintext_part,
                            CK_ULONG_PTR plaintext_part_len, CK_FLAGS flags) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(ciphertext_part, ciphertext_part_len));
  const bool last = (flags & CKF_END_OF_MESSAGE) != 0;
  return message_cipher_next(*session, OperationKind::message_decrypt, message, input,
                             OutputBuffer(plaintext_part, plaintext_part_len), last);
}

Status C_MessageDecryptFinal(CK_SESSION_HANDLE session_handle) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_finish(*session, OperationKind::message_decrypt);
}

Status C_MessageSignInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_sign_init(*session, mechanism, key);
}

Status C_SignMessage(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len, CK_BYTE_PTR data,
                     CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  return sign_message(*session, message, input, OutputBuffer(signature, signature_len));
}

Status C_SignMessageBegin(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  return sign_message_begin(*session, message);
}

Status C_SignMessageNext(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                         CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  // A place for the length says that this is the last part (PKCS#11 3.2, 5.14.4).
  const bool last = signature_len != nullptr;
  return sign_message_next(*session, message, input, OutputBuffer(signature, signature_len), last);
}

Status C_MessageSignFinal(CK_SESSION_HANDLE session_handle) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_finish(*session, OperationKind::message_sign);
}

Status C_MessageVerifyInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_verify_init(*session, mechanism, key);
}

Status C_VerifyMessage(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                       CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  CARDEA_ASSIGN(const ByteView given, input_bytes(signature, signature_len));
  return verify_message(*session, message, input, given);
}

Status C_VerifyMessageBegin(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  return verify_message_begin(*session, message);
}

Status C_VerifyMessageNext(CK_SESSION_HANDLE session_handle, CK_VOID_PTR parameter, CK_ULONG parameter_len,
                           CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const MessageParameter message, message_parameter(parameter, parameter_len));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  CARDEA_ASSIGN(const ByteView given, input_bytes(signature, signature_len));
  return verify_message_next(*session, message, input, given, signature != nullptr);
}

Status C_MessageVerifyFinal(CK_SESSION_HANDLE session_handle) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return message_finish(*session, OperationKind::message_verify);
}

}  // namespace cardea::abi
