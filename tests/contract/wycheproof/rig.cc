#include "contract/wycheproof/rig.h"

#include <algorithm>

namespace cardea::wycheproof {
namespace {

constexpr Hash hashes[] = {
    {"SHA-1", CKM_SHA_1, CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS,
     CKM_ECDSA_SHA1, CKG_MGF1_SHA1, CKP_PKCS5_PBKD2_HMAC_SHA1},
    {"SHA-224", CKM_SHA224, CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS,
     CKM_ECDSA_SHA224, CKG_MGF1_SHA224, CKP_PKCS5_PBKD2_HMAC_SHA224},
    {"SHA-256", CKM_SHA256, CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS,
     CKM_ECDSA_SHA256, CKG_MGF1_SHA256, CKP_PKCS5_PBKD2_HMAC_SHA256},
    {"SHA-384", CKM_SHA384, CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS,
     CKM_ECDSA_SHA384, CKG_MGF1_SHA384, CKP_PKCS5_PBKD2_HMAC_SHA384},
    {"SHA-512", CKM_SHA512, CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
     CKM_ECDSA_SHA512, CKG_MGF1_SHA512, CKP_PKCS5_PBKD2_HMAC_SHA512},
    {"SHA-512/224", CKM_SHA512_224, CKM_SHA512_224_HMAC, CKM_SHA512_224_HMAC_GENERAL, 0, 0, 0, 0, 0},
    {"SHA-512/256", CKM_SHA512_256, CKM_SHA512_256_HMAC, CKM_SHA512_256_HMAC_GENERAL, 0, 0, 0, 0, 0},
    {"SHA3-224", CKM_SHA3_224, CKM_SHA3_224_HMAC, CKM_SHA3_224_HMAC_GENERAL, CKM_SHA3_224_RSA_PKCS,
     CKM_SHA3_224_RSA_PKCS_PSS, CKM_ECDSA_SHA3_224, CKG_MGF1_SHA3_224, 0},
    {"SHA3-256", CKM_SHA3_256, CKM_SHA3_256_HMAC, CKM_SHA3_256_HMAC_GENERAL, CKM_SHA3_256_RSA_PKCS,
     CKM_SHA3_256_RSA_PKCS_PSS, CKM_ECDSA_SHA3_256, CKG_MGF1_SHA3_256, 0},
    {"SHA3-384", CKM_SHA3_384, CKM_SHA3_384_HMAC, CKM_SHA3_384_HMAC_GENERAL, CKM_SHA3_384_RSA_PKCS,
     CKM_SHA3_384_RSA_PKCS_PSS, CKM_ECDSA_SHA3_384, CKG_MGF1_SHA3_384, 0},
    {"SHA3-512", CKM_SHA3_512, CKM_SHA3_512_HMAC, CKM_SHA3_512_HMAC_GENERAL, CKM_SHA3_512_RSA_PKCS,
     CKM_SHA3_512_RSA_PKCS_PSS, CKM_ECDSA_SHA3_512, CKG_MGF1_SHA3_512, 0},
};

const boost::json::value* field(const Vector& v, std::string_view name) {
  if (const auto* found = v.test.if_contains(name)) return found;
  return v.group.if_contains(name);
}

}  // namespace

Bytes Vector::hex(std::string_view name) const {
  return p11::from_hex(text(name));
}

std::string Vector::text(std::string_view name) const {
  const auto* found = field(*this, name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::int64_t Vector::number(std::string_view name) const {
  const auto* found = field(*this, name);
  return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

bool Vector::has_flag(std::string_view part) const {
  const auto* flags = test.if_contains("flags");
  if (flags == nullptr) return false;
  return std::any_of(flags->as_array().begin(), flags->as_array().end(), [&](const boost::json::value& flag) {
    return std::string_view(flag.as_string()).find(part) != std::string_view::npos;
  });
}

CK_RV Rig::secret(CK_KEY_TYPE type, const Bytes& value, std::initializer_list<CK_ATTRIBUTE_TYPE> usages,
                  CK_OBJECT_HANDLE& key) {
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_SECRET_KEY)
      .ulong(CKA_KEY_TYPE, type)
      .boolean(CKA_TOKEN, false)
      .bytes(CKA_VALUE, value);
  attributes.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
  for (const CK_ATTRIBUTE_TYPE usage : usages) attributes.boolean(usage, true);
  return session.create(attributes, key);
}

const Hash* find_hash(std::string_view name) {
  for (const Hash& hash : hashes) {
    if (name == hash.name) return &hash;
  }
  return nullptr;
}

std::optional<Bytes> der_element(const Bytes& der, std::size_t& at, std::uint8_t tag) {
  if (der.size() < at + 2 || der[at] != tag) return std::nullopt;
  std::size_t length = der[at + 1], header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 2 || der.size() < at + 2 + count) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | der[at + 2 + i];
    if (length < 0x80 || (count == 2 && length < 0x100)) return std::nullopt;  // not the shortest form
    header += count;
  }
  if (der.size() - at - header < length) return std::nullopt;
  const auto begin = der.begin() + static_cast<long>(at + header);
  at += header + length;
  return Bytes(begin, begin + static_cast<long>(length));
}

std::optional<Bytes> fixed_size(const Bytes& number, std::size_t size) {
  const auto first = std::find_if(number.begin(), number.end(), [](std::uint8_t b) { return b != 0; });
  const auto length = static_cast<std::size_t>(number.end() - first);
  if (length > size) return std::nullopt;
  Bytes out(size - length, 0);
  out.insert(out.end(), first, number.end());
  return out;
}

Bytes from_base64(std::string_view text) {
  Bytes out;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    unsigned value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<unsigned>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<unsigned>(c - 'a') + 26;
    else if (c >= '0' && c <= '9')
      value = static_cast<unsigned>(c - '0') + 52;
    else if (c == '+' || c == '-')
      value = 62;
    else if (c == '/' || c == '_')
      value = 63;
    else
      continue;
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  return out;
}

}  // namespace cardea::wycheproof
