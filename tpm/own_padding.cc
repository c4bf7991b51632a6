#include "tpm/own_padding.h"

#include <algorithm>

#include "crypto/mac.h"
#include "crypto/rsa_pkcs1.h"

namespace cardea::tpm {
namespace {

Error not_with_this_tpm(const char* words) {
  return error(Code::mechanism_param_invalid, words);
}

/// Whether that may be the TPM's word about a padding. Part 3, 14.3 asks for TPM_RC_VALUE, but not all
/// keep to that, and swtpm does not.
bool is_about_padding(const TpmConnection& tpm, Code code) {
  return tpm.alive() && (code == Code::data_invalid || code == Code::device_error);
}

Result<std::size_t> sign_pkcs1(const OwnPaddingKey& key, ByteView info, MutableBytes out) {
  for (const auto& [hash, number] : own_hashes) {
    const std::size_t size = crypto::hash_size(hash);
    if (!key.ability.has(bit_of(hash)) || info.size() < size) continue;
    const ByteView digest = info.last(size);
    if (!same_bytes(digest_info(hash, digest), info)) continue;
    return key.tpm.rsa_sign(key.key, key.protect, RsaPadding::pkcs1, hash, digest, out);
  }
  return error(Code::data_invalid, "this TPM signs only digests of hashes that it has itself");
}

Result<std::size_t> sign_pss(const OwnPaddingKey& key, const PrimitiveRequest& request, ByteView digest,
                             MutableBytes out) {
  const std::size_t hash_size = crypto::hash_size(request.hash);
  if (!key.ability.has(bit_of(request.hash)) || request.mgf_hash != request.hash) {
    return not_with_this_tpm("this TPM does not have the hash, or not with this mask");
  }
  // The longest salt leaves room for the digest and two bytes of padding (RFC 8017, 9.1.1).
  const std::size_t salt = key.ability.has(RsaAbility::pss_with_digest) ? hash_size : out.size() - hash_size - 2;
  if (request.salt_length != salt) {
    return error(Code::mechanism_param_invalid, "the salt of this TPM has " + std::to_string(salt) + " bytes");
  }
  return key.tpm.rsa_sign(key.key, key.protect, RsaPadding::pss, request.hash, digest, out);
}

Result<std::size_t> decrypt_oaep(const OwnPaddingKey& key, const PrimitiveRequest& request, ByteView ciphertext,
                                 MutableBytes out) {
  if (!key.ability.has(bit_of(request.hash)) || request.mgf_hash != request.hash) {
    return not_with_this_tpm("this TPM does not have the hash, or not with this mask");
  }
  // A TPM's labels are C strings, whose end belongs to them (TPM 2.0 Library, part 1, B.4).
  const ByteView label = request.label;
  if (!label.empty() && std::find(label.begin(), label.end(), Byte{0}) != label.end() - 1) {
    return not_with_this_tpm("labels of this TPM end with a zero and have no other");
  }
  auto message = key.tpm.rsa_decrypt(key.key, key.protect, RsaPadding::oaep, request.hash, label, ciphertext, out);
  if (!message && is_about_padding(key.tpm, message.code())) return Code::encrypted_data_invalid;
  return message;
}

/// The TPM says whether the padding was right. So its answer is padded anew, or something wrong takes its place, and
/// both go through what is done with the block of raw RSA.
Result<std::size_t> decrypt_pkcs1(const OwnPaddingKey& key, ByteView ciphertext, MutableBytes out) {
  CARDEA_ASSIGN(const SecretBytes secret,
                crypto::hmac(Hash::sha256, key.card_auth.view(), view_of("replacement of wrongly padded messages")));
  CARDEA_ASSIGN(const crypto::ImplicitRejection rejection, crypto::ImplicitRejection::make(secret.view()));
  SecretBytes message(ciphertext.size());
  const auto size =
      key.tpm.rsa_decrypt(key.key, key.protect, RsaPadding::pkcs1, Hash::none, {}, ciphertext, message.mutable_view());
  if (!size && !is_about_padding(key.tpm, size.code())) return size.error();
  SecretBytes block(ciphertext.size());
  if (size && *size + crypto::pkcs1_overhead <= block.size()) {
    const MutableBytes bytes = block.mutable_view();
    const std::size_t begin = bytes.size() - *size;
    std::fill(bytes.begin(), bytes.end(), Byte{0xff});
    bytes[0] = 0;
    bytes[1] = 2;
    bytes[begin - 1] = 0;
    std::copy_n(message.data(), *size, bytes.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  return rejection.unpad(ciphertext, block.mutable_view(), out, key.identity);
}

}  // namespace

Primitives rsa_primitives(const RsaAbility& ability) noexcept {
  if (ability.has(RsaAbility::raw)) return static_cast<Primitives>(Primitive::rsa_raw);
  Primitives all = 0;
  if (ability.has(RsaAbility::pkcs1_sign)) all = all | Primitive::rsa_pkcs1_sign;
  if (ability.has(RsaAbility::pss_with_digest | RsaAbility::pss_with_longest)) all = all | Primitive::rsa_pss_sign;
  if (ability.has(RsaAbility::pkcs1_decrypt)) all = all | Primitive::rsa_pkcs1_decrypt;
  if (ability.has(RsaAbility::oaep_decrypt)) all = all | Primitive::rsa_oaep_decrypt;
  return all;
}

Result<std::size_t> perform_with_own_padding(const OwnPaddingKey& key, const PrimitiveRequest& request, ByteView input,
                                             MutableBytes out) {
  switch (request.primitive) {
    case Primitive::rsa_pkcs1_sign:
      return sign_pkcs1(key, input, out);
    case Primitive::rsa_pss_sign:
      return sign_pss(key, request, input, out);
    case Primitive::rsa_pkcs1_decrypt:
      return decrypt_pkcs1(key, input, out);
    case Primitive::rsa_oaep_decrypt:
      return decrypt_oaep(key, request, input, out);
    default:
      return Code::mechanism_invalid;
  }
}

}  // namespace cardea::tpm
