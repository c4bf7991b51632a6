// What the TPM behind TpmToken has, and its randomness.
#include <algorithm>

#include "crypto/random.h"
#include "tpm/tpm_key.h"
#include "tpm/tpm_token.h"

namespace cardea::tpm {
namespace {

// Bytes that one C_GenerateRandom takes from the TPM at most, which is slow and shared with everybody.
constexpr std::size_t most_tpm_random = 1024;

void set_sizes(CK_MECHANISM_INFO& info, std::size_t least, std::size_t most) {
  info.ulMinKeySize = least;
  info.ulMaxKeySize = most;
}

/// The hash of a mechanism that signs with RSA; none for all others.
Hash hash_of_rsa_signature(CK_MECHANISM_TYPE mechanism) {
  switch (mechanism) {
    case CKM_SHA1_RSA_PKCS:
    case CKM_SHA1_RSA_PKCS_PSS:
      return Hash::sha1;
    case CKM_SHA224_RSA_PKCS:
    case CKM_SHA224_RSA_PKCS_PSS:
      return Hash::sha224;
    case CKM_SHA256_RSA_PKCS:
    case CKM_SHA256_RSA_PKCS_PSS:
      return Hash::sha256;
    case CKM_SHA384_RSA_PKCS:
    case CKM_SHA384_RSA_PKCS_PSS:
      return Hash::sha384;
    case CKM_SHA512_RSA_PKCS:
    case CKM_SHA512_RSA_PKCS_PSS:
      return Hash::sha512;
    case CKM_SHA3_224_RSA_PKCS:
    case CKM_SHA3_224_RSA_PKCS_PSS:
      return Hash::sha3_224;
    case CKM_SHA3_256_RSA_PKCS:
    case CKM_SHA3_256_RSA_PKCS_PSS:
      return Hash::sha3_256;
    case CKM_SHA3_384_RSA_PKCS:
    case CKM_SHA3_384_RSA_PKCS_PSS:
      return Hash::sha3_384;
    case CKM_SHA3_512_RSA_PKCS:
    case CKM_SHA3_512_RSA_PKCS_PSS:
      return Hash::sha3_512;
    default:
      return Hash::none;
  }
}

}  // namespace

/// What the TPM has; asked once in the life of the token.
Result<Capabilities> TpmToken::find_capabilities(TpmAccess& access) {
  if (auto known = capabilities_.read([](const auto& found) { return found; })) return std::move(*known);
  CARDEA_ASSIGN(Capabilities found, access.connection.capabilities());
  capabilities_.with([&](auto& known) { known = found; });
  return found;
}

/// Nothing while there is no TPM to ask: then nobody knows what it lacks.
std::optional<Capabilities> TpmToken::known_capabilities() {
  if (auto known = capabilities_.read([](const auto& found) { return found; })) return known;
  std::optional<Capabilities> found;
  static_cast<void>(tpm_->run([&](TpmAccess& access) -> Status {
                          CARDEA_ASSIGN(found, find_capabilities(access));
                          return {};
                        })
                        .ok());
  return found;
}

/// From the card's state; a card of an older version asks the TPM once. As usual while there is no TPM to ask.
RsaAbility TpmToken::rsa_ability() {
  const auto kept = [&] { return contents_.read([](const CardState& state) { return state.description.rsa; }); };
  if (const auto known = kept()) return *known;
  if (const auto known = rsa_.read([](const auto& found) { return found; })) return *known;
  std::optional<RsaAbility> found;
  static_cast<void>(tpm_->run([&](TpmAccess& access) -> Status {
                          CARDEA_ASSIGN(found, access.connection.rsa_ability());
                          return {};
                        })
                        .ok());
  if (!found) return {};
  rsa_.with([&](auto& known) { known = found; });
  // A state that cannot be written is asked for again by the next process.
  static_cast<void>(contents_.write([&](CardWriter& writer) { return writer.remember(*found); }).ok());
  return *found;
}

Primitives TpmToken::primitives() {
  const auto has = known_capabilities();
  Primitives all = 0;
  if (!has || !has->rsa_bits.empty()) all |= primitives_of(crypto::KeyAlgorithm::rsa, rsa_ability());
  if (!has || !has->curves.empty()) all |= primitives_of(crypto::KeyAlgorithm::p256, {});
  return all;
}

void TpmToken::narrow(CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO& info) {
  switch (mechanism) {
    case CKM_RSA_PKCS_KEY_PAIR_GEN:
      if (const auto has = known_capabilities()) {
        if (has->rsa_bits.empty())
          info.flags = 0;
        else
          set_sizes(info, has->rsa_bits.front(), has->rsa_bits.back());
      }
      return;
    case CKM_EC_KEY_PAIR_GEN:
      if (const auto has = known_capabilities()) {
        if (has->curves.empty())
          info.flags = 0;
        else
          set_sizes(info, crypto::facts_of(has->curves.front()).size, crypto::facts_of(has->curves.back()).size);
      }
      return;
    case CKM_EC_EDWARDS_KEY_PAIR_GEN:
    case CKM_EC_MONTGOMERY_KEY_PAIR_GEN:
    case CKM_ML_DSA_KEY_PAIR_GEN:
    case CKM_ML_KEM_KEY_PAIR_GEN:
    case CKM_SLH_DSA_KEY_PAIR_GEN:
      info.flags = 0;
      return;
    default:
      if (const Hash hash = hash_of_rsa_signature(mechanism); hash != Hash::none) {
        const RsaAbility rsa = rsa_ability();
        // Without padding of its own the TPM need not know the hash.
        if (!rsa.has(RsaAbility::raw) && !rsa.has(bit_of(hash))) info.flags = 0;
      }
      return;
  }
}

/// The TPM's randomness and the module's own, so that one bad generator alone does no harm. Of a long request the TPM
/// gives the first part, and the rest comes from a generator that was stirred with that.
Status TpmToken::random(MutableBytes out) {
  Bytes from_tpm(std::min(out.size(), most_tpm_random));
  CARDEA_TRY(tpm_->run([&](TpmAccess& access) { return access.connection.random(from_tpm); }));
  if (out.size() > from_tpm.size()) CARDEA_TRY(crypto::stir_random(from_tpm));
  CARDEA_TRY(crypto::random_bytes(out));
  for (std::size_t i = 0; i < from_tpm.size(); ++i) out[i] ^= from_tpm[i];
  wipe(from_tpm);
  return {};
}

}  // namespace cardea::tpm
