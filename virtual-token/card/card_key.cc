#include "card/card_key.h"

#include <mbedtls/ecdh.h>
#include <mbedtls/ecdsa.h>

#include "card/mbedtls_handles.h"
#include "card/tlv.h"

namespace cardea::vcard {

struct CardKey::Rsa {
  RsaContext context;
};

struct CardKey::Curve {
  Group group;
  Mpi scalar;
  Point point;
};

namespace {

constexpr std::uint32_t usual_exponent = 65537;

mbedtls_ecp_group_id group_of(KeyType type) {
  switch (type) {
    case KeyType::p256:
      return MBEDTLS_ECP_DP_SECP256R1;
    case KeyType::p384:
      return MBEDTLS_ECP_DP_SECP384R1;
    case KeyType::x25519:
      return MBEDTLS_ECP_DP_CURVE25519;
    default:
      return MBEDTLS_ECP_DP_NONE;
  }
}

Bytes big_endian(std::uint32_t value) {
  return {static_cast<Byte>(value >> 24), static_cast<Byte>(value >> 16), static_cast<Byte>(value >> 8),
          static_cast<Byte>(value)};
}

// mbedTLS keeps its X25519 scalars clamped (RFC 7748, 5: decodeScalar25519).
int read_scalar(KeyType type, ByteView bytes, mbedtls_mpi* out) {
  if (type != KeyType::x25519) return mbedtls_mpi_read_binary(out, bytes.data(), bytes.size());
  SecretBytes clamped(bytes);
  clamped.data()[0] &= 248;
  clamped.data()[31] = static_cast<Byte>((clamped.data()[31] & 127) | 64);
  return mbedtls_mpi_read_binary_le(out, clamped.data(), clamped.size());
}

// A number of the curve's field, in the byte order of its curve.
int write_number(KeyType type, const mbedtls_mpi* number, MutableBytes out) {
  return type == KeyType::x25519 ? mbedtls_mpi_write_binary_le(number, out.data(), out.size())
                                 : mbedtls_mpi_write_binary(number, out.data(), out.size());
}

}  // namespace

std::optional<KeyType> key_type_of(Byte identifier) {
  switch (static_cast<KeyType>(identifier)) {
    case KeyType::rsa1024:
    case KeyType::rsa2048:
    case KeyType::rsa3072:
    case KeyType::rsa4096:
    case KeyType::p256:
    case KeyType::p384:
    case KeyType::ed25519:
    case KeyType::x25519:
      return static_cast<KeyType>(identifier);
  }
  return std::nullopt;
}

bool is_rsa(KeyType type) {
  return type == KeyType::rsa1024 || type == KeyType::rsa2048 || type == KeyType::rsa3072 || type == KeyType::rsa4096;
}

std::size_t field_size(KeyType type) {
  switch (type) {
    case KeyType::rsa1024:
      return 128;
    case KeyType::rsa2048:
      return 256;
    case KeyType::rsa3072:
      return 384;
    case KeyType::rsa4096:
      return 512;
    case KeyType::p384:
      return 48;
    default:
      return 32;
  }
}

CardKey::CardKey(KeyType type, std::unique_ptr<Rsa> rsa) : type_(type), rsa_(std::move(rsa)) {}
CardKey::CardKey(KeyType type, std::unique_ptr<Curve> curve) : type_(type), curve_(std::move(curve)) {}
CardKey::CardKey(Ed25519Key edwards) : type_(KeyType::ed25519), edwards_(std::move(edwards)) {}
CardKey::CardKey(CardKey&&) noexcept = default;
CardKey& CardKey::operator=(CardKey&&) noexcept = default;
CardKey::~CardKey() = default;

KeyType CardKey::type() const {
  return type_;
}

Result<CardKey> CardKey::generate(KeyType type) {
  if (is_rsa(type)) {
    auto rsa = std::make_unique<Rsa>();
    const auto bits = static_cast<unsigned>(field_size(type) * 8);
    if (mbedtls_rsa_gen_key(rsa->context.get(), random_for_mbedtls, nullptr, bits, usual_exponent) != 0) {
      return Code::device_error;
    }
    return CardKey(type, std::move(rsa));
  }
  if (type == KeyType::ed25519) {
    SecretBytes seed(Ed25519Key::seed_size);
    fill_random(seed.mutable_view());
    return from_scalar(type, seed.view());
  }
  auto curve = std::make_unique<Curve>();
  if (mbedtls_ecp_group_load(curve->group.get(), group_of(type)) != 0 ||
      mbedtls_ecp_gen_keypair(curve->group.get(), curve->scalar.get(), curve->point.get(), random_for_mbedtls,
                              nullptr) != 0) {
    return Code::device_error;
  }
  return CardKey(type, std::move(curve));
}

Result<CardKey> CardKey::from_primes(KeyType type, ByteView p, ByteView q, std::uint32_t exponent) {
  if (!is_rsa(type) || p.size() != field_size(type) / 2 || q.size() != p.size()) return Code::key_size_range;
  auto rsa = std::make_unique<Rsa>();
  const Bytes e = big_endian(exponent);
  mbedtls_rsa_context* context = rsa->context.get();
  if (mbedtls_rsa_import_raw(context, nullptr, 0, p.data(), p.size(), q.data(), q.size(), nullptr, 0, e.data(),
                             e.size()) != 0 ||
      mbedtls_rsa_complete(context) != 0 || mbedtls_rsa_check_privkey(context) != 0) {
    return Code::data_invalid;
  }
  if (mbedtls_rsa_get_len(context) != field_size(type)) return Code::key_size_range;
  return CardKey(type, std::move(rsa));
}

Result<CardKey> CardKey::from_scalar(KeyType type, ByteView scalar) {
  if (is_rsa(type) || scalar.size() != field_size(type)) return Code::key_size_range;
  if (type == KeyType::ed25519) {
    CARDEA_ASSIGN(Ed25519Key edwards, Ed25519Key::from_seed(scalar));
    return CardKey(std::move(edwards));
  }
  auto curve = std::make_unique<Curve>();
  mbedtls_ecp_group* group = curve->group.get();
  if (mbedtls_ecp_group_load(group, group_of(type)) != 0) return Code::device_error;
  if (read_scalar(type, scalar, curve->scalar.get()) != 0 ||
      mbedtls_ecp_check_privkey(group, curve->scalar.get()) != 0) {
    return Code::data_invalid;
  }
  // The base point is the only field of a group that is needed, and public in both versions of the library.
  if (mbedtls_ecp_mul(group, curve->point.get(), curve->scalar.get(), &group->G, random_for_mbedtls, nullptr) != 0) {
    return Code::device_error;
  }
  return CardKey(type, std::move(curve));
}

Result<CardKey> CardKey::from_secret(KeyType type, ByteView secret) {
  if (!is_rsa(type)) return from_scalar(type, secret);
  if (secret.size() != 4 + field_size(type)) return Code::key_size_range;
  std::uint32_t exponent = 0;
  for (const Byte byte : secret.first(4)) exponent = exponent << 8 | byte;
  const std::size_t half = field_size(type) / 2;
  return from_primes(type, secret.subspan(4, half), secret.last(half), exponent);
}

SecretBytes CardKey::secret() const {
  if (edwards_) return SecretBytes(edwards_->seed());
  if (!rsa_) {
    SecretBytes scalar(field_size(type_));
    write_number(type_, curve_->scalar.get(), scalar.mutable_view());
    return scalar;
  }
  SecretBytes out(4 + field_size(type_));
  const std::size_t half = field_size(type_) / 2;
  mbedtls_rsa_export_raw(rsa_->context.get(), nullptr, 0, out.data() + 4, half, out.data() + 4 + half, half, nullptr, 0,
                         out.data(), 4);
  return out;
}

Bytes CardKey::modulus() const {
  Bytes n(field_size(type_));
  if (rsa_)
    mbedtls_rsa_export_raw(rsa_->context.get(), n.data(), n.size(), nullptr, 0, nullptr, 0, nullptr, 0, nullptr, 0);
  return n;
}

Bytes CardKey::exponent() const {
  Bytes e(4);
  if (rsa_)
    mbedtls_rsa_export_raw(rsa_->context.get(), nullptr, 0, nullptr, 0, nullptr, 0, nullptr, 0, e.data(), e.size());
  while (e.size() > 1 && e.front() == 0) e.erase(e.begin());
  return e;
}

Bytes CardKey::point() const {
  if (edwards_) return to_bytes(edwards_->public_key());
  Bytes out(1 + 2 * field_size(type_));
  std::size_t size = 0;
  if (curve_) {
    mbedtls_ecp_point_write_binary(curve_->group.get(), curve_->point.get(), MBEDTLS_ECP_PF_UNCOMPRESSED, &size,
                                   out.data(), out.size());
  }
  out.resize(size);
  return out;
}

Result<Bytes> CardKey::raw_rsa(ByteView input) const {
  if (!rsa_) return Code::key_type_inconsistent;
  if (input.size() != field_size(type_)) return Code::data_length;
  Bytes out(input.size());
  // Fails for a number that is not below the modulus.
  if (mbedtls_rsa_private(rsa_->context.get(), random_for_mbedtls, nullptr, input.data(), out.data()) != 0) {
    return Code::data_invalid;
  }
  return out;
}

Result<Bytes> CardKey::decrypt_oaep(ByteView cryptogram) const {
  if (!rsa_) return Code::key_type_inconsistent;
  if (cryptogram.size() != field_size(type_)) return Code::data_length;
  mbedtls_rsa_context* context = rsa_->context.get();
  (void)mbedtls_rsa_set_padding(context, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA1);
  Bytes out(cryptogram.size());
  std::size_t size = 0;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int outcome = mbedtls_rsa_rsaes_oaep_decrypt(context, random_for_mbedtls, nullptr, nullptr, 0, &size,
                                                     cryptogram.data(), out.data(), out.size());
#else
  const int outcome = mbedtls_rsa_rsaes_oaep_decrypt(context, random_for_mbedtls, nullptr, MBEDTLS_RSA_PRIVATE, nullptr,
                                                     0, &size, cryptogram.data(), out.data(), out.size());
#endif
  if (outcome != 0) return Code::data_invalid;
  out.resize(size);
  return out;
}

Result<Bytes> CardKey::sign_digest(ByteView digest) const {
  if (!curve_ || type_ == KeyType::x25519) return Code::key_type_inconsistent;
  Mpi r;
  Mpi s;
  if (mbedtls_ecdsa_sign(curve_->group.get(), r.get(), s.get(), curve_->scalar.get(), digest.data(), digest.size(),
                         random_for_mbedtls, nullptr) != 0) {
    return Code::device_error;
  }
  Bytes numbers;
  for (mbedtls_mpi* number : {r.get(), s.get()}) {
    // A DER INTEGER is signed: one bit more than the number has, and at least one byte.
    Bytes integer(mbedtls_mpi_bitlen(number) / 8 + 1);
    mbedtls_mpi_write_binary(number, integer.data(), integer.size());
    append_tlv(numbers, 0x02, integer);
  }
  return make_tlv(0x30, numbers);
}

Result<Bytes> CardKey::sign_message(ByteView message) const {
  if (!edwards_) return Code::key_type_inconsistent;
  return edwards_->sign(message);
}

Result<Bytes> CardKey::agree(ByteView peer) const {
  if (!curve_) return Code::key_type_inconsistent;
  Point point;
  Mpi shared;
  mbedtls_ecp_group* group = curve_->group.get();
  if (mbedtls_ecp_point_read_binary(group, point.get(), peer.data(), peer.size()) != 0 ||
      mbedtls_ecp_check_pubkey(group, point.get()) != 0 ||
      mbedtls_ecdh_compute_shared(group, shared.get(), point.get(), curve_->scalar.get(), random_for_mbedtls,
                                  nullptr) != 0) {
    return Code::public_key_invalid;
  }
  Bytes out(field_size(type_));
  if (write_number(type_, shared.get(), out) != 0) return Code::device_error;
  return out;
}

}  // namespace cardea::vcard
