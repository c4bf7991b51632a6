#include "contract/wycheproof/rig.h"

namespace cardea::wycheproof {
namespace {

struct Curve {
  std::string_view name;
  std::string_view web_name;
  const char* oid;  ///< CKA_EC_PARAMS
  std::size_t size;
};
constexpr Curve curves[] = {
    {"secp256r1", "P-256", "06082a8648ce3d030107", 32}, {"secp384r1", "P-384", "06052b81040022", 48},
    {"secp521r1", "P-521", "06052b81040023", 66},       {"secp256k1", "P-256K", "06052b8104000a", 32},
    {"edwards25519", "Ed25519", "06032b6570", 32},      {"edwards448", "Ed448", "06032b6571", 57},
    {"curve25519", "X25519", "06032b656e", 32},         {"curve448", "X448", "06032b656f", 56}};

const Curve* find_curve(std::string_view name) {
  for (const Curve& curve : curves) {
    if (name == curve.name || name == curve.web_name) return &curve;
  }
  return nullptr;
}

Bytes octet_string(const Bytes& point) {
  Bytes out = {0x04};
  if (point.size() >= 0x80) out.push_back(0x81);
  out.push_back(static_cast<std::uint8_t>(point.size()));
  out.insert(out.end(), point.begin(), point.end());
  return out;
}

const boost::json::object& public_key(const Vector& v) {
  return v.group.at("publicKey").as_object();
}

CK_RV make_public(Rig& rig, CK_KEY_TYPE type, const Curve& curve, const Bytes& point, CK_OBJECT_HANDLE& key) {
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_PUBLIC_KEY).ulong(CKA_KEY_TYPE, type).boolean(CKA_TOKEN, false);
  attributes.bytes(CKA_EC_PARAMS, p11::from_hex(curve.oid)).bytes(CKA_EC_POINT, point).boolean(CKA_VERIFY, true);
  return rig.session.create(attributes, key);
}

CK_RV make_private(Rig& rig, CK_KEY_TYPE type, const Curve& curve, const Bytes& scalar, CK_OBJECT_HANDLE& key) {
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_PRIVATE_KEY).ulong(CKA_KEY_TYPE, type).boolean(CKA_TOKEN, false);
  attributes.bytes(CKA_EC_PARAMS, p11::from_hex(curve.oid)).bytes(CKA_VALUE, scalar).boolean(CKA_DERIVE, true);
  return rig.session.create(attributes, key);
}

/// r and s side by side, as PKCS#11 takes them; absent when the DER is not strict or a number does not fit.
std::optional<Bytes> plain_signature(const Bytes& der, std::size_t size) {
  std::size_t at = 0;
  const auto whole = der_element(der, at, 0x30);
  if (!whole || at != der.size()) return std::nullopt;
  at = 0;
  Bytes out;
  for (int i = 0; i < 2; ++i) {
    const auto number = der_element(*whole, at, 0x02);
    if (!number || number->empty() || ((*number)[0] & 0x80) != 0) return std::nullopt;
    if (number->size() > 1 && (*number)[0] == 0 && ((*number)[1] & 0x80) == 0) return std::nullopt;
    const auto fixed = fixed_size(*number, size);
    if (!fixed) return std::nullopt;
    out.insert(out.end(), fixed->begin(), fixed->end());
  }
  if (at != whole->size()) return std::nullopt;
  return out;
}

Outcome verify_ecdsa(Rig& rig, const Vector& v, const Bytes& signature) {
  const Hash* hash = find_hash(v.text("sha"));
  const Curve* curve = find_curve(public_key(v).at("curve").as_string());
  if (hash == nullptr || hash->ecdsa == 0) return unsupported("PKCS#11 has no ECDSA with " + v.text("sha"));
  if (curve == nullptr || !rig.lists(hash->ecdsa)) return unsupported("not in the mechanism list");
  const std::string point(public_key(v).at("uncompressed").as_string());
  CK_OBJECT_HANDLE key = 0;
  const CK_RV rv = rig.kept(
      point,
      [&](CK_OBJECT_HANDLE& made) {
        return make_public(rig, CKK_EC, *curve, octet_string(p11::from_hex(point)), made);
      },
      key);
  if (rv != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.verify(p11::Mechanism(hash->ecdsa), key, v.hex("msg"), signature) == CKR_OK);
}

/// The point of a SubjectPublicKeyInfo on this curve; absent for anything else.
std::optional<Bytes> point_of_spki(const Bytes& der, const Curve& curve) {
  std::size_t at = 0;
  const auto whole = der_element(der, at, 0x30);
  if (!whole || at != der.size()) return std::nullopt;
  at = 0;
  const auto algorithm = der_element(*whole, at, 0x30);
  const auto bits = der_element(*whole, at, 0x03);
  Bytes wanted = p11::from_hex("06072a8648ce3d0201");
  const Bytes named = p11::from_hex(curve.oid);
  wanted.insert(wanted.end(), named.begin(), named.end());
  if (!algorithm || *algorithm != wanted || !bits || bits->empty() || (*bits)[0] != 0 || at != whole->size()) {
    return std::nullopt;
  }
  return Bytes(bits->begin() + 1, bits->end());
}

/// The body between the lines of a PEM text.
Bytes from_pem(const std::string& pem) {
  const std::size_t begin = pem.find('\n'), end = pem.rfind("-----END");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  return from_base64(std::string_view(pem).substr(begin, end - begin));
}

std::optional<Bytes> web_number(const boost::json::object& key, const char* name, std::size_t size) {
  const auto* value = key.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const Bytes raw = from_base64(value->as_string());
  if (raw.size() != size) return std::nullopt;
  return raw;
}

struct Agreement {
  const Curve* curve = nullptr;
  std::optional<Bytes> point;
  std::optional<Bytes> scalar;
};

Agreement read_web(const Vector& v) {
  const auto& peer = v.test.at("public").as_object();
  const auto& own = v.test.at("private").as_object();
  Agreement out;
  out.curve = find_curve(v.text("curve"));
  const auto* named = peer.if_contains("crv");
  if (out.curve == nullptr || named == nullptr || !named->is_string()) return out;
  out.scalar = web_number(own, "d", out.curve->size);
  const auto x = web_number(peer, "x", out.curve->size), y = web_number(peer, "y", out.curve->size);
  if (!x || !y || find_curve(named->as_string()) != out.curve) return out;
  out.point = Bytes{0x04};
  out.point->insert(out.point->end(), x->begin(), x->end());
  out.point->insert(out.point->end(), y->begin(), y->end());
  return out;
}

/// The scalar of a PKCS#8 ECPrivateKey.
std::optional<Bytes> scalar_of_pkcs8(const Bytes& der) {
  std::size_t at = 0;
  const auto whole = der_element(der, at, 0x30);
  if (!whole) return std::nullopt;
  at = 0;
  der_element(*whole, at, 0x02);
  der_element(*whole, at, 0x30);
  const auto wrapped = der_element(*whole, at, 0x04);
  if (!wrapped) return std::nullopt;
  at = 0;
  const auto key = der_element(*wrapped, at, 0x30);
  if (!key) return std::nullopt;
  at = 0;
  der_element(*key, at, 0x02);
  return der_element(*key, at, 0x04);
}

Agreement read_agreement(const Vector& v) {
  if (v.test.at("public").is_object()) return read_web(v);
  Agreement out;
  out.curve = find_curve(v.text("curve"));
  if (out.curve == nullptr) return out;
  if (v.text("encoding") == "pem") {
    out.point = point_of_spki(from_pem(v.text("public")), *out.curve);
    const auto scalar = scalar_of_pkcs8(from_pem(v.text("private")));
    if (scalar) out.scalar = fixed_size(*scalar, out.curve->size);
    return out;
  }
  out.scalar = fixed_size(v.hex("private"), out.curve->size);
  out.point = v.text("encoding") == "ecpoint" ? v.hex("public") : point_of_spki(v.hex("public"), *out.curve);
  return out;
}

Outcome agree(Rig& rig, CK_KEY_TYPE type, const Agreement& a, const Bytes& shared) {
  Owned key(rig.session), derived(rig.session);
  if (make_private(rig, type, *a.curve, *a.scalar, key.handle) != CKR_OK) return {Verdict::rejected};
  Bytes point = *a.point;
  const CK_ECDH1_DERIVE_PARAMS parameter{CKD_NULL, 0, nullptr, point.size(), point.data()};
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, false);
  attributes.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true).ulong(CKA_VALUE_LEN, a.curve->size);
  const p11::Mechanism ecdh(CKM_ECDH1_DERIVE, parameter);
  if (rig.session.derive(ecdh, key.handle, attributes, derived.handle) != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.get(derived.handle, CKA_VALUE).bytes == shared);
}

}  // namespace

Outcome run_ecdsa(Rig& rig, const Vector& v) {
  const Curve* curve = find_curve(public_key(v).at("curve").as_string());
  if (curve == nullptr) return unsupported("unknown curve");
  if (find_hash(v.text("sha")) == nullptr) return unsupported("PKCS#11 has no ECDSA with " + v.text("sha"));
  const bool low_half = v.has_flag("Malleability") || v.text("comment").find("malleability") != std::string::npos;
  if (low_half && v.file.find("bitcoin") != std::string_view::npos)
    return unsupported("the low half of s is Bitcoin's own rule");
  const auto signature = plain_signature(v.hex("sig"), curve->size);
  if (!signature) return {Verdict::rejected};
  return verify_ecdsa(rig, v, *signature);
}

Outcome run_ecdsa_p1363(Rig& rig, const Vector& v) {
  const Curve* curve = find_curve(public_key(v).at("curve").as_string());
  const Bytes signature = v.hex("sig");
  // PKCS#11 3.2, 6.3.1: "at most two times nLen octets", so even shorter forms are legal there.
  const bool shorter = curve != nullptr && signature.size() < 2 * curve->size && signature.size() % 2 == 0;
  if (shorter && v.text("result") == "invalid") {
    return unsupported("PKCS#11 allows signatures shorter than twice the order");
  }
  return verify_ecdsa(rig, v, signature);
}

Outcome run_ecdh(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_ECDH1_DERIVE)) return unsupported("not in the mechanism list");
  const Agreement a = read_agreement(v);
  if (a.curve == nullptr) return unsupported("unknown curve");
  if (!a.point || !a.scalar) return {Verdict::rejected};
  return agree(rig, CKK_EC, a, v.hex("shared"));
}

Outcome run_xdh(Rig& rig, const Vector& v) {
  if (!rig.lists(CKM_EC_MONTGOMERY_KEY_PAIR_GEN)) return unsupported("not in the mechanism list");
  const Agreement a{find_curve(v.text("curve")), v.hex("public"), v.hex("private")};
  if (a.curve == nullptr) return unsupported("unknown curve");
  return agree(rig, CKK_EC_MONTGOMERY, a, v.hex("shared"));
}

Outcome run_eddsa(Rig& rig, const Vector& v) {
  const Curve* curve = find_curve(public_key(v).at("curve").as_string());
  if (curve == nullptr || !rig.lists(CKM_EDDSA)) return unsupported("not in the mechanism list");
  const std::string point(public_key(v).at("pk").as_string());
  CK_OBJECT_HANDLE key = 0;
  const CK_RV rv = rig.kept(
      point,
      [&](CK_OBJECT_HANDLE& made) { return make_public(rig, CKK_EC_EDWARDS, *curve, p11::from_hex(point), made); },
      key);
  if (rv != CKR_OK) return {Verdict::rejected};
  return accepted_if(rig.session.verify(p11::Mechanism(CKM_EDDSA), key, v.hex("msg"), v.hex("sig")) == CKR_OK);
}

}  // namespace cardea::wycheproof
