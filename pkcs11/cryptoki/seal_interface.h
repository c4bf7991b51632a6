// What PKCS#11 has no call for, asked of this module about the seals of software keystore tokens (docs/keystore.md,
// "Sealed by the TPM"). C_GetInterface with CARDEA_SEAL_INTERFACE gives a CARDEA_SEAL_FUNCTIONS. The conventions are
// those of cryptoki/keystore_interface.h.
#pragma once

#include "cryptoki/keystore_interface.h"

#define CARDEA_SEAL_INTERFACE "Vendor Cardea seal"

extern "C" {

/// The recovery code of a token that was sealed: 39 characters, good only while the callback runs, then wiped.
using CARDEA_RECOVERY_CODE = void (*)(void* context, const CK_UTF8CHAR* code, CK_ULONG size);

/// Version 1.0. `serial` is that of a software keystore token; each function fails with not_found for any other.
struct CARDEA_SEAL_FUNCTIONS {
  CK_VERSION version;

  /// Whether the token is sealed. Does not ask the TPM.
  CK_RV (*sealed)(const char* serial, CK_BBOOL* sealed, CARDEA_FAILURE failure, void* context);

  /// Asks the TPM to open the seal, without a PIN; nothing happens when there is none. Failures: device_error, whose
  /// words say what is in the way (no TPM, another one); permission_denied; store_corrupt.
  CK_RV (*check)(const char* serial, CARDEA_FAILURE failure, void* context);

  /// Seals the token to the TPM that the configuration names. `user` (CKU_USER or CKU_SO) says whose PIN it is; wrong
  /// ones count. Failures: exists (it is sealed), pin_incorrect, pin_locked, token_write_protected, those of check.
  CK_RV(*seal)
  (const char* serial, CK_USER_TYPE user, const CARDEA_PIN* pin, CARDEA_RECOVERY_CODE code, CARDEA_FAILURE failure,
   void* context);

  /// Takes the seal off with the TPM that made it. Failures: not_found (there is none), those of seal.
  CK_RV(*unseal)
  (const char* serial, CK_USER_TYPE user, const CARDEA_PIN* pin, CARDEA_FAILURE failure, void* context);

  /// The same without that TPM and without a PIN. Failures: pin_invalid (no such code can be), pin_incorrect (it is not
  /// this token's), not_found, token_write_protected.
  CK_RV(*recover)
  (const char* serial, const CARDEA_PIN* code, CARDEA_FAILURE failure, void* context);
};

}  // extern "C"
