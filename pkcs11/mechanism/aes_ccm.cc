#include "mechanism/aes.h"
#include "mechanism/aes_aead.h"

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::Direction;

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

/// CK_CCM_PARAMS, or with a generator for wrapping. For wrapping ulDataLen is ignored (PKCS#11 3.2, "AES-CCM
/// Authenticated Wrap / Unwrap").
Result<AeadMessage> parse(const CK_CCM_PARAMS& given, bool with_data_size) {
  CARDEA_ASSIGN(const ByteView nonce, nonce_of(given.pNonce, given.ulNonceLen));
  CARDEA_ASSIGN(const ByteView associated_data, parameter_bytes(given.pAAD, given.ulAADLen));
  if (associated_data.size() > longest_message) return Code::mechanism_param_invalid;
  CARDEA_ASSIGN(const std::size_t mac, mac_size(given.ulMACLen));
  AeadMessage message{nonce, associated_data, mac, {}};
  if (with_data_size) {
    CARDEA_ASSIGN(message.data_size, data_size(given.ulDataLen, nonce.size()));
  }
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

constexpr std::size_t least_safe_mac = 12;

class AesCcm final : public Mechanism {
 public:
  AesCcm()
      : Mechanism(CKM_AES_CCM, aes_info(CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP | CKF_MESSAGE_ENCRYPT |
                                        CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE)) {}

  Result<CipherPtr> encrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::encrypt);
  }
  Result<CipherPtr> decrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::decrypt);
  }
  Result<MessageCipherPtr> message_encrypt(const KeyRef& ref, Parameter parameter) const override {
    return messages(ref, parameter, Direction::encrypt);
  }
  Result<MessageCipherPtr> message_decrypt(const KeyRef& ref, Parameter parameter) const override {
    return messages(ref, parameter, Direction::decrypt);
  }

  Result<Bytes> wrap(const KeyRef& ref, Parameter parameter, ByteView material,
                     std::optional<ByteView> associated_data) const override {
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    if (associated_data) {
      CARDEA_ASSIGN(const AeadMessageParameter given, parse_message(parameter.data(), parameter.size()));
      CARDEA_TRY(make_nonce(given.nonce, given.fixed_bits, given.generator));
      const AeadMessage message{given.nonce, *associated_data, given.tag.size(), {}};
      return aead_encrypt(*key, Cipher::aes_ccm, message, material, given.tag);
    }
    CARDEA_ASSIGN(const AeadMessage message, wrap_message(parameter, true));
    Bytes mac(message.tag_size);
    CARDEA_ASSIGN(Bytes wrapped, aead_encrypt(*key, Cipher::aes_ccm, message, material, mac));
    wrapped.insert(wrapped.end(), mac.begin(), mac.end());
    return wrapped;
  }

  Result<SecretBytes> unwrap(const KeyRef& ref, Parameter parameter, ByteView wrapped,
                             std::optional<ByteView> associated_data) const override {
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    if (associated_data) {
      CARDEA_ASSIGN(const AeadMessageParameter given, parse_message(parameter.data(), parameter.size()));
      const AeadMessage message{given.nonce, *associated_data, given.tag.size(), {}};
      return aead_decrypt(*key, Cipher::aes_ccm, message, wrapped, given.tag);
    }
    CARDEA_ASSIGN(const AeadMessage message, wrap_message(parameter, false));
    if (wrapped.size() < message.tag_size) return Code::wrapped_key_length;
    const std::size_t size = wrapped.size() - message.tag_size;
    return aead_decrypt(*key, Cipher::aes_ccm, message, wrapped.first(size), wrapped.subspan(size));
  }

  bool wraps_sensitive_keys(Parameter parameter, bool authenticated) const noexcept override {
    if (authenticated) {
      const auto given = parameter.as<CK_CCM_MESSAGE_PARAMS>();
      return given &&
             is_safe((*given)->ulNonceLen, (*given)->ulNonceFixedBits, (*given)->nonceGenerator, (*given)->ulMACLen);
    }
    const auto given = parameter.as<CK_CCM_WRAP_PARAMS>();
    return given &&
           is_safe((*given)->ulNonceLen, (*given)->ulNonceFixedBits, (*given)->nonceGenerator, (*given)->ulMACLen);
  }

  bool unwraps_authenticated(Parameter parameter, bool authenticated) const noexcept override {
    if (authenticated) {
      const auto given = parse_message(parameter.data(), parameter.size());
      return given && given->tag.size() >= least_safe_mac;
    }
    const auto message = wrap_message(parameter, false);
    return message && message->tag_size >= least_safe_mac;
  }

 private:
  static bool is_safe(CK_ULONG nonce_size, CK_ULONG fixed_bits, CK_GENERATOR_FUNCTION generator,
                      CK_ULONG mac) noexcept {
    return nonce_size <= 13 && is_safe_wrap_nonce(nonce_size, fixed_bits, generator) && mac >= least_safe_mac;
  }

  static Status make_nonce(MutableBytes nonce, std::size_t fixed_bits, CK_GENERATOR_FUNCTION generator) {
    if (generator == CKG_NO_GENERATE) return {};
    return generate_wrap_nonce(nonce, fixed_bits, generator);
  }

  static Result<CipherPtr> start(const KeyRef& ref, Parameter parameter, Direction direction) {
    CARDEA_ASSIGN(const CK_CCM_PARAMS* const given, parameter.as<CK_CCM_PARAMS>());
    CARDEA_ASSIGN(const AeadMessage message, parse(*given, true));
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    return aead_cipher(held_key(ref.key, *key), Cipher::aes_ccm, direction, message);
  }

  static Result<MessageCipherPtr> messages(const KeyRef& ref, Parameter parameter, Direction direction) {
    if (!parameter.empty()) CARDEA_TRY(parameter.as<CK_CCM_MESSAGE_PARAMS>());
    CARDEA_TRY(aes_key(ref));
    return aead_messages(ref.key, Cipher::aes_ccm, direction, parse_message);
  }

  /// C_WrapKey and C_UnwrapKey: CK_CCM_WRAP_PARAMS, or CK_CCM_PARAMS with the caller's own nonce.
  static Result<AeadMessage> wrap_message(Parameter parameter, bool generate) {
    if (const auto plain = parameter.as<CK_CCM_PARAMS>()) return parse(**plain, false);
    CARDEA_ASSIGN(const CK_CCM_WRAP_PARAMS* const given, parameter.as<CK_CCM_WRAP_PARAMS>());
    CARDEA_ASSIGN(const MutableBytes nonce, nonce_of(given->pNonce, given->ulNonceLen));
    if (generate) CARDEA_TRY(make_nonce(nonce, given->ulNonceFixedBits, given->nonceGenerator));
    return parse({0, given->pNonce, given->ulNonceLen, given->pAAD, given->ulAADLen, given->ulMACLen}, false);
  }
};

}  // namespace

void register_aes_ccm(MechanismRegistry& registry) {
  registry.emplace<AesCcm>();
}

}  // namespace cardea
