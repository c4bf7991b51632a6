#include "keys/signing_keys.h"

#include <fmt/format.h>

#include <array>

#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "cryptoki/parameters.h"
#include "p11client/failure.h"
#include "p11client/template.h"

namespace cardea::keys {
namespace {

using manager::SignatureScheme;
using manager::SigningKey;
using manager::SigningKeyType;
using p11client::Mechanism;
using p11client::Session;
using p11client::Template;

struct Kind {
  SigningKeyType type;
  CK_KEY_TYPE key_type;
  crypto::KeyAlgorithm algorithm;
  CK_ULONG number;  ///< bits of an RSA modulus, or the parameter set of ML-DSA and SLH-DSA
};

constexpr std::array<Kind, manager::signing_key_type_count> kinds{{
    {SigningKeyType::rsa_2048, CKK_RSA, crypto::KeyAlgorithm::rsa, 2048},
    {SigningKeyType::rsa_3072, CKK_RSA, crypto::KeyAlgorithm::rsa, 3072},
    {SigningKeyType::rsa_4096, CKK_RSA, crypto::KeyAlgorithm::rsa, 4096},
    {SigningKeyType::p256, CKK_EC, crypto::KeyAlgorithm::p256, 0},
    {SigningKeyType::p384, CKK_EC, crypto::KeyAlgorithm::p384, 0},
    {SigningKeyType::p521, CKK_EC, crypto::KeyAlgorithm::p521, 0},
    {SigningKeyType::ml_dsa_44, CKK_ML_DSA, crypto::KeyAlgorithm::ml_dsa_44, CKP_ML_DSA_44},
    {SigningKeyType::ml_dsa_65, CKK_ML_DSA, crypto::KeyAlgorithm::ml_dsa_65, CKP_ML_DSA_65},
    {SigningKeyType::ml_dsa_87, CKK_ML_DSA, crypto::KeyAlgorithm::ml_dsa_87, CKP_ML_DSA_87},
    {SigningKeyType::slh_dsa_sha2_128s, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_sha2_128s, CKP_SLH_DSA_SHA2_128S},
    {SigningKeyType::slh_dsa_shake_128s, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_shake_128s, CKP_SLH_DSA_SHAKE_128S},
    {SigningKeyType::slh_dsa_sha2_128f, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_sha2_128f, CKP_SLH_DSA_SHA2_128F},
    {SigningKeyType::slh_dsa_shake_128f, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_shake_128f, CKP_SLH_DSA_SHAKE_128F},
    {SigningKeyType::slh_dsa_sha2_192s, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_sha2_192s, CKP_SLH_DSA_SHA2_192S},
    {SigningKeyType::slh_dsa_shake_192s, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_shake_192s, CKP_SLH_DSA_SHAKE_192S},
    {SigningKeyType::slh_dsa_sha2_192f, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_sha2_192f, CKP_SLH_DSA_SHA2_192F},
    {SigningKeyType::slh_dsa_shake_192f, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_shake_192f, CKP_SLH_DSA_SHAKE_192F},
    {SigningKeyType::slh_dsa_sha2_256s, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_sha2_256s, CKP_SLH_DSA_SHA2_256S},
    {SigningKeyType::slh_dsa_shake_256s, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_shake_256s, CKP_SLH_DSA_SHAKE_256S},
    {SigningKeyType::slh_dsa_sha2_256f, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_sha2_256f, CKP_SLH_DSA_SHA2_256F},
    {SigningKeyType::slh_dsa_shake_256f, CKK_SLH_DSA, crypto::KeyAlgorithm::slh_dsa_shake_256f, CKP_SLH_DSA_SHAKE_256F},
}};

const Kind& kind_of(SigningKeyType type) {
  return kinds[static_cast<std::size_t>(type)];
}

struct RsaScheme {
  CK_MECHANISM_TYPE pkcs1;
  CK_MECHANISM_TYPE pss;
  CK_MECHANISM_TYPE hash;
  CK_ULONG mgf;
  CK_ULONG size;
};
constexpr std::array<RsaScheme, 3> rsa_schemes{{
    {CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32},
    {CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 48},
    {CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, 64},
}};

Mechanism rsa_mechanism(SignatureScheme scheme) {
  const auto number = static_cast<std::size_t>(scheme);
  const RsaScheme& facts = rsa_schemes[number % rsa_schemes.size()];
  if (scheme < SignatureScheme::rsa_pss_sha256) return Mechanism(facts.pkcs1);
  const CK_RSA_PKCS_PSS_PARAMS parameters{facts.hash, facts.mgf, facts.size};
  return Mechanism(facts.pss, {reinterpret_cast<const Byte*>(&parameters), sizeof parameters});
}

Hash ecdsa_hash(SignatureScheme scheme) {
  if (scheme == SignatureScheme::ecdsa_sha256) return Hash::sha256;
  return scheme == SignatureScheme::ecdsa_sha384 ? Hash::sha384 : Hash::sha512;
}

// r and s side by side (PKCS#11 3.2, 6.3.1) as ECDSA-Sig-Value (RFC 3279, 2.2.3).
Result<Bytes> ecdsa_der(ByteView raw) {
  if (raw.empty() || raw.size() % 2 != 0) return error(Code::device_error, "the token's ECDSA signature is malformed");
  const Bytes r = crypto::der_integer<Bytes>(raw.first(raw.size() / 2));
  const Bytes s = crypto::der_integer<Bytes>(raw.subspan(raw.size() / 2));
  return crypto::der<Bytes>(crypto::der_sequence, {r, s});
}

Result<crypto::AsymmetricKeyPtr> public_key_of(const Session& session, CK_OBJECT_HANDLE key, CK_KEY_TYPE type) {
  const auto value = [&](CK_ATTRIBUTE_TYPE attribute) { return session.attribute(key, attribute).value_or(Bytes()); };
  if (type == CKK_RSA) {
    crypto::RsaNumbers numbers;
    numbers.modulus = value(CKA_MODULUS);
    numbers.public_exponent = value(CKA_PUBLIC_EXPONENT);
    return crypto::AsymmetricKey::rsa(numbers);
  }
  for (const Kind& kind : kinds) {
    if (kind.key_type != type) continue;
    if (type == CKK_EC && same_bytes(value(CKA_EC_PARAMS), view_of(crypto::facts_of(kind.algorithm).oid))) {
      const Bytes given = value(CKA_EC_POINT);
      const auto point = crypto::point_octets(kind.algorithm, given);
      if (!point) return error(Code::public_key_invalid, "the token's public key has no point");
      return crypto::AsymmetricKey::from_public(kind.algorithm, *point);
    }
    if ((type == CKK_ML_DSA || type == CKK_SLH_DSA) && session.number(key, CKA_PARAMETER_SET) == kind.number) {
      return crypto::AsymmetricKey::from_public(kind.algorithm, value(CKA_VALUE));
    }
  }
  return error(Code::key_type_inconsistent, "the key is of no kind that certificates are signed with here");
}

}  // namespace

CK_MECHANISM_TYPE generation_mechanism(SigningKeyType type) {
  switch (kind_of(type).key_type) {
    case CKK_RSA:
      return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case CKK_EC:
      return CKM_EC_KEY_PAIR_GEN;
    case CKK_SLH_DSA:
      return CKM_SLH_DSA_KEY_PAIR_GEN;
    default:
      return CKM_ML_DSA_KEY_PAIR_GEN;
  }
}

CK_MECHANISM_TYPE signing_mechanism(SigningKeyType type) {
  switch (kind_of(type).key_type) {
    case CKK_RSA:
      return CKM_SHA256_RSA_PKCS;
    case CKK_EC:
      return CKM_ECDSA;
    case CKK_SLH_DSA:
      return CKM_SLH_DSA;
    default:
      return CKM_ML_DSA;
  }
}

Status generate_pair(const Session& session, const std::string& name, SigningKeyType type) {
  const Kind& kind = kind_of(type);
  CARDEA_ASSIGN(const Bytes id, session.random(16));
  Template public_half;
  Template private_half;
  public_half.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, false).text(CKA_LABEL, name).bytes(CKA_ID, id);
  public_half.flag(CKA_VERIFY, true);
  private_half.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).text(CKA_LABEL, name).bytes(CKA_ID, id);
  private_half.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false).flag(CKA_SIGN, true);
  if (kind.key_type == CKK_RSA) {
    constexpr std::array<Byte, 3> f4{1, 0, 1};
    public_half.number(CKA_MODULUS_BITS, kind.number).bytes(CKA_PUBLIC_EXPONENT, f4);
  } else if (kind.key_type == CKK_EC) {
    public_half.bytes(CKA_EC_PARAMS, view_of(crypto::facts_of(kind.algorithm).oid));
  } else {
    public_half.number(CKA_PARAMETER_SET, kind.number);
  }
  CK_MECHANISM mechanism{generation_mechanism(type), nullptr, 0};
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
  const CK_RV rv =
      session.module()->C_GenerateKeyPair(session.handle(), &mechanism, public_half.data(), public_half.size(),
                                          private_half.data(), private_half.size(), &public_key, &private_key);
  if (rv != CKR_OK) return p11client::p11_failure(rv, fmt::format("The key '{}' could not be made", name));
  return {};
}

Result<SigningKey> describe_pair(const Session& session, const std::string& name, CK_OBJECT_HANDLE public_key) {
  const auto type = session.number(public_key, CKA_KEY_TYPE);
  if (!type) return error(Code::device_error, fmt::format("the key token does not describe the key '{}'", name));
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, public_key_of(session, public_key, *type));
  SigningKey described{name, SigningKeyType::p256, {}};
  bool known = false;
  for (const Kind& kind : kinds) {
    if (kind.algorithm != key->algorithm() || (*type == CKK_RSA && kind.number != key->size())) continue;
    described.type = kind.type;
    known = true;
  }
  if (!known) {
    return error(Code::key_type_inconsistent, fmt::format("the key '{}' is of no kind that is used here", name));
  }
  CARDEA_ASSIGN(described.public_key, crypto::subject_public_key_info(*key));
  return described;
}

Result<Bytes> sign(const Session& session, CK_OBJECT_HANDLE private_key, SignatureScheme scheme, ByteView message) {
  if (scheme <= SignatureScheme::rsa_pss_sha512) {
    return session.sign(rsa_mechanism(scheme), private_key, p11client::input_of(message), false);
  }
  if (scheme >= SignatureScheme::ml_dsa_44) {
    const CK_MECHANISM_TYPE mechanism = scheme <= SignatureScheme::ml_dsa_87 ? CKM_ML_DSA : CKM_SLH_DSA;
    return session.sign(Mechanism(mechanism), private_key, p11client::input_of(message), false);
  }
  // Hashed here: not every token has the mechanisms that hash, and none needs the message.
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(ecdsa_hash(scheme), message));
  CARDEA_ASSIGN(const Bytes raw, session.sign(Mechanism(CKM_ECDSA), private_key, p11client::input_of(digest), false));
  return ecdsa_der(raw);
}

}  // namespace cardea::keys
