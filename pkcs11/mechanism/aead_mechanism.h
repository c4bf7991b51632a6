// The mechanisms of authenticated encryption: one shape, told apart by cipher, key and parameter structures.
#pragma once

#include "mechanism/aes_aead.h"

namespace cardea {

/// What the parameter of a wrapping or unwrapping says.
struct AeadWrapping {
  AeadMessage message;
  MutableBytes nonce;          ///< the nonce of `message`, where it may be generated; the caller's memory
  std::size_t fixed_bits = 0;  ///< as in AeadMessageParameter
  CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE;
  MutableBytes tag;  ///< C_WrapKeyAuthenticated, C_UnwrapKeyAuthenticated; otherwise the tag follows the wrapped key
};

/// What tells one mechanism from another.
struct AeadAlgorithm {
  crypto::Cipher cipher;
  Result<const SecretKey*> (*key)(const KeyRef& ref);
  Result<AeadMessage> (*parse)(Parameter parameter);  ///< C_EncryptInit, C_DecryptInit
  ParseMessageParameter parse_message;                ///< of each message, and for C_WrapKeyAuthenticated
  std::size_t message_structure;                      ///< bytes of what parse_message reads
};

/// Encrypts and decrypts, whole and by messages.
class AeadMechanism : public Mechanism {
 public:
  AeadMechanism(CK_MECHANISM_TYPE type, CK_MECHANISM_INFO info, AeadAlgorithm algorithm)
      : Mechanism(type, info), algorithm_(algorithm) {}

  Result<CipherPtr> encrypt(const KeyRef& key, Parameter parameter) const override;
  Result<CipherPtr> decrypt(const KeyRef& key, Parameter parameter) const override;
  Result<MessageCipherPtr> message_encrypt(const KeyRef& key, Parameter parameter) const override;
  Result<MessageCipherPtr> message_decrypt(const KeyRef& key, Parameter parameter) const override;

 protected:
  const AeadAlgorithm& algorithm() const noexcept { return algorithm_; }

 private:
  Result<CipherPtr> start(const KeyRef& key, Parameter parameter, crypto::Direction direction) const;
  Result<MessageCipherPtr> messages(const KeyRef& key, Parameter parameter, crypto::Direction direction) const;

  AeadAlgorithm algorithm_;
};

/// Wraps keys as well.
class AeadWrapMechanism final : public AeadMechanism {
 public:
  /// For C_WrapKey and C_UnwrapKey: the structure with a nonce generator, or that of encryption with the caller's
  /// nonce.
  using ParseWrapping = Result<AeadWrapping> (*)(Parameter parameter);

  AeadWrapMechanism(CK_MECHANISM_TYPE type, CK_MECHANISM_INFO info, AeadAlgorithm algorithm, ParseWrapping parse)
      : AeadMechanism(type, info, algorithm), parse_wrapping_(parse) {}

  Result<Bytes> wrap(const KeyRef& key, Parameter parameter, ByteView material,
                     std::optional<ByteView> associated_data) const override;
  Result<SecretBytes> unwrap(const KeyRef& key, Parameter parameter, ByteView wrapped,
                             std::optional<ByteView> associated_data) const override;
  bool wraps_sensitive_keys(Parameter parameter, bool authenticated) const noexcept override;
  bool unwraps_authenticated(Parameter parameter, bool authenticated) const noexcept override;

 private:
  Result<AeadWrapping> read(Parameter parameter, std::optional<ByteView> associated_data) const;

  ParseWrapping parse_wrapping_;
};

}  // namespace cardea
