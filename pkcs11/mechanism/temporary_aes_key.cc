#include "mechanism/temporary_aes_key.h"

#include <array>

#include "crypto/symmetric_key.h"

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::Direction;

constexpr std::size_t semiblock = 8;
constexpr std::array<Byte, 4> alternative_iv{0xa6, 0x59, 0x59, 0xa6};  // RFC 5649, 3

Result<std::size_t> run(SecretBytes key, Direction direction, ByteView input, MutableBytes out) {
  const crypto::SymmetricKeyPtr ready = crypto::SymmetricKey::make(std::move(key));
  CARDEA_ASSIGN(crypto::CipherContext context, ready->cipher(Cipher::aes_wrap_pad, direction));
  CARDEA_TRY(context.start(alternative_iv));
  return context.update(input, out);
}

}  // namespace

Result<std::size_t> temporary_key_size(CK_ULONG bits) {
  if (bits != 128 && bits != 192 && bits != 256) return Code::mechanism_param_invalid;
  return static_cast<std::size_t>(bits / 8);
}

Result<Bytes> wrap_under(SecretBytes key, ByteView material) {
  if (material.empty()) return Code::data_length;
  Bytes wrapped((material.size() + semiblock - 1) / semiblock * semiblock + semiblock);
  CARDEA_ASSIGN(const std::size_t size, run(std::move(key), Direction::encrypt, material, wrapped));
  wrapped.resize(size);
  return wrapped;
}

Result<SecretBytes> unwrap_under(SecretBytes key, ByteView wrapped) {
  if (wrapped.size() < 2 * semiblock || wrapped.size() % semiblock != 0) return Code::encrypted_data_length;
  SecretBytes material(wrapped.size());
  const auto size = run(std::move(key), Direction::decrypt, wrapped, material.mutable_view());
  if (!size) return Code::encrypted_data_invalid;
  material.truncate(*size);
  return material;
}

}  // namespace cardea
