// What the signature mechanisms of asymmetric keys share: a message is hashed, or collected, and then reaches the key
// whole.
#pragma once

#include <array>
#include <optional>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "mechanism/mechanism.h"

namespace cardea {

/// How a mechanism takes its message.
enum class MessageForm : std::uint8_t {
  single_part,  ///< one part, handed to the key as it is (CKM_ECDSA, CKM_RSA_PKCS)
  collected,    ///< any number of parts, handed to the key as a whole (CKM_EDDSA, CKM_ML_DSA)
  hashed        ///< any number of parts, handed to the key as a digest
};

/// Takes a message in parts.
class MessageInput {
 public:
  /// With a hash the form is hashed.
  MessageInput(MessageForm form, Hash hash) : form_(hash == Hash::none ? form : MessageForm::hashed), hash_(hash) {}

  bool multi_part() const noexcept { return form_ != MessageForm::single_part; }
  /// A whole message at once; the answer lives until the next call.
  Result<ByteView> whole(ByteView message);
  Status update(ByteView part);
  Result<ByteView> finish();

 private:
  MessageForm form_;
  Hash hash_;
  std::optional<crypto::Digest> running_;
  Bytes collected_;
  std::array<Byte, 64> digest_{};
};

/// Signing with a private key of any token.
class PrivateKeySign : public SignOperation {
 public:
  PrivateKeySign(std::shared_ptr<const PrivateKey> key, MessageForm form, Hash hash, std::size_t size)
      : key_(std::move(key)), input_(form, hash), size_(size) {}
  std::size_t size() const noexcept override { return size_; }
  bool multi_part() const noexcept override { return input_.multi_part(); }
  Result<std::size_t> single(ByteView data, MutableBytes signature) override;
  Status update(ByteView data) override { return input_.update(data); }
  Result<std::size_t> finish(MutableBytes signature) override;

 protected:
  /// `message` is the digest where there is a hash.
  virtual Result<std::size_t> sign(ByteView message, MutableBytes signature) const = 0;
  const PrivateKey& key() const noexcept { return *key_; }

 private:
  std::shared_ptr<const PrivateKey> key_;
  MessageInput input_;
  std::size_t size_;
};

/// Verifying with a public key.
class PublicKeyVerify : public VerifyOperation {
 public:
  PublicKeyVerify(std::shared_ptr<const PublicKey> key, MessageForm form, Hash hash)
      : key_(std::move(key)), input_(form, hash) {}
  bool multi_part() const noexcept override { return input_.multi_part(); }
  Status single(ByteView data, ByteView signature) override;
  Status update(ByteView data) override { return input_.update(data); }
  Status finish(ByteView signature) override;

 protected:
  virtual Status verify(ByteView message, ByteView signature) const = 0;
  const crypto::AsymmetricKey& key() const noexcept { return key_->key(); }

 private:
  std::shared_ptr<const PublicKey> key_;
  MessageInput input_;
};

/// The private key of `reference`. key_type_inconsistent unless it is a private key of that type, key_size_range unless
/// the mechanism's sizes include it.
Result<std::shared_ptr<const PrivateKey>> private_key_for(const Mechanism& mechanism, const KeyRef& reference,
                                                          CK_KEY_TYPE type);
/// The same for a public key.
Result<std::shared_ptr<const PublicKey>> public_key_for(const Mechanism& mechanism, const KeyRef& reference,
                                                        CK_KEY_TYPE type);

/// The attributes of a new key pair. `public_template` gives CKA_EC_PARAMS in the caller's own form.
Result<GeneratedPair> describe_pair(const crypto::AsymmetricKey& key, const AttributeSet& public_template);

/// The hash that a digest mechanism (CKM_SHA256 …) names in a parameter of RSA or a pre-hash signature; Hash::none for
/// anything else, and for hashes that have no place there (RFC 8017, B.1; FIPS 204, 5.4).
Hash hash_of_mechanism(CK_MECHANISM_TYPE type) noexcept;

}  // namespace cardea
