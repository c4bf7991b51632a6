// What PKCS#11 has no call for, asked of this module's software keystore. C_GetInterface with CARDEA_KEYSTORE_INTERFACE
// gives a CARDEA_KEYSTORE_FUNCTIONS; names that begin with "Vendor " are vendors' own (PKCS#11 3.2, CK_INTERFACE).
// Plain C types, so that callers need nothing else of ours.
#pragma once

#include "cryptoki/cryptoki.h"

#define CARDEA_KEYSTORE_INTERFACE "Vendor Cardea keystore"

extern "C" {

// Callbacks. Each gets the `context` that the caller gave. Texts are UTF-8, end in a zero, and are good only while the
// callback runs. A callback must not call the module.

/// Told once when a function does not answer CKR_OK: the failure's name in base/errors.def, words of the case (may be
/// empty), PIN tries left or -1. Not told when the module cannot work at all (CKR_HOST_MEMORY, CKR_GENERAL_ERROR,
/// CKR_CRYPTOKI_NOT_INITIALIZED at the end of the process).
using CARDEA_FAILURE = void (*)(void* context, const char* name, const char* detail, CK_LONG tries_left);
/// Something wrong: a path or "token <serial>", what it is, and what to do.
using CARDEA_FINDING = void (*)(void* context, const char* subject, const char* sentence, const char* next_step);
/// A token of SoftHSM2: its directory, label and serial number.
using CARDEA_SOFTHSM_TOKEN = void (*)(void* context, const char* path, const char* label, const char* serial);
/// What an import made: the new token, and how many objects it took over.
using CARDEA_IMPORTED = void (*)(void* context, const char* serial, const char* label, CK_ULONG objects);
/// One sentence about an object that was not taken over.
using CARDEA_SKIPPED = void (*)(void* context, const char* sentence);

/// A PIN as bytes.
struct CARDEA_PIN {
  const CK_UTF8CHAR* bytes;
  CK_ULONG size;
};

/// Version 1.0. All functions may be called at any time, before C_Initialize as well, from any thread; they read the
/// configuration as C_Initialize does. They leave sessions alone, those on a token that is deleted aside. `failure` may
/// be null, the other pointers not (CKR_ARGUMENTS_BAD).
struct CARDEA_KEYSTORE_FUNCTIONS {
  CK_VERSION version;

  /// Wrong PINs that the token still allows; CK_UNAVAILABLE_INFORMATION when there is no limit or no such PIN. `user`:
  /// CKU_USER or CKU_SO. Failures: not_found, user_type_invalid, those of opening a store.
  CK_RV (*tries_left)(const char* serial, CK_USER_TYPE user, CK_ULONG* tries, CARDEA_FAILURE failure, void* context);

  /// Removes a token and all its keys for good, without a PIN: who may write the directory could remove it anyway.
  /// Failures: not_found, permission_denied.
  CK_RV (*delete_token)(const char* serial, CARDEA_FAILURE failure, void* context);

  /// Reads every token whole and makes permissions right where that is possible; `tokens`: how many there are.
  CK_RV (*check)(CARDEA_FINDING finding, CK_ULONG* tokens, CARDEA_FAILURE failure, void* context);

  /// The tokens under SoftHSM2's directories.tokendir. Failures: not_found when there is no such directory.
  CK_RV(*find_softhsm_tokens)
  (const char* directory, CARDEA_SOFTHSM_TOKEN token, CARDEA_FAILURE failure, void* context);

  /// Copies the SoftHSM2 token in `directory` into a new token with the same label and PINs; the source is only read.
  /// Failures: pin_incorrect, whose words say which PIN; pin_length; store_corrupt.
  CK_RV(*import_softhsm)
  (const char* directory, const CARDEA_PIN* user_pin, const CARDEA_PIN* so_pin, CARDEA_IMPORTED imported,
   CARDEA_SKIPPED skipped, CARDEA_FAILURE failure, void* context);
};

}  // extern "C"
