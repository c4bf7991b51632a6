#include "cli/der.h"

#include <algorithm>

#include "cli/exit_status.h"
#include "cli/key_types.h"

namespace cardea::cli {
namespace {

constexpr Byte integer_tag = 0x02;
constexpr Byte bit_string_tag = 0x03;
constexpr Byte octet_string_tag = 0x04;
constexpr Byte sequence_tag = 0x30;

// AlgorithmIdentifier of rsaEncryption with its NULL (RFC 3279, 2.3.1).
constexpr std::string_view rsa_algorithm = "300d06092a864886f70d0101010500";
// id-ecPublicKey (RFC 5480, 2.1.1).
constexpr std::string_view ec_public_key = "06072a8648ce3d0201";
// id-ml-dsa-44 (RFC 9881, 2) and id-alg-ml-kem-512 (RFC 9935, 3); the last byte counts up with the parameter set.
constexpr std::string_view ml_dsa_44 = "0609608648016503040311";
constexpr std::string_view ml_kem_512 = "0609608648016503040401";

Bytes hex(std::string_view digits) {
  Bytes bytes;
  return from_hex(digits, bytes) ? bytes : Bytes();
}

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Bytes tlv(Byte tag, ByteView content) {
  Bytes out{tag};
  if (content.size() < 0x80) {
    out.push_back(static_cast<Byte>(content.size()));
  } else {
    Bytes length;
    for (std::size_t rest = content.size(); rest > 0; rest >>= 8)
      length.insert(length.begin(), static_cast<Byte>(rest));
    out.push_back(static_cast<Byte>(0x80 | length.size()));
    append(out, length);
  }
  append(out, content);
  return out;
}

Bytes unsigned_integer(ByteView value) {
  while (value.size() > 1 && value.front() == 0) value = value.subspan(1);
  Bytes content = to_bytes(value);
  if (content.empty() || content.front() >= 0x80) content.insert(content.begin(), 0);
  return tlv(integer_tag, content);
}

Bytes sequence(std::initializer_list<Bytes> parts) {
  Bytes content;
  for (const Bytes& part : parts) append(content, part);
  return tlv(sequence_tag, content);
}

Bytes bit_string(ByteView bits) {
  Bytes content{0};  // no unused bits
  append(content, bits);
  return tlv(bit_string_tag, content);
}

// Takes one element with this tag off the front; absent when it is malformed or has another tag.
std::optional<ByteView> take(ByteView& in, Byte tag) {
  if (in.size() < 2 || in[0] != tag) return {};
  std::size_t length = in[1];
  std::size_t header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7f;
    if (count == 0 || count > 4 || in.size() < 2 + count) return {};
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | in[2 + i];
    header += count;
  }
  if (in.size() - header < length) return {};
  const ByteView content = in.subspan(header, length);
  in = in.subspan(header + length);
  return content;
}

// CKA_EC_POINT is an OCTET STRING around the point (PKCS#11 3.2, 6.3.3); some tokens leave the wrapping out.
ByteView unwrap_point(const Bytes& value) {
  ByteView rest = value;
  const auto inner = take(rest, octet_string_tag);
  return inner && rest.empty() ? *inner : ByteView(value);
}

std::optional<Bytes> ec_info(const Session& session, CK_OBJECT_HANDLE key, CK_KEY_TYPE type) {
  const auto point = session.attribute(key, CKA_EC_POINT);
  if (!point) return {};
  if (type == CKK_EC) {
    const auto parameters = session.attribute(key, CKA_EC_PARAMS);
    if (!parameters) return {};
    return sequence({sequence({hex(ec_public_key), *parameters}), bit_string(unwrap_point(*point))});
  }
  // RFC 8410 takes the identifier alone; the token may name the curve by a PrintableString.
  const auto known = find_key_type(describe_key(session, key));
  if (!known) return {};
  return sequence({sequence({hex(known->parameter)}), bit_string(unwrap_point(*point))});
}

std::optional<Bytes> lattice_info(const Session& session, CK_OBJECT_HANDLE key, CK_KEY_TYPE type) {
  const auto value = session.attribute(key, CKA_VALUE);
  const auto set = session.number(key, CKA_PARAMETER_SET);
  if (!value || !set || *set < 1 || *set > 3) return {};
  Bytes identifier = hex(type == CKK_ML_DSA ? ml_dsa_44 : ml_kem_512);
  identifier.back() = static_cast<Byte>(identifier.back() + *set - 1);
  return sequence({sequence({identifier}), bit_string(*value)});
}

}  // namespace

std::optional<Bytes> public_key_info(const Session& session, CK_OBJECT_HANDLE key) {
  if (auto info = session.attribute(key, CKA_PUBLIC_KEY_INFO)) return info;
  const auto type = session.number(key, CKA_KEY_TYPE);
  if (!type) return {};
  if (*type == CKK_RSA) {
    const auto modulus = session.attribute(key, CKA_MODULUS);
    const auto exponent = session.attribute(key, CKA_PUBLIC_EXPONENT);
    if (!modulus || !exponent) return {};
    return sequence(
        {hex(rsa_algorithm), bit_string(sequence({unsigned_integer(*modulus), unsigned_integer(*exponent)}))});
  }
  // The value of a lattice key's private half is the private key itself.
  if (session.number(key, CKA_CLASS) != CKO_PUBLIC_KEY) return {};
  if (*type == CKK_EC || *type == CKK_EC_EDWARDS || *type == CKK_EC_MONTGOMERY) return ec_info(session, key, *type);
  if (*type == CKK_ML_DSA || *type == CKK_ML_KEM) return lattice_info(session, key, *type);
  return {};
}

Bytes ecdsa_to_der(ByteView raw) {
  const std::size_t half = raw.size() / 2;
  return sequence({unsigned_integer(raw.first(half)), unsigned_integer(raw.subspan(half))});
}

Result<Bytes> ecdsa_from_der(ByteView der, std::size_t half) {
  const Error malformed = failure(Code::signature_invalid,
                                  "The signature is no ECDSA signature in DER. If it holds r and s "
                                  "side by side, say --format raw.");
  auto body = take(der, sequence_tag);
  if (!body || !der.empty()) return malformed;
  Bytes raw;
  for (int i = 0; i < 2; ++i) {
    auto number = take(*body, integer_tag);
    if (!number) return malformed;
    while (number->size() > 1 && number->front() == 0) number = number->subspan(1);
    if (number->size() > half) return malformed;
    raw.insert(raw.end(), half - number->size(), 0);
    append(raw, *number);
  }
  if (!body->empty()) return malformed;
  return raw;
}

std::size_t ecdsa_half(const Session& session, CK_OBJECT_HANDLE key) {
  const std::string type = describe_key(session, key);
  if (type == "ec:P-384") return 48;
  return type == "ec:P-521" ? 66 : 32;
}

}  // namespace cardea::cli
