// What PKCS#11 has no call for, asked of this module's virtual smart cards in the TPM. C_GetInterface with
// CARDEA_TPM_INTERFACE gives a CARDEA_TPM_FUNCTIONS. The conventions are those of cryptoki/keystore_interface.h.
#pragma once

#include "cryptoki/keystore_interface.h"

#define CARDEA_TPM_INTERFACE "Vendor Cardea TPM"

extern "C" {

/// How a virtual card is: 0 ready, 1 locked out for a while, 2 of another TPM or of this one before it was cleared, 3
/// no TPM, 4 its state cannot be used.
using CARDEA_CARD_HEALTH = CK_ULONG;

/// A virtual card with its label, serial number and number of private keys; words about its health (may be empty);
/// wrong PINs that the TPM has counted, how many it allows, and after how many seconds it forgets one.
using CARDEA_TPM_CARD = void (*)(void* context, const char* serial, const char* label, CK_ULONG keys,
                                 CARDEA_CARD_HEALTH health, const char* words, CK_ULONG failures, CK_ULONG limit,
                                 CK_ULONG seconds);
/// The serial number of a card that was made.
using CARDEA_TPM_MADE = void (*)(void* context, const char* serial);
/// Asked for the answer to a challenge: HMAC-SHA-256, under the administrator's key, of the SHA-256 digest of the 32
/// bytes at `challenge` and four bytes of zero. Writes 32 bytes to `answer`; false to give up.
using CARDEA_TPM_ANSWER = CK_BBOOL (*)(void* context, const CK_BYTE* challenge, CK_BYTE* answer);

/// Bytes that are no PIN.
using CARDEA_BYTES = CARDEA_PIN;
/// What a function answers, in as many pieces as it says.
using CARDEA_TPM_PIECES = void (*)(void* context, const CARDEA_BYTES* pieces, CK_ULONG count);

/// Version 1.0.
struct CARDEA_TPM_FUNCTIONS {
  CK_VERSION version;

  /// Makes a virtual card in the TPM that the configuration names. The administrator's key has 32 bytes. Failures:
  /// token_absent and permission_denied (no TPM), pin_length, arguments_bad.
  CK_RV(*create)
  (const char* label, const CARDEA_PIN* user_pin, const CARDEA_PIN* puk, const CARDEA_PIN* admin_key,
   CARDEA_TPM_MADE made, CARDEA_FAILURE failure, void* context);

  /// Every virtual card, compared with the TPM.
  CK_RV (*list)(CARDEA_TPM_CARD card, CARDEA_FAILURE failure, void* context);

  /// Removes a virtual card and all its keys for good, without a PIN. Failures: not_found, permission_denied.
  CK_RV (*destroy)(const char* serial, CARDEA_FAILURE failure, void* context);

  /// Enrols a virtual card again after its TPM was cleared or replaced. Keys and private objects are lost; serial
  /// number, label and public objects stay. Failures: not_found, exists (the card is this TPM's), pin_length.
  CK_RV(*renew)
  (const char* serial, const CARDEA_PIN* user_pin, const CARDEA_PIN* puk, const CARDEA_PIN* admin_key,
   CARDEA_FAILURE failure, void* context);

  /// Sets the user PIN anew for an answered challenge. Failures: not_found, pin_length, pin_incorrect,
  /// function_canceled.
  CK_RV(*unblock)
  (const char* serial, const CARDEA_PIN* new_pin, CARDEA_TPM_ANSWER answer, CARDEA_FAILURE failure, void* context);

  /// What the TPM says of the private key with that label and id (null: any), with a nonce of at most 48 bytes. Six
  /// pieces: TPM2B_PUBLIC of the endorsement key, its certificate (may be empty), TPM2B_PUBLIC of the attestation key
  /// and of the key, TPMS_ATTEST, TPMT_SIGNATURE. Failures: not_found, arguments_bad (several keys fit), pin_incorrect,
  /// function_failed (the endorsement hierarchy has an authorisation).
  CK_RV(*attest)
  (const char* serial, const CARDEA_PIN* user_pin, const char* label, const CARDEA_BYTES* id, const CARDEA_BYTES* nonce,
   CARDEA_TPM_PIECES pieces, CARDEA_FAILURE failure, void* context);

  /// The secret of a credential (contents of TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET) for this TPM's endorsement key
  /// and this card's attestation key; one piece. Failures: not_found, data_invalid.
  CK_RV(*activate)
  (const char* serial, const CARDEA_BYTES* id_object, const CARDEA_BYTES* encrypted_secret, CARDEA_TPM_PIECES pieces,
   CARDEA_FAILURE failure, void* context);

  /// TPM2B_PUBLIC of the card's storage key, for which keys are wrapped elsewhere; one piece. Failures: not_found.
  CK_RV (*storage_key)(const char* serial, CARDEA_TPM_PIECES pieces, CARDEA_FAILURE failure, void* context);

  /// Takes in a key that was wrapped for that storage key with an empty authorisation. `wrapped`: four pieces,
  /// TPM2B_PUBLIC, contents of TPM2B_PRIVATE and TPM2B_ENCRYPTED_SECRET, and the AES-128 key of the inner wrapper.
  /// Failures: not_found, pin_incorrect, wrapped_key_invalid, key_size_range, curve_not_supported.
  CK_RV(*import_key)
  (const char* serial, const CARDEA_PIN* user_pin, const CARDEA_BYTES* wrapped, const char* label,
   const CARDEA_BYTES* id, CARDEA_FAILURE failure, void* context);
};

}  // extern "C"
