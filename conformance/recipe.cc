#include "conformance/recipe.h"

#include "cryptoki/nss.h"

namespace cardea::conformance {
namespace {

constexpr Recipe recipes[] = {
#define CARDEA_RECIPE(type, key, parameter, input, multi_part) \
  {type, KeyKind::key, ParameterKind::parameter, input, multi_part},
#include "conformance/recipes.def"
#undef CARDEA_RECIPE
};

struct Usage {
  CK_FLAGS flag;
  CK_ATTRIBUTE_TYPE attribute;
};
constexpr Usage usages[] = {{CKF_ENCRYPT, CKA_ENCRYPT},
                            {CKF_DECRYPT, CKA_DECRYPT},
                            {CKF_SIGN, CKA_SIGN},
                            {CKF_VERIFY, CKA_VERIFY},
                            {CKF_SIGN_RECOVER, CKA_SIGN_RECOVER},
                            {CKF_VERIFY_RECOVER, CKA_VERIFY_RECOVER},
                            {CKF_WRAP, CKA_WRAP},
                            {CKF_UNWRAP, CKA_UNWRAP},
                            {CKF_DERIVE, CKA_DERIVE},
                            {CKF_ENCAPSULATE, CKA_ENCAPSULATE},
                            {CKF_DECAPSULATE, CKA_DECAPSULATE}};
constexpr CK_FLAGS public_usages = CKF_ENCRYPT | CKF_VERIFY | CKF_VERIFY_RECOVER | CKF_WRAP | CKF_ENCAPSULATE;
constexpr CK_FLAGS private_usages =
    CKF_DECRYPT | CKF_SIGN | CKF_SIGN_RECOVER | CKF_UNWRAP | CKF_DERIVE | CKF_DECAPSULATE;

std::size_t usual_size(KeyKind kind) {
  switch (kind) {
    case KeyKind::aes:
      return 16;
    case KeyKind::aes_xts:
      return 32;
    case KeyKind::generic48:
      return 48;
    default:
      return 32;
  }
}

}  // namespace

const Recipe* find_recipe(CK_MECHANISM_TYPE type) {
  for (const Recipe& recipe : recipes) {
    if (recipe.type == type) return &recipe;
  }
  return nullptr;
}

bool is_pair(KeyKind kind) {
  return kind >= KeyKind::rsa;
}

CK_KEY_TYPE secret_key_type(KeyKind kind) {
  switch (kind) {
    case KeyKind::aes:
      return CKK_AES;
    case KeyKind::aes_xts:
      return CKK_AES_XTS;
    case KeyKind::chacha20:
      return CKK_CHACHA20;
    default:
      return CKK_GENERIC_SECRET;
  }
}

CK_MECHANISM_TYPE pair_mechanism(KeyKind kind) {
  switch (kind) {
    case KeyKind::rsa:
      return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case KeyKind::ec:
      return CKM_EC_KEY_PAIR_GEN;
    case KeyKind::edwards:
      return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    case KeyKind::montgomery:
      return CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
    case KeyKind::ml_dsa:
      return CKM_ML_DSA_KEY_PAIR_GEN;
    case KeyKind::slh_dsa:
      return CKM_SLH_DSA_KEY_PAIR_GEN;
    default:
      return CKM_ML_KEM_KEY_PAIR_GEN;
  }
}

p11::Template pair_template(KeyKind kind) {
  p11::Template out;
  switch (kind) {
    case KeyKind::rsa:
      return out.ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1});
    case KeyKind::ec:
      return out.bytes(CKA_EC_PARAMS, p11::from_hex("06082a8648ce3d030107"));  // P-256
    case KeyKind::edwards:
      return out.bytes(CKA_EC_PARAMS, p11::from_hex("06032b6570"));  // Ed25519
    case KeyKind::montgomery:
      return out.bytes(CKA_EC_PARAMS, p11::from_hex("06032b656e"));  // X25519
    case KeyKind::ml_dsa:
      return out.ulong(CKA_PARAMETER_SET, CKP_ML_DSA_44);
    case KeyKind::slh_dsa:
      return out.ulong(CKA_PARAMETER_SET, CKP_SLH_DSA_SHA2_128F);
    default:
      return out.ulong(CKA_PARAMETER_SET, CKP_ML_KEM_768);
  }
}

void add_usage(p11::Template& attributes, CK_FLAGS usage) {
  for (const Usage& row : usages) {
    if ((usage & row.flag) != 0) attributes.boolean(row.attribute, true);
  }
}

p11::Bytes sample_data(std::size_t size) {
  p11::Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7);
  return out;
}

KeyPair KeyRing::key(KeyKind kind, CK_FLAGS usage, std::size_t size) {
  const auto place = std::make_tuple(kind, usage, size);
  if (const auto known = made_.find(place); known != made_.end()) return known->second;
  const KeyPair made = is_pair(kind) ? make_pair(kind, usage) : make_secret(kind, usage, size);
  made_[place] = made;
  return made;
}

KeyPair KeyRing::make_pair(KeyKind kind, CK_FLAGS usage) {
  p11::Template public_half = pair_template(kind);
  public_half.boolean(CKA_TOKEN, false);
  p11::Template private_half;
  private_half.boolean(CKA_TOKEN, false).boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
  add_usage(public_half, usage & public_usages);
  add_usage(private_half, usage & private_usages);
  KeyPair made;
  context_.require_ok("C_GenerateKeyPair", session_.generate_pair(p11::Mechanism(pair_mechanism(kind)), public_half,
                                                                  private_half, made.encryptor, made.decryptor));
  return made;
}

KeyPair KeyRing::make_secret(KeyKind kind, CK_FLAGS usage, std::size_t size) {
  p11::Bytes value = sample_data(size == 0 ? usual_size(kind) : size);
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<std::uint8_t>(value[i] ^ 0xa5 ^ (i >> 3));
  if (kind == KeyKind::generic48) value[0] = value[1] = 3;  // a TLS pre-master secret begins with the version
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, secret_key_type(kind)).boolean(CKA_TOKEN, false);
  attributes.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true).bytes(CKA_VALUE, value);
  add_usage(attributes, usage);
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  context_.require_ok("C_CreateObject", session_.create(attributes, made));
  return {made, made};
}

}  // namespace cardea::conformance
