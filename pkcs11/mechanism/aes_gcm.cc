#include "mechanism/aead_mechanism.h"
#include "mechanism/aes.h"

namespace cardea {
namespace {

constexpr std::size_t longest_iv = 128;  // what the crypto library takes

/// CK_GCM_PARAMS as PKCS#11 2.20 drafts had it, without ulIvBits. NSS and others still send it.
struct GcmParamsWithoutIvBits {
  CK_BYTE_PTR pIv;
  CK_ULONG ulIvLen;
  CK_BYTE_PTR pAAD;
  CK_ULONG ulAADLen;
  CK_ULONG ulTagBits;
};

/// SP 800-38D, 5.2.1.2: 128, 120, 112, 104, 96, and for some uses 64 and 32 bits.
Result<std::size_t> tag_size(CK_ULONG bits) {
  const bool known = bits == 32 || bits == 64 || (bits >= 96 && bits <= 128 && bits % 8 == 0);
  if (!known) return Code::mechanism_param_invalid;
  return bits / 8;
}

Result<MutableBytes> iv_of(CK_BYTE_PTR iv, CK_ULONG size) {
  if (iv == nullptr || size == 0 || size > longest_iv) return Code::mechanism_param_invalid;
  return MutableBytes{iv, size};
}

}  // namespace

// ulIvBits is not looked at: the standard says so, and callers leave all kinds of values in it.
Result<AeadMessage> parse_gcm_parameter(Parameter parameter) {
  CK_GCM_PARAMS given{};
  if (const auto older = parameter.as<GcmParamsWithoutIvBits>()) {
    const GcmParamsWithoutIvBits& old = **older;
    given = {old.pIv, old.ulIvLen, 0, old.pAAD, old.ulAADLen, old.ulTagBits};
  } else {
    CARDEA_ASSIGN(const CK_GCM_PARAMS* const present, parameter.as<CK_GCM_PARAMS>());
    given = *present;
  }
  CARDEA_ASSIGN(const ByteView iv, iv_of(given.pIv, given.ulIvLen));
  CARDEA_ASSIGN(const ByteView associated_data, parameter_bytes(given.pAAD, given.ulAADLen));
  CARDEA_ASSIGN(const std::size_t tag, tag_size(given.ulTagBits));
  return AeadMessage{iv, associated_data, tag, {}};
}

namespace {

Result<AeadMessageParameter> parse_message(void* parameter, std::size_t size) {
  CARDEA_ASSIGN(const CK_GCM_MESSAGE_PARAMS* const given, Parameter(parameter, size).as<CK_GCM_MESSAGE_PARAMS>());
  CARDEA_ASSIGN(const MutableBytes iv, iv_of(given->pIv, given->ulIvLen));
  CARDEA_ASSIGN(const std::size_t tag, tag_size(given->ulTagBits));
  if (given->pTag == nullptr) return Code::mechanism_param_invalid;
  return AeadMessageParameter{iv, given->ulIvFixedBits, given->ivGenerator, {given->pTag, tag}, {}};
}

/// C_WrapKey: CK_GCM_WRAP_PARAMS, or CK_GCM_PARAMS with the caller's own IV.
Result<AeadWrapping> parse_wrapping(Parameter parameter) {
  const auto present = parameter.as<CK_GCM_WRAP_PARAMS>();
  if (!present) {
    CARDEA_ASSIGN(const AeadMessage message, parse_gcm_parameter(parameter));
    return AeadWrapping{message, {}, 0, CKG_NO_GENERATE, {}};
  }
  const CK_GCM_WRAP_PARAMS& given = **present;
  CK_GCM_PARAMS plain{given.pIv, given.ulIvLen, 0, given.pAAD, given.ulAADLen, given.ulTagBits};
  CARDEA_ASSIGN(const AeadMessage message, parse_gcm_parameter(Parameter(&plain, sizeof(plain))));
  return AeadWrapping{message, {given.pIv, given.ulIvLen}, given.ulIvFixedBits, given.ivGenerator, {}};
}

}  // namespace

void register_aes_gcm(MechanismRegistry& registry) {
  registry.emplace<AeadWrapMechanism>(CKM_AES_GCM,
                                      aes_info(CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP | CKF_MESSAGE_ENCRYPT |
                                               CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE),
                                      AeadAlgorithm{crypto::Cipher::aes_gcm, aes_key, parse_gcm_parameter,
                                                    parse_message, sizeof(CK_GCM_MESSAGE_PARAMS)},
                                      parse_wrapping);
}

}  // namespace cardea
