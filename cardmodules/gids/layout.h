// How a minidriver lays out its data on a GIDS card: the master file, the container map, the key map, the cache
// counters, and the wrapping of compressed files. Bytes in, values out and back; nothing here talks to a card.
// The layouts of cmapfile and cardcf are those of the smart card minidriver specification 7.07 (5.4); the master file
// and the key map are undocumented and known from cards that Windows wrote.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card::gids {

/// Where a data object stands: the elementary file whose access rules it has, and its tag within that.
struct ObjectPlace {
  std::uint16_t file = 0;
  std::uint16_t object = 0;
  bool operator==(const ObjectPlace&) const = default;
};

// Files by their access rules, as Windows creates them.
inline constexpr std::uint16_t directory_file = 0xa000;      ///< everybody reads, the user writes; directories
inline constexpr std::uint16_t user_file = 0xa010;           ///< everybody reads, the user writes
inline constexpr std::uint16_t user_execute_file = 0xa011;   ///< the user writes, nobody reads
inline constexpr std::uint16_t admin_file = 0xa012;          ///< everybody reads, the administrator writes
inline constexpr std::uint16_t private_file = 0xa013;        ///< the user reads and writes
inline constexpr std::uint16_t admin_private_file = 0xa014;  ///< the administrator reads and writes

// Objects that stand at the same place on every card.
inline constexpr ObjectPlace master_file_place{directory_file, 0xdf1f};
inline constexpr ObjectPlace key_map_place{directory_file, 0xdf20};
inline constexpr ObjectPlace card_id_place{admin_file, 0xdf20};
inline constexpr ObjectPlace cache_file_place{user_file, 0xdf22};

/// A line of the master file: a file, or with an empty name the directory itself (object 0).
struct DirectoryEntry {
  std::string directory;  ///< at most 8 characters; empty: the root
  std::string name;       ///< at most 8 characters
  ObjectPlace place;
};

/// Every whole record. data_invalid for a version other than 1.
Result<std::vector<DirectoryEntry>> parse_master_file(ByteView master_file);
/// The master file with a record appended. Other records stay as they are, byte by byte.
Bytes with_entry(ByteView master_file, const DirectoryEntry& entry);
/// The master file without the records of that place.
Bytes without_entry(ByteView master_file, ObjectPlace place);
/// Null when there is none. Names are compared without regard to case, as on Windows.
const DirectoryEntry* find_entry(const std::vector<DirectoryEntry>& entries, std::string_view directory,
                                 std::string_view name);
/// The first tag that no entry uses in that file; empty when all are taken.
std::optional<ObjectPlace> free_place(const std::vector<DirectoryEntry>& entries, std::uint16_t file);

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

/// A record of the key map, which tells a minidriver what key a container's file holds.
struct KeyRecord {
  bool used = false;
  Byte algorithm = 0;  ///< GIDS 2.0, table 43
  bool exchanges = false;
  Byte key = 0;  ///< key reference, which is also the low byte of the key file's identifier
};
/// The key map with the record of that container replaced, and at least `count` records.
Bytes with_key_record(ByteView key_map, std::size_t index, const KeyRecord& record, std::size_t count);

/// CARD_CACHE_FILE_FORMAT (cardmod.h): counters that change with what they count, so that caches notice.
struct CacheCounters {
  Byte version = 0;
  Byte pins = 0;
  std::uint16_t containers = 0;
  std::uint16_t files = 0;
};
/// data_invalid when it is cut off.
Result<CacheCounters> parse_cache_file(ByteView cache_file);
Bytes cache_file(const CacheCounters& counters);

/// Takes the wrapping of certificates and msroots away: 01 00, the length, zlib. What does not begin so is answered as
/// it is, since other middleware stores certificates plainly. data_invalid.
Result<Bytes> unwrap_file(ByteView content);
/// data_length above 65,535 bytes, which the layout cannot tell.
Result<Bytes> wrap_file(ByteView content);

/// "kxc00" and "ksc00": the certificate of a container.
std::string certificate_name(std::size_t index, bool exchanges);

}  // namespace cardea::card::gids
