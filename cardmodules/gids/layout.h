// How a minidriver lays out its data on a GIDS card: the master file and the key map, both undocumented and known from
// cards that Windows wrote. Bytes in, values out and back; nothing here talks to a card.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cardmodules/minidriver_files.h"

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
inline constexpr ObjectPlace applications_place{user_file, 0xdf21};  ///< cardapps
inline constexpr ObjectPlace cache_file_place{user_file, 0xdf22};
inline constexpr ObjectPlace usual_map_place{user_file, 0xdf23};  ///< cmapfile, unless the master file says otherwise

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

/// A record of the key map, which tells a minidriver what key a container's file holds.
struct KeyRecord {
  bool used = false;
  Byte algorithm = 0;  ///< GIDS 2.0, table 43
  bool exchanges = false;
  Byte key = 0;  ///< key reference, which is also the low byte of the key file's identifier
};
/// The master file of a card without containers.
Bytes first_master_file();
/// The key map with the record of that container replaced, and at least `count` records.
Bytes with_key_record(ByteView key_map, std::size_t index, const KeyRecord& record, std::size_t count);

}  // namespace cardea::card::gids
