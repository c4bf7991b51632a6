// The TPM's structures as bytes, read without trust and without tpm2-tss (TPM 2.0 Library, part 2).
#pragma once

#include <string_view>

#include "crypto/asymmetric_key.h"
#include "crypto/hash.h"

namespace cardea::tpm {

/// Numbers of part 2 that both sides of an exchange need.
namespace number {
inline constexpr std::uint16_t rsa = 0x0001;
inline constexpr std::uint16_t aes = 0x0006;
inline constexpr std::uint16_t sha256 = 0x000b;
inline constexpr std::uint16_t sha384 = 0x000c;
inline constexpr std::uint16_t sha512 = 0x000d;
inline constexpr std::uint16_t none = 0x0010;
inline constexpr std::uint16_t rsassa = 0x0014;
inline constexpr std::uint16_t ecdsa = 0x0018;
inline constexpr std::uint16_t ecdaa = 0x001a;
inline constexpr std::uint16_t rsaes = 0x0015;
inline constexpr std::uint16_t ecc = 0x0023;
inline constexpr std::uint16_t cfb = 0x0043;
inline constexpr std::uint32_t endorsement = 0x4000000b;
inline constexpr std::uint32_t generated = 0xff544347;   ///< TPM_GENERATED_VALUE
inline constexpr std::uint16_t attest_certify = 0x8017;  ///< TPM_ST_ATTEST_CERTIFY
}  // namespace number

/// TPMA_OBJECT (part 2, 8.3).
namespace attribute {
inline constexpr std::uint32_t fixed_tpm = 1U << 1;
inline constexpr std::uint32_t fixed_parent = 1U << 4;
inline constexpr std::uint32_t made_in_tpm = 1U << 5;  ///< sensitiveDataOrigin
inline constexpr std::uint32_t user_with_auth = 1U << 6;
inline constexpr std::uint32_t no_lock_out = 1U << 10;  ///< noDA
inline constexpr std::uint32_t restricted = 1U << 16;
inline constexpr std::uint32_t decrypt = 1U << 17;
inline constexpr std::uint32_t sign = 1U << 18;
}  // namespace attribute

/// Reads big-endian numbers and sized buffers. After something was missing it reads zeros and is not ok().
class StructureReader {
 public:
  explicit StructureReader(ByteView bytes) : rest_(bytes) {}

  std::uint64_t read(std::size_t size);
  std::uint16_t read_16() { return static_cast<std::uint16_t>(read(2)); }
  std::uint32_t read_32() { return static_cast<std::uint32_t>(read(4)); }
  ByteView take(std::size_t size);
  ByteView take_sized() { return take(read_16()); }
  ByteView rest() const noexcept { return rest_; }
  bool ok() const noexcept { return ok_; }
  /// Whether all was there and nothing is left.
  bool done() const noexcept { return ok_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool ok_ = true;
};

/// Appends a big-endian number; a buffer with its length in front.
void append_number(Bytes& out, std::uint64_t value, std::size_t size);
void append_sized(Bytes& out, ByteView bytes);

/// The hash that a TPM means by this number; none for those that we do not accept.
Hash hash_of_number(std::uint16_t number) noexcept;

/// An RSA or elliptic-curve key as the TPM describes it.
struct PublicArea {
  Bytes area;  ///< TPMT_PUBLIC, over which the name goes
  std::uint16_t type = 0;
  std::uint16_t name_algorithm = 0;
  std::uint32_t attributes = 0;
  std::uint16_t cipher = number::none;  ///< of a storage key, for its children
  std::size_t cipher_bits = 0;
  std::uint16_t cipher_mode = 0;
  std::uint16_t scheme = number::none;
  crypto::AsymmetricKeyPtr key;

  bool has(std::uint32_t wanted) const noexcept { return (attributes & wanted) == wanted; }
};

/// TPM2B_PUBLIC. data_invalid, curve_not_supported, public_key_invalid.
Result<PublicArea> parse_public_area(ByteView bytes);

/// An object's name (part 1, 16): the hash's number and the hash of TPMT_PUBLIC. mechanism_invalid for hashes that we
/// do not accept.
Result<Bytes> object_name(std::uint16_t name_algorithm, ByteView area);

/// The qualified name of an object: its own name bound to its parent, which is a hierarchy's handle or another
/// qualified name (part 1, 16, equation 3).
Result<Bytes> qualified_name(std::uint16_t name_algorithm, ByteView parent, ByteView name);

/// TPMS_ATTEST of a key's certification (part 2, 10.12.12).
struct Certification {
  Bytes signer;  ///< qualified name of the key that signed
  Bytes nonce;
  std::uint64_t firmware = 0;
  Bytes name;
  Bytes qualified_name;
};
/// data_invalid, also for what is no certification or was not made inside a TPM.
Result<Certification> parse_certification(ByteView bytes);

/// Verifies TPMT_SIGNATURE over `message`: RSASSA and ECDSA with SHA-2. signature_invalid.
Status verify_signature(const PublicArea& key, ByteView message, ByteView signature);

}  // namespace cardea::tpm
