// The block ciphers of card administration keys: SP 800-78-4, 6.2 and the minidriver's triple DES.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea::vcard {

/// Ciphers under their algorithm identifiers (SP 800-78-4, 6.2).
enum class BlockCipher : std::uint8_t { des3 = 0x03, aes128 = 0x08, aes192 = 0x0A, aes256 = 0x0C };

/// The cipher of an identifier; 0x00 is another name of triple DES (SP 800-78-4, 6.2).
std::optional<BlockCipher> block_cipher_of(Byte identifier);

/// Bytes in a key and in a block.
std::size_t key_size(BlockCipher cipher);
std::size_t block_size(BlockCipher cipher);

/// A triple DES key whose three parts leave single DES, which cards refuse (SP 800-67, 3.2).
bool is_weak_key(BlockCipher cipher, ByteView key);

/// Encrypts or decrypts whole blocks, each for itself (ECB). Codes: data_length, key_size_range, device_error.
Result<Bytes> encrypt_blocks(BlockCipher cipher, ByteView key, ByteView blocks);
Result<Bytes> decrypt_blocks(BlockCipher cipher, ByteView key, ByteView blocks);

/// The same with each block chained to the one before and an initial vector of zeros (CBC).
Result<Bytes> encrypt_chained(BlockCipher cipher, ByteView key, ByteView blocks);
Result<Bytes> decrypt_chained(BlockCipher cipher, ByteView key, ByteView blocks);

}  // namespace cardea::vcard
