#include "tpm_remote/wrapping.h"

#include <array>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "tpm_remote/derivation.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t wrap_key_size = 16;  // bytes: storage keys of ours use AES-128
constexpr std::array<Byte, 16> no_iv{};    // each key is used once

/// TPM2B_SENSITIVE: authorisation and private value.
Result<SecretBytes> sensitive_of(const crypto::AsymmetricKey& key, ByteView auth) {
  SecretBytes value;
  const bool rsa = key.algorithm() == crypto::KeyAlgorithm::rsa;
  if (rsa) {
    CARDEA_ASSIGN(crypto::RsaNumbers numbers, key.rsa_numbers());
    value = std::move(numbers.prime_1);
  } else {
    CARDEA_ASSIGN(value, key.private_value());
  }
  SecretWriter inner(2 + 2 + auth.size() + 2 + 2 + value.size());
  inner.put_number(rsa ? number::rsa : number::ecc, 2).put_sized(auth).put_sized({}).put_sized(value.view());
  const SecretBytes area = inner.take();
  return SecretWriter(2 + area.size()).put_sized(area.view()).take();
}

/// Integrity and encryption inside, under a key that travels beside (23.3.2.3).
Result<SecretBytes> wrap_inside(const SecretBytes& sensitive, ByteView name, const SecretBytes& key) {
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  CARDEA_TRY(digest.update(sensitive.view()));
  CARDEA_TRY(digest.update(name));
  SecretBytes integrity(digest.size());
  CARDEA_TRY(digest.finish(integrity.mutable_view()));
  SecretBytes wrapped =
      SecretWriter(2 + integrity.size() + sensitive.size()).put_sized(integrity.view()).put(sensitive.view()).take();
  CARDEA_TRY(cfb(crypto::Direction::encrypt, key.view(), no_iv, wrapped.mutable_view()));
  return wrapped;
}

/// Encryption and authentication around it, under the seed (23.3.2.4).
Result<Bytes> wrap_around(SecretBytes inside, ByteView name, const SecretBytes& seed) {
  CARDEA_ASSIGN(const SecretBytes cipher_key, kdf_a(seed.view(), "STORAGE", name, {}, wrap_key_size));
  CARDEA_ASSIGN(const SecretBytes mac_key, kdf_a(seed.view(), "INTEGRITY", {}, {}, 32));
  CARDEA_TRY(cfb(crypto::Direction::encrypt, cipher_key.view(), no_iv, inside.mutable_view()));
  const SecretBytes named = SecretWriter(inside.size() + name.size()).put(inside.view()).put(name).take();
  CARDEA_ASSIGN(const SecretBytes mac, crypto::hmac(Hash::sha256, mac_key.view(), named.view()));
  Bytes duplicate;
  append_sized(duplicate, mac.view());
  duplicate.insert(duplicate.end(), inside.view().begin(), inside.view().end());
  return duplicate;
}

std::optional<std::uint16_t> curve_number(crypto::KeyAlgorithm curve) {
  switch (curve) {
    case crypto::KeyAlgorithm::p256:
      return 0x0003;
    case crypto::KeyAlgorithm::p384:
      return 0x0004;
    case crypto::KeyAlgorithm::p521:
      return 0x0005;
    default:
      return {};
  }
}

/// A key without fixed scheme, for signing and decryption. It was not made in the TPM, which will not vouch for it.
Bytes begin_area(std::uint16_t type) {
  Bytes area;
  append_number(area, type, 2);
  append_number(area, number::sha256, 2);
  append_number(area, attribute::user_with_auth | attribute::no_lock_out | attribute::sign | attribute::decrypt, 4);
  append_sized(area, {});                // no policy
  append_number(area, number::none, 2);  // no cipher
  append_number(area, number::none, 2);  // no scheme
  return area;
}

/// TPMT_PUBLIC.
Result<Bytes> area_of(const crypto::AsymmetricKey& key) {
  if (key.algorithm() == crypto::KeyAlgorithm::rsa) {
    CARDEA_ASSIGN(const crypto::RsaNumbers numbers, key.rsa_public_numbers());
    if (numbers.public_exponent != Bytes{1, 0, 1}) {
      return error(Code::attribute_value_invalid, "the public exponent of keys in the TPM is 65537");
    }
    Bytes area = begin_area(number::rsa);
    append_number(area, key.size(), 2);
    append_number(area, 0, 4);  // the usual exponent
    append_sized(area, numbers.modulus);
    return area;
  }
  const auto curve = curve_number(key.algorithm());
  if (!curve) return Code::curve_not_supported;
  CARDEA_ASSIGN(const Bytes point, key.public_value());
  const std::size_t size = (point.size() - 1) / 2;
  Bytes area = begin_area(number::ecc);
  append_number(area, *curve, 2);
  append_number(area, number::none, 2);  // no key derivation
  append_sized(area, ByteView(point).subspan(1, size));
  append_sized(area, ByteView(point).subspan(1 + size));
  return area;
}

}  // namespace

Result<Bytes> storage_key_point(ByteView public_area) {
  CARDEA_ASSIGN(const PublicArea area, parse_public_area(public_area));
  constexpr std::uint32_t wanted = attribute::fixed_tpm | attribute::fixed_parent | attribute::made_in_tpm |
                                   attribute::restricted | attribute::decrypt;
  const bool fits = area.has(wanted) && area.key->algorithm() == crypto::KeyAlgorithm::p256 &&
                    area.name_algorithm == number::sha256 && area.cipher == number::aes &&
                    area.cipher_bits == 8 * wrap_key_size && area.cipher_mode == number::cfb;
  if (!fits) return error(Code::data_invalid, "this is not the storage key of a virtual card");
  return area.key->public_value();
}

Result<WrappedKey> wrap_key(ByteView storage_key_point, const crypto::AsymmetricKey& key, ByteView auth) {
  CARDEA_ASSIGN(const Bytes area, area_of(key));
  CARDEA_ASSIGN(const Bytes name, object_name(number::sha256, area));
  CARDEA_ASSIGN(SharedSecret seed, share_secret(storage_key_point, "DUPLICATE"));
  WrappedKey wrapped;
  append_sized(wrapped.public_area, area);
  wrapped.inner_key = SecretBytes(wrap_key_size);
  CARDEA_TRY(crypto::random_bytes(wrapped.inner_key.mutable_view()));
  CARDEA_ASSIGN(const SecretBytes sensitive, sensitive_of(key, auth));
  CARDEA_ASSIGN(SecretBytes inside, wrap_inside(sensitive, name, wrapped.inner_key));
  CARDEA_ASSIGN(wrapped.duplicate, wrap_around(std::move(inside), name, seed.secret));
  wrapped.encrypted_seed = std::move(seed.encrypted);
  return wrapped;
}

}  // namespace cardea::tpm
