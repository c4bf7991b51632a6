// PKCS#11 3.2, 5.18 and 5.19: key management and random numbers.
#include "abi/functions.h"
#include "abi/template.h"
#include "crypto/random.h"
#include "session/key_management.h"
#include "session/provider.h"

namespace cardea::abi {

Status C_GenerateKey(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR attributes,
                     CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, count));
  if (key == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*key, generate_key(*session, mechanism, wanted));
  return {};
}

Status C_GenerateKeyPair(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism,
                         CK_ATTRIBUTE_PTR public_key_template, CK_ULONG public_key_attribute_count,
                         CK_ATTRIBUTE_PTR private_key_template, CK_ULONG private_key_attribute_count,
                         CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template for_public, caller_template(public_key_template, public_key_attribute_count));
  CARDEA_ASSIGN(const Template for_private, caller_template(private_key_template, private_key_attribute_count));
  if (public_key == nullptr || private_key == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const KeyPairHandles pair, generate_key_pair(*session, mechanism, for_public, for_private));
  *public_key = pair.public_key;
  *private_key = pair.private_key;
  return {};
}

Status C_WrapKey(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping_key,
                 CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped_key, CK_ULONG_PTR wrapped_key_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  return wrap_key(*session, mechanism, wrapping_key, key, std::nullopt, OutputBuffer(wrapped_key, wrapped_key_len));
}

Status C_UnwrapKey(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE unwrapping_key,
                   CK_BYTE_PTR wrapped_key, CK_ULONG wrapped_key_len, CK_ATTRIBUTE_PTR attributes,
                   CK_ULONG attribute_count, CK_OBJECT_HANDLE_PTR key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView wrapped, input_bytes(wrapped_key, wrapped_key_len));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, attribute_count));
  if (key == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*key, unwrap_key(*session, mechanism, unwrapping_key, wrapped, wanted, std::nullopt));
  return {};
}

Status C_WrapKeyAuthenticated(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism,
                              CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE_PTR associated_data,
                              CK_ULONG associated_data_len, CK_BYTE_PTR wrapped_key, CK_ULONG_PTR wrapped_key_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView aad, input_bytes(associated_data, associated_data_len));
  return wrap_key(*session, mechanism, wrapping_key, key, aad, OutputBuffer(wrapped_key, wrapped_key_len));
}

Status C_UnwrapKeyAuthenticated(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism,
                                CK_OBJECT_HANDLE unwrapping_key, CK_BYTE_PTR wrapped_key, CK_ULONG wrapped_key_len,
                                CK_ATTRIBUTE_PTR attributes, CK_ULONG attribute_count, CK_BYTE_PTR associated_data,
                                CK_ULONG associated_data_len, CK_OBJECT_HANDLE_PTR key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView wrapped, input_bytes(wrapped_key, wrapped_key_len));
  CARDEA_ASSIGN(const ByteView aad, input_bytes(associated_data, associated_data_len));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, attribute_count));
  if (key == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*key, unwrap_key(*session, mechanism, unwrapping_key, wrapped, wanted, aad));
  return {};
}

Status C_DeriveKey(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
                   CK_ATTRIBUTE_PTR attributes, CK_ULONG attribute_count, CK_OBJECT_HANDLE_PTR key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, attribute_count));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE derived, derive_key(*session, mechanism, base_key, wanted, key != nullptr));
  if (derived != CK_INVALID_HANDLE) *key = derived;
  return {};
}

Status C_EncapsulateKey(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE public_key,
                        CK_ATTRIBUTE_PTR attributes, CK_ULONG attribute_count, CK_BYTE_PTR ciphertext,
                        CK_ULONG_PTR ciphertext_len, CK_OBJECT_HANDLE_PTR key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, attribute_count));
  if (key == nullptr) return Code::arguments_bad;
  return encapsulate_key(*session, mechanism, public_key, wanted, OutputBuffer(ciphertext, ciphertext_len), key);
}

Status C_DecapsulateKey(CK_SESSION_HANDLE session_handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE private_key,
                        CK_ATTRIBUTE_PTR attributes, CK_ULONG attribute_count, CK_BYTE_PTR ciphertext,
                        CK_ULONG ciphertext_len, CK_OBJECT_HANDLE_PTR key) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const Template wanted, caller_template(attributes, attribute_count));
  CARDEA_ASSIGN(const ByteView input, input_bytes(ciphertext, ciphertext_len));
  if (key == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*key, decapsulate_key(*session, mechanism, private_key, wanted, input));
  return {};
}

Status C_SeedRandom(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR seed, CK_ULONG seed_len) {
  CARDEA_TRY(provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView input, input_bytes(seed, seed_len));
  return crypto::stir_random(input);
}

Status C_GenerateRandom(CK_SESSION_HANDLE session_handle, CK_BYTE_PTR random_data, CK_ULONG random_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_TRY(input_bytes(random_data, random_len));
  return session->token().random({random_data, random_len});
}

}  // namespace cardea::abi
