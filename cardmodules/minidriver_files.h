// The files of a smart card minidriver, whatever card they stand on (smart card minidriver specification 7.07, 5.4):
// the container map, the cache counters, and the wrapping of compressed files. Bytes in, values out and back.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cardmodules/card_module.h"

namespace cardea::card {

/// The directory of the files that Windows itself uses; cardid, cardcf and cardapps stand outside it.
inline constexpr std::string_view minidriver_directory = "mscp";

inline constexpr Byte container_valid = 1;    ///< CONTAINER_MAP_VALID_CONTAINER
inline constexpr Byte container_default = 2;  ///< CONTAINER_MAP_DEFAULT_CONTAINER

/// CONTAINER_MAP_RECORD (cardmod.h).
struct ContainerRecord {
  std::array<Byte, 80> name{};  ///< UTF-16LE, terminated; usually a GUID
  Byte flags = 0;
  Byte reserved = 0;
  std::uint16_t signature_bits = 0;  ///< size of a key that only signs
  std::uint16_t exchange_bits = 0;   ///< size of a key that also decrypts

  bool valid() const noexcept { return (flags & container_valid) != 0; }
  bool has_key() const noexcept { return valid() && (signature_bits == 0) != (exchange_bits == 0); }
  bool exchanges() const noexcept { return exchange_bits != 0; }
  unsigned bits() const noexcept { return exchanges() ? exchange_bits : signature_bits; }
  /// UTF-8; what is no UTF-16 becomes U+FFFD.
  std::string label() const;
  /// Takes UTF-8 and keeps what fits.
  void set_label(std::string_view utf8);
};

/// Every whole record.
std::vector<ContainerRecord> parse_container_map(ByteView map);
Bytes container_map(const std::vector<ContainerRecord>& records);

/// CARD_CACHE_FILE_FORMAT (cardmod.h): counters that change with what they count, so that caches notice.
struct CacheCounters {
  Byte version = 0;
  Byte pins = 0;
  std::uint16_t containers = 0;
  std::uint16_t files = 0;
};
/// Which of the counters move.
struct CacheChange {
  bool pins = false;
  bool containers = false;
  bool files = false;
};
/// data_invalid when it is cut off.
Result<CacheCounters> parse_cache_file(ByteView cache_file);
Bytes cache_file(const CacheCounters& counters);
/// The counters after that change.
CacheCounters advanced(CacheCounters counters, CacheChange change) noexcept;

/// Takes the wrapping of certificates and msroots away: 01 00, the length, zlib. What does not begin so is answered as
/// it is, since other middleware stores certificates plainly. data_invalid.
Result<Bytes> unwrap_file(ByteView content);
/// data_length above 65,535 bytes, which the layout cannot tell.
Result<Bytes> wrap_file(ByteView content);

/// "kxc00" and "ksc00": the certificate of a container.
std::string certificate_name(std::size_t index, bool exchanges);

/// Takes the certificate that such a file holds, and its key, into the container. A damaged one is left out: the key
/// can still be used.
void add_certificate(Container& container, ByteView file);

/// The form in which Windows names containers: a random GUID (RFC 9562, 5.4).
Result<std::string> random_container_name();

}  // namespace cardea::card
