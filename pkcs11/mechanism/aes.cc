#include "mechanism/aes.h"

#include <algorithm>

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::Direction;

constexpr CK_FLAGS encryption = CKF_ENCRYPT | CKF_DECRYPT;

/// A mechanism that only differs by cipher and parameter from its like.
class AesMechanism : public Mechanism {
 public:
  AesMechanism(CK_MECHANISM_TYPE type, CK_MECHANISM_INFO info, Cipher cipher)
      : Mechanism(type, info), cipher_(cipher) {}

  Result<CipherPtr> encrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::encrypt);
  }
  Result<CipherPtr> decrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::decrypt);
  }

 protected:
  virtual Result<CipherPtr> start(const KeyRef& key, Parameter parameter, Direction direction) const = 0;

  /// Key checked and IV set.
  Result<crypto::CipherContext> context(const KeyRef& ref, ByteView iv, Direction direction) const {
    CARDEA_ASSIGN(const SecretKey* const key, aes_key(ref));
    CARDEA_ASSIGN(crypto::CipherContext context, key->key().cipher(cipher_, direction));
    CARDEA_TRY(context.start(iv));
    return context;
  }

  /// The parameter of most modes: one block.
  static Result<ByteView> iv_of(Parameter parameter) {
    if (parameter.data() == nullptr || parameter.size() != aes_block_size) return Code::mechanism_param_invalid;
    return parameter.bytes();
  }

 private:
  Cipher cipher_;
};

class AesEcb final : public AesMechanism {
 public:
  AesEcb() : AesMechanism(CKM_AES_ECB, aes_info(encryption), Cipher::aes_ecb) {}

 protected:
  Result<CipherPtr> start(const KeyRef& key, Parameter parameter, Direction direction) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(crypto::CipherContext ready, context(key, {}, direction));
    return stream_cipher(std::move(ready), direction, {});
  }
};

/// CBC, CFB and OFB. CBC_PAD also wraps, by encrypting; since its errors are a padding oracle, never sensitive keys.
class AesWithIv final : public AesMechanism {
 public:
  AesWithIv(CK_MECHANISM_TYPE type, Cipher cipher, StreamShape shape, CK_FLAGS flags = encryption)
      : AesMechanism(type, aes_info(flags), cipher), shape_(shape) {}

 protected:
  Result<CipherPtr> start(const KeyRef& key, Parameter parameter, Direction direction) const override {
    CARDEA_ASSIGN(const ByteView iv, iv_of(parameter));
    CARDEA_ASSIGN(crypto::CipherContext ready, context(key, iv, direction));
    return stream_cipher(std::move(ready), direction, shape_);
  }

 private:
  StreamShape shape_;
};

/// Bytes that may be processed before the counter bits of the block run over (PKCS#11 3.2, CK_AES_CTR_PARAMS: the count
/// may reach its end, but nothing may follow). Saturates where no message can reach the end.
std::uint64_t counter_limit(const CK_AES_CTR_PARAMS& parameter) {
  const CK_ULONG bits = parameter.ulCounterBits;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (int i = 0; i < 8; ++i) {
    high = high << 8 | parameter.cb[i];
    low = low << 8 | parameter.cb[8 + i];
  }
  if (bits > 64) {
    const std::uint64_t mask = bits == 128 ? UINT64_MAX : (std::uint64_t{1} << (bits - 64)) - 1;
    if ((high & mask) != mask) return UINT64_MAX;
  }
  const std::uint64_t mask = bits >= 64 ? UINT64_MAX : (std::uint64_t{1} << bits) - 1;
  const std::uint64_t blocks_but_one = mask - (low & mask);
  if (blocks_but_one >= UINT64_MAX / aes_block_size) return UINT64_MAX;
  return (blocks_but_one + 1) * aes_block_size;
}

class AesCtr final : public AesMechanism {
 public:
  AesCtr() : AesMechanism(CKM_AES_CTR, aes_info(encryption), Cipher::aes_ctr) {}

 protected:
  Result<CipherPtr> start(const KeyRef& key, Parameter parameter, Direction direction) const override {
    CARDEA_ASSIGN(const CK_AES_CTR_PARAMS* const counter, parameter.as<CK_AES_CTR_PARAMS>());
    if (counter->ulCounterBits == 0 || counter->ulCounterBits > 128) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(crypto::CipherContext ready, context(key, counter->cb, direction));
    return stream_cipher(std::move(ready), direction, {1, false, counter_limit(*counter)});
  }
};

/// Whole messages up to this are taken by the modes that cannot work in parts.
constexpr std::size_t longest_whole_message = std::size_t{1} << 30;

class AesCts final : public AesMechanism {
 public:
  AesCts() : AesMechanism(CKM_AES_CTS, aes_info(encryption), Cipher::aes_cts) {}

 protected:
  Result<CipherPtr> start(const KeyRef& key, Parameter parameter, Direction direction) const override {
    CARDEA_ASSIGN(const ByteView iv, iv_of(parameter));
    CARDEA_ASSIGN(crypto::CipherContext ready, context(key, iv, direction));
    return whole_message_cipher(std::move(ready), direction, aes_block_size, longest_whole_message);
  }
};

class AesXts final : public AesMechanism {
 public:
  AesXts() : AesMechanism(CKM_AES_XTS, {32, 64, encryption}, Cipher::aes_xts) {}

 protected:
  Result<CipherPtr> start(const KeyRef& ref, Parameter parameter, Direction direction) const override {
    CARDEA_ASSIGN(const ByteView tweak, iv_of(parameter));
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(ref, {CKK_AES_XTS}));
    const ByteView both = key->value();
    if (both.size() != 32 && both.size() != 64) return Code::key_size_range;
    // With equal halves the first block's tweak cancels out (SP 800-38E refers to IEEE 1619; FIPS 140-3 IG C.I).
    if (equal_in_constant_time(both.first(both.size() / 2), both.last(both.size() / 2))) return Code::key_size_range;
    CARDEA_ASSIGN(crypto::CipherContext ready, key->key().cipher(Cipher::aes_xts, direction));
    CARDEA_TRY(ready.start(tweak));
    constexpr std::size_t longest_data_unit = std::size_t{1} << 24;  // 2^20 blocks (SP 800-38E, 4)
    return whole_message_cipher(std::move(ready), direction, aes_block_size, longest_data_unit);
  }
};

}  // namespace

Result<const SecretKey*> aes_key(const KeyRef& ref) {
  CARDEA_ASSIGN(const SecretKey* const key, secret_key(ref, {CKK_AES}));
  const std::size_t size = key->size();
  if (size != 16 && size != 24 && size != 32) return Code::key_size_range;
  return key;
}

void register_aes(MechanismRegistry& registry) {
  registry.emplace<RandomKeyGeneration>(CKM_AES_KEY_GEN, CKK_AES, RandomKeyGeneration::Sizes{16, 32, 8});
  registry.emplace<RandomKeyGeneration>(CKM_AES_XTS_KEY_GEN, CKK_AES_XTS, RandomKeyGeneration::Sizes{32, 64, 32});
  registry.emplace<AesEcb>();
  registry.emplace<AesWithIv>(CKM_AES_CBC, Cipher::aes_cbc, StreamShape{});
  registry.emplace<AesWithIv>(CKM_AES_CBC_PAD, Cipher::aes_cbc_pad, StreamShape{16, true},
                              encryption | CKF_WRAP | CKF_UNWRAP);
  registry.emplace<AesWithIv>(CKM_AES_CFB8, Cipher::aes_cfb8, StreamShape{1});
  registry.emplace<AesWithIv>(CKM_AES_CFB128, Cipher::aes_cfb128, StreamShape{1});
  registry.emplace<AesWithIv>(CKM_AES_OFB, Cipher::aes_ofb, StreamShape{1});
  registry.emplace<AesCtr>();
  registry.emplace<AesCts>();
  registry.emplace<AesXts>();
}

}  // namespace cardea
