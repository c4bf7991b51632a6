// What private keys do inside the TPM, and how their public halves come out of it.
#include <algorithm>

#include "esapi/authorised.h"
#include "esapi/esapi_context.h"

namespace cardea::tpm {
namespace {

/// A number right-aligned in a field of that size; device_error when it is longer.
Status put_number(ByteView number, MutableBytes field) {
  while (!number.empty() && number.front() == 0) number = number.subspan(1);
  if (number.size() > field.size()) return error(Code::device_error, "the TPM answered a number that is too long");
  const std::size_t zeros = field.size() - number.size();
  std::fill_n(field.begin(), zeros, Byte{0});
  std::copy(number.begin(), number.end(), field.begin() + static_cast<std::ptrdiff_t>(zeros));
  return {};
}

/// The digest as the curve sees it, as long as a hash that the TPM knows. ECDSA takes the leftmost bits of a digest up
/// to the order's length (FIPS 186-5, 6.4.1), so a long one may be cut and a short one stands behind zeros.
TPM2_ALG_ID fit_digest(crypto::KeyAlgorithm curve, ByteView digest, TPM2B_DIGEST& fitted) {
  fitted.size = curve == crypto::KeyAlgorithm::p256 ? 32 : curve == crypto::KeyAlgorithm::p384 ? 48 : 64;
  const ByteView used = digest.first(std::min<std::size_t>(digest.size(), fitted.size));
  std::copy_backward(used.begin(), used.end(), fitted.buffer + fitted.size);
  return fitted.size == 32 ? TPM2_ALG_SHA256 : fitted.size == 48 ? TPM2_ALG_SHA384 : TPM2_ALG_SHA512;
}

/// TPM2_Sign.
Result<TPMT_SIGNATURE> sign(const std::shared_ptr<EsapiContext>& context, const Loaded& key, const Loaded* protect,
                            const TPMT_SIG_SCHEME& scheme, ByteView digest) {
  TPM2B_DIGEST bytes{};
  CARDEA_TRY(fill_buffer(bytes, digest));
  TPMT_TK_HASHCHECK no_ticket{};
  no_ticket.tag = TPM2_ST_HASHCHECK;
  no_ticket.hierarchy = TPM2_RH_NULL;
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context, protect, TPMA_SESSION_DECRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context->tpm_handle(key));
  const Tss2Api& tss = context->tss();
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
    return tss.Tss2_Sys_Sign_Prepare(sys, handle, &bytes, &scheme, &no_ticket);
  };
  CARDEA_TRY(authorisation.execute(prepare, TPM2_CC_Sign, key));
  TPMT_SIGNATURE signature{};
  CARDEA_TRY(context->checked(tss.Tss2_Sys_Sign_Complete(context->sys(), &signature)));
  return signature;
}

}  // namespace

Result<crypto::AsymmetricKeyPtr> TpmConnection::public_key(const Blob& blob) {
  CARDEA_ASSIGN(const Tss2Api* const tss, tss2_api());
  CARDEA_ASSIGN(const TPM2B_PUBLIC area, unmarshal(*tss, blob.public_area));
  if (area.publicArea.type == TPM2_ALG_RSA) {
    const UINT32 exponent = area.publicArea.parameters.rsaDetail.exponent;
    if (exponent != 0) return error(Code::store_corrupt, "an RSA key with an exponent that we never ask for");
    crypto::RsaNumbers numbers;
    numbers.modulus = to_bytes(view_of_buffer(area.publicArea.unique.rsa));
    numbers.public_exponent = {1, 0, 1};
    return crypto::AsymmetricKey::rsa(numbers);
  }
  if (area.publicArea.type != TPM2_ALG_ECC) return error(Code::store_corrupt, "the object is no key pair");
  for (const auto curve : {crypto::KeyAlgorithm::p256, crypto::KeyAlgorithm::p384, crypto::KeyAlgorithm::p521}) {
    if (curve_number(curve) != area.publicArea.parameters.eccDetail.curveID) continue;
    const std::size_t size = crypto::facts_of(curve).private_size;
    Bytes point(1 + 2 * size, 0x04);
    CARDEA_TRY(put_number(view_of_buffer(area.publicArea.unique.ecc.x), MutableBytes(point).subspan(1, size)));
    CARDEA_TRY(put_number(view_of_buffer(area.publicArea.unique.ecc.y), MutableBytes(point).subspan(1 + size, size)));
    return crypto::AsymmetricKey::from_public(curve, point);
  }
  return Code::curve_not_supported;
}

Result<std::size_t> TpmConnection::ecdsa_sign(const Loaded& key, const Loaded* protect, crypto::KeyAlgorithm curve,
                                              ByteView digest, MutableBytes out) {
  TPM2B_DIGEST fitted{};
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_ECDSA;
  scheme.details.ecdsa.hashAlg = fit_digest(curve, digest, fitted);
  CARDEA_ASSIGN(const TPMT_SIGNATURE signature, sign(context_, key, protect, scheme, view_of_buffer(fitted)));
  const std::size_t size = crypto::facts_of(curve).private_size;
  if (out.size() < 2 * size) return Code::buffer_too_small;
  CARDEA_TRY(put_number(view_of_buffer(signature.signature.ecdsa.signatureR), out.first(size)));
  CARDEA_TRY(put_number(view_of_buffer(signature.signature.ecdsa.signatureS), out.subspan(size, size)));
  return 2 * size;
}

Result<std::size_t> TpmConnection::ecdh(const Loaded& key, const Loaded* protect, crypto::KeyAlgorithm curve,
                                        ByteView point, MutableBytes out) {
  const std::size_t size = crypto::facts_of(curve).private_size;
  if (point.size() != 1 + 2 * size) return Code::public_key_invalid;
  if (out.size() < size) return Code::buffer_too_small;
  TPM2B_ECC_POINT peer{};
  CARDEA_TRY(fill_buffer(peer.point.x, point.subspan(1, size)));
  CARDEA_TRY(fill_buffer(peer.point.y, point.subspan(1 + size, size)));
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context_, protect, TPMA_SESSION_ENCRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context_->tpm_handle(key));
  const Tss2Api& tss = context_->tss();
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) { return tss.Tss2_Sys_ECDH_ZGen_Prepare(sys, handle, &peer); };
  CARDEA_TRY(authorisation.execute(prepare, TPM2_CC_ECDH_ZGen, key));
  TPM2B_ECC_POINT shared{};
  CARDEA_TRY(context_->checked(tss.Tss2_Sys_ECDH_ZGen_Complete(context_->sys(), &shared)));
  Status put = put_number(view_of_buffer(shared.point.x), out.first(size));
  wipe({reinterpret_cast<Byte*>(&shared), sizeof(shared)});
  CARDEA_TRY(std::move(put));
  return size;
}

namespace {

/// TPM2_RSA_Decrypt.
Result<SecretBytes> decrypt(const std::shared_ptr<EsapiContext>& context, const Loaded& key, const Loaded* protect,
                            const TPMT_RSA_DECRYPT& scheme, ByteView label, ByteView input) {
  TPM2B_PUBLIC_KEY_RSA block{};
  if (!fill_buffer(block, input)) return Code::data_length;
  TPM2B_DATA own_label{};
  if (!fill_buffer(own_label, label)) return Code::mechanism_param_invalid;
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context, protect, TPMA_SESSION_ENCRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context->tpm_handle(key));
  const Tss2Api& tss = context->tss();
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
    return tss.Tss2_Sys_RSA_Decrypt_Prepare(sys, handle, &block, &scheme, &own_label);
  };
  CARDEA_TRY(authorisation.execute(prepare, TPM2_CC_RSA_Decrypt, key));
  TPM2B_PUBLIC_KEY_RSA answer{};
  answer.size = sizeof(answer.buffer);
  CARDEA_TRY(context->checked(tss.Tss2_Sys_RSA_Decrypt_Complete(context->sys(), &answer)));
  SecretBytes plain(view_of_buffer(answer));
  wipe({answer.buffer, sizeof(answer.buffer)});
  return plain;
}

}  // namespace

Result<std::size_t> TpmConnection::rsa_raw(const Loaded& key, const Loaded* protect, ByteView input, MutableBytes out) {
  if (out.size() < input.size()) return Code::buffer_too_small;
  TPMT_RSA_DECRYPT scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  CARDEA_ASSIGN(const SecretBytes number, decrypt(context_, key, protect, scheme, {}, input));
  CARDEA_TRY(put_number(number.view(), out.first(input.size())));
  return input.size();
}

Result<std::size_t> TpmConnection::rsa_decrypt(const Loaded& key, const Loaded* protect, RsaPadding padding, Hash hash,
                                               ByteView label, ByteView input, MutableBytes out) {
  TPMT_RSA_DECRYPT scheme{};
  scheme.scheme = padding == RsaPadding::oaep ? TPM2_ALG_OAEP : TPM2_ALG_RSAES;
  if (padding == RsaPadding::oaep) scheme.details.oaep.hashAlg = number_of(hash);
  CARDEA_ASSIGN(const SecretBytes message, decrypt(context_, key, protect, scheme, label, input));
  if (out.size() < message.size()) return Code::buffer_too_small;
  std::copy_n(message.data(), message.size(), out.begin());
  return message.size();
}

Result<std::size_t> TpmConnection::rsa_sign(const Loaded& key, const Loaded* protect, RsaPadding padding, Hash hash,
                                            ByteView digest, MutableBytes out) {
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = padding == RsaPadding::pss ? TPM2_ALG_RSAPSS : TPM2_ALG_RSASSA;
  scheme.details.any.hashAlg = number_of(hash);
  CARDEA_ASSIGN(const TPMT_SIGNATURE signature, sign(context_, key, protect, scheme, digest));
  const ByteView number = view_of_buffer(signature.signature.rsassa.sig);  // rsapss is the same structure
  if (out.size() < number.size()) return Code::buffer_too_small;
  std::copy(number.begin(), number.end(), out.begin());
  return number.size();
}

}  // namespace cardea::tpm
