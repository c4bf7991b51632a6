// Whether a TPM lets its RSA keys work without padding, and what it offers instead.
//
// No property of a TPM tells, and TPM2_TestParms asks only whether there may be such a key. So it is tried, with a key
// made in software and loaded for the trial: on a real TPM a key of its own would take seconds to minutes.
#include "esapi/rsa_ability.h"

#include <algorithm>

#include "crypto/key_der.h"
#include "esapi/authorised.h"
#include "esapi/esapi_context.h"
#include "esapi/key_area.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t trial_bits = 2048;
constexpr std::size_t trial_size = trial_bits / 8;

/// TPM2_LoadExternal of both halves, which only the null hierarchy takes (TPM 2.0 Library, part 3, 12.3).
Result<Loaded> load_external(const std::shared_ptr<EsapiContext>& context, const crypto::AsymmetricKey& key) {
  CARDEA_ASSIGN(const crypto::RsaNumbers numbers, key.rsa_numbers());
  TPM2B_PUBLIC area = new_area(
      TPM2_ALG_RSA, TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT);
  TPMS_RSA_PARMS& parameters = area.publicArea.parameters.rsaDetail;
  parameters.symmetric.algorithm = TPM2_ALG_NULL;
  parameters.scheme.scheme = TPM2_ALG_NULL;
  parameters.keyBits = trial_bits;
  CARDEA_TRY(fill_buffer(area.publicArea.unique.rsa, numbers.modulus));
  TPM2B_SENSITIVE sensitive{};
  sensitive.sensitiveArea.sensitiveType = TPM2_ALG_RSA;
  CARDEA_TRY(fill_buffer(sensitive.sensitiveArea.sensitive.rsa, numbers.prime_1.view()));
  ESYS_TR handle = ESYS_TR_NONE;
  CARDEA_TRY(context->checked(context->tss().Esys_LoadExternal(context->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                               &sensitive, &area, ESYS_TR_RH_NULL, &handle)));
  return Loaded(context, handle);
}

/// What says that the TPM could not be asked, rather than that it refused.
bool is_no_answer(Code code) {
  return code == Code::device_removed || code == Code::device_memory || code == Code::host_memory ||
         code == Code::timed_out;
}

/// Tries one thing after the other with a loaded key.
class Trial {
 public:
  Trial(TpmConnection& tpm, EsapiContext& context, const crypto::AsymmetricKey& key, const Loaded& loaded)
      : tpm_(tpm), context_(context), key_(key), loaded_(loaded) {}

  Result<RsaAbility> run() {
    CARDEA_TRY(note(RsaAbility::raw, raw()));
    if (found_.has(RsaAbility::raw)) return found_;
    CARDEA_TRY(note_hashes());
    CARDEA_TRY(note(RsaAbility::pkcs1_sign, sign(RsaPadding::pkcs1, 0)));
    CARDEA_TRY(note(RsaAbility::pss_with_digest, sign(RsaPadding::pss, digest_.size())));
    constexpr std::size_t longest = trial_size - 32 - 2;
    if (!found_.has(RsaAbility::pss_with_digest)) {
      CARDEA_TRY(note(RsaAbility::pss_with_longest, sign(RsaPadding::pss, longest)));
    }
    CARDEA_TRY(note(RsaAbility::pkcs1_decrypt, decrypt(RsaPadding::pkcs1)));
    CARDEA_TRY(note(RsaAbility::oaep_decrypt, decrypt(RsaPadding::oaep)));
    return found_;
  }

 private:
  Status note(RsaAbility::Bit bit, Status tried) {
    if (tried) found_.bits |= bit;
    return !tried && (is_no_answer(tried.code()) || context_.lost()) ? tried : Status();
  }

  Status raw() {
    Bytes block(trial_size, 0x5a), ciphertext(trial_size), back(trial_size);
    block[0] = 0;
    CARDEA_TRY(key_.rsa_public_raw(block, ciphertext));
    CARDEA_TRY(tpm_.rsa_raw(loaded_, nullptr, ciphertext, back));
    return back == block ? Status() : Status(Code::device_error);
  }

  Status note_hashes() {
    TPMS_CAPABILITY_DATA* data = nullptr;
    TPMI_YES_NO more = TPM2_NO;
    CARDEA_TRY(context_.checked(context_.tss().Esys_GetCapability(context_.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                                                  ESYS_TR_NONE, TPM2_CAP_ALGS, TPM2_ALG_FIRST,
                                                                  TPM2_MAX_CAP_ALGS, &more, &data)));
    const EsysPtr<TPMS_CAPABILITY_DATA> owner(data, EsysFree(context_.tss()));
    const TPML_ALG_PROPERTY& list = data->data.algorithms;
    for (const auto& [hash, number] : own_hashes) {
      const auto is_it = [wanted = number](const TPMS_ALG_PROPERTY& each) { return each.alg == wanted; };
      if (std::any_of(list.algProperties, list.algProperties + list.count, is_it)) found_.bits |= bit_of(hash);
    }
    return {};
  }

  Status sign(RsaPadding padding, std::size_t salt) {
    Bytes signature(trial_size);
    CARDEA_TRY(tpm_.rsa_sign(loaded_, nullptr, padding, Hash::sha256, digest_, signature));
    if (padding == RsaPadding::pss) return key_.verify_pss(Hash::sha256, Hash::sha256, salt, digest_, signature);
    return key_.verify_pkcs1(digest_info(Hash::sha256, digest_), signature);
  }

  Status decrypt(RsaPadding padding) {
    Bytes ciphertext(trial_size), back(trial_size);
    CARDEA_TRY(padding == RsaPadding::oaep ? key_.encrypt_oaep(Hash::sha256, Hash::sha256, {}, digest_, ciphertext)
                                           : key_.encrypt_pkcs1(digest_, ciphertext));
    CARDEA_ASSIGN(const std::size_t size,
                  tpm_.rsa_decrypt(loaded_, nullptr, padding, Hash::sha256, {}, ciphertext, back));
    return same_bytes(ByteView(back).first(size), digest_) ? Status() : Status(Code::device_error);
  }

  TpmConnection& tpm_;
  EsapiContext& context_;
  const crypto::AsymmetricKey& key_;
  const Loaded& loaded_;
  const Bytes digest_ = Bytes(32, 0x5a);
  RsaAbility found_{.bits = 0};
};

}  // namespace

Bytes digest_info(Hash hash, ByteView digest) {
  // RFC 8017, 9.2, note 1: the identifier of the hash with NULL parameters, and the digest.
  const Bytes oid = hash == Hash::sha1
                        ? Bytes{0x2b, 0x0e, 0x03, 0x02, 0x1a}
                        : Bytes{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, crypto::hash_nist_arc(hash)};
  const Bytes identifier = crypto::der<Bytes>(crypto::der_oid, {oid});
  const Bytes null = crypto::der<Bytes>(crypto::der_null, {});
  const Bytes algorithm = crypto::der<Bytes>(crypto::der_sequence, {identifier, null});
  const Bytes octets = crypto::der<Bytes>(crypto::der_octet_string, {digest});
  return crypto::der<Bytes>(crypto::der_sequence, {algorithm, octets});
}

Result<RsaAbility> TpmConnection::rsa_ability() {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::AsymmetricKey::generate_rsa(trial_bits, Bytes{1, 0, 1}));
  const auto loaded = load_external(context_, *key);
  if (!loaded && (is_no_answer(loaded.code()) || context_->lost())) return loaded.error();
  if (!loaded) return RsaAbility();  // it has no such keys, or takes none in; then nobody knows better
  return Trial(*this, *context_, *key, *loaded).run();
}

}  // namespace cardea::tpm
