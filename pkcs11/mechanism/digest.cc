#include "mechanism/digest.h"

#include "crypto/digest.h"
#include "mechanism/generic_secret.h"

namespace cardea {
namespace {

constexpr HashMechanisms table[] = {
    {Hash::sha1, CKM_SHA_1, CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKM_SHA_1_KEY_GEN, CKM_SHA1_KEY_DERIVATION,
     CKK_SHA_1_HMAC},
    {Hash::sha224, CKM_SHA224, CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKM_SHA224_KEY_GEN, CKM_SHA224_KEY_DERIVATION,
     CKK_SHA224_HMAC},
    {Hash::sha256, CKM_SHA256, CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKM_SHA256_KEY_GEN, CKM_SHA256_KEY_DERIVATION,
     CKK_SHA256_HMAC},
    {Hash::sha384, CKM_SHA384, CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKM_SHA384_KEY_GEN, CKM_SHA384_KEY_DERIVATION,
     CKK_SHA384_HMAC},
    {Hash::sha512, CKM_SHA512, CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKM_SHA512_KEY_GEN, CKM_SHA512_KEY_DERIVATION,
     CKK_SHA512_HMAC},
    {Hash::sha512_224, CKM_SHA512_224, CKM_SHA512_224_HMAC, CKM_SHA512_224_HMAC_GENERAL, CKM_SHA512_224_KEY_GEN,
     CKM_SHA512_224_KEY_DERIVATION, CKK_SHA512_224_HMAC},
    {Hash::sha512_256, CKM_SHA512_256, CKM_SHA512_256_HMAC, CKM_SHA512_256_HMAC_GENERAL, CKM_SHA512_256_KEY_GEN,
     CKM_SHA512_256_KEY_DERIVATION, CKK_SHA512_256_HMAC},
    {Hash::sha3_224, CKM_SHA3_224, CKM_SHA3_224_HMAC, CKM_SHA3_224_HMAC_GENERAL, CKM_SHA3_224_KEY_GEN,
     CKM_SHA3_224_KEY_DERIVATION, CKK_SHA3_224_HMAC},
    {Hash::sha3_256, CKM_SHA3_256, CKM_SHA3_256_HMAC, CKM_SHA3_256_HMAC_GENERAL, CKM_SHA3_256_KEY_GEN,
     CKM_SHA3_256_KEY_DERIVATION, CKK_SHA3_256_HMAC},
    {Hash::sha3_384, CKM_SHA3_384, CKM_SHA3_384_HMAC, CKM_SHA3_384_HMAC_GENERAL, CKM_SHA3_384_KEY_GEN,
     CKM_SHA3_384_KEY_DERIVATION, CKK_SHA3_384_HMAC},
    {Hash::sha3_512, CKM_SHA3_512, CKM_SHA3_512_HMAC, CKM_SHA3_512_HMAC_GENERAL, CKM_SHA3_512_KEY_GEN,
     CKM_SHA3_512_KEY_DERIVATION, CKK_SHA3_512_HMAC},
    {Hash::blake2b_160, CKM_BLAKE2B_160, CKM_BLAKE2B_160_HMAC, CKM_BLAKE2B_160_HMAC_GENERAL, CKM_BLAKE2B_160_KEY_GEN,
     CKM_BLAKE2B_160_KEY_DERIVE, CKK_BLAKE2B_160_HMAC},
    {Hash::blake2b_256, CKM_BLAKE2B_256, CKM_BLAKE2B_256_HMAC, CKM_BLAKE2B_256_HMAC_GENERAL, CKM_BLAKE2B_256_KEY_GEN,
     CKM_BLAKE2B_256_KEY_DERIVE, CKK_BLAKE2B_256_HMAC},
    {Hash::blake2b_384, CKM_BLAKE2B_384, CKM_BLAKE2B_384_HMAC, CKM_BLAKE2B_384_HMAC_GENERAL, CKM_BLAKE2B_384_KEY_GEN,
     CKM_BLAKE2B_384_KEY_DERIVE, CKK_BLAKE2B_384_HMAC},
    {Hash::blake2b_512, CKM_BLAKE2B_512, CKM_BLAKE2B_512_HMAC, CKM_BLAKE2B_512_HMAC_GENERAL, CKM_BLAKE2B_512_KEY_GEN,
     CKM_BLAKE2B_512_KEY_DERIVE, CKK_BLAKE2B_512_HMAC},
};

class RunningDigest final : public DigestOperation {
 public:
  explicit RunningDigest(crypto::Digest digest) : digest_(std::move(digest)) {}

  std::size_t size() const noexcept override { return digest_.size(); }
  Status update(ByteView data) override { return digest_.update(data); }
  Status finish(MutableBytes digest) override { return digest_.finish(digest); }
  DigestPtr clone() const override {
    auto copy = digest_.clone();
    if (!copy) return nullptr;
    return std::make_unique<RunningDigest>(std::move(*copy));
  }

 private:
  crypto::Digest digest_;
};

class DigestMechanism final : public Mechanism {
 public:
  DigestMechanism(CK_MECHANISM_TYPE type, Hash hash) : Mechanism(type, {0, 0, CKF_DIGEST}), hash_(hash) {}

  Result<DigestPtr> digest(Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(crypto::Digest running, crypto::Digest::make(hash_));
    return DigestPtr(std::make_unique<RunningDigest>(std::move(running)));
  }

 private:
  Hash hash_;
};

/// The digest of the base key's value, cut to the length asked for (PKCS#11 3.2, "Hash based key derivations").
class DigestDerivation final : public Mechanism {
 public:
  DigestDerivation(CK_MECHANISM_TYPE type, Hash hash) : Mechanism(type, {1, longest_secret, CKF_DERIVE}), hash_(hash) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost&) const override {
    CARDEA_TRY(parameter.expect_none());
    const auto* const key = dynamic_cast<const SecretKey*>(base.key.get());
    if (key == nullptr) return Code::key_type_inconsistent;
    CARDEA_ASSIGN(const std::size_t size, derived_size(request, crypto::hash_size(hash_)));
    if (size > crypto::hash_size(hash_)) return Code::template_inconsistent;
    CARDEA_ASSIGN(crypto::Digest running, crypto::Digest::make(hash_));
    CARDEA_TRY(running.update(key->value()));
    SecretBytes value(running.size());
    CARDEA_TRY(running.finish(value.mutable_view()));
    value.truncate(size);
    return DerivedValue(std::move(value));
  }

 private:
  Hash hash_;
};

}  // namespace

std::span<const HashMechanisms> hash_mechanisms() noexcept {
  return table;
}

Hash hash_of_digest(CK_MECHANISM_TYPE digest) noexcept {
  for (const HashMechanisms& one : table) {
    if (one.digest == digest) return one.hash;
  }
  return Hash::none;
}

Hash hash_of_hmac(CK_MECHANISM_TYPE hmac) noexcept {
  for (const HashMechanisms& one : table) {
    if (one.hmac == hmac) return one.hash;
  }
  return Hash::none;
}

void register_digest(MechanismRegistry& registry) {
  for (const HashMechanisms& one : table) {
    if (crypto::hash_name(one.hash) == nullptr) continue;
    registry.emplace<DigestMechanism>(one.digest, one.hash);
    registry.emplace<DigestDerivation>(one.key_derivation, one.hash);
  }
}

}  // namespace cardea
