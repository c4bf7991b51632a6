#include "mechanism/aes_aead.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mechanism/aes_modes.h"

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::CipherContext;
using crypto::Direction;

/// A context that has taken nonce and associated data. CCM decryption needs the tag beforehand.
Result<CipherContext> start(const SecretKey& key, Cipher cipher, Direction direction, const AeadMessage& message,
                            ByteView expected_tag) {
  CARDEA_ASSIGN(CipherContext context, key.key().cipher(cipher, direction));
  if (cipher == Cipher::aes_ccm) {
    CARDEA_TRY(context.start_ccm(message.nonce, message.data_size.value_or(0), message.tag_size, expected_tag));
  } else {
    CARDEA_TRY(context.start(message.nonce));
    if (direction == Direction::decrypt) CARDEA_TRY(context.expect_tag(expected_tag));
  }
  CARDEA_TRY(context.associated_data(message.associated_data));
  return context;
}

/// Deciphers a whole message whose context has been started; on a wrong tag `out` is wiped.
Status open(CipherContext& context, Cipher cipher, ByteView ciphertext, MutableBytes out) {
  const auto written = context.update(ciphertext, out.first(ciphertext.size()));
  // CCM checks the tag while it deciphers; the others at the end.
  const bool good = written && (cipher == Cipher::aes_ccm || context.finish({}, Code::aead_decrypt_failed));
  if (good) return {};
  wipe(out.first(ciphertext.size()));
  return Code::aead_decrypt_failed;
}

class AeadEncryption final : public CipherOperation {
 public:
  AeadEncryption(CipherContext context, std::size_t tag_size) : context_(std::move(context)), tag_size_(tag_size) {}

  std::size_t single_bound(std::size_t input) const noexcept override { return input + tag_size_; }
  std::size_t update_bound(std::size_t input) const noexcept override { return input; }
  std::size_t finish_bound() const noexcept override { return tag_size_; }

  Result<std::size_t> single(ByteView input, MutableBytes out) override {
    CARDEA_ASSIGN(const std::size_t written, update(input, out));
    CARDEA_ASSIGN(const std::size_t rest, finish(out.subspan(written)));
    return written + rest;
  }
  Result<std::size_t> update(ByteView input, MutableBytes out) override {
    if (input.empty()) return std::size_t{0};
    return context_.update(input, out);
  }
  Result<std::size_t> finish(MutableBytes out) override {
    CARDEA_TRY(context_.finish({}, Code::internal));
    CARDEA_TRY(context_.tag(out.first(tag_size_)));
    return tag_size_;
  }

 private:
  CipherContext context_;
  std::size_t tag_size_;
};

class AeadDecryption final : public CipherOperation {
 public:
  AeadDecryption(CipherContext context, Cipher cipher, std::size_t tag_size)
      : context_(std::move(context)), cipher_(cipher), tag_size_(tag_size) {}

  std::size_t single_bound(std::size_t input) const noexcept override { return input; }
  std::size_t update_bound(std::size_t) const noexcept override { return 0; }
  std::size_t finish_bound() const noexcept override { return collected_.size(); }

  Result<std::size_t> single(ByteView input, MutableBytes out) override {
    if (input.size() < tag_size_) return Code::encrypted_data_length;
    const std::size_t size = input.size() - tag_size_;
    CARDEA_TRY(context_.expect_tag(input.last(tag_size_)));
    CARDEA_TRY(open(context_, cipher_, input.first(size), out));
    return size;
  }
  Result<std::size_t> update(ByteView input, MutableBytes) override {
    collected_.append(input);
    return std::size_t{0};
  }
  Result<std::size_t> finish(MutableBytes out) override { return single(collected_.view(), out); }

 private:
  CipherContext context_;
  Cipher cipher_;
  std::size_t tag_size_;
  SecretCollector collected_;
};

/// CCM: the length is known from the start and everything is processed at once.
class CcmCipher final : public CipherOperation {
 public:
  CcmCipher(crypto::SymmetricKeyPtr key, Direction direction, const AeadMessage& message)
      : key_(std::move(key)),
        direction_(direction),
        nonce_(to_bytes(message.nonce)),
        associated_data_(to_bytes(message.associated_data)),
        data_size_(message.data_size.value_or(0)),
        tag_size_(message.tag_size) {}

  // Bounds follow the input that is there, not the length that was announced: it may be absurd.
  std::size_t single_bound(std::size_t input) const noexcept override {
    return direction_ == Direction::encrypt ? input + tag_size_ : input;
  }
  std::size_t update_bound(std::size_t) const noexcept override { return 0; }
  std::size_t finish_bound() const noexcept override { return single_bound(collected_.size()); }

  Result<std::size_t> single(ByteView input, MutableBytes out) override {
    if (input.size() != input_size()) return length_error(direction_);
    const ByteView text = input.first(data_size_);
    // Copied first: the output may lie over the input.
    const Bytes tag = to_bytes(input.subspan(data_size_));
    CARDEA_ASSIGN(CipherContext context, key_->cipher(Cipher::aes_ccm, direction_));
    CARDEA_TRY(context.start_ccm(nonce_, data_size_, tag_size_, tag));
    CARDEA_TRY(context.associated_data(associated_data_));
    if (direction_ == Direction::decrypt) {
      CARDEA_TRY(open(context, Cipher::aes_ccm, text, out));
      return data_size_;
    }
    CARDEA_TRY(context.update(text, out.first(data_size_)));
    CARDEA_TRY(context.tag(out.subspan(data_size_, tag_size_)));
    return output_size();
  }
  Result<std::size_t> update(ByteView input, MutableBytes) override {
    if (input.size() > input_size() - collected_.size()) return length_error(direction_);
    collected_.append(input);
    return std::size_t{0};
  }
  Result<std::size_t> finish(MutableBytes out) override { return single(collected_.view(), out); }

 private:
  std::size_t input_size() const noexcept { return data_size_ + (direction_ == Direction::decrypt ? tag_size_ : 0); }
  std::size_t output_size() const noexcept { return data_size_ + (direction_ == Direction::encrypt ? tag_size_ : 0); }

  crypto::SymmetricKeyPtr key_;
  Direction direction_;
  Bytes nonce_;
  Bytes associated_data_;
  std::size_t data_size_;
  std::size_t tag_size_;
  SecretCollector collected_;
};

}  // namespace

Result<CipherPtr> aead_cipher(crypto::SymmetricKeyPtr key, Cipher cipher, Direction direction,
                              const AeadMessage& message) {
  if (cipher == Cipher::aes_ccm) {
    return CipherPtr(std::make_unique<CcmCipher>(std::move(key), direction, message));
  }
  CARDEA_ASSIGN(CipherContext context, crypto::SymmetricKey::cipher(std::move(key), cipher, direction));
  CARDEA_TRY(context.start(message.nonce));
  CARDEA_TRY(context.associated_data(message.associated_data));
  if (direction == Direction::encrypt) {
    return CipherPtr(std::make_unique<AeadEncryption>(std::move(context), message.tag_size));
  }
  return CipherPtr(std::make_unique<AeadDecryption>(std::move(context), cipher, message.tag_size));
}

Result<Bytes> aead_encrypt(const SecretKey& key, Cipher cipher, const AeadMessage& message, ByteView plaintext,
                           MutableBytes tag) {
  AeadMessage whole = message;
  whole.data_size = plaintext.size();
  CARDEA_ASSIGN(CipherContext context, start(key, cipher, Direction::encrypt, whole, {}));
  Bytes ciphertext(plaintext.size());
  if (!plaintext.empty() || cipher == Cipher::aes_ccm) CARDEA_TRY(context.update(plaintext, ciphertext));
  if (cipher != Cipher::aes_ccm) CARDEA_TRY(context.finish({}, Code::internal));
  CARDEA_TRY(context.tag(tag));
  return ciphertext;
}

Result<SecretBytes> aead_decrypt(const SecretKey& key, Cipher cipher, const AeadMessage& message, ByteView ciphertext,
                                 ByteView tag) {
  AeadMessage whole = message;
  whole.data_size = ciphertext.size();
  CARDEA_ASSIGN(CipherContext context, start(key, cipher, Direction::decrypt, whole, tag));
  SecretBytes plaintext(ciphertext.size());
  CARDEA_TRY(open(context, cipher, ciphertext, plaintext.mutable_view()));
  return plaintext;
}

}  // namespace cardea
