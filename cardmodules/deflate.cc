#include "cardmodules/deflate.h"

#include <zlib.h>

#include <algorithm>

namespace cardea::card {
namespace {

constexpr int window_bits = 15;
constexpr int gzip_window = 16;       // added to window_bits (zlib.h, deflateInit2)
constexpr int detecting_window = 32;  // the same for inflateInit2
constexpr int memory_level = 8;
constexpr std::size_t first_room = 4096;

Bytef* input_of(ByteView bytes) {
  return const_cast<Bytef*>(bytes.data());
}

/// Ends a zlib stream in every way out.
template <auto End>
struct Stream {
  z_stream state{};
  bool begun = false;
  ~Stream() {
    if (begun) End(&state);
  }
};

}  // namespace

Result<Bytes> inflate_bytes(ByteView compressed, std::size_t limit) {
  Stream<inflateEnd> stream;
  if (inflateInit2(&stream.state, window_bits + detecting_window) != Z_OK) return Code::host_memory;
  stream.begun = true;
  stream.state.next_in = input_of(compressed);
  stream.state.avail_in = static_cast<uInt>(compressed.size());
  Bytes plain;
  for (;;) {
    const std::size_t used = plain.size();
    plain.resize(std::min(limit + 1, std::max(first_room, used * 2)));
    stream.state.next_out = plain.data() + used;
    stream.state.avail_out = static_cast<uInt>(plain.size() - used);
    const int result = inflate(&stream.state, Z_NO_FLUSH);
    plain.resize(plain.size() - stream.state.avail_out);
    if (plain.size() > limit) return error(Code::data_invalid, "compressed data is longer than it may be");
    if (result == Z_STREAM_END) break;
    if (result != Z_OK || plain.size() == used) return error(Code::data_invalid, "compressed data is damaged");
  }
  if (stream.state.avail_in != 0) return error(Code::data_invalid, "something follows the compressed data");
  return plain;
}

Result<Bytes> deflate_bytes(ByteView plain, Wrapping wrapping) {
  Stream<deflateEnd> stream;
  const int window = wrapping == Wrapping::gzip ? window_bits + gzip_window : window_bits;
  if (deflateInit2(&stream.state, Z_BEST_COMPRESSION, Z_DEFLATED, window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    return Code::host_memory;
  }
  stream.begun = true;
  Bytes compressed(deflateBound(&stream.state, static_cast<uLong>(plain.size())));
  stream.state.next_in = input_of(plain);
  stream.state.avail_in = static_cast<uInt>(plain.size());
  stream.state.next_out = compressed.data();
  stream.state.avail_out = static_cast<uInt>(compressed.size());
  if (deflate(&stream.state, Z_FINISH) != Z_STREAM_END) return Code::internal;
  compressed.resize(stream.state.total_out);
  return compressed;
}

}  // namespace cardea::card
