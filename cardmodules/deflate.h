// Compression of what cards store: certificates (SP 800-73-4 part 2, 3.1.2 and RFC 1952), files of generic cards.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card {

/// What stands around the compressed data.
enum class Wrapping : std::uint8_t {
  gzip,  ///< RFC 1952
  zlib   ///< RFC 1950
};

/// Uncompresses either wrapping. data_invalid when it is damaged, cut off, followed by something else, or would be
/// longer than `limit` bytes: a small object must not fill the memory.
Result<Bytes> inflate_bytes(ByteView compressed, std::size_t limit);

/// Compresses as tightly as it goes; the same bytes give the same result.
Result<Bytes> deflate_bytes(ByteView plain, Wrapping wrapping);

}  // namespace cardea::card
