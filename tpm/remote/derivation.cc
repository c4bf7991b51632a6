#include "tpm_remote/derivation.h"

#include <algorithm>
#include <array>
#include <string>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "crypto/symmetric_key.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t coordinate_size = 32;  // bytes, P-256
constexpr std::size_t secret_size = 32;      // bytes, as of SHA-256
constexpr std::size_t block_size = 16;       // bytes, AES

/// KDFe with SHA-256, 32 bytes (SP 800-56A).
Result<SecretBytes> kdf_e(ByteView shared, std::string_view use, ByteView party_u, ByteView party_v) {
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  constexpr std::array<Byte, 4> counter{0, 0, 0, 1};
  constexpr std::array<Byte, 1> end_of_text{};
  for (const ByteView part : {ByteView(counter), shared, view_of(use), ByteView(end_of_text), party_u, party_v}) {
    CARDEA_TRY(digest.update(part));
  }
  SecretBytes derived(digest.size());
  CARDEA_TRY(digest.finish(derived.mutable_view()));
  return derived;
}

}  // namespace

SecretWriter& SecretWriter::put(ByteView part) {
  std::copy(part.begin(), part.end(), bytes_.data() + used_);
  used_ += part.size();
  return *this;
}

SecretWriter& SecretWriter::put_number(std::size_t number, std::size_t size) {
  for (std::size_t i = size; i-- > 0; number >>= 8) bytes_.data()[used_ + i] = static_cast<Byte>(number);
  used_ += size;
  return *this;
}

SecretBytes SecretWriter::take() {
  bytes_.truncate(used_);
  return std::move(bytes_);
}

Result<SecretBytes> kdf_a(ByteView key, std::string_view label, ByteView context_u, ByteView context_v,
                          std::size_t size) {
  SecretWriter input(4 + label.size() + 1 + context_u.size() + context_v.size() + 4);
  input.put_number(1, 4).put(view_of(label)).put_number(0, 1).put(context_u).put(context_v).put_number(size * 8, 4);
  const SecretBytes block = input.take();
  CARDEA_ASSIGN(SecretBytes derived, crypto::hmac(Hash::sha256, key, block.view()));
  derived.truncate(size);
  return derived;
}

Status cfb(crypto::Direction direction, ByteView key, ByteView iv, MutableBytes data) {
  const crypto::SymmetricKeyPtr loaded = crypto::SymmetricKey::make(SecretBytes(key));
  CARDEA_ASSIGN(crypto::CipherContext cipher, loaded->cipher(crypto::Cipher::aes_cfb128, direction));
  CARDEA_TRY(cipher.start(iv));
  SecretBytes out(data.size() + block_size);
  CARDEA_ASSIGN(const std::size_t size, cipher.update(data, out.mutable_view()));
  if (size != data.size()) return error(Code::internal, "CFB kept something back");
  std::copy_n(out.data(), size, data.begin());
  return {};
}

Result<SharedSecret> share_secret(ByteView point, std::string_view use) {
  CARDEA_ASSIGN(const auto ephemeral, crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  CARDEA_ASSIGN(const Bytes own, ephemeral->public_value());
  SecretBytes shared(coordinate_size);
  CARDEA_TRY(ephemeral->derive(point, shared.mutable_view()));
  const ByteView own_x = ByteView(own).subspan(1, coordinate_size);
  const ByteView own_y = ByteView(own).subspan(1 + coordinate_size);
  SharedSecret result;
  CARDEA_ASSIGN(result.secret, kdf_e(shared.view(), use, own_x, point.subspan(1, coordinate_size)));
  const SecretBytes encoded = SecretWriter(2 * (2 + coordinate_size)).put_sized(own_x).put_sized(own_y).take();
  result.encrypted = to_bytes(encoded.view());
  return result;
}

namespace {

/// The secret is chosen here and encrypted; the label ends with a zero byte (part 1, B.4).
Result<SharedSecret> encrypt_secret(const crypto::AsymmetricKey& key, std::string_view use) {
  SharedSecret result;
  result.secret = SecretBytes(secret_size);
  CARDEA_TRY(crypto::random_bytes(result.secret.mutable_view()));
  const std::string label = std::string(use) + '\0';
  result.encrypted.resize(key.output_size());
  CARDEA_ASSIGN(const std::size_t size,
                key.encrypt_oaep(Hash::sha256, Hash::sha256, view_of(label), result.secret.view(), result.encrypted));
  result.encrypted.resize(size);
  return result;
}

}  // namespace

Result<SharedSecret> share_secret(const crypto::AsymmetricKey& key, std::string_view use) {
  if (key.algorithm() == crypto::KeyAlgorithm::rsa) return encrypt_secret(key, use);
  if (key.algorithm() != crypto::KeyAlgorithm::p256) return Code::curve_not_supported;
  CARDEA_ASSIGN(const Bytes point, key.public_value());
  return share_secret(point, use);
}

}  // namespace cardea::tpm
