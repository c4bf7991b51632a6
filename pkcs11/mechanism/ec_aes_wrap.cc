// CKM_ECDH_AES_KEY_WRAP and its successors in PKCS#11 3.2, CKM_ECDH_COF_AES_KEY_WRAP and CKM_ECDH_X_AES_KEY_WRAP
// (6.3.20 to 6.3.22): a temporary key pair on the wrapping key's curve, an AES key agreed with it, then the target
// under that key. The public half stands in front.
#include "crypto/asymmetric_key.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "mechanism/ec.h"
#include "mechanism/signature_operation.h"
#include "mechanism/temporary_aes_key.h"
#include "token/key_attributes.h"

namespace cardea {
namespace {

constexpr CK_ULONG montgomery_min_bits = 255;
constexpr CK_ULONG montgomery_max_bits = 448;

struct Parameters {
  std::size_t key_size;  ///< bytes of the temporary AES key
  CK_EC_KDF_TYPE kdf;
  ByteView shared_data;
};

Result<Parameters> parse(Parameter parameter) {
  CARDEA_ASSIGN(const auto* given, parameter.as<CK_ECDH_AES_KEY_WRAP_PARAMS>());
  CARDEA_ASSIGN(const std::size_t key_size, temporary_key_size(given->ulAESKeyBits));
  CARDEA_ASSIGN(const ByteView shared, parameter_bytes(given->pSharedData, given->ulSharedDataLen));
  if (given->kdf == CKD_NULL && !shared.empty()) return Code::mechanism_param_invalid;
  return Parameters{key_size, given->kdf, shared};
}

/// The first bits of the derived key; without a KDF that is the shared secret itself.
Result<SecretBytes> aes_key_from(const Parameters& parameters, ByteView shared_secret) {
  if (parameters.kdf == CKD_NULL) return SecretBytes(shared_secret.first(parameters.key_size));
  return ec_kdf(parameters.kdf, shared_secret, parameters.shared_data, parameters.key_size);
}

class EcdhAesWrap final : public Mechanism {
 public:
  /// `other_type` is CK_UNAVAILABLE_INFORMATION where only one key type is allowed.
  EcdhAesWrap(CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO info, Primitive primitive, CK_KEY_TYPE type,
              CK_KEY_TYPE other_type = CK_UNAVAILABLE_INFORMATION)
      : Mechanism(mechanism, info), primitive_(primitive), type_(type), other_type_(other_type) {}
  bool served_by(Primitives primitives) const noexcept override {
    return (primitives & static_cast<Primitives>(primitive_)) != 0;
  }
  // The agreed key is as fresh as our key pair, and RFC 5649 authenticates what is under it.
  bool wraps_sensitive_keys(Parameter, bool) const noexcept override { return true; }

  Result<Bytes> wrap(const KeyRef& reference, Parameter parameter, ByteView material,
                     std::optional<ByteView> associated_data) const override {
    if (associated_data) return Code::mechanism_invalid;
    CARDEA_ASSIGN(const Parameters parsed, parse(parameter));
    CARDEA_ASSIGN(const auto key, public_key_for(*this, reference, type_of(reference)));
    const crypto::KeyAlgorithm curve = key->key().algorithm();
    CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr transport, crypto::AsymmetricKey::generate(curve));
    CARDEA_ASSIGN(Bytes wrapped, transport->public_value());
    CARDEA_ASSIGN(const Bytes peer, key->key().public_value());
    SecretBytes shared(crypto::facts_of(curve).private_size);
    CARDEA_ASSIGN(const std::size_t size, transport->derive(peer, shared.mutable_view()));
    shared.truncate(size);
    CARDEA_ASSIGN(SecretBytes temporary, aes_key_from(parsed, shared.view()));
    if (key->key().facts().family == crypto::KeyFamily::ec)
      wrapped = crypto::der<Bytes>(crypto::der_octet_string, {wrapped});
    CARDEA_ASSIGN(const Bytes target, wrap_under(std::move(temporary), material));
    wrapped.insert(wrapped.end(), target.begin(), target.end());
    return wrapped;
  }

  Result<SecretBytes> unwrap(const KeyRef& reference, Parameter parameter, ByteView wrapped,
                             std::optional<ByteView> associated_data) const override {
    if (associated_data) return Code::mechanism_invalid;
    CARDEA_ASSIGN(const Parameters parsed, parse(parameter));
    const CK_KEY_TYPE type = type_of(reference);
    CARDEA_ASSIGN(const auto key, private_key_for(*this, reference, type));
    CARDEA_ASSIGN(const crypto::KeyAlgorithm curve, algorithm_of(type, reference.object->attributes));
    CARDEA_ASSIGN(const ByteView point, take_point(curve, wrapped));
    const PrimitiveRequest agreement{.primitive = primitive_};
    SecretBytes shared(key->output_size(agreement));
    auto size = key->perform(agreement, point, shared.mutable_view());
    if (!size && size.code() == Code::public_key_invalid) return Code::encrypted_data_invalid;
    CARDEA_ASSIGN(const std::size_t written, std::move(size));
    shared.truncate(written);
    CARDEA_ASSIGN(SecretBytes temporary, aes_key_from(parsed, shared.view()));
    return unwrap_under(std::move(temporary), wrapped);
  }

 private:
  CK_KEY_TYPE type_of(const KeyRef& reference) const noexcept {
    return reference.object->key_type() == other_type_ ? other_type_ : type_;
  }

  /// Takes the transport key's public half off the front: a point inside a DER OCTET STRING, or Montgomery's raw bytes.
  static Result<ByteView> take_point(crypto::KeyAlgorithm curve, ByteView& wrapped) {
    if (crypto::facts_of(curve).family == crypto::KeyFamily::ec) {
      crypto::DerReader reader(wrapped);
      const auto whole = reader.take_whole(crypto::der_octet_string);
      const auto point = whole ? crypto::point_octets(curve, *whole) : std::nullopt;
      if (!point) return Code::encrypted_data_invalid;
      wrapped = wrapped.subspan(whole->size());
      return *point;
    }
    const std::size_t size = crypto::facts_of(curve).public_size;
    if (wrapped.size() <= size) return Code::encrypted_data_length;
    const ByteView point = wrapped.first(size);
    wrapped = wrapped.subspan(size);
    return point;
  }

  Primitive primitive_;
  CK_KEY_TYPE type_;
  CK_KEY_TYPE other_type_;
};

}  // namespace

void register_ec_aes_wrap(MechanismRegistry& registry) {
  constexpr CK_FLAGS flags = CKF_WRAP | CKF_UNWRAP | ec_flags;
  registry.emplace<EcdhAesWrap>(CKM_ECDH_AES_KEY_WRAP, CK_MECHANISM_INFO{montgomery_min_bits, ec_max_bits, flags},
                                Primitive::ecdh, CKK_EC, CKK_EC_MONTGOMERY);
  registry.emplace<EcdhAesWrap>(CKM_ECDH_COF_AES_KEY_WRAP, CK_MECHANISM_INFO{ec_min_bits, ec_max_bits, flags},
                                Primitive::ecdh_cofactor, CKK_EC);
  registry.emplace<EcdhAesWrap>(CKM_ECDH_X_AES_KEY_WRAP,
                                CK_MECHANISM_INFO{montgomery_min_bits, montgomery_max_bits, flags}, Primitive::ecdh,
                                CKK_EC_MONTGOMERY);
}

}  // namespace cardea
