// What private keys do inside the TPM, and how their public halves come out of it.
#include <algorithm>

#include "esapi/esapi_context.h"

namespace cardea::tpm {
namespace {

/// The session that authorises one command: the password session, or a fresh one that shows nothing on the bus.
class CommandSession {
 public:
  static Result<CommandSession> make(const std::shared_ptr<EsapiContext>& context, const Loaded* salt) {
    CommandSession session;
    if (salt != nullptr) {
      CARDEA_ASSIGN(session.session_, start_session(context, *salt, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT));
    }
    return session;
  }
  ESYS_TR handle() const { return session_ ? session_.handle() : ESYS_TR_PASSWORD; }
  void succeeded() { session_.consumed(); }

 private:
  Loaded session_;
};

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
  TPMT_TK_HASHCHECK no_ticket{};
  no_ticket.tag = TPM2_ST_HASHCHECK;
  no_ticket.hierarchy = TPM2_RH_NULL;
  CARDEA_ASSIGN(CommandSession session, CommandSession::make(context_, protect));
  TPMT_SIGNATURE* signature = nullptr;
  CARDEA_TRY(context_->checked(context_->tss().Esys_Sign(context_->get(), key.handle(), session.handle(), ESYS_TR_NONE,
                                                         ESYS_TR_NONE, &fitted, &scheme, &no_ticket, &signature)));
  session.succeeded();
  const EsysPtr<TPMT_SIGNATURE> owner(signature, EsysFree(context_->tss()));
  const std::size_t size = crypto::facts_of(curve).private_size;
  if (out.size() < 2 * size) return Code::buffer_too_small;
  CARDEA_TRY(put_number(view_of_buffer(signature->signature.ecdsa.signatureR), out.first(size)));
  CARDEA_TRY(put_number(view_of_buffer(signature->signature.ecdsa.signatureS), out.subspan(size, size)));
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
  CARDEA_ASSIGN(CommandSession session, CommandSession::make(context_, protect));
  TPM2B_ECC_POINT* shared = nullptr;
  CARDEA_TRY(context_->checked(context_->tss().Esys_ECDH_ZGen(context_->get(), key.handle(), session.handle(),
                                                              ESYS_TR_NONE, ESYS_TR_NONE, &peer, &shared)));
  session.succeeded();
  const EsysPtr<TPM2B_ECC_POINT> owner(shared, EsysFree(context_->tss()));
  Status put = put_number(view_of_buffer(shared->point.x), out.first(size));
  wipe({reinterpret_cast<Byte*>(shared), sizeof(*shared)});
  CARDEA_TRY(std::move(put));
  return size;
}

Result<std::size_t> TpmConnection::rsa_raw(const Loaded& key, const Loaded* protect, ByteView input, MutableBytes out) {
  if (out.size() < input.size()) return Code::buffer_too_small;
  TPM2B_PUBLIC_KEY_RSA block{};
  if (!fill_buffer(block, input)) return Code::data_length;
  TPMT_RSA_DECRYPT scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  const TPM2B_DATA no_label{};
  CARDEA_ASSIGN(CommandSession session, CommandSession::make(context_, protect));
  TPM2B_PUBLIC_KEY_RSA* answer = nullptr;
  CARDEA_TRY(
      context_->checked(context_->tss().Esys_RSA_Decrypt(context_->get(), key.handle(), session.handle(), ESYS_TR_NONE,
                                                         ESYS_TR_NONE, &block, &scheme, &no_label, &answer)));
  session.succeeded();
  const EsysPtr<TPM2B_PUBLIC_KEY_RSA> owner(answer, EsysFree(context_->tss()));
  Status put = put_number(view_of_buffer(*answer), out.first(input.size()));
  wipe({answer->buffer, answer->size});
  CARDEA_TRY(std::move(put));
  return input.size();
}

}  // namespace cardea::tpm
