// Edwards curves: key generation and EdDSA (PKCS#11 3.2, 6.3.8 and 6.3.14).
#include "crypto/key_algorithm.h"
#include "mechanism/ec.h"
#include "mechanism/ec_key_pair.h"

namespace cardea {
namespace {

constexpr CK_ULONG min_bits = 255;
constexpr CK_ULONG max_bits = 448;
constexpr CK_FLAGS edwards_flags = CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_COMPRESS;

// CK_EDDSA_PARAMS, copied, because its context must live as long as the operation.
struct EddsaParameters {
  bool prehash = false;
  Bytes context;
};

Result<EddsaParameters> parse(Parameter parameter, crypto::KeyAlgorithm curve) {
  if (parameter.empty()) return EddsaParameters{};
  CARDEA_ASSIGN(const auto* given, parameter.as<CK_EDDSA_PARAMS>());
  CARDEA_ASSIGN(const ByteView context, parameter_bytes(given->pContextData, given->ulContextDataLen));
  constexpr std::size_t longest_context = 255;
  if (context.size() > longest_context || given->phFlag > 1) return Code::mechanism_param_invalid;
  // Ed448 without a context is what it is without a parameter. Ed25519ctx wants a context that is not empty (RFC 8032,
  // 8.3).
  const bool plain = given->phFlag == 0 && context.empty();
  if (plain && curve == crypto::KeyAlgorithm::ed25519) return Code::mechanism_param_invalid;
  if (!plain && !crypto::has_eddsa_variants()) return Code::mechanism_param_invalid;
  return EddsaParameters{given->phFlag != 0, to_bytes(context)};
}

class EddsaSign final : public PrivateKeySign {
 public:
  EddsaSign(std::shared_ptr<const PrivateKey> key, EddsaParameters parameters)
      : PrivateKeySign(key, MessageForm::collected, Hash::none, key->output_size({.primitive = Primitive::eddsa_sign})),
        parameters_(std::move(parameters)) {}

 protected:
  Result<std::size_t> sign(ByteView message, MutableBytes signature) const override {
    return key().perform(
        {.primitive = Primitive::eddsa_sign, .context = parameters_.context, .prehash = parameters_.prehash}, message,
        signature);
  }

 private:
  EddsaParameters parameters_;
};

class EddsaVerify final : public PublicKeyVerify {
 public:
  EddsaVerify(std::shared_ptr<const PublicKey> key, EddsaParameters parameters)
      : PublicKeyVerify(std::move(key), MessageForm::collected, Hash::none), parameters_(std::move(parameters)) {}

 protected:
  Status verify(ByteView message, ByteView signature) const override {
    return key().verify_message(
        {.context = parameters_.context, .prehash = parameters_.prehash, .with_context = !parameters_.context.empty()},
        message, signature);
  }

 private:
  EddsaParameters parameters_;
};

class Eddsa final : public Mechanism {
 public:
  Eddsa() : Mechanism(CKM_EDDSA, {min_bits, max_bits, CKF_SIGN | CKF_VERIFY | edwards_flags}) {}
  bool served_by(Primitives primitives) const noexcept override {
    return (primitives & static_cast<Primitives>(Primitive::eddsa_sign)) != 0;
  }
  Result<KeptParameter> keep(Parameter parameter) const override {
    return keep_pointing<CK_EDDSA_PARAMS, &CK_EDDSA_PARAMS::pContextData, &CK_EDDSA_PARAMS::ulContextDataLen>(
        parameter);
  }
  Result<SignPtr> sign(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_EC_EDWARDS));
    CARDEA_ASSIGN(const crypto::KeyAlgorithm curve, algorithm_of(CKK_EC_EDWARDS, reference.object->attributes));
    CARDEA_ASSIGN(EddsaParameters parsed, parse(parameter, curve));
    return SignPtr(std::make_unique<EddsaSign>(std::move(key), std::move(parsed)));
  }
  Result<VerifyPtr> verify(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_EC_EDWARDS));
    CARDEA_ASSIGN(EddsaParameters parsed, parse(parameter, key->key().algorithm()));
    return VerifyPtr(std::make_unique<EddsaVerify>(std::move(key), std::move(parsed)));
  }
};

}  // namespace

void register_eddsa(MechanismRegistry& registry) {
  registry.emplace<CurveKeyPairGen>(CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS,
                                    CK_MECHANISM_INFO{min_bits, max_bits, CKF_GENERATE_KEY_PAIR | edwards_flags});
  registry.emplace<Eddsa>();
}

}  // namespace cardea
