// AES key wrap: RFC 3394 and RFC 5649 (SP 800-38F, 6.2 and 6.3), and RFC 3394 over PKCS#7 padding.
#include <algorithm>
#include <array>

#include "cryptoki/nss.h"
#include "mechanism/aes.h"

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::Direction;

constexpr std::size_t semiblock = 8;
constexpr std::size_t longest_message = std::size_t{1} << 24;

enum class Padding : std::uint8_t {
  none,   ///< CKM_AES_KEY_WRAP: data is a multiple of 8 bytes; keys are filled up with zeros
  pkcs7,  ///< CKM_AES_KEY_WRAP_PKCS7, and CKM_AES_KEY_WRAP_PAD, its name in PKCS#11 2.40
  kwp     ///< CKM_AES_KEY_WRAP_KWP: RFC 5649 keeps the length in the initial value
};

SecretBytes filled_up(ByteView data, std::size_t size, Byte filler) {
  SecretBytes padded(size);
  std::fill_n(padded.data(), size, filler);
  std::copy(data.begin(), data.end(), padded.data());
  return padded;
}

SecretBytes with_pkcs7(ByteView data) {
  const std::size_t padding = semiblock - data.size() % semiblock;
  return filled_up(data, data.size() + padding, static_cast<Byte>(padding));
}

/// The ciphertext has been authenticated, so wrong padding means another way of padding and tells an attacker nothing.
Status strip_pkcs7(SecretBytes& padded) {
  const std::size_t padding = padded.view().back();
  if (padding == 0 || padding > semiblock) return Code::encrypted_data_invalid;
  const ByteView tail = padded.view().last(padding);
  if (std::any_of(tail.begin(), tail.end(), [&](Byte one) { return one != padding; })) {
    return Code::encrypted_data_invalid;
  }
  padded.truncate(padded.size() - padding);
  return {};
}

class KeyWrapCipher final : public CipherOperation {
 public:
  KeyWrapCipher(crypto::CipherContext context, Direction direction, Padding padding)
      : context_(std::move(context)), direction_(direction), padding_(padding) {}

  bool multi_part() const noexcept override { return false; }
  std::size_t single_bound(std::size_t input) const noexcept override {
    return direction_ == Direction::encrypt ? input + 2 * semiblock : input;
  }
  std::size_t update_bound(std::size_t) const noexcept override { return 0; }
  std::size_t finish_bound() const noexcept override { return 0; }
  Result<std::size_t> update(ByteView, MutableBytes) override { return Code::operation_not_initialized; }
  Result<std::size_t> finish(MutableBytes) override { return Code::operation_not_initialized; }

  Result<std::size_t> single(ByteView input, MutableBytes out) override {
    auto result = direction_ == Direction::encrypt ? wrap(input) : unwrap(input);
    if (!result) return std::move(result).error();
    std::copy(result->view().begin(), result->view().end(), out.begin());
    return result->size();
  }

 private:
  Result<SecretBytes> wrap(ByteView input) {
    if (input.size() > longest_message) return Code::data_length;
    if (padding_ == Padding::kwp) {
      if (input.empty()) return Code::data_length;
      return run(input, (input.size() + semiblock - 1) / semiblock * semiblock + semiblock, Code::internal);
    }
    SecretBytes padded;
    if (padding_ == Padding::pkcs7) {
      padded = with_pkcs7(input);
      input = padded.view();
    }
    if (input.size() < 2 * semiblock || input.size() % semiblock != 0) return Code::data_length;
    return run(input, input.size() + semiblock, Code::internal);
  }

  Result<SecretBytes> unwrap(ByteView input) {
    const std::size_t least = padding_ == Padding::kwp ? 2 * semiblock : 3 * semiblock;
    if (input.size() < least || input.size() % semiblock != 0 || input.size() > longest_message + 2 * semiblock) {
      return Code::encrypted_data_length;
    }
    CARDEA_ASSIGN(SecretBytes plain, run(input, input.size(), Code::encrypted_data_invalid));
    if (padding_ == Padding::pkcs7) CARDEA_TRY(strip_pkcs7(plain));
    return plain;
  }

  Result<SecretBytes> run(ByteView input, std::size_t room, Code on_failure) {
    SecretBytes result(room);
    const auto written = context_.update(input, result.mutable_view());
    if (!written) return on_failure;
    result.truncate(*written);
    return result;
  }

  crypto::CipherContext context_;
  Direction direction_;
  Padding padding_;
};

class AesKeyWrap final : public Mechanism {
 public:
  AesKeyWrap(CK_MECHANISM_TYPE type, Padding padding)
      : Mechanism(type, aes_info(CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP)), padding_(padding) {}

  Result<CipherPtr> encrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::encrypt);
  }
  Result<CipherPtr> decrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::decrypt);
  }

  Result<Bytes> wrap(const KeyRef& key, Parameter parameter, ByteView material,
                     std::optional<ByteView> associated_data) const override {
    if (padding_ != Padding::none) return Mechanism::wrap(key, parameter, material, associated_data);
    // Zeros fill a key up (PKCS#11 3.2, CKM_AES_KEY_WRAP); who unwraps it knows its length.
    const std::size_t size = (material.size() + semiblock - 1) / semiblock * semiblock;
    const SecretBytes padded = filled_up(material, std::max(size, 2 * semiblock), 0);
    return Mechanism::wrap(key, parameter, padded.view(), associated_data);
  }

  // Deterministic authenticated encryption: no nonce to choose, and equal keys are all that shows (SP 800-38F). With an
  // initial value of the caller's, wrapping a known key of one semiblock would be AES on a block that he chooses.
  bool wraps_sensitive_keys(Parameter parameter, bool) const noexcept override { return parameter.empty(); }

  // NSS opens mail to an EC key by unwrapping the content key under its own mechanism "to unwrap", and then decrypts
  // with it.
  bool unwrapped_keys_decrypt() const noexcept override { return type() == CKM_NSS_AES_KEY_WRAP; }

 private:
  Result<CipherPtr> start(const KeyRef& ref, Parameter parameter, Direction direction) const {
    // Said explicitly each time: a context remembers the last one.
    static constexpr std::array<Byte, 8> standard_iv{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};
    static constexpr std::array<Byte, 4> alternative_iv{0xa6, 0x59, 0x59, 0xa6};
    const bool kwp = padding_ == Padding::kwp;
    ByteView iv = kwp ? ByteView(alternative_iv) : ByteView(standard_iv);
    if (!parameter.empty()) {
      if (parameter.data() == nullptr || parameter.size() != iv.size()) return Code::mechanism_param_invalid;
      iv = parameter.bytes();
    }
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    CARDEA_ASSIGN(crypto::CipherContext context,
                  key->key().cipher(kwp ? Cipher::aes_wrap_pad : Cipher::aes_wrap, direction));
    CARDEA_TRY(context.start(iv));
    return CipherPtr(std::make_unique<KeyWrapCipher>(std::move(context), direction, padding_));
  }

  Padding padding_;
};

}  // namespace

void register_aes_wrap(MechanismRegistry& registry) {
  registry.emplace<AesKeyWrap>(CKM_AES_KEY_WRAP, Padding::none);
  // The same under NSS's own number, which Thunderbird and all else on NSS use for mail to EC keys.
  registry.emplace<AesKeyWrap>(CKM_NSS_AES_KEY_WRAP, Padding::none);
  registry.emplace<AesKeyWrap>(CKM_AES_KEY_WRAP_PAD, Padding::pkcs7);
  registry.emplace<AesKeyWrap>(CKM_AES_KEY_WRAP_PKCS7, Padding::pkcs7);
  registry.emplace<AesKeyWrap>(CKM_AES_KEY_WRAP_KWP, Padding::kwp);
}

}  // namespace cardea
