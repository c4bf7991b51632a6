#include <algorithm>
#include <array>

#include "mechanism/aead_mechanism.h"
#include "mechanism/aes_modes.h"

namespace cardea {
namespace {

using crypto::Cipher;
using crypto::Direction;

constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t block_size = 64;

Result<const SecretKey*> chacha20_key(const KeyRef& ref) {
  CARDEA_ASSIGN(const SecretKey* const key, secret_key(ref, {CKK_CHACHA20}));
  if (key->size() != key_size) return Code::key_size_range;
  return key;
}

/// The cipher alone (RFC 8439, 2.4; with a 64-bit nonce as first published). What the library takes as IV is the
/// state's last row: the counter, little-endian, and the nonce.
class ChaCha20 final : public Mechanism {
 public:
  // PKCS#11 3.2, "ChaCha20 mechanism": key sizes in bits.
  ChaCha20() : Mechanism(CKM_CHACHA20, {8 * key_size, 8 * key_size, CKF_ENCRYPT | CKF_DECRYPT}) {}

  Result<CipherPtr> encrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::encrypt);
  }
  Result<CipherPtr> decrypt(const KeyRef& key, Parameter parameter) const override {
    return start(key, parameter, Direction::decrypt);
  }

 private:
  static Result<CipherPtr> start(const KeyRef& ref, Parameter parameter, Direction direction) {
    CARDEA_ASSIGN(const CK_CHACHA20_PARAMS* const given, parameter.as<CK_CHACHA20_PARAMS>());
    const bool ietf = given->blockCounterBits == 32 && given->ulNonceBits == 96;
    const bool original = given->blockCounterBits == 64 && given->ulNonceBits == 64;
    if ((!ietf && !original) || given->pBlockCounter == nullptr || given->pNonce == nullptr) {
      return Code::mechanism_param_invalid;
    }
    const std::size_t counter_size = given->blockCounterBits / 8;
    std::array<Byte, 16> state;
    std::copy_n(given->pBlockCounter, counter_size, state.begin());
    std::copy_n(given->pNonce, state.size() - counter_size, state.begin() + static_cast<std::ptrdiff_t>(counter_size));
    std::uint64_t counter = 0;
    for (std::size_t i = counter_size; i-- > 0;) counter = counter << 8 | state[i];
    CARDEA_ASSIGN(const SecretKey* const key, chacha20_key(ref));
    CARDEA_ASSIGN(crypto::CipherContext context, key->key().cipher(Cipher::chacha20, direction));
    CARDEA_TRY(context.start(state));
    return stream_cipher(std::move(context), direction, {1, false, limit(counter, ietf)});
  }

  /// Bytes until the counter runs over, into the nonce or back to used key stream.
  static std::uint64_t limit(std::uint64_t counter, bool ietf) noexcept {
    const std::uint64_t blocks_but_one = (ietf ? UINT32_MAX : UINT64_MAX) - counter;
    if (blocks_but_one >= UINT64_MAX / block_size) return UINT64_MAX;
    return (blocks_but_one + 1) * block_size;
  }
};

/// The length is in bits by the text of the standard, but callers give bytes, too; 96 and 12 cannot be confused. The
/// library has the variant of RFC 8439 only.
Result<MutableBytes> nonce_of(CK_BYTE_PTR nonce, CK_ULONG size) {
  if (nonce == nullptr || (size != 8 * nonce_size && size != nonce_size)) return Code::mechanism_param_invalid;
  return MutableBytes{nonce, nonce_size};
}

Result<AeadMessage> parse(Parameter parameter) {
  CARDEA_ASSIGN(const CK_SALSA20_CHACHA20_POLY1305_PARAMS* const given,
                parameter.as<CK_SALSA20_CHACHA20_POLY1305_PARAMS>());
  CARDEA_ASSIGN(const ByteView nonce, nonce_of(given->pNonce, given->ulNonceLen));
  CARDEA_ASSIGN(const ByteView associated_data, parameter_bytes(given->pAAD, given->ulAADLen));
  return AeadMessage{nonce, associated_data, tag_size, {}};
}

Result<AeadMessageParameter> parse_message(void* parameter, std::size_t size) {
  CARDEA_ASSIGN(const CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS* const given,
                Parameter(parameter, size).as<CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS>());
  CARDEA_ASSIGN(const MutableBytes nonce, nonce_of(given->pNonce, given->ulNonceLen));
  if (given->pTag == nullptr) return Code::mechanism_param_invalid;
  return AeadMessageParameter{nonce, 0, CKG_NO_GENERATE, {given->pTag, tag_size}, {}};
}

}  // namespace

void register_chacha20(MechanismRegistry& registry) {
  registry.emplace<RandomKeyGeneration>(CKM_CHACHA20_KEY_GEN, CKK_CHACHA20,
                                        RandomKeyGeneration::Sizes{key_size, key_size, 1, key_size});
  if (crypto::cipher_available(Cipher::chacha20, key_size)) registry.emplace<ChaCha20>();
  if (!crypto::cipher_available(Cipher::chacha20_poly1305, key_size)) return;
  registry.emplace<AeadMechanism>(
      CKM_CHACHA20_POLY1305,
      CK_MECHANISM_INFO{8 * key_size, 8 * key_size,
                        CKF_ENCRYPT | CKF_DECRYPT | CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE},
      AeadAlgorithm{Cipher::chacha20_poly1305, chacha20_key, parse, parse_message,
                    sizeof(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS)});
}

}  // namespace cardea
