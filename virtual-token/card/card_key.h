// An asymmetric key that lives on a card. Arithmetic by mbedTLS, 2.28 and 3.6 alike; Ed25519 by libsodium.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "card/ed25519.h"

namespace cardea::vcard {

/// Key types under their PIV algorithm identifiers (SP 800-78-4, 6.2; RSA 3072 and 4096, Ed25519 and
/// X25519 as Yubico numbers them).
enum class KeyType : std::uint8_t {
  rsa1024 = 0x06,
  rsa2048 = 0x07,
  rsa3072 = 0x05,
  rsa4096 = 0x16,
  p256 = 0x11,
  p384 = 0x14,
  ed25519 = 0xE0,
  x25519 = 0xE1,
};

/// The type of an identifier, if this card knows it.
std::optional<KeyType> key_type_of(Byte identifier);

bool is_rsa(KeyType type);
/// The length in bytes of a modulus or of a field element.
std::size_t field_size(KeyType type);

class CardKey {
 public:
  /// Makes a new key with the public exponent 65537. Codes: device_error.
  static Result<CardKey> generate(KeyType type);
  /// From the two primes, each of half the modulus' length, and the public exponent, big-endian.
  /// Codes: key_size_range, data_invalid when they make no RSA key.
  static Result<CardKey> from_primes(KeyType type, ByteView p, ByteView q, std::uint32_t exponent);
  /// From a private scalar of field_size bytes: big-endian, for X25519 as RFC 7748, 5 writes it, for Ed25519 the
  /// private key of RFC 8032, 5.1.5. Codes: key_size_range, data_invalid.
  static Result<CardKey> from_scalar(KeyType type, ByteView scalar);
  /// From what secret() gave.
  static Result<CardKey> from_secret(KeyType type, ByteView secret);
  /// From an unencrypted private key in PEM or DER: PKCS#1, SEC 1 or PKCS#8. Codes: data_invalid, key_size_range.
  static Result<CardKey> from_file(ByteView content);

  CardKey(CardKey&&) noexcept;
  CardKey& operator=(CardKey&&) noexcept;
  ~CardKey();

  KeyType type() const;
  /// RSA: modulus and public exponent, big-endian, without leading zeros.
  Bytes modulus() const;
  Bytes exponent() const;
  /// Elliptic curves: the uncompressed point (SEC 1, 2.3.3), for Ed25519 and X25519 the 32 bytes of their RFC.
  Bytes point() const;
  /// SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
  Bytes public_key_der() const;
  /// Everything needed to restore the key, for the state file.
  SecretBytes secret() const;

  /// RSADP (RFC 8017, 5.1.2) on exactly field_size bytes. Codes: data_length, data_invalid.
  Result<Bytes> raw_rsa(ByteView input) const;
  /// RSAES-OAEP (RFC 8017, 7.1.2) with SHA-1 and an empty label. Codes: data_length, data_invalid.
  Result<Bytes> decrypt_oaep(ByteView cryptogram) const;
  /// ECDSA over a digest, as the DER sequence of r and s (RFC 3279, 2.2.3). Codes: key_type_inconsistent, device_error.
  Result<Bytes> sign_digest(ByteView digest) const;
  /// Ed25519 over a whole message (RFC 8032, 5.1.6), 64 bytes. Codes: key_type_inconsistent, device_error.
  Result<Bytes> sign_message(ByteView message) const;
  /// The shared secret with a peer's point: x-coordinate, or RFC 7748's result.
  /// Codes: key_type_inconsistent, public_key_invalid.
  Result<Bytes> agree(ByteView peer) const;

 private:
  struct Rsa;
  struct Curve;
  CardKey(KeyType type, std::unique_ptr<Rsa> rsa);
  CardKey(KeyType type, std::unique_ptr<Curve> curve);
  explicit CardKey(Ed25519Key edwards);

  KeyType type_;
  // Exactly one of them is there.
  std::unique_ptr<Rsa> rsa_;
  std::unique_ptr<Curve> curve_;
  std::optional<Ed25519Key> edwards_;
};

}  // namespace cardea::vcard
