// ML-KEM (PKCS#11 3.2, 6.69; FIPS 203), where the crypto library has it.
#include "crypto/key_algorithm.h"
#include "mechanism/ec_key_pair.h"

namespace cardea {
namespace {

constexpr CK_ULONG min_size = 800;   // bytes of an ML-KEM-512 public key
constexpr CK_ULONG max_size = 1568;  // bytes of an ML-KEM-1024 public key

class MlKem final : public Mechanism {
 public:
  MlKem() : Mechanism(CKM_ML_KEM, {min_size, max_size, CKF_ENCAPSULATE | CKF_DECAPSULATE}) {}
  bool served_by(Primitives primitives) const noexcept override {
    return (primitives & static_cast<Primitives>(Primitive::ml_kem_decapsulate)) != 0;
  }
  Result<Encapsulated> encapsulate(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(const auto key, public_key_for(*this, reference, CKK_ML_KEM));
    CARDEA_ASSIGN(crypto::Encapsulation made, key->key().encapsulate());
    return Encapsulated{std::move(made.ciphertext), std::move(made.shared_secret)};
  }
  Result<SecretBytes> decapsulate(const KeyRef& reference, Parameter parameter, ByteView ciphertext) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(const auto key, private_key_for(*this, reference, CKK_ML_KEM));
    const PrimitiveRequest request{.primitive = Primitive::ml_kem_decapsulate};
    SecretBytes secret(key->output_size(request));
    CARDEA_ASSIGN(const std::size_t size, key->perform(request, ciphertext, secret.mutable_view()));
    secret.truncate(size);
    return secret;
  }
  std::size_t ciphertext_size(const KeyRef& reference) const noexcept override {
    const auto* const key = dynamic_cast<const PublicKey*>(reference.key.get());
    return key != nullptr ? key->key().output_size() : 0;
  }
};

}  // namespace

void register_ml_kem(MechanismRegistry& registry) {
  if (!crypto::available(crypto::KeyAlgorithm::ml_kem_512)) return;
  registry.emplace<CurveKeyPairGen>(CKM_ML_KEM_KEY_PAIR_GEN, CKK_ML_KEM,
                                    CK_MECHANISM_INFO{min_size, max_size, CKF_GENERATE_KEY_PAIR});
  registry.emplace<MlKem>();
}

}  // namespace cardea
