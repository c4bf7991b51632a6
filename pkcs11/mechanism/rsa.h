// The RSA mechanisms (PKCS#11 3.2, 6.1), in files by what they do.
#pragma once

#include "mechanism/mechanism.h"
#include "mechanism/rsa_private.h"

namespace cardea {

/// Sizes of keys that can be used, and of those that are generated, in bits.
inline constexpr CK_ULONG rsa_usable_min = 1024;
inline constexpr CK_ULONG rsa_usable_max = 8192;

/// The hash behind a CKG_MGF1_* value; Hash::none for others.
Hash hash_of_mgf(CK_RSA_PKCS_MGF_TYPE mgf) noexcept;

/// Reads and checks CK_RSA_PKCS_OAEP_PARAMS; mechanism_param_invalid.
Result<OaepParameters> oaep_parameters(Parameter parameter);

void register_rsa_signatures(MechanismRegistry& registry);
void register_rsa_ciphers(MechanismRegistry& registry);

}  // namespace cardea
