#include "contract/wycheproof/rig.h"

namespace cardea::wycheproof {
namespace {

struct Part {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
};
constexpr Part private_parts[] = {{CKA_MODULUS, "modulus"},
                                  {CKA_PUBLIC_EXPONENT, "publicExponent"},
                                  {CKA_PRIVATE_EXPONENT, "privateExponent"},
                                  {CKA_PRIME_1, "prime1"},
                                  {CKA_PRIME_2, "prime2"},
                                  {CKA_EXPONENT_1, "exponent1"},
                                  {CKA_EXPONENT_2, "exponent2"},
                                  {CKA_COEFFICIENT, "coefficient"}};

/// A number without leading zeros, as PKCS#11's big integers are.
Bytes number_of(const boost::json::object& key, const char* name) {
  const auto* value = key.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  Bytes raw = p11::from_hex(value->as_string());
  while (raw.size() > 1 && raw[0] == 0) raw.erase(raw.begin());
  return raw;
}

CK_RV private_key(Rig& rig, const Vector& v, CK_ATTRIBUTE_TYPE usage, CK_OBJECT_HANDLE& key) {
  const auto& parts = v.group.at("privateKey").as_object();
  const std::string name = std::string(parts.at("modulus").as_string()) + "/" + std::to_string(usage);
  return rig.kept(
      name,
      [&](CK_OBJECT_HANDLE& made) {
        p11::Template attributes;
        attributes.ulong(CKA_CLASS, CKO_PRIVATE_KEY)
            .ulong(CKA_KEY_TYPE, CKK_RSA)
            .boolean(CKA_TOKEN, false)
            .boolean(usage, true);
        for (const Part& part : private_parts) {
          const Bytes number = number_of(parts, part.name);
          if (!number.empty()) attributes.bytes(part.type, number);
        }
        return rig.session.create(attributes, made);
      },
      key);
}

CK_RV public_key(Rig& rig, const Vector& v, CK_OBJECT_HANDLE& key) {
  const auto& parts = v.group.at("publicKey").as_object();
  const std::string name =
      std::string(parts.at("modulus").as_string()) + std::string(parts.at("publicExponent").as_string());
  return rig.kept(
      name,
      [&](CK_OBJECT_HANDLE& made) {
        p11::Template attributes;
        attributes.ulong(CKA_CLASS, CKO_PUBLIC_KEY).ulong(CKA_KEY_TYPE, CKK_RSA).boolean(CKA_TOKEN, false);
        attributes.boolean(CKA_VERIFY, true).bytes(CKA_MODULUS, number_of(parts, "modulus"));
        attributes.bytes(CKA_PUBLIC_EXPONENT, number_of(parts, "publicExponent"));
        return rig.session.create(attributes, made);
      },
      key);
}

bool out_of_range(CK_RV rv) {
  return rv == CKR_KEY_SIZE_RANGE || rv == CKR_ATTRIBUTE_VALUE_INVALID;
}

/// DigestInfo before the hash value (RFC 8017, 9.2), for the hashes that PKCS#11 has no RSA mechanism for.
Bytes digest_info(std::string_view hash) {
  if (hash == "SHA-512/224") return p11::from_hex("302d300d06096086480165030402050500041c");
  if (hash == "SHA-512/256") return p11::from_hex("3031300d060960864801650304020605000420");
  return {};
}

}  // namespace

// Implicit rejection: whether the padding was right must not show, so a wrong one answers CKR_OK and other bytes.
Outcome run_rsa_decrypt(Rig& rig, const Vector& v) {
  if ((rig.flags(CKM_RSA_PKCS) & CKF_DECRYPT) == 0) return unsupported("not in the mechanism list");
  CK_OBJECT_HANDLE key = 0;
  const CK_RV made = private_key(rig, v, CKA_DECRYPT, key);
  if (out_of_range(made)) return unsupported("the module takes no such key");
  const Bytes ciphertext = v.hex("ct");
  const auto out = rig.session.decrypt(p11::Mechanism(CKM_RSA_PKCS), key, ciphertext);
  const bool same_length = ciphertext.size() * 8 == static_cast<std::size_t>(v.number("keySize"));
  if (!out.ok() && same_length && v.text("result") != "valid") {
    // Only a ciphertext that anyone can see to be no residue may fail.
    const Bytes modulus = number_of(v.group.at("privateKey").as_object(), "modulus");
    if (ciphertext < modulus) return {Verdict::accepted, "a wrong padding answers an error: a padding oracle"};
  }
  return accepted_if(out.ok() && out.bytes == v.hex("msg"));
}

Outcome run_rsa_oaep(Rig& rig, const Vector& v) {
  const Hash* hash = find_hash(v.text("sha"));
  const Hash* mask = find_hash(v.text("mgfSha"));
  if (hash == nullptr || mask == nullptr || mask->mgf == 0) return unsupported("PKCS#11 has no such mask generation");
  if (!rig.lists(CKM_RSA_PKCS_OAEP)) return unsupported("not in the mechanism list");
  CK_OBJECT_HANDLE key = 0;
  if (out_of_range(private_key(rig, v, CKA_DECRYPT, key))) return unsupported("the module takes no such key");
  Bytes label = v.hex("label");
  const CK_RSA_PKCS_OAEP_PARAMS parameter{hash->digest, mask->mgf, CKZ_DATA_SPECIFIED,
                                          label.empty() ? nullptr : label.data(), label.size()};
  const auto out = rig.session.decrypt(p11::Mechanism(CKM_RSA_PKCS_OAEP, parameter), key, v.hex("ct"));
  return accepted_if(out.ok() && out.bytes == v.hex("msg"));
}

Outcome run_rsa_sign(Rig& rig, const Vector& v) {
  const Hash* hash = find_hash(v.text("sha"));
  if (hash == nullptr || hash->rsa == 0 || !rig.lists(hash->rsa))
    return unsupported("no mechanism for " + v.text("sha"));
  CK_OBJECT_HANDLE key = 0;
  if (out_of_range(private_key(rig, v, CKA_SIGN, key))) return unsupported("the module takes no such key");
  const auto out = rig.session.sign(p11::Mechanism(hash->rsa), key, v.hex("msg"));
  return accepted_if(out.ok() && out.bytes == v.hex("sig"));
}

Outcome run_rsa_verify(Rig& rig, const Vector& v) {
  const Hash* hash = find_hash(v.text("sha"));
  if (hash == nullptr) return unsupported("PKCS#11 has no " + v.text("sha"));
  CK_OBJECT_HANDLE key = 0;
  const CK_RV made = public_key(rig, v, key);
  if (out_of_range(made)) return unsupported("the module takes no such key");
  if (hash->rsa != 0) {
    if (!rig.lists(hash->rsa)) return unsupported("not in the mechanism list");
    return accepted_if(rig.session.verify(p11::Mechanism(hash->rsa), key, v.hex("msg"), v.hex("sig")) == CKR_OK);
  }
  Bytes data = digest_info(hash->name);
  const Bytes digest = rig.session.digest(p11::Mechanism(hash->digest), v.hex("msg")).bytes;
  if (digest.empty()) return unsupported("not in the mechanism list");
  data.insert(data.end(), digest.begin(), digest.end());
  return accepted_if(rig.session.verify(p11::Mechanism(CKM_RSA_PKCS), key, data, v.hex("sig")) == CKR_OK);
}

Outcome run_rsa_pss(Rig& rig, const Vector& v) {
  const Hash* hash = find_hash(v.text("sha"));
  const Hash* mask = find_hash(v.text("mgfSha"));
  if (hash == nullptr || mask == nullptr || mask->mgf == 0) return unsupported("PKCS#11 has no such mask generation");
  const CK_MECHANISM_TYPE type = hash->pss != 0 ? hash->pss : CKM_RSA_PKCS_PSS;
  if (!rig.lists(type)) return unsupported("not in the mechanism list");
  CK_OBJECT_HANDLE key = 0;
  if (out_of_range(public_key(rig, v, key))) return unsupported("the module takes no such key");
  const CK_RSA_PKCS_PSS_PARAMS parameter{hash->digest, mask->mgf, static_cast<CK_ULONG>(v.number("sLen"))};
  Bytes data = v.hex("msg");
  if (hash->pss == 0) data = rig.session.digest(p11::Mechanism(hash->digest), data).bytes;
  return accepted_if(rig.session.verify(p11::Mechanism(type, parameter), key, data, v.hex("sig")) == CKR_OK);
}

}  // namespace cardea::wycheproof
