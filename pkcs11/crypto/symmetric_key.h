// A secret key ready for use: its bytes, and cipher and MAC contexts of the crypto library in which it is already
// loaded.
#pragma once

#include <openssl/types.h>

#include <atomic>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/cipher.h"
#include "crypto/hash.h"

namespace cardea::crypto {

class SymmetricKey;
using SymmetricKeyPtr = std::shared_ptr<const SymmetricKey>;
class ContextPool;

/// A cipher context borrowed from a key; goes back when the object ends. Nothing is processed before start().
class CipherContext {
 public:
  CipherContext(CipherContext&& other) noexcept;
  CipherContext& operator=(CipherContext&&) = delete;
  ~CipherContext();

  /// Begins a message with this IV, counter block, tweak or nonce (empty for ECB and default key-wrap values).
  /// mechanism_param_invalid when the library takes no IV of that length.
  Status start(ByteView iv);
  /// Begins a CCM message, whose lengths must be known first (RFC 3610, 2.2). Decrypting takes the tag here.
  Status start_ccm(ByteView nonce, std::size_t data_size, std::size_t tag_size, ByteView expected_tag);
  /// AEAD: data that is authenticated only. After start and before update; may be called repeatedly but not for CCM.
  Status associated_data(ByteView data);
  /// Answers the bytes written; `out` has room for the input and one block.
  Result<std::size_t> update(ByteView input, MutableBytes out);
  /// Writes what is left, at most one block. Fails for incomplete blocks and bad padding with `on_failure`, and, when
  /// decrypting an AEAD, for a wrong tag.
  Result<std::size_t> finish(MutableBytes out, Code on_failure);
  /// AEAD encryption, after finish: the first bytes of the tag.
  Status tag(MutableBytes out);
  /// AEAD decryption, before finish.
  Status expect_tag(ByteView tag);

 private:
  friend class SymmetricKey;
  CipherContext(SymmetricKeyPtr key, ContextPool& pool, EVP_CIPHER_CTX* context, std::size_t iv_size) noexcept;

  SymmetricKeyPtr key_;
  ContextPool* pool_;
  EVP_CIPHER_CTX* context_;
  std::size_t iv_size_;
  bool reusable_ = true;
};

/// A MAC context borrowed from a key; a fresh message has been started.
class MacContext {
 public:
  MacContext(MacContext&& other) noexcept;
  MacContext& operator=(MacContext&&) = delete;
  ~MacContext();

  std::size_t size() const noexcept { return size_; }  ///< bytes of the whole MAC
  Status update(ByteView data);
  /// Writes size() bytes.
  Status finish(MutableBytes out);
  /// Begins another message.
  Status restart();

 private:
  friend class SymmetricKey;
  MacContext(SymmetricKeyPtr key, ContextPool& pool, EVP_MAC_CTX* context, std::size_t size) noexcept;

  SymmetricKeyPtr key_;
  ContextPool* pool_;
  EVP_MAC_CTX* context_;
  std::size_t size_;
};

/// Immutable and shared between threads. Loading a key into a context costs more than enciphering a kilobyte, so
/// contexts are kept and handed out again: an operation only sets its IV. Always owned by a std::shared_ptr.
class SymmetricKey : public std::enable_shared_from_this<SymmetricKey> {
 public:
  static SymmetricKeyPtr make(SecretBytes value);
  ~SymmetricKey();
  SymmetricKey(const SymmetricKey&) = delete;
  SymmetricKey& operator=(const SymmetricKey&) = delete;

  ByteView value() const noexcept { return value_.view(); }

  /// key_size_range when the cipher takes no key of this length, mechanism_invalid when the library has no such cipher.
  Result<CipherContext> cipher(Cipher cipher, Direction direction) const;
  /// The same through a pointer with a count of its own (an aliasing one): threads that count the users of one key in
  /// one place wait for each other.
  static Result<CipherContext> cipher(SymmetricKeyPtr key, Cipher cipher, Direction direction);
  /// HMAC (RFC 2104) with that hash; mechanism_invalid when the library has no such hash.
  Result<MacContext> hmac(Hash hash) const;
  /// AES-CMAC (SP 800-38B); key_size_range.
  Result<MacContext> aes_cmac() const;

 private:
  explicit SymmetricKey(SecretBytes value) : value_(std::move(value)) {}
  ContextPool& pool(unsigned kind) const;

  SecretBytes value_;
  mutable std::atomic<ContextPool*> pools_{nullptr};
};

}  // namespace cardea::crypto
