#include "mechanism/aead_mechanism.h"
#include "mechanism/aes.h"

namespace cardea {
namespace {

constexpr std::size_t longest_message = std::size_t{1} << 30;  // the crypto library counts in int

/// 7 to 13 bytes (SP 800-38C, A.1).
Result<MutableBytes> nonce_of(CK_BYTE_PTR nonce, CK_ULONG size) {
  if (nonce == nullptr || size < 7 || size > 13) return Code::mechanism_param_invalid;
  return MutableBytes{nonce, size};
}

/// 4 to 16 bytes in steps of two (SP 800-38C, A.1).
Result<std::size_t> mac_size(CK_ULONG size) {
  if (size < 4 || size > 16 || size % 2 != 0) return Code::mechanism_param_invalid;
  return size;
}

/// The nonce leaves 15 bytes less its own size for the message's length.
Result<std::size_t> data_size(CK_ULONG size, std::size_t nonce_size) {
  const std::size_t length_bits = 8 * (15 - nonce_size);
  // A nonce of 7 bytes leaves 64 bits: no length exceeds them, and a shift by 64 has no meaning.
  if (size > longest_message || (length_bits < 64 && size >> length_bits != 0)) return Code::mechanism_param_invalid;
  return size;
}

/// CK_CCM_PARAMS without its ulDataLen.
Result<AeadMessage> without_data_size(const CK_CCM_PARAMS& given) {
  CARDEA_ASSIGN(const ByteView nonce, nonce_of(given.pNonce, given.ulNonceLen));
  CARDEA_ASSIGN(const ByteView associated_data, parameter_bytes(given.pAAD, given.ulAADLen));
  if (associated_data.size() > longest_message) return Code::mechanism_param_invalid;
  CARDEA_ASSIGN(const std::size_t mac, mac_size(given.ulMACLen));
  return AeadMessage{nonce, associated_data, mac, {}};
}

Result<AeadMessage> parse(Parameter parameter) {
  CARDEA_ASSIGN(const CK_CCM_PARAMS* const given, parameter.as<CK_CCM_PARAMS>());
  CARDEA_ASSIGN(AeadMessage message, without_data_size(*given));
  CARDEA_ASSIGN(message.data_size, data_size(given->ulDataLen, message.nonce.size()));
  return message;
}

Result<AeadMessageParameter> parse_message(void* parameter, std::size_t size) {
  CARDEA_ASSIGN(const CK_CCM_MESSAGE_PARAMS* const given, Parameter(parameter, size).as<CK_CCM_MESSAGE_PARAMS>());
  CARDEA_ASSIGN(const MutableBytes nonce, nonce_of(given->pNonce, given->ulNonceLen));
  CARDEA_ASSIGN(const std::size_t mac, mac_size(given->ulMACLen));
  CARDEA_ASSIGN(const std::size_t data, data_size(given->ulDataLen, nonce.size()));
  if (given->pMAC == nullptr) return Code::mechanism_param_invalid;
  return AeadMessageParameter{nonce, given->ulNonceFixedBits, given->nonceGenerator, {given->pMAC, mac}, data};
}

/// C_WrapKey and C_UnwrapKey: CK_CCM_WRAP_PARAMS, or CK_CCM_PARAMS with the caller's own nonce, whose ulDataLen is
/// ignored (PKCS#11 3.2, "AES-CCM Authenticated Wrap / Unwrap").
Result<AeadWrapping> parse_wrapping(Parameter parameter) {
  if (const auto plain = parameter.as<CK_CCM_PARAMS>()) {
    CARDEA_ASSIGN(const AeadMessage message, without_data_size(**plain));
    return AeadWrapping{message, {}, 0, CKG_NO_GENERATE, {}};
  }
  CARDEA_ASSIGN(const CK_CCM_WRAP_PARAMS* const given, parameter.as<CK_CCM_WRAP_PARAMS>());
  CARDEA_ASSIGN(const AeadMessage message, without_data_size({0, given->pNonce, given->ulNonceLen, given->pAAD,
                                                              given->ulAADLen, given->ulMACLen}));
  return AeadWrapping{message, {given->pNonce, given->ulNonceLen}, given->ulNonceFixedBits, given->nonceGenerator, {}};
}

}  // namespace

void register_aes_ccm(MechanismRegistry& registry) {
  registry.emplace<AeadWrapMechanism>(
      CKM_AES_CCM,
      aes_info(CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP | CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT |
               CKF_MULTI_MESSAGE),
      AeadAlgorithm{crypto::Cipher::aes_ccm, aes_key, parse, parse_message, sizeof(CK_CCM_MESSAGE_PARAMS)},
      parse_wrapping);
}

}  // namespace cardea
