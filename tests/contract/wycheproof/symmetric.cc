#include "contract/wycheproof/rig.h"

namespace cardea::wycheproof {
namespace {

bool starts_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

/// "SHA-256" of a file name such as hmac_sha256_test.json or hkdf_sha512_test.json.
const Hash* hash_of_file(std::string_view file) {
  for (const auto& [part, name] : {std::pair{"sha512_224", "SHA-512/224"},
                                   {"sha512_256", "SHA-512/256"},
                                   {"sha3_224", "SHA3-224"},
                                   {"sha3_256", "SHA3-256"},
                                   {"sha3_384", "SHA3-384"},
                                   {"sha3_512", "SHA3-512"},
                                   {"sha224", "SHA-224"},
                                   {"sha256", "SHA-256"},
                                   {"sha384", "SHA-384"},
                                   {"sha512", "SHA-512"},
                                   {"sha1", "SHA-1"}}) {
    if (file.find(part) != std::string_view::npos) return find_hash(name);
  }
  return nullptr;
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Aead {
  CK_MECHANISM_TYPE mechanism;
  CK_KEY_TYPE key;
};
Aead aead_of_file(std::string_view file) {
  if (starts_with(file, "aes_ccm")) return {CKM_AES_CCM, CKK_AES};
  if (starts_with(file, "chacha20")) return {CKM_CHACHA20_POLY1305, CKK_CHACHA20};
  return {CKM_AES_GCM, CKK_AES};
}

p11::Template readable(std::size_t size) {
  p11::Template out;
  out.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, false);
  return out.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true).ulong(CKA_VALUE_LEN, size);
}

}  // namespace

Outcome run_aead(Rig& rig, const Vector& v) {
  const Aead aead = aead_of_file(v.file);
  if (!rig.lists(aead.mechanism)) return unsupported("not in the mechanism list");
  Bytes iv = v.hex("iv"), aad = v.hex("aad");
  const Bytes message = v.hex("msg");
  const CK_ULONG tag_bits = static_cast<CK_ULONG>(v.number("tagSize"));
  // OpenSSL keeps 128 bytes for an IV of AES-GCM (GCM_IV_MAX_SIZE).
  if (aead.mechanism == CKM_AES_GCM && iv.size() > 128) return unsupported("an IV beyond the crypto library's bound");
  p11::Mechanism mechanism(aead.mechanism);
  if (aead.mechanism == CKM_AES_GCM) {
    mechanism = {aead.mechanism, CK_GCM_PARAMS{iv.data(), iv.size(), iv.size() * 8, aad.data(), aad.size(), tag_bits}};
  } else if (aead.mechanism == CKM_AES_CCM) {
    mechanism = {aead.mechanism,
                 CK_CCM_PARAMS{message.size(), iv.data(), iv.size(), aad.data(), aad.size(), tag_bits / 8}};
  } else {
    mechanism = {aead.mechanism, CK_SALSA20_CHACHA20_POLY1305_PARAMS{iv.data(), iv.size() * 8, aad.data(), aad.size()}};
  }
  Owned key(rig.session);
  if (rig.secret(aead.key, v.hex("key"), {CKA_ENCRYPT, CKA_DECRYPT}, key.handle) != CKR_OK) return {Verdict::rejected};
  const Bytes whole = joined(v.hex("ct"), v.hex("tag"));
  const auto plain = rig.session.decrypt(mechanism, key.handle, whole);
  if (!plain.ok() || plain.bytes != message) return {Verdict::rejected};
  return accepted_if(rig.session.encrypt(mechanism, key.handle, message).bytes == whole);
}

Outcome run_mac(Rig& rig, const Vector& v) {
  const bool cmac = starts_with(v.file, "aes_cmac");
  const Hash* hash = hash_of_file(v.file);
  if (!cmac && hash == nullptr) return unsupported("no such hash");
  const auto size = static_cast<CK_ULONG>(v.number("tagSize") / 8);
  const CK_MECHANISM_TYPE type = cmac ? CKM_AES_CMAC_GENERAL : hash->hmac_general;
  if (!rig.lists(type)) return unsupported("not in the mechanism list");
  Owned key(rig.session);
  const CK_RV made = rig.secret(cmac ? CKK_AES : CKK_GENERIC_SECRET, v.hex("key"), {CKA_SIGN, CKA_VERIFY}, key.handle);
  if (made != CKR_OK) return {Verdict::rejected};
  const p11::Mechanism mechanism(type, CK_MAC_GENERAL_PARAMS{size});
  if (rig.session.verify(mechanism, key.handle, v.hex("msg"), v.hex("tag")) != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.sign(mechanism, key.handle, v.hex("msg")).bytes == v.hex("tag"));
}

Outcome run_gmac(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_AES_GMAC)) return unsupported("not in the mechanism list");
  Bytes iv = v.hex("iv");
  const auto bits = static_cast<CK_ULONG>(v.number("tagSize"));
  const p11::Mechanism mechanism(CKM_AES_GMAC, CK_GCM_PARAMS{iv.data(), iv.size(), iv.size() * 8, nullptr, 0, bits});
  Owned key(rig.session);
  if (rig.secret(CKK_AES, v.hex("key"), {CKA_SIGN, CKA_VERIFY}, key.handle) != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.verify(mechanism, key.handle, v.hex("msg"), v.hex("tag")) == CKR_OK);
}

// A wrapped key is opened as a key, because that is what the mechanism is for.
Outcome run_key_wrap(Rig& rig, const Vector& v) {
  const CK_MECHANISM_TYPE type = starts_with(v.file, "aes_kwp") ? CKM_AES_KEY_WRAP_KWP : CKM_AES_KEY_WRAP;
  if ((rig.flags(type) & CKF_UNWRAP) == 0) return unsupported("not in the mechanism list");
  Owned key(rig.session), opened(rig.session);
  if (rig.secret(CKK_AES, v.hex("key"), {CKA_UNWRAP}, key.handle) != CKR_OK) return {Verdict::rejected};
  const p11::Template attributes = readable(0).without(CKA_VALUE_LEN);
  if (rig.session.unwrap(p11::Mechanism(type), key.handle, v.hex("ct"), attributes, opened.handle) != CKR_OK) {
    return {Verdict::rejected};
  }
  return accepted_if(rig.session.get(opened.handle, CKA_VALUE).bytes == v.hex("msg"));
}

Outcome run_cbc_pad(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_AES_CBC_PAD)) return unsupported("not in the mechanism list");
  const p11::Mechanism mechanism(CKM_AES_CBC_PAD, v.hex("iv"));
  Owned key(rig.session);
  if (rig.secret(CKK_AES, v.hex("key"), {CKA_ENCRYPT, CKA_DECRYPT}, key.handle) != CKR_OK) return {Verdict::rejected};
  const auto plain = rig.session.decrypt(mechanism, key.handle, v.hex("ct"));
  if (!plain.ok() || plain.bytes != v.hex("msg")) return {Verdict::rejected};
  return accepted_if(rig.session.encrypt(mechanism, key.handle, v.hex("msg")).bytes == v.hex("ct"));
}

Outcome run_hkdf(Rig& rig, const Vector& v) {
  const Hash* hash = hash_of_file(v.file);
  if (hash == nullptr || !rig.lists(CKM_HKDF_DERIVE)) return unsupported("not in the mechanism list");
  Bytes salt = v.hex("salt"), info = v.hex("info");
  const CK_HKDF_PARAMS parameter{
      CK_TRUE,     CK_TRUE,     hash->digest,      salt.empty() ? CKF_HKDF_SALT_NULL : CKF_HKDF_SALT_DATA,
      salt.data(), salt.size(), CK_INVALID_HANDLE, info.data(),
      info.size()};
  Owned key(rig.session), derived(rig.session);
  if (rig.secret(CKK_GENERIC_SECRET, v.hex("ikm"), {CKA_DERIVE}, key.handle) != CKR_OK) return {Verdict::rejected};
  const auto size = static_cast<std::size_t>(v.number("size"));
  const p11::Mechanism mechanism(CKM_HKDF_DERIVE, parameter);
  if (rig.session.derive(mechanism, key.handle, readable(size), derived.handle) != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.get(derived.handle, CKA_VALUE).bytes == v.hex("okm"));
}

Outcome run_pbkdf2(Rig& rig, const Vector& v) {
  const Hash* hash = hash_of_file(v.file);
  if (hash == nullptr || hash->pbkdf2 == 0 || !rig.lists(CKM_PKCS5_PBKD2))
    return unsupported("not in the mechanism list");
  Bytes password = v.hex("password"), salt = v.hex("salt");
  const CK_PKCS5_PBKD2_PARAMS2 parameter{
      CKZ_SALT_SPECIFIED, salt.data(), salt.size(), static_cast<CK_ULONG>(v.number("iterationCount")),
      hash->pbkdf2,       nullptr,     0,           password.data(),
      password.size()};
  Owned made(rig.session);
  const auto size = static_cast<std::size_t>(v.number("dkLen"));
  const p11::Mechanism mechanism(CKM_PKCS5_PBKD2, parameter);
  if (rig.session.generate(mechanism, readable(size), made.handle) != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.get(made.handle, CKA_VALUE).bytes == v.hex("dk"));
}

Outcome run_primality(Rig&, const Vector&) {
  return unsupported("PKCS#11 has no test of primality");
}

}  // namespace cardea::wycheproof
