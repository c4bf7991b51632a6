#include "cardmodules/minidriver_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "cardmodules/deflate.h"
#include "crypto/certificate.h"
#include "crypto/random.h"

namespace cardea::card {
namespace {

constexpr std::size_t container_size = 86;
constexpr std::size_t cache_file_size = 6;

std::uint16_t little(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8);
}

void put_little(MutableBytes out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<Byte>(value);
  out[at + 1] = static_cast<Byte>(value >> 8);
}

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  constexpr std::array<unsigned, 4> lead{0, 0xc0, 0xe0, 0xf0};
  out.push_back(static_cast<char>(lead[static_cast<std::size_t>(more)] | point >> (6 * more)));
  for (int shift = 6 * (more - 1); shift >= 0; shift -= 6) {
    out.push_back(static_cast<char>(0x80 | (point >> shift & 0x3f)));
  }
}

constexpr std::uint32_t replacement = 0xfffd;

bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool is_surrogate(std::uint32_t unit) {
  return unit >= 0xd800 && unit < 0xe000;
}

// The next code point of UTF-8 text, which is taken off the front; U+FFFD for a byte that begins none.
std::uint32_t take_utf8(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80             ? 1
                             : (lead & 0xe0) == 0xc0 ? 2
                             : (lead & 0xf0) == 0xe0 ? 3
                             : (lead & 0xf8) == 0xf0 ? 4
                                                     : 0;
  std::uint32_t point = length < 2 ? lead : lead & (0x7fu >> length);
  if (length == 0 || length > text.size()) {
    text.remove_prefix(1);
    return replacement;
  }
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) {
      text.remove_prefix(1);
      return replacement;
    }
    point = point << 6 | (next & 0x3f);
  }
  text.remove_prefix(length);
  return point > 0x10ffff || is_surrogate(point) ? replacement : point;
}

}  // namespace

std::string ContainerRecord::label() const {
  std::string out;
  for (std::size_t i = 0; i + 1 < name.size(); i += 2) {
    std::uint32_t unit = little(name, i);
    if (unit == 0) break;
    if (is_surrogate(unit)) {
      const std::uint32_t low = i + 3 < name.size() ? little(name, i + 2) : 0;
      if (is_high_surrogate(unit) && is_surrogate(low) && !is_high_surrogate(low)) {
        unit = 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff));
        i += 2;
      } else {
        unit = replacement;
      }
    }
    append_utf8(out, unit);
  }
  return out;
}

void ContainerRecord::set_label(std::string_view utf8) {
  name.fill(0);
  const std::size_t end = name.size() - 2;  // the last unit stays a terminator
  std::size_t at = 0;
  while (!utf8.empty()) {
    const std::uint32_t point = take_utf8(utf8);
    const bool pair = point >= 0x10000;
    if (at + (pair ? 4 : 2) > end) return;
    if (pair) {
      put_little(name, at, static_cast<std::uint16_t>(0xd800 + ((point - 0x10000) >> 10)));
      put_little(name, at + 2, static_cast<std::uint16_t>(0xdc00 + (point & 0x3ff)));
    } else {
      put_little(name, at, static_cast<std::uint16_t>(point));
    }
    at += pair ? 4 : 2;
  }
}

std::vector<ContainerRecord> parse_container_map(ByteView map) {
  std::vector<ContainerRecord> records;
  for (; map.size() >= container_size; map = map.subspan(container_size)) {
    ContainerRecord record;
    std::copy_n(map.begin(), record.name.size(), record.name.begin());
    record.flags = map[80];
    record.reserved = map[81];
    record.signature_bits = little(map, 82);
    record.exchange_bits = little(map, 84);
    records.push_back(record);
  }
  return records;
}

Bytes container_map(const std::vector<ContainerRecord>& records) {
  Bytes out;
  for (const ContainerRecord& record : records) {
    out.insert(out.end(), record.name.begin(), record.name.end());
    out.push_back(record.flags);
    out.push_back(record.reserved);
    for (const std::uint16_t bits : {record.signature_bits, record.exchange_bits}) {
      out.push_back(static_cast<Byte>(bits));
      out.push_back(static_cast<Byte>(bits >> 8));
    }
  }
  return out;
}

Result<CacheCounters> parse_cache_file(ByteView cache_file) {
  if (cache_file.size() < cache_file_size) return error(Code::data_invalid, "the card's cache counters are cut off");
  return CacheCounters{cache_file[0], cache_file[1], little(cache_file, 2), little(cache_file, 4)};
}

Bytes cache_file(const CacheCounters& counters) {
  Bytes out(cache_file_size);
  out[0] = counters.version;
  out[1] = counters.pins;
  put_little(out, 2, counters.containers);
  put_little(out, 4, counters.files);
  return out;
}

CacheCounters advanced(CacheCounters counters, CacheChange change) noexcept {
  if (change.pins) ++counters.pins;
  if (change.containers) ++counters.containers;
  if (change.files) ++counters.files;
  return counters;
}

Result<Bytes> unwrap_file(ByteView content) {
  constexpr std::size_t header = 4;
  if (content.size() < header || content[0] != 1 || content[1] != 0) return to_bytes(content);
  const std::size_t length = little(content, 2);
  CARDEA_ASSIGN(Bytes plain, inflate_bytes(content.subspan(header), length));
  if (plain.size() != length) return error(Code::data_invalid, "a compressed file is shorter than it says");
  return plain;
}

Result<Bytes> wrap_file(ByteView content) {
  if (content.size() > 0xffff) return error(Code::data_length, "a card's compressed file holds at most 65,535 bytes");
  CARDEA_ASSIGN(const Bytes packed, deflate_bytes(content, Wrapping::zlib));
  Bytes out{1, 0, static_cast<Byte>(content.size()), static_cast<Byte>(content.size() >> 8)};
  out.insert(out.end(), packed.begin(), packed.end());
  return out;
}

std::string certificate_name(std::size_t index, bool exchanges) {
  return fmt::format("{}{:02X}", exchanges ? "kxc" : "ksc", index);
}

void add_certificate(Container& container, ByteView file) {
  Result<Bytes> der = unwrap_file(file);
  if (!der) return;
  const Result<crypto::CertificateParts> parts = crypto::certificate_parts(*der);
  if (!parts) return;
  container.public_key = to_bytes(parts->key_info);
  container.certificate = std::move(*der);
}

Result<std::string> random_container_name() {
  std::array<Byte, 16> guid{};
  CARDEA_TRY(crypto::random_bytes(guid));
  guid[6] = static_cast<Byte>(0x40 | (guid[6] & 0x0f));
  guid[8] = static_cast<Byte>(0x80 | (guid[8] & 0x3f));
  const std::string hex = to_hex(guid);
  const std::string_view text = hex;
  return fmt::format("{}-{}-{}-{}-{}", text.substr(0, 8), text.substr(8, 4), text.substr(12, 4), text.substr(16, 4),
                     text.substr(20));
}

}  // namespace cardea::card
