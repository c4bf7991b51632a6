// Message-based AEAD: many messages under one key (PKCS#11 3.2, "Message-based encryption functions").
#include <algorithm>
#include <utility>

#include "mechanism/aes_aead.h"
#include "mechanism/aes_modes.h"

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::Direction;

class AeadMessages final : public MessageCipherOperation {
 public:
  AeadMessages(KeyPtr key, Cipher cipher, Direction direction, ParseMessageParameter parse)
      : key_(std::move(key)), cipher_(cipher), direction_(direction), parse_(parse) {}

  Status begin(void* parameter, std::size_t parameter_size, ByteView associated_data) override {
    CARDEA_ASSIGN(const AeadMessageParameter given, parse_(parameter, parameter_size));
    if (direction_ == Direction::encrypt) {
      CARDEA_TRY(nonces_.next(given.nonce, given.fixed_bits, given.generator));
    }
    nonce_ = to_bytes(given.nonce);
    associated_data_ = to_bytes(associated_data);
    data_size_ = given.data_size;
    collected_ = {};
    streaming_.reset();
    if (direction_ == Direction::encrypt && cipher_ != Cipher::aes_ccm) {
      CARDEA_ASSIGN(streaming_, aead_cipher(held_key(key_, key()), cipher_, direction_, message(given.tag.size())));
      tag_size_ = given.tag.size();
    }
    return {};
  }

  std::size_t next_bound(std::size_t input, bool last) const noexcept override {
    if (streaming_) return input;
    return last ? collected_.size() + input : 0;
  }

  Result<std::size_t> next(void* parameter, std::size_t parameter_size, ByteView input, MutableBytes out,
                           bool last) override {
    CARDEA_ASSIGN(const AeadMessageParameter given, parse_(parameter, parameter_size));
    if (!streaming_) {
      collected_.append(input);
      if (!last) return std::size_t{0};
      if (data_size_ && *data_size_ != collected_.size()) return length_error(direction_);
      return direction_ == Direction::encrypt ? encrypt_whole(out, given.tag) : decrypt_whole(out, given.tag);
    }
    // The message was begun for a tag of that size; the caller may have brought a shorter place for it.
    if (given.tag.size() != tag_size_) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(const std::size_t written, streaming_->update(input, out));
    if (last) {
      CARDEA_TRY(streaming_->finish(given.tag));
      streaming_.reset();
    }
    return written;
  }

 private:
  const SecretKey& key() const noexcept { return static_cast<const SecretKey&>(*key_); }
  AeadMessage message(std::size_t tag_size) const noexcept { return {nonce_, associated_data_, tag_size, data_size_}; }

  Result<std::size_t> encrypt_whole(MutableBytes out, MutableBytes tag) {
    CARDEA_ASSIGN(const Bytes ciphertext, aead_encrypt(key(), cipher_, message(tag.size()), collected_.view(), tag));
    std::copy(ciphertext.begin(), ciphertext.end(), out.begin());
    collected_ = {};
    return ciphertext.size();
  }
  Result<std::size_t> decrypt_whole(MutableBytes out, ByteView tag) {
    CARDEA_ASSIGN(const SecretBytes plaintext,
                  aead_decrypt(key(), cipher_, message(tag.size()), collected_.view(), tag));
    std::copy(plaintext.view().begin(), plaintext.view().end(), out.begin());
    collected_ = {};
    return plaintext.size();
  }

  KeyPtr key_;
  Cipher cipher_;
  Direction direction_;
  ParseMessageParameter parse_;
  NonceGenerator nonces_;
  Bytes nonce_;
  Bytes associated_data_;
  std::optional<std::size_t> data_size_;
  CipherPtr streaming_;
  std::size_t tag_size_ = 0;  // of the message that is streamed
  SecretCollector collected_;
};

}  // namespace

MessageCipherPtr aead_messages(KeyPtr key, Cipher cipher, Direction direction, ParseMessageParameter parse) {
  return std::make_unique<AeadMessages>(std::move(key), cipher, direction, parse);
}

}  // namespace cardea
