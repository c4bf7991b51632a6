// SLH-DSA and HashSLH-DSA (PKCS#11 3.2, 6.68; FIPS 205), where the crypto library has them.
#include <array>

#include "crypto/key_algorithm.h"
#include "mechanism/pqc_signature.h"

namespace cardea {
namespace {

constexpr std::array<PrehashMechanism, 10> hashing{{{CKM_HASH_SLH_DSA_SHA224, Hash::sha224},
                                                    {CKM_HASH_SLH_DSA_SHA256, Hash::sha256},
                                                    {CKM_HASH_SLH_DSA_SHA384, Hash::sha384},
                                                    {CKM_HASH_SLH_DSA_SHA512, Hash::sha512},
                                                    {CKM_HASH_SLH_DSA_SHA3_224, Hash::sha3_224},
                                                    {CKM_HASH_SLH_DSA_SHA3_256, Hash::sha3_256},
                                                    {CKM_HASH_SLH_DSA_SHA3_384, Hash::sha3_384},
                                                    {CKM_HASH_SLH_DSA_SHA3_512, Hash::sha3_512},
                                                    {CKM_HASH_SLH_DSA_SHAKE128, Hash::shake128},
                                                    {CKM_HASH_SLH_DSA_SHAKE256, Hash::shake256}}};

constexpr PqcSignatureFamily family{.key_type = CKK_SLH_DSA,
                                    .primitive = Primitive::slh_dsa_sign,
                                    .min_size = 32,
                                    .max_size = 64,
                                    .generation = CKM_SLH_DSA_KEY_PAIR_GEN,
                                    .pure = CKM_SLH_DSA,
                                    .prehashed = CKM_HASH_SLH_DSA,
                                    .hashing = hashing};

}  // namespace

void register_slh_dsa(MechanismRegistry& registry) {
  if (crypto::available(crypto::KeyAlgorithm::slh_dsa_sha2_128s)) register_pqc_signatures(registry, family);
}

}  // namespace cardea
