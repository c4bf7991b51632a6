// ECDSA and ECDH operations of AsymmetricKey.

#include <algorithm>
#include <array>

#include "crypto/asymmetric_key.h"
#include "crypto/key_der.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

// Two INTEGERs of P-521 with their headers fit.
constexpr std::size_t longest_der_signature = 160;

std::size_t write_integer(ByteView number, Byte* out) noexcept {
  number = without_leading_zeros(number);
  const bool pad = number.empty() || (number[0] & 0x80u) != 0;
  std::size_t written = write_der_header(der_integer_tag, number.size() + (pad ? 1 : 0), out);
  if (pad) out[written++] = 0;
  std::copy(number.begin(), number.end(), out + written);
  return written + number.size();
}

// r || s as ECDSA-Sig-Value (RFC 3279, 2.2.3), on the stack because it happens for every verification.
ByteView to_der(ByteView signature, MutableBytes buffer) noexcept {
  std::array<Byte, longest_der_signature> content;
  const std::size_t half = signature.size() / 2;
  std::size_t size = write_integer(signature.first(half), content.data());
  size += write_integer(signature.subspan(half), content.data() + size);
  const std::size_t header = write_der_header(der_sequence, size, buffer.data());
  std::copy_n(content.begin(), size, buffer.begin() + static_cast<std::ptrdiff_t>(header));
  return buffer.first(header + size);
}

bool from_der(ByteView signature, MutableBytes out) noexcept {
  DerReader outer(signature);
  const auto content = outer.take(der_sequence);
  if (!content) return false;
  DerReader inner(*content);
  const std::size_t half = out.size() / 2;
  std::fill(out.begin(), out.end(), Byte{0});
  for (const std::size_t end : {half, 2 * half}) {
    const auto number = inner.take_unsigned();
    if (!number || number->size() > half) return false;
    std::copy(number->begin(), number->end(), out.begin() + static_cast<std::ptrdiff_t>(end - number->size()));
  }
  return true;
}

}  // namespace

Result<std::size_t> AsymmetricKey::ecdsa_sign(ByteView digest, MutableBytes out) const {
  return with_context({ContextTask::ecdsa_sign}, [&](KeyContext& context) -> Result<std::size_t> {
    std::array<Byte, longest_der_signature> der;
    std::size_t size = der.size();
    if (EVP_PKEY_sign(context.context.get(), der.data(), &size, digest.data(), digest.size()) != 1)
      return openssl_error(Code::internal);
    if (!from_der(ByteView(der).first(size), out.first(output_size_))) return Code::internal;
    return output_size_;
  });
}

Status AsymmetricKey::ecdsa_verify(ByteView digest, ByteView signature) const {
  if (signature.empty() || signature.size() % 2 != 0 || signature.size() > output_size_) return Code::signature_length;
  return with_context({ContextTask::ecdsa_verify}, [&](KeyContext& context) -> Status {
    std::array<Byte, longest_der_signature> buffer;
    const ByteView der = to_der(signature, buffer);
    if (EVP_PKEY_verify(context.context.get(), der.data(), der.size(), digest.data(), digest.size()) == 1) return {};
    return openssl_error(Code::signature_invalid);
  });
}

Status AsymmetricKey::set_peer(KeyContext& context, ByteView peer) const {
  // An EVP_PKEY with our curve takes one peer's point after the other; making a new one costs as much as the
  // arithmetic.
  if (!context.peer) {
    context.peer.reset(EVP_PKEY_new());
    if (!context.peer || EVP_PKEY_copy_parameters(context.peer.get(), key_.get()) != 1)
      return openssl_error(Code::internal);
  }
  // Decoding checks that the point is on the curve. With cofactor 1 that, and not being the point at infinity, is all
  // of a full validation (SP 800-56A rev. 3, 5.6.2.3.3), so OpenSSL's own, which multiplies by the order, is left out.
  constexpr int no_further_check = 0;
  if (EVP_PKEY_set1_encoded_public_key(context.peer.get(), peer.data(), peer.size()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(context.context.get(), context.peer.get(), no_further_check) != 1) {
    context.peer.reset();
    return openssl_error(Code::public_key_invalid);
  }
  return {};
}

Result<std::size_t> AsymmetricKey::derive(ByteView peer, MutableBytes out) const {
  const bool montgomery = facts().family == KeyFamily::montgomery;
  if (peer.size() < 2 || (montgomery && peer.size() != facts().public_size)) return Code::public_key_invalid;
  return with_context({ContextTask::ecdh}, [&](KeyContext& context) -> Result<std::size_t> {
    if (montgomery) {
      CARDEA_ASSIGN(const AsymmetricKeyPtr key, from_public(algorithm_, peer));
      if (EVP_PKEY_derive_set_peer_ex(context.context.get(), key->key_.get(), 0) != 1)
        return openssl_error(Code::public_key_invalid);
    } else {
      CARDEA_TRY(set_peer(context, peer));
    }
    std::size_t size = out.size();
    // Fails for an all-zero result (RFC 7748, 6.1) and for the point at infinity.
    if (EVP_PKEY_derive(context.context.get(), out.data(), &size) != 1) return openssl_error(Code::public_key_invalid);
    return size;
  });
}

}  // namespace cardea::crypto
