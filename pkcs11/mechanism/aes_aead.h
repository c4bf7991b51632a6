// Authenticated encryption, shared by GCM, CCM and ChaCha20-Poly1305.
#pragma once

#include "crypto/symmetric_key.h"
#include "mechanism/generic_secret.h"

namespace cardea {

/// One AEAD message to be processed. Views need to live only for the call that takes it.
struct AeadMessage {
  ByteView nonce;
  ByteView associated_data;
  std::size_t tag_size = 16;             ///< bytes
  std::optional<std::size_t> data_size;  ///< bytes of plaintext; CCM must know, others are absent
};

/// The key as its holder counts it: sessions count the users of a key apart from each other (Session::key_for).
inline crypto::SymmetricKeyPtr held_key(const KeyPtr& holder, const SecretKey& key) {
  return {holder, &key.key()};
}

/// The whole of C_Encrypt or C_Decrypt; the tag follows the ciphertext. Decryption collects its parts and gives out
/// plaintext only after the tag has been checked (aead_decrypt_failed).
Result<CipherPtr> aead_cipher(crypto::SymmetricKeyPtr key, crypto::Cipher cipher, crypto::Direction direction,
                              const AeadMessage& message);

/// CK_GCM_PARAMS, also without ulIvBits as old callers send it; mechanism_param_invalid. Views into the caller's
/// memory.
Result<AeadMessage> parse_gcm_parameter(Parameter parameter);

/// Encrypts `plaintext`; answers the ciphertext and writes the tag, message.tag_size bytes.
Result<Bytes> aead_encrypt(const SecretKey& key, crypto::Cipher cipher, const AeadMessage& message, ByteView plaintext,
                           MutableBytes tag);

/// The inverse of aead_encrypt.
Result<SecretBytes> aead_decrypt(const SecretKey& key, crypto::Cipher cipher, const AeadMessage& message,
                                 ByteView ciphertext, ByteView tag);

/// What a mechanism's message parameter says, in one form for all. Pointers are the caller's.
struct AeadMessageParameter {
  MutableBytes nonce;          ///< in, and out where it is generated
  std::size_t fixed_bits = 0;  ///< leading bits of the nonce that generation keeps
  CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE;
  MutableBytes tag;                      ///< out when encrypting, in when decrypting
  std::optional<std::size_t> data_size;  ///< as in AeadMessage
};
using ParseMessageParameter = Result<AeadMessageParameter> (*)(void* parameter, std::size_t size);

/// Message-based operation (PKCS#11 3.2, C_EncryptMessage and C_DecryptMessage). Decryption collects the parts of a
/// message and gives out plaintext with the last one.
MessageCipherPtr aead_messages(KeyPtr key, crypto::Cipher cipher, crypto::Direction direction,
                               ParseMessageParameter parse);

/// Makes nonces as CKG_* say (PKCS#11 3.2, "AES-GCM Authenticated Encryption / Decryption"), one series for a session.
class NonceGenerator {
 public:
  /// Fills in the bits after the first `fixed_bits`. mechanism_param_invalid for an unknown function, when too few bits
  /// are left for it, or when the counter would repeat.
  Status next(MutableBytes nonce, std::size_t fixed_bits, CK_GENERATOR_FUNCTION function);

 private:
  Status count(MutableBytes nonce, std::size_t fixed_bits, bool combine);

  std::uint64_t counter_ = 0;
  Bytes base_;  ///< CKG_GENERATE_COUNTER_XOR: the nonce of the first message
};

/// A nonce for wrapping a key: only random ones are allowed, since no series is remembered between calls.
Status generate_wrap_nonce(MutableBytes nonce, std::size_t fixed_bits, CK_GENERATOR_FUNCTION function);

/// Whether generate_wrap_nonce would do it.
bool is_safe_wrap_nonce(std::size_t nonce_size, std::size_t fixed_bits, CK_GENERATOR_FUNCTION function) noexcept;

}  // namespace cardea
