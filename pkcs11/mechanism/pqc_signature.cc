#include "mechanism/pqc_signature.h"

#include "mechanism/ec_key_pair.h"

namespace cardea {
namespace {

// CK_SIGN_ADDITIONAL_CONTEXT and CK_HASH_SIGN_ADDITIONAL_CONTEXT, copied, because the operation outlives them.
struct Scheme {
  Bytes context;
  bool deterministic = false;
  Hash hash = Hash::none;
};

Result<Scheme> read_scheme(CK_HEDGE_TYPE hedge, const void* context, CK_ULONG size) {
  CARDEA_ASSIGN(const ByteView bytes, parameter_bytes(context, size));
  constexpr std::size_t longest_context = 255;
  if (bytes.size() > longest_context || hedge > CKH_DETERMINISTIC_REQUIRED) return Code::mechanism_param_invalid;
  return Scheme{to_bytes(bytes), hedge == CKH_DETERMINISTIC_REQUIRED, Hash::none};
}

// FIPS 204, 5.4 and FIPS 205, 10.2 name these; SHAKE has no digest mechanism of its own in PKCS#11.
Hash prehash_of(CK_MECHANISM_TYPE type) noexcept {
  const Hash hash = hash_of_mechanism(type);
  return hash == Hash::sha1 ? Hash::none : hash;
}

class PqcSign final : public PrivateKeySign {
 public:
  PqcSign(std::shared_ptr<const PrivateKey> key, MessageForm form, Hash input_hash, Primitive primitive, Scheme scheme)
      : PrivateKeySign(key, form, input_hash, key->output_size({.primitive = primitive})),
        primitive_(primitive),
        scheme_(std::move(scheme)) {}

 protected:
  Result<std::size_t> sign(ByteView message, MutableBytes signature) const override {
    return key().perform({.primitive = primitive_,
                          .hash = scheme_.hash,
                          .context = scheme_.context,
                          .deterministic = scheme_.deterministic},
                         message, signature);
  }

 private:
  Primitive primitive_;
  Scheme scheme_;
};

class PqcVerify final : public PublicKeyVerify {
 public:
  PqcVerify(std::shared_ptr<const PublicKey> key, MessageForm form, Hash input_hash, Scheme scheme)
      : PublicKeyVerify(std::move(key), form, input_hash), scheme_(std::move(scheme)) {}

 protected:
  Status verify(ByteView message, ByteView signature) const override {
    return key().verify_message({.context = scheme_.context, .hash = scheme_.hash}, message, signature);
  }

 private:
  Scheme scheme_;
};

enum class Variant : std::uint8_t { pure, prehashed, hashing };

class PqcSignature final : public Mechanism {
 public:
  PqcSignature(CK_MECHANISM_TYPE type, const PqcSignatureFamily& family, Variant variant, Hash hash)
      : Mechanism(type, {family.min_size, family.max_size, CKF_SIGN | CKF_VERIFY}),
        family_(family),
        variant_(variant),
        hash_(hash) {}
  bool served_by(Primitives primitives) const noexcept override {
    return (primitives & static_cast<Primitives>(family_.primitive)) != 0;
  }
  Result<KeptParameter> keep(Parameter parameter) const override {
    using Plain = CK_SIGN_ADDITIONAL_CONTEXT;
    using Hashed = CK_HASH_SIGN_ADDITIONAL_CONTEXT;
    if (variant_ == Variant::prehashed)
      return keep_pointing<Hashed, &Hashed::pContext, &Hashed::ulContextLen>(parameter);
    return keep_pointing<Plain, &Plain::pContext, &Plain::ulContextLen>(parameter);
  }
  Result<SignPtr> sign(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, family_.key_type));
    CARDEA_ASSIGN(Scheme scheme, parse(parameter));
    return SignPtr(std::make_unique<PqcSign>(std::move(key), form(), hash_, family_.primitive, std::move(scheme)));
  }
  Result<VerifyPtr> verify(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, family_.key_type));
    CARDEA_ASSIGN(Scheme scheme, parse(parameter));
    return VerifyPtr(std::make_unique<PqcVerify>(std::move(key), form(), hash_, std::move(scheme)));
  }

 private:
  MessageForm form() const noexcept {
    return variant_ == Variant::prehashed ? MessageForm::single_part : MessageForm::collected;
  }

  Result<Scheme> parse(Parameter parameter) const {
    if (variant_ == Variant::prehashed) {
      CARDEA_ASSIGN(const auto* given, parameter.as<CK_HASH_SIGN_ADDITIONAL_CONTEXT>());
      CARDEA_ASSIGN(Scheme scheme, read_scheme(given->hedgeVariant, given->pContext, given->ulContextLen));
      scheme.hash = prehash_of(given->hash);
      if (scheme.hash == Hash::none) return Code::mechanism_param_invalid;
      return scheme;
    }
    Scheme scheme;
    if (!parameter.empty()) {
      CARDEA_ASSIGN(const auto* given, parameter.as<CK_SIGN_ADDITIONAL_CONTEXT>());
      CARDEA_ASSIGN(scheme, read_scheme(given->hedgeVariant, given->pContext, given->ulContextLen));
    }
    scheme.hash = hash_;
    return scheme;
  }

  const PqcSignatureFamily& family_;
  Variant variant_;
  Hash hash_;
};

}  // namespace

void register_pqc_signatures(MechanismRegistry& registry, const PqcSignatureFamily& family) {
  registry.emplace<CurveKeyPairGen>(family.generation, family.key_type,
                                    CK_MECHANISM_INFO{family.min_size, family.max_size, CKF_GENERATE_KEY_PAIR});
  registry.emplace<PqcSignature>(family.pure, family, Variant::pure, Hash::none);
  registry.emplace<PqcSignature>(family.prehashed, family, Variant::prehashed, Hash::none);
  for (const PrehashMechanism& one : family.hashing)
    registry.emplace<PqcSignature>(one.type, family, Variant::hashing, one.hash);
}

}  // namespace cardea
