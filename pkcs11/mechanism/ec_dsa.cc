// ECDSA with and without hashing (PKCS#11 3.2, 6.3.12 and 6.3.13).
#include "mechanism/ec.h"
#include "mechanism/signature_operation.h"

namespace cardea {
namespace {

class EcdsaSign final : public PrivateKeySign {
 public:
  EcdsaSign(std::shared_ptr<const PrivateKey> key, Hash hash)
      : PrivateKeySign(key, MessageForm::single_part, hash, key->output_size(request)) {}

 protected:
  Result<std::size_t> sign(ByteView digest, MutableBytes signature) const override {
    return key().perform(request, digest, signature);
  }

 private:
  static constexpr PrimitiveRequest request{.primitive = Primitive::ecdsa_sign};
};

class EcdsaVerify final : public PublicKeyVerify {
 public:
  EcdsaVerify(std::shared_ptr<const PublicKey> key, Hash hash)
      : PublicKeyVerify(std::move(key), MessageForm::single_part, hash) {}

 protected:
  Status verify(ByteView digest, ByteView signature) const override { return key().ecdsa_verify(digest, signature); }
};

class Ecdsa final : public Mechanism {
 public:
  Ecdsa(CK_MECHANISM_TYPE type, Hash hash)
      : Mechanism(type, {ec_min_bits, ec_max_bits, CKF_SIGN | CKF_VERIFY | CKF_EC_ECPARAMETERS | ec_flags}),
        hash_(hash) {}
  bool served_by(Primitives primitives) const noexcept override {
    return (primitives & static_cast<Primitives>(Primitive::ecdsa_sign)) != 0;
  }
  Result<SignPtr> sign(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_EC));
    return SignPtr(std::make_unique<EcdsaSign>(std::move(key), hash_));
  }
  Result<VerifyPtr> verify(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_EC));
    return VerifyPtr(std::make_unique<EcdsaVerify>(std::move(key), hash_));
  }

 private:
  Hash hash_;
};

struct HashedEcdsa {
  CK_MECHANISM_TYPE type;
  Hash hash;
};
constexpr std::array<HashedEcdsa, 9> hashed{{{CKM_ECDSA_SHA1, Hash::sha1},
                                             {CKM_ECDSA_SHA224, Hash::sha224},
                                             {CKM_ECDSA_SHA256, Hash::sha256},
                                             {CKM_ECDSA_SHA384, Hash::sha384},
                                             {CKM_ECDSA_SHA512, Hash::sha512},
                                             {CKM_ECDSA_SHA3_224, Hash::sha3_224},
                                             {CKM_ECDSA_SHA3_256, Hash::sha3_256},
                                             {CKM_ECDSA_SHA3_384, Hash::sha3_384},
                                             {CKM_ECDSA_SHA3_512, Hash::sha3_512}}};

}  // namespace

void register_ecdsa(MechanismRegistry& registry) {
  registry.emplace<Ecdsa>(CKM_ECDSA, Hash::none);
  // OpenSSL's default provider always has these hashes; to fetch each would slow down the start of every process.
  for (const HashedEcdsa& one : hashed) registry.emplace<Ecdsa>(one.type, one.hash);
}

}  // namespace cardea
