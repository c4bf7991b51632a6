// RSA on a TPM that refuses the bare exponentiation and works with paddings of its own alone.
#pragma once

#include "token/key.h"
#include "tpm/card_secret.h"

namespace cardea::tpm {

/// What RSA keys can do on such a TPM, or on a usual one.
Primitives rsa_primitives(const RsaAbility& ability) noexcept;

/// A private key of such a TPM, ready for use.
struct OwnPaddingKey {
  TpmConnection& tpm;
  const Loaded& key;
  const Loaded* protect;  ///< as TpmConnection takes it
  const RsaAbility& ability;
  const SecretBytes& card_auth;  ///< CardKeys::key_auth
  ByteView identity;             ///< tells the card's keys apart
};

/// Runs one of rsa_primitives() other than raw RSA. data_invalid for PKCS#1 signatures of something else than a
/// DigestInfo of a hash that the TPM has; mechanism_param_invalid for PSS and OAEP with a salt, hash or label that the
/// TPM does not do. PKCS#1 decryption never tells whether the padding was right: a wrong one gives a message that only
/// this card and the ciphertext determine.
Result<std::size_t> perform_with_own_padding(const OwnPaddingKey& key, const PrimitiveRequest& request, ByteView input,
                                             MutableBytes out);

}  // namespace cardea::tpm
