#include "mechanism/aes.h"
#include "mechanism/aes_aead.h"

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::Direction;

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

/// Short tags would let an attacker forge wrapped keys in reasonable time.
constexpr std::size_t least_safe_tag = 12;

class AesGcm final : public Mechanism {
 public:
  AesGcm()
      : Mechanism(CKM_AES_GCM, aes_info(CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP | CKF_MESSAGE_ENCRYPT |
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
    if (associated_data) return wrap_authenticated(*key, parameter, material, *associated_data);
    CARDEA_ASSIGN(const AeadMessage message, wrap_message(parameter));
    Bytes tag(message.tag_size);
    CARDEA_ASSIGN(Bytes wrapped, aead_encrypt(*key, Cipher::aes_gcm, message, material, tag));
    wrapped.insert(wrapped.end(), tag.begin(), tag.end());
    return wrapped;
  }

  Result<SecretBytes> unwrap(const KeyRef& ref, Parameter parameter, ByteView wrapped,
                             std::optional<ByteView> associated_data) const override {
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    if (associated_data) {
      CARDEA_ASSIGN(const AeadMessageParameter given, parse_message(parameter.data(), parameter.size()));
      const AeadMessage message{given.nonce, *associated_data, given.tag.size(), {}};
      return aead_decrypt(*key, Cipher::aes_gcm, message, wrapped, given.tag);
    }
    CARDEA_ASSIGN(const AeadMessage message, unwrap_message(parameter));
    if (wrapped.size() < message.tag_size) return Code::wrapped_key_length;
    const std::size_t size = wrapped.size() - message.tag_size;
    return aead_decrypt(*key, Cipher::aes_gcm, message, wrapped.first(size), wrapped.subspan(size));
  }

  bool wraps_sensitive_keys(Parameter parameter, bool authenticated) const noexcept override {
    if (authenticated) {
      const auto given = parse_message(parameter.data(), parameter.size());
      return given && is_safe_wrap_nonce(given->nonce.size(), given->fixed_bits, given->generator) &&
             given->tag.size() >= least_safe_tag;
    }
    const auto given = parameter.as<CK_GCM_WRAP_PARAMS>();
    return given && is_safe_wrap_nonce((*given)->ulIvLen, (*given)->ulIvFixedBits, (*given)->ivGenerator) &&
           (*given)->ulTagBits >= 8 * least_safe_tag;
  }

  bool unwraps_authenticated(Parameter parameter, bool authenticated) const noexcept override {
    if (authenticated) {
      const auto given = parse_message(parameter.data(), parameter.size());
      return given && given->tag.size() >= least_safe_tag;
    }
    const auto message = unwrap_message(parameter);
    return message && message->tag_size >= least_safe_tag;
  }

 private:
  static Result<CipherPtr> start(const KeyRef& ref, Parameter parameter, Direction direction) {
    CARDEA_ASSIGN(const AeadMessage message, parse_gcm_parameter(parameter));
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    return aead_cipher(held_key(ref.key, *key), Cipher::aes_gcm, direction, message);
  }

  // Everything stands in the parameter of each message; one given at the start is only a first example of it.
  static Result<MessageCipherPtr> messages(const KeyRef& ref, Parameter parameter, Direction direction) {
    if (!parameter.empty()) CARDEA_TRY(parameter.as<CK_GCM_MESSAGE_PARAMS>());
    CARDEA_TRY(aes_key(ref));
    return aead_messages(ref.key, Cipher::aes_gcm, direction, parse_message);
  }

  /// C_WrapKey: CK_GCM_WRAP_PARAMS, or CK_GCM_PARAMS with the caller's own IV.
  static Result<AeadMessage> wrap_message(Parameter parameter) {
    const auto given = parameter.as<CK_GCM_WRAP_PARAMS>();
    if (!given) return parse_gcm_parameter(parameter);
    CARDEA_ASSIGN(const AeadMessage message, unwrap_message(parameter));
    CARDEA_ASSIGN(const MutableBytes iv, iv_of((*given)->pIv, (*given)->ulIvLen));
    if ((*given)->ivGenerator != CKG_NO_GENERATE) {
      CARDEA_TRY(generate_wrap_nonce(iv, (*given)->ulIvFixedBits, (*given)->ivGenerator));
    }
    return message;
  }

  /// The same with the IV taken as it is.
  static Result<AeadMessage> unwrap_message(Parameter parameter) {
    const auto given = parameter.as<CK_GCM_WRAP_PARAMS>();
    if (!given) return parse_gcm_parameter(parameter);
    CK_GCM_PARAMS plain{(*given)->pIv, (*given)->ulIvLen, 0, (*given)->pAAD, (*given)->ulAADLen, (*given)->ulTagBits};
    return parse_gcm_parameter(Parameter(&plain, sizeof(plain)));
  }

  static Result<Bytes> wrap_authenticated(const SecretKey& key, Parameter parameter, ByteView material,
                                          ByteView associated_data) {
    CARDEA_ASSIGN(const AeadMessageParameter given, parse_message(parameter.data(), parameter.size()));
    if (given.generator != CKG_NO_GENERATE) {
      CARDEA_TRY(generate_wrap_nonce(given.nonce, given.fixed_bits, given.generator));
    }
    const AeadMessage message{given.nonce, associated_data, given.tag.size(), {}};
    return aead_encrypt(key, Cipher::aes_gcm, message, material, given.tag);
  }
};

}  // namespace

void register_aes_gcm(MechanismRegistry& registry) {
  registry.emplace<AesGcm>();
}

}  // namespace cardea
