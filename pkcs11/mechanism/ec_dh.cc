// ECDH key derivation (PKCS#11 3.2, 6.3.18 and 6.3.19), also for Montgomery curves.
#include <algorithm>
#include <optional>

#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "mechanism/ec.h"
#include "mechanism/signature_operation.h"
#include "token/key_attributes.h"

namespace cardea {
namespace {

// The KDFs of X9.63 put the counter after the secret, those of SP 800-56A before it.
enum class CounterPlace : std::uint8_t { before_secret, after_secret };

struct Kdf {
  CK_EC_KDF_TYPE type;
  Hash hash;
  CounterPlace counter;
};
constexpr std::array<Kdf, 22> kdfs{{
    {CKD_SHA1_KDF, Hash::sha1, CounterPlace::after_secret},
    {CKD_SHA224_KDF, Hash::sha224, CounterPlace::after_secret},
    {CKD_SHA256_KDF, Hash::sha256, CounterPlace::after_secret},
    {CKD_SHA384_KDF, Hash::sha384, CounterPlace::after_secret},
    {CKD_SHA512_KDF, Hash::sha512, CounterPlace::after_secret},
    {CKD_SHA3_224_KDF, Hash::sha3_224, CounterPlace::after_secret},
    {CKD_SHA3_256_KDF, Hash::sha3_256, CounterPlace::after_secret},
    {CKD_SHA3_384_KDF, Hash::sha3_384, CounterPlace::after_secret},
    {CKD_SHA3_512_KDF, Hash::sha3_512, CounterPlace::after_secret},
    {CKD_SHA1_KDF_SP800, Hash::sha1, CounterPlace::before_secret},
    {CKD_SHA224_KDF_SP800, Hash::sha224, CounterPlace::before_secret},
    {CKD_SHA256_KDF_SP800, Hash::sha256, CounterPlace::before_secret},
    {CKD_SHA384_KDF_SP800, Hash::sha384, CounterPlace::before_secret},
    {CKD_SHA512_KDF_SP800, Hash::sha512, CounterPlace::before_secret},
    {CKD_SHA3_224_KDF_SP800, Hash::sha3_224, CounterPlace::before_secret},
    {CKD_SHA3_256_KDF_SP800, Hash::sha3_256, CounterPlace::before_secret},
    {CKD_SHA3_384_KDF_SP800, Hash::sha3_384, CounterPlace::before_secret},
    {CKD_SHA3_512_KDF_SP800, Hash::sha3_512, CounterPlace::before_secret},
    {CKD_BLAKE2B_160_KDF, Hash::blake2b_160, CounterPlace::before_secret},
    {CKD_BLAKE2B_256_KDF, Hash::blake2b_256, CounterPlace::before_secret},
    {CKD_BLAKE2B_384_KDF, Hash::blake2b_384, CounterPlace::before_secret},
    {CKD_BLAKE2B_512_KDF, Hash::blake2b_512, CounterPlace::before_secret},
}};

const Kdf* find_kdf(CK_EC_KDF_TYPE type) noexcept {
  const auto found = std::find_if(kdfs.begin(), kdfs.end(), [&](const Kdf& kdf) { return kdf.type == type; });
  return found != kdfs.end() && crypto::hash_md(found->hash) != nullptr ? &*found : nullptr;
}

// Far more than any key needs, and far below where the counter would wrap.
constexpr std::size_t longest_derived = std::size_t{1} << 16;

struct DhParameters {
  CK_EC_KDF_TYPE kdf;
  ByteView shared_data;
  ByteView peer;
};

Result<DhParameters> parse(Parameter parameter) {
  CARDEA_ASSIGN(const auto* given, parameter.as<CK_ECDH1_DERIVE_PARAMS>());
  CARDEA_ASSIGN(const ByteView shared, parameter_bytes(given->pSharedData, given->ulSharedDataLen));
  CARDEA_ASSIGN(const ByteView peer, parameter_bytes(given->pPublicData, given->ulPublicDataLen));
  if (given->kdf == CKD_NULL ? !shared.empty() : find_kdf(given->kdf) == nullptr) return Code::mechanism_param_invalid;
  if (peer.empty()) return Code::mechanism_param_invalid;
  return DhParameters{given->kdf, shared, peer};
}

class Ecdh final : public Mechanism {
 public:
  Ecdh(CK_MECHANISM_TYPE type, Primitive primitive)
      : Mechanism(type, {min_bits, ec_max_bits, CKF_DERIVE | CKF_EC_ECPARAMETERS | ec_flags}), primitive_(primitive) {}
  bool served_by(Primitives primitives) const noexcept override {
    return (primitives & static_cast<Primitives>(primitive_)) != 0;
  }

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost&) const override {
    CARDEA_ASSIGN(const DhParameters parsed, parse(parameter));
    const CK_KEY_TYPE type = base.object->key_type() == CKK_EC_MONTGOMERY ? CKK_EC_MONTGOMERY : CKK_EC;
    CARDEA_ASSIGN(const auto key, private_key_for(*this, base, type));
    CARDEA_ASSIGN(const crypto::KeyAlgorithm algorithm, algorithm_of(type, base.object->attributes));
    const auto peer = crypto::point_octets(algorithm, parsed.peer);
    if (!peer) return Code::mechanism_param_invalid;

    const PrimitiveRequest agreement{.primitive = primitive_};
    SecretBytes shared(key->output_size(agreement));
    auto size = key->perform(agreement, *peer, shared.mutable_view());
    if (!size && size.code() == Code::public_key_invalid) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(const std::size_t written, std::move(size));
    shared.truncate(written);
    return result(parsed, std::move(shared), request);
  }

 private:
  static constexpr CK_ULONG min_bits = 255;  // Curve25519

  static Result<DerivedValue> result(const DhParameters& parsed, SecretBytes shared, const DeriveRequest& request) {
    const std::size_t length = request.length.value_or(shared.size());
    if (length == 0) return Code::template_inconsistent;
    if (parsed.kdf != CKD_NULL) {
      CARDEA_ASSIGN(SecretBytes derived, ec_kdf(parsed.kdf, shared.view(), parsed.shared_data, length));
      return DerivedValue(std::move(derived));
    }
    if (length > shared.size()) return Code::template_inconsistent;
    // Bytes are taken off the leading end (6.3.18).
    return DerivedValue(SecretBytes(shared.view().last(length)));
  }

  Primitive primitive_;
};

}  // namespace

Result<SecretBytes> ec_kdf(CK_EC_KDF_TYPE type, ByteView shared_secret, ByteView shared_data, std::size_t length) {
  const Kdf* const kdf = find_kdf(type);
  if (kdf == nullptr) return Code::mechanism_param_invalid;
  if (length > longest_derived) return Code::template_inconsistent;
  const std::size_t step = crypto::hash_size(kdf->hash);
  SecretBytes derived((length + step - 1) / step * step);
  CARDEA_ASSIGN(crypto::Digest running, crypto::Digest::make(kdf->hash));
  for (std::size_t done = 0, counter = 1; done < length; done += step, ++counter) {
    const std::array<Byte, 4> number{static_cast<Byte>(counter >> 24), static_cast<Byte>(counter >> 16),
                                     static_cast<Byte>(counter >> 8), static_cast<Byte>(counter)};
    const bool before = kdf->counter == CounterPlace::before_secret;
    if (done != 0) CARDEA_TRY(running.restart());
    CARDEA_TRY(running.update(before ? ByteView(number) : shared_secret));
    CARDEA_TRY(running.update(before ? shared_secret : ByteView(number)));
    CARDEA_TRY(running.update(shared_data));
    CARDEA_TRY(running.finish(derived.mutable_view().subspan(done, step)));
  }
  derived.truncate(length);
  return derived;
}

void register_ecdh(MechanismRegistry& registry) {
  registry.emplace<Ecdh>(CKM_ECDH1_DERIVE, Primitive::ecdh);
  registry.emplace<Ecdh>(CKM_ECDH1_COFACTOR_DERIVE, Primitive::ecdh_cofactor);
}

}  // namespace cardea
