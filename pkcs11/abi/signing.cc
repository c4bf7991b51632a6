// PKCS#11 3.2, 5.13 and 5.15: signing, MACing and verifying.
#include "session/signing.h"
#include "abi/functions.h"
#include "session/provider.h"

namespace cardea::abi {

Status C_SignInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return sign_init(*session, mechanism, key);
}

Status C_Sign(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
              CK_ULONG_PTR signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  return sign_single(*session, input, OutputBuffer(signature, signature_len));
}

Status C_SignUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR part, CK_ULONG part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(part, part_len));
  return sign_update(*session, input);
}

Status C_SignFinal(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return sign_finish(*session, OutputBuffer(signature, signature_len));
}

Status C_SignRecoverInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return sign_recover_init(*session, mechanism, key);
}

Status C_SignRecover(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                     CK_ULONG_PTR signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  return sign_recover(*session, input, OutputBuffer(signature, signature_len));
}

Status C_VerifyInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return verify_init(*session, mechanism, key);
}

Status C_Verify(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                CK_ULONG signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  CARDEA_ASSIGN(const ByteView given, input_bytes(signature, signature_len));
  return verify_single(*session, input, given);
}

Status C_VerifyUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR part, CK_ULONG part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(part, part_len));
  return verify_update(*session, input);
}

Status C_VerifyFinal(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR signature, CK_ULONG signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView given, input_bytes(signature, signature_len));
  return verify_finish(*session, given);
}

Status C_VerifyRecoverInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return verify_recover_init(*session, mechanism, key);
}

Status C_VerifyRecover(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR signature, CK_ULONG signature_len,
                       CK_BYTE_PTR data, CK_ULONG_PTR data_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView given, input_bytes(signature, signature_len));
  return verify_recover(*session, given, OutputBuffer(data, data_len));
}

Status C_VerifySignatureInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key,
                             CK_BYTE_PTR signature, CK_ULONG signature_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView given, input_bytes(signature, signature_len));
  return verify_signature_init(*session, mechanism, key, given);
}

Status C_VerifySignature(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR data, CK_ULONG data_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  return verify_signature(*session, input);
}

Status C_VerifySignatureUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR part, CK_ULONG part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(part, part_len));
  return verify_signature_update(*session, input);
}

Status C_VerifySignatureFinal(CK_SESSION_HANDLE session_handle) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return verify_signature_finish(*session);
}

}  // namespace cardea::abi
