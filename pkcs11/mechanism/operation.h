// Started operations. A mechanism makes one; a session keeps it until it ends. One thread at a time uses an operation.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea {

/// Hashing. `update` any number of times, then `finish` once.
class DigestOperation {
 public:
  virtual ~DigestOperation() = default;
  virtual std::size_t size() const noexcept = 0;  ///< bytes of the digest, exactly
  virtual Status update(ByteView data) = 0;
  virtual Status finish(MutableBytes digest) = 0;  ///< `digest` is size() long
  /// A copy in the same state (C_GetOperationState); null when that is impossible.
  virtual std::unique_ptr<DigestOperation> clone() const = 0;
};

/// Encryption or decryption. Either `single` once, or `update` any number of times and `finish` once.
/// Output may lie exactly over the input (in place).
class CipherOperation {
 public:
  virtual ~CipherOperation() = default;
  /// Upper bounds of what the next call can write, given its input's length.
  virtual std::size_t single_bound(std::size_t input) const noexcept = 0;
  virtual std::size_t update_bound(std::size_t input) const noexcept = 0;
  virtual std::size_t finish_bound() const noexcept = 0;
  /// Each answers the bytes written; `out` is at least the bound. On error nothing useful is left in `out`.
  virtual Result<std::size_t> single(ByteView input, MutableBytes out) = 0;
  virtual Result<std::size_t> update(ByteView input, MutableBytes out) = 0;
  virtual Result<std::size_t> finish(MutableBytes out) = 0;
  /// False for mechanisms that take everything in one part (RSA, key wrap): update is then refused before it is called.
  virtual bool multi_part() const noexcept { return true; }
};

/// Signing and MACing.
class SignOperation {
 public:
  virtual ~SignOperation() = default;
  virtual std::size_t size() const noexcept = 0;  ///< most bytes of the signature
  virtual Result<std::size_t> single(ByteView data, MutableBytes signature) = 0;
  virtual Status update(ByteView data) = 0;
  virtual Result<std::size_t> finish(MutableBytes signature) = 0;
  virtual bool multi_part() const noexcept { return true; }
};

/// Verifying. signature_invalid or signature_length when it does not match.
class VerifyOperation {
 public:
  virtual ~VerifyOperation() = default;
  virtual Status single(ByteView data, ByteView signature) = 0;
  virtual Status update(ByteView data) = 0;
  virtual Status finish(ByteView signature) = 0;
  virtual bool multi_part() const noexcept { return true; }
};

/// Verifying with the data taken out of the signature (C_VerifyRecover); single part by nature.
class RecoverOperation {
 public:
  virtual ~RecoverOperation() = default;
  virtual std::size_t bound() const noexcept = 0;
  virtual Result<std::size_t> recover(ByteView signature, MutableBytes data) = 0;
};

/// Message-based AEAD (PKCS#11 3.2, 5.9 and 5.11): many messages under one key, each with its own parameter.
class MessageCipherOperation {
 public:
  virtual ~MessageCipherOperation() = default;
  /// Starts a message. Encrypting may generate (part of) the nonce and write it through the parameter.
  virtual Status begin(void* parameter, std::size_t parameter_size, ByteView associated_data) = 0;
  /// Upper bound of what `next` writes for that input. Decryption gives out the whole plaintext with the last part.
  virtual std::size_t next_bound(std::size_t input, bool last) const noexcept = 0;
  /// Continues; with `last`, encrypting writes the tag through the parameter and decrypting checks it
  /// (aead_decrypt_failed, and no plaintext is given out).
  virtual Result<std::size_t> next(void* parameter, std::size_t parameter_size, ByteView input, MutableBytes out,
                                   bool last) = 0;
};

using DigestPtr = std::unique_ptr<DigestOperation>;
using CipherPtr = std::unique_ptr<CipherOperation>;
using SignPtr = std::unique_ptr<SignOperation>;
using VerifyPtr = std::unique_ptr<VerifyOperation>;
using RecoverPtr = std::unique_ptr<RecoverOperation>;
using MessageCipherPtr = std::unique_ptr<MessageCipherOperation>;

}  // namespace cardea
