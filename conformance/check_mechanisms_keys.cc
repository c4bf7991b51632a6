// Mechanisms that make keys: generation at both ends of the range, wrapping, derivation, encapsulation.
#include <algorithm>

#include "conformance/check_mechanisms.h"

namespace cardea::conformance {
namespace {

using p11::Bytes;

p11::Template readable_secret(CK_KEY_TYPE type, std::size_t length) {
  p11::Template out;
  out.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, type).boolean(CKA_TOKEN, false);
  out.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
  if (length != 0) out.ulong(CKA_VALUE_LEN, length);
  return out;
}

void generate_of_size(const Trial& t, std::size_t size) {
  p11::Template attributes;
  attributes.boolean(CKA_TOKEN, false).boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
  if (size != 0) attributes.ulong(CKA_VALUE_LEN, size);
  if (t.recipe.type == CKM_PKCS5_PBKD2) attributes.ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  const Parameters there(t.recipe, t.ring, 0);
  CK_OBJECT_HANDLE a = 0, b = 0;
  const std::string call = "C_GenerateKey of " + std::to_string(size) + " bytes";
  t.context.require_ok(call, t.session().generate(there.mechanism(), attributes, a));
  t.context.require_ok(call, t.session().generate(there.mechanism(), attributes, b));
  const Bytes first = t.session().get(a, CKA_VALUE).bytes;
  const Bytes second = t.session().get(b, CKA_VALUE).bytes;
  t.context.expect(size == 0 || first.size() == size, "the key has another length than asked for");
  const bool fixed = t.recipe.type == CKM_PKCS5_PBKD2;
  if (fixed) t.context.expect(first == second, "the same password gives two keys");
  // Shorter ones may be equal by chance: with one byte, once in 256 times.
  constexpr std::size_t enough = 16;
  if (!fixed && first.size() >= enough) t.context.expect(first != second, "two keys are equal");
  t.context.expect(t.session().flag(a, CKA_LOCAL), "CKA_LOCAL is not set");
  t.context.expect(t.session().number(a, CKA_KEY_GEN_MECHANISM) == t.recipe.type || fixed,
                   "CKA_KEY_GEN_MECHANISM is wrong");
  t.session().destroy(a);
  t.session().destroy(b);
}

Bytes shared_secret_of(const Trial& t, const p11::Mechanism& mechanism, CK_OBJECT_HANDLE base) {
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  p11::Template attributes = readable_secret(CKK_GENERIC_SECRET, t.recipe.input);
  if (t.recipe.type == CKM_HKDF_DATA) {
    attributes = {};
    attributes.ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, false).boolean(CKA_PRIVATE, false);
    attributes.ulong(CKA_VALUE_LEN, t.recipe.input);
  }
  t.context.require_ok("C_DeriveKey", t.session().derive(mechanism, base, attributes, key));
  const Bytes value = t.session().get(key, CKA_VALUE).bytes;
  t.context.expect(value.size() == t.recipe.input, "the derived value has " + std::to_string(value.size()) + " bytes");
  t.session().destroy(key);
  return value;
}

/// Key pairs that agree with each other: what one derives from the other's point the other derives too.
void agree(const Trial& t) {
  const KeyPair mine = t.ring.key(t.recipe.key, CKF_DERIVE);
  const KeyPair peer = t.ring.key(t.recipe.key, CKF_DERIVE, 1);
  const auto towards = [&](const KeyPair& other, const KeyPair& own) {
    Bytes point = t.session().get(other.encryptor, CKA_EC_POINT).bytes;
    const CK_ECDH1_DERIVE_PARAMS parameter{CKD_NULL, 0, nullptr, point.size(), point.data()};
    return shared_secret_of(t, p11::Mechanism(t.recipe.type, parameter), own.decryptor);
  };
  t.context.expect(towards(peer, mine) == towards(mine, peer), "the two sides derive different secrets");
}

}  // namespace

void try_generate(const Trial& t) {
  const bool fixed = t.recipe.key == KeyKind::chacha20;
  if (fixed) return generate_of_size(t, 0);
  constexpr CK_ULONG largest = 4096;
  const CK_ULONG least = t.info.ulMinKeySize == 0 ? 16 : t.info.ulMinKeySize;
  generate_of_size(t, least);
  if (t.info.ulMaxKeySize > least && t.info.ulMaxKeySize <= largest) generate_of_size(t, t.info.ulMaxKeySize);
  if (t.recipe.type == CKM_PKCS5_PBKD2 || t.info.ulMinKeySize < 2) return;
  p11::Template attributes;
  attributes.boolean(CKA_TOKEN, false).ulong(CKA_VALUE_LEN, t.info.ulMinKeySize - 1);
  CK_OBJECT_HANDLE key = 0;
  t.context.expect_rv("C_GenerateKey below the least size",
                      t.session().generate(p11::Mechanism(t.recipe.type), attributes, key),
                      {CKR_KEY_SIZE_RANGE, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT});
}

void try_generate_pair(const Trial& t) {
  const auto generate = [&](const p11::Template& public_half) {
    p11::Template whole = public_half;
    whole.boolean(CKA_TOKEN, false);
    p11::Template private_half;
    private_half.boolean(CKA_TOKEN, false);
    CK_OBJECT_HANDLE a = 0, b = 0;
    const CK_RV rv = t.session().generate_pair(p11::Mechanism(t.recipe.type), whole, private_half, a, b);
    if (rv == CKR_OK) {
      t.context.expect(t.session().flag(a, CKA_LOCAL) && t.session().flag(b, CKA_LOCAL), "CKA_LOCAL is not set");
      t.session().destroy(a);
      t.session().destroy(b);
    }
    return rv;
  };
  if (t.recipe.key != KeyKind::rsa)
    return t.context.require_ok("C_GenerateKeyPair", generate(pair_template(t.recipe.key)));
  constexpr CK_ULONG practical = 4096;
  const auto rsa = [](CK_ULONG bits) { return pair_template(KeyKind::rsa).ulong(CKA_MODULUS_BITS, bits); };
  t.context.require_ok("the least modulus", generate(rsa(t.info.ulMinKeySize)));
  if (t.info.ulMaxKeySize <= practical) t.context.require_ok("the largest modulus", generate(rsa(t.info.ulMaxKeySize)));
  t.context.expect_rv("a modulus below the least", generate(rsa(t.info.ulMinKeySize - 8)),
                      {CKR_KEY_SIZE_RANGE, CKR_ATTRIBUTE_VALUE_INVALID});
  t.context.expect_rv("a modulus above the largest", generate(rsa(t.info.ulMaxKeySize + 8)),
                      {CKR_KEY_SIZE_RANGE, CKR_ATTRIBUTE_VALUE_INVALID});
}

void try_wrap(const Trial& t) {
  const KeyPair key = t.ring.key(t.recipe.key, CKF_WRAP | CKF_UNWRAP);
  const KeyPair target = t.ring.key(KeyKind::aes, CKF_ENCRYPT | CKF_DECRYPT, 16);
  const Bytes value = t.session().get(target.decryptor, CKA_VALUE).bytes;
  const Parameters there(t.recipe, t.ring, value.size());
  const p11::Output wrapped = t.session().wrap(there.mechanism(), key.encryptor, target.decryptor);
  t.context.require_ok("C_WrapKey", wrapped.rv);
  p11::Template attributes = readable_secret(CKK_AES, 0);
  // Raw RSA leaves leading zeros: the length must be said (PKCS#11 3.2, 6.1.5).
  if (t.recipe.type == CKM_RSA_X_509) attributes.ulong(CKA_VALUE_LEN, value.size());
  CK_OBJECT_HANDLE back = CK_INVALID_HANDLE;
  CK_RV rv = t.session().unwrap(there.mechanism(), key.decryptor, wrapped.bytes, attributes, back);
  // A module may insist that what it unwraps stays inside; then the key shows itself by what it encrypts.
  if (rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_ATTRIBUTE_VALUE_INVALID) {
    attributes.without(CKA_SENSITIVE).without(CKA_EXTRACTABLE).boolean(CKA_ENCRYPT, true);
    rv = t.session().unwrap(there.mechanism(), key.decryptor, wrapped.bytes, attributes, back);
    t.context.require_ok("C_UnwrapKey", rv);
    const auto encrypt = [&](CK_OBJECT_HANDLE k) {
      return t.session().encrypt(p11::Mechanism(CKM_AES_ECB), k, sample_data(16)).bytes;
    };
    t.context.expect(encrypt(back) == encrypt(target.encryptor), "the unwrapped key is another one");
  } else {
    t.context.require_ok("C_UnwrapKey", rv);
    t.context.expect(t.session().get(back, CKA_VALUE).bytes == value, "the unwrapped key is another one");
  }
  t.context.expect(!t.session().flag(back, CKA_ALWAYS_SENSITIVE) && !t.session().flag(back, CKA_NEVER_EXTRACTABLE),
                   "an unwrapped key claims that it was always protected");
  t.session().destroy(back);
}

void try_derive(const Trial& t) {
  if (t.recipe.parameter == ParameterKind::ecdh) return agree(t);
  const KeyPair base = t.ring.key(t.recipe.key, CKF_DERIVE);
  const Parameters there(t.recipe, t.ring, 0);
  if (t.recipe.parameter == ParameterKind::tls_key_block) {
    p11::Mechanism mechanism = there.mechanism();
    p11::Template attributes = readable_secret(CKK_AES, 0);
    CK_OBJECT_HANDLE unused = CK_INVALID_HANDLE;
    t.context.require_ok("C_DeriveKey", t.session().derive(mechanism, base.decryptor, attributes, unused));
    const CK_MECHANISM* raw = mechanism;
    const auto* keys = static_cast<const CK_TLS12_KEY_MAT_PARAMS*>(raw->pParameter)->pReturnedKeyMaterial;
    t.context.expect(keys->hClientKey != 0 && keys->hServerKey != 0 && keys->hClientKey != keys->hServerKey,
                     "the key block lacks keys");
    return;
  }
  const Bytes first = shared_secret_of(t, there.mechanism(), base.decryptor);
  const Bytes second = shared_secret_of(t, there.mechanism(), base.decryptor);
  // A pre-master secret's version bytes are no random part of the answer, so equality is all that can be asked.
  t.context.expect(first == second, "the same derivation gives two values");
}

void try_encapsulate(const Trial& t) {
  const KeyPair key = t.ring.key(t.recipe.key, CKF_ENCAPSULATE | CKF_DECAPSULATE);
  const Parameters there(t.recipe, t.ring, 0);
  p11::Mechanism mechanism = there.mechanism();
  p11::Template attributes = readable_secret(CKK_GENERIC_SECRET, 0);
  const CK_SESSION_HANDLE s = t.session();
  CK_OBJECT_HANDLE sent = 0, received = 0;
  CK_ULONG size = 0;
  t.context.require_ok("C_EncapsulateKey for the length",
                       t.module()->C_EncapsulateKey(s, mechanism, key.encryptor, attributes.data(), attributes.size(),
                                                    nullptr, &size, &sent));
  Bytes ciphertext(size);
  t.context.require_ok("C_EncapsulateKey",
                       t.module()->C_EncapsulateKey(s, mechanism, key.encryptor, attributes.data(), attributes.size(),
                                                    ciphertext.data(), &size, &sent));
  t.context.require_ok("C_DecapsulateKey",
                       t.module()->C_DecapsulateKey(s, mechanism, key.decryptor, attributes.data(), attributes.size(),
                                                    ciphertext.data(), size, &received));
  const Bytes value = t.session().get(sent, CKA_VALUE).bytes;
  t.context.expect(!value.empty() && value == t.session().get(received, CKA_VALUE).bytes, "the two secrets differ");
}

}  // namespace cardea::conformance
