// PKCS#11 3.2, 5.8, 5.10, 5.12 and 5.17: encryption, decryption, digests and the dual functions.
#include "session/ciphering.h"
#include "abi/functions.h"
#include "session/provider.h"

namespace cardea::abi {

Status C_EncryptInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return cipher_init(*session, OperationKind::encrypt, mechanism, key);
}

Status C_Encrypt(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR encrypted_data,
                 CK_ULONG_PTR encrypted_data_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  return cipher_single(*session, OperationKind::encrypt, input, OutputBuffer(encrypted_data, encrypted_data_len));
}

Status C_EncryptUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR part, CK_ULONG part_len,
                       CK_BYTE_PTR encrypted_part, CK_ULONG_PTR encrypted_part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(part, part_len));
  return cipher_update(*session, OperationKind::encrypt, input, OutputBuffer(encrypted_part, encrypted_part_len));
}

Status C_EncryptFinal(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR last, CK_ULONG_PTR last_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return cipher_finish(*session, OperationKind::encrypt, OutputBuffer(last, last_len));
}

Status C_DecryptInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return cipher_init(*session, OperationKind::decrypt, mechanism, key);
}

Status C_Decrypt(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR encrypted_data, CK_ULONG encrypted_data_len,
                 CK_BYTE_PTR data, CK_ULONG_PTR data_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(encrypted_data, encrypted_data_len));
  return cipher_single(*session, OperationKind::decrypt, input, OutputBuffer(data, data_len));
}

Status C_DecryptUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                       CK_BYTE_PTR part, CK_ULONG_PTR part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(encrypted_part, encrypted_part_len));
  return cipher_update(*session, OperationKind::decrypt, input, OutputBuffer(part, part_len));
}

Status C_DecryptFinal(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR last, CK_ULONG_PTR last_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return cipher_finish(*session, OperationKind::decrypt, OutputBuffer(last, last_len));
}

Status C_DigestInit(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return digest_init(*session, mechanism);
}

Status C_Digest(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR digest,
                CK_ULONG_PTR digest_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(data, data_len));
  return digest_single(*session, input, OutputBuffer(digest, digest_len));
}

Status C_DigestUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR part, CK_ULONG part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(part, part_len));
  return digest_update(*session, input);
}

Status C_DigestKey(CK_SESSION_HANDLE session_handle, CK_OBJECT_HANDLE key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return digest_key(*session, key);
}

Status C_DigestFinal(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR digest, CK_ULONG_PTR digest_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return digest_finish(*session, OutputBuffer(digest, digest_len));
}

Status C_DigestEncryptUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR part, CK_ULONG part_len,
                             CK_BYTE_PTR encrypted_part, CK_ULONG_PTR encrypted_part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(part, part_len));
  return encrypt_and(*session, OperationKind::digest, input, OutputBuffer(encrypted_part, encrypted_part_len));
}

Status C_SignEncryptUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR part, CK_ULONG part_len,
                           CK_BYTE_PTR encrypted_part, CK_ULONG_PTR encrypted_part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(part, part_len));
  return encrypt_and(*session, OperationKind::sign, input, OutputBuffer(encrypted_part, encrypted_part_len));
}

Status C_DecryptDigestUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                             CK_BYTE_PTR part, CK_ULONG_PTR part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(encrypted_part, encrypted_part_len));
  return decrypt_and(*session, OperationKind::digest, input, OutputBuffer(part, part_len));
}

Status C_DecryptVerifyUpdate(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR encrypted_part, CK_ULONG encrypted_part_len,
                             CK_BYTE_PTR part, CK_ULONG_PTR part_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(encrypted_part, encrypted_part_len));
  return decrypt_and(*session, OperationKind::verify, input, OutputBuffer(part, part_len));
}

}  // namespace cardea::abi
