// RSA signatures: PKCS#1 v1.5, PSS and raw (PKCS#11 3.2, 6.1.5 to 6.1.16).
#include "mechanism/rsa.h"
#include "mechanism/rsa_padding.h"
#include "mechanism/signature_operation.h"

namespace cardea {
namespace {

constexpr CK_FLAGS sign_and_verify = CKF_SIGN | CKF_VERIFY;

// ---- PKCS#1 v1.5 with a hash

class Pkcs1Sign final : public PrivateKeySign {
 public:
  Pkcs1Sign(std::shared_ptr<const PrivateKey> key, Hash hash)
      : PrivateKeySign(key, MessageForm::hashed, hash, modulus_size(*key)), hash_(hash) {}

 protected:
  Result<std::size_t> sign(ByteView digest, MutableBytes signature) const override {
    std::array<Byte, digest_info_limit> buffer;
    CARDEA_ASSIGN(const ByteView info, digest_info(hash_, digest, buffer));
    return rsa_sign_pkcs1(key(), info, signature);
  }

 private:
  Hash hash_;
};

class Pkcs1Verify final : public PublicKeyVerify {
 public:
  Pkcs1Verify(std::shared_ptr<const PublicKey> key, Hash hash)
      : PublicKeyVerify(std::move(key), MessageForm::hashed, hash), hash_(hash) {}

 protected:
  Status verify(ByteView digest, ByteView signature) const override {
    std::array<Byte, digest_info_limit> buffer;
    CARDEA_ASSIGN(const ByteView info, digest_info(hash_, digest, buffer));
    return key().verify_pkcs1(info, signature);
  }

 private:
  Hash hash_;
};

class HashedPkcs1 final : public Mechanism {
 public:
  HashedPkcs1(CK_MECHANISM_TYPE type, Hash hash)
      : Mechanism(type, {rsa_usable_min, rsa_usable_max, sign_and_verify}), hash_(hash) {}
  bool served_by(Primitives primitives) const noexcept override { return can_sign_pkcs1(primitives); }
  Result<SignPtr> sign(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_RSA));
    return SignPtr(std::make_unique<Pkcs1Sign>(std::move(key), hash_));
  }
  Result<VerifyPtr> verify(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    return VerifyPtr(std::make_unique<Pkcs1Verify>(std::move(key), hash_));
  }

 private:
  Hash hash_;
};

// ---- PSS

class PssSign final : public PrivateKeySign {
 public:
  PssSign(std::shared_ptr<const PrivateKey> key, Hash hash, const PssParameters& parameters)
      : PrivateKeySign(key, MessageForm::single_part, hash, modulus_size(*key)), parameters_(parameters) {}

 protected:
  Result<std::size_t> sign(ByteView digest, MutableBytes signature) const override {
    return rsa_sign_pss(key(), parameters_, digest, signature);
  }

 private:
  PssParameters parameters_;
};

class PssVerify final : public PublicKeyVerify {
 public:
  PssVerify(std::shared_ptr<const PublicKey> key, Hash hash, const PssParameters& parameters)
      : PublicKeyVerify(std::move(key), MessageForm::single_part, hash), parameters_(parameters) {}

 protected:
  Status verify(ByteView digest, ByteView signature) const override {
    return key().verify_pss(parameters_.hash, parameters_.mgf_hash, parameters_.salt_length, digest, signature);
  }

 private:
  PssParameters parameters_;
};

// With Hash::none this is CKM_RSA_PKCS_PSS, whose data is a digest of the parameter's hash.
class Pss final : public Mechanism {
 public:
  Pss(CK_MECHANISM_TYPE type, Hash hash)
      : Mechanism(type, {rsa_usable_min, rsa_usable_max, sign_and_verify}), hash_(hash) {}
  bool served_by(Primitives primitives) const noexcept override { return can_sign_pss(primitives); }
  Result<SignPtr> sign(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_RSA));
    CARDEA_ASSIGN(const PssParameters parsed, parse(parameter, key->size()));
    return SignPtr(std::make_unique<PssSign>(std::move(key), hash_, parsed));
  }
  Result<VerifyPtr> verify(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    CARDEA_ASSIGN(const PssParameters parsed, parse(parameter, key->size()));
    return VerifyPtr(std::make_unique<PssVerify>(std::move(key), hash_, parsed));
  }

 private:
  Result<PssParameters> parse(Parameter parameter, std::size_t modulus_bits) const {
    CARDEA_ASSIGN(const auto* given, parameter.as<CK_RSA_PKCS_PSS_PARAMS>());
    const PssParameters parsed{hash_of_mechanism(given->hashAlg), hash_of_mgf(given->mgf), given->sLen};
    if (parsed.hash == Hash::none || parsed.mgf_hash == Hash::none) return Code::mechanism_param_invalid;
    // "The hash algorithm of the parameter must be the mechanism's" (6.1.14).
    if (hash_ != Hash::none && parsed.hash != hash_) return Code::mechanism_param_invalid;
    const std::size_t encoded = (modulus_bits - 1 + 7) / 8;
    const std::size_t overhead = crypto::hash_size(parsed.hash) + 2;
    if (encoded < overhead || parsed.salt_length > encoded - overhead) return Code::mechanism_param_invalid;
    return parsed;
  }

  Hash hash_;
};

struct HashedSignature {
  Hash hash;
  CK_MECHANISM_TYPE pkcs1;
  CK_MECHANISM_TYPE pss;
};
constexpr std::array<HashedSignature, 9> hashed_signatures{
    {{Hash::sha1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS},
     {Hash::sha224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS},
     {Hash::sha256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS},
     {Hash::sha384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS},
     {Hash::sha512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS},
     {Hash::sha3_224, CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS},
     {Hash::sha3_256, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS},
     {Hash::sha3_384, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS},
     {Hash::sha3_512, CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS}}};

}  // namespace

void register_rsa_signatures(MechanismRegistry& registry) {
  registry.emplace<Pss>(CKM_RSA_PKCS_PSS, Hash::none);
  // OpenSSL's default provider always has these hashes; to fetch each would slow down the start of every process.
  for (const HashedSignature& one : hashed_signatures) {
    registry.emplace<HashedPkcs1>(one.pkcs1, one.hash);
    registry.emplace<Pss>(one.pss, one.hash);
  }
}

}  // namespace cardea
