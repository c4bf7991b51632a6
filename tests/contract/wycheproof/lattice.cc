#include "contract/wycheproof/rig.h"

namespace cardea::wycheproof {
namespace {

CK_ULONG ml_dsa_set(std::string_view file) {
  if (file.find("mldsa_44") == 0) return CKP_ML_DSA_44;
  return file.find("mldsa_65") == 0 ? CKP_ML_DSA_65 : CKP_ML_DSA_87;
}
CK_ULONG ml_kem_set(std::string_view file) {
  if (file.find("mlkem_512") == 0) return CKP_ML_KEM_512;
  return file.find("mlkem_768") == 0 ? CKP_ML_KEM_768 : CKP_ML_KEM_1024;
}

p11::Template key_template(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type, CK_ULONG set) {
  p11::Template out;
  out.ulong(CKA_CLASS, object_class).ulong(CKA_KEY_TYPE, type).boolean(CKA_TOKEN, false);
  return out.ulong(CKA_PARAMETER_SET, set);
}

p11::Template readable_secret() {
  p11::Template out;
  out.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, false);
  return out.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
}

}  // namespace

Outcome run_ml_dsa_verify(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_ML_DSA)) return unsupported("not in the mechanism list");
  const p11::Template attributes = key_template(CKO_PUBLIC_KEY, CKK_ML_DSA, ml_dsa_set(v.file))
                                       .bytes(CKA_VALUE, v.hex("publicKey"))
                                       .boolean(CKA_VERIFY, true);
  CK_OBJECT_HANDLE key = 0;
  const auto make = [&](CK_OBJECT_HANDLE& made) { return rig.session.create(attributes, made); };
  if (rig.kept(v.text("publicKey"), make, key) != CKR_OK) return {Verdict::rejected};
  Bytes context = v.hex("ctx");
  const CK_SIGN_ADDITIONAL_CONTEXT parameter{CKH_HEDGE_PREFERRED, context.data(), context.size()};
  return accepted_if(rig.session.verify(p11::Mechanism(CKM_ML_DSA, parameter), key, v.hex("msg"), v.hex("sig")) ==
                     CKR_OK);
}

Outcome run_ml_dsa_sign(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_ML_DSA)) return unsupported("not in the mechanism list");
  if (!v.has("msg")) return unsupported("PKCS#11 signs messages, not their representatives");
  // A caller of PKCS#11 cannot choose the random part of a hedged signature, so such a signature is only verified.
  if (v.has("rnd")) return run_ml_dsa_verify(rig, v);
  p11::Template attributes = key_template(CKO_PRIVATE_KEY, CKK_ML_DSA, ml_dsa_set(v.file)).boolean(CKA_SIGN, true);
  const bool seeded = v.group.contains("privateSeed");
  if (seeded) {
    attributes.bytes(CKA_SEED, v.hex("privateSeed"));
  } else {
    attributes.bytes(CKA_VALUE, v.hex("privateKey"));
  }
  CK_OBJECT_HANDLE key = 0;
  const auto make = [&](CK_OBJECT_HANDLE& made) { return rig.session.create(attributes, made); };
  if (rig.kept(v.text(seeded ? "privateSeed" : "privateKey"), make, key) != CKR_OK) return {Verdict::rejected};
  Bytes context = v.hex("ctx");
  const CK_SIGN_ADDITIONAL_CONTEXT parameter{CKH_DETERMINISTIC_REQUIRED, context.data(), context.size()};
  const auto out = rig.session.sign(p11::Mechanism(CKM_ML_DSA, parameter), key, v.hex("msg"));
  return accepted_if(out.ok() && out.bytes == v.hex("sig"));
}

Outcome run_ml_kem(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_ML_KEM)) return unsupported("not in the mechanism list");
  p11::Template attributes =
      key_template(CKO_PRIVATE_KEY, CKK_ML_KEM, ml_kem_set(v.file)).boolean(CKA_DECAPSULATE, true);
  if (v.has("seed")) {
    attributes.bytes(CKA_SEED, v.hex("seed"));
  } else {
    attributes.bytes(CKA_VALUE, v.hex("dk"));
  }
  Owned key(rig.session), secret(rig.session);
  if (rig.session.create(attributes, key.handle) != CKR_OK) return {Verdict::rejected};
  p11::Mechanism mechanism(CKM_ML_KEM);
  p11::Template wanted = readable_secret();
  Bytes ciphertext = v.hex("c");
  const CK_RV rv =
      rig.session.module()->C_DecapsulateKey(rig.session, mechanism, key.handle, wanted.data(), wanted.size(),
                                             ciphertext.data(), ciphertext.size(), &secret.handle);
  return accepted_if(rv == CKR_OK && rig.session.get(secret.handle, CKA_VALUE).bytes == v.hex("K"));
}

// The caller cannot choose the random part, so what is tried is whether the module takes the public key.
Outcome run_ml_kem_encapsulate(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_ML_KEM)) return unsupported("not in the mechanism list");
  Owned key(rig.session), secret(rig.session);
  const p11::Template attributes = key_template(CKO_PUBLIC_KEY, CKK_ML_KEM, ml_kem_set(v.file))
                                       .bytes(CKA_VALUE, v.hex("ek"))
                                       .boolean(CKA_ENCAPSULATE, true);
  if (rig.session.create(attributes, key.handle) != CKR_OK) return {Verdict::rejected};
  p11::Mechanism mechanism(CKM_ML_KEM);
  p11::Template wanted = readable_secret();
  Bytes ciphertext(2048);
  CK_ULONG size = ciphertext.size();
  return accepted_if(rig.session.module()->C_EncapsulateKey(rig.session, mechanism, key.handle, wanted.data(),
                                                            wanted.size(), ciphertext.data(), &size,
                                                            &secret.handle) == CKR_OK);
}

Outcome run_ml_kem_keygen(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_ML_KEM)) return unsupported("not in the mechanism list");
  Owned key(rig.session);
  const p11::Template attributes = key_template(CKO_PRIVATE_KEY, CKK_ML_KEM, ml_kem_set(v.file))
                                       .bytes(CKA_SEED, v.hex("seed"))
                                       .boolean(CKA_SENSITIVE, false)
                                       .boolean(CKA_EXTRACTABLE, true);
  if (rig.session.create(attributes, key.handle) != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.get(key.handle, CKA_VALUE).bytes == v.hex("dk"));
}

}  // namespace cardea::wycheproof
