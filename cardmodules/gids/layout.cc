#include "gids/layout.h"

#include <algorithm>
#include <cctype>

namespace cardea::card::gids {
namespace {

// A record of the master file: two names of 9 bytes, two bytes of alignment, then tag and file, 4 bytes each.
constexpr std::size_t name_size = 9;
constexpr std::size_t object_offset = 20;
constexpr std::size_t file_offset = 24;
constexpr std::size_t entry_size = 28;
constexpr Byte master_file_version = 1;

constexpr std::size_t key_record_size = 12;

// Two-byte tags end at DF7F (ISO 7816-4, 5.2.2.1); DF1F and DF20 are taken on some files, so search behind them.
constexpr std::uint16_t first_free_object = 0xdf21;
constexpr std::uint16_t last_object = 0xdf7f;

std::uint16_t little(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8);
}

void put_little(MutableBytes out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<Byte>(value);
  out[at + 1] = static_cast<Byte>(value >> 8);
}

std::string name_at(ByteView record, std::size_t at) {
  const ByteView field = record.subspan(at, name_size);
  return std::string(field.begin(), std::find(field.begin(), field.end(), Byte{0}));
}

ObjectPlace place_of(ByteView record) {
  return {little(record, file_offset), little(record, object_offset)};
}

std::size_t entry_count(ByteView master_file) {
  return master_file.empty() ? 0 : (master_file.size() - 1) / entry_size;
}

ByteView entry_at(ByteView master_file, std::size_t index) {
  return master_file.subspan(1 + index * entry_size, entry_size);
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

Result<std::vector<DirectoryEntry>> parse_master_file(ByteView master_file) {
  if (master_file.empty() || master_file[0] != master_file_version) {
    return error(Code::data_invalid, "the master file is of an unknown version");
  }
  std::vector<DirectoryEntry> entries;
  for (std::size_t i = 0; i < entry_count(master_file); ++i) {
    const ByteView record = entry_at(master_file, i);
    entries.push_back({name_at(record, 0), name_at(record, name_size), place_of(record)});
  }
  return entries;
}

Bytes with_entry(ByteView master_file, const DirectoryEntry& entry) {
  Bytes out = to_bytes(master_file.first(std::min(master_file.size(), 1 + entry_count(master_file) * entry_size)));
  if (out.empty()) out.push_back(master_file_version);
  std::array<Byte, entry_size> record{};
  std::copy_n(entry.directory.begin(), std::min(entry.directory.size(), name_size - 1), record.begin());
  std::copy_n(entry.name.begin(), std::min(entry.name.size(), name_size - 1), record.begin() + name_size);
  put_little(record, object_offset, entry.place.object);
  put_little(record, file_offset, entry.place.file);
  out.insert(out.end(), record.begin(), record.end());
  return out;
}

Bytes without_entry(ByteView master_file, ObjectPlace place) {
  Bytes out = to_bytes(master_file.first(std::min<std::size_t>(master_file.size(), 1)));
  for (std::size_t i = 0; i < entry_count(master_file); ++i) {
    const ByteView record = entry_at(master_file, i);
    if (place_of(record) != place) out.insert(out.end(), record.begin(), record.end());
  }
  return out;
}

const DirectoryEntry* find_entry(const std::vector<DirectoryEntry>& entries, std::string_view directory,
                                 std::string_view name) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const DirectoryEntry& entry) {
    return same_name(entry.directory, directory) && same_name(entry.name, name);
  });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<ObjectPlace> free_place(const std::vector<DirectoryEntry>& entries, std::uint16_t file) {
  for (std::uint16_t object = first_free_object; object <= last_object; ++object) {
    const ObjectPlace place{file, object};
    const auto taken = [&](const DirectoryEntry& entry) { return entry.place == place; };
    if (std::none_of(entries.begin(), entries.end(), taken)) return place;
  }
  return std::nullopt;
}

Bytes with_key_record(ByteView key_map, std::size_t index, const KeyRecord& record, std::size_t count) {
  constexpr Byte version = 1;
  constexpr Byte at_signature = 0x9c;
  constexpr Byte at_key_exchange = 0x9a;
  const std::size_t present = key_map.empty() ? 0 : (key_map.size() - 1) / key_record_size;
  constexpr std::array<Byte, key_record_size> unused{0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0};
  Bytes out = key_map.empty() ? Bytes{version} : to_bytes(key_map.first(1 + present * key_record_size));
  for (std::size_t i = present; i < std::max(count, index + 1); ++i)
    out.insert(out.end(), unused.begin(), unused.end());
  std::array<Byte, key_record_size> written = unused;
  if (record.used) {
    constexpr Byte key_files = 0xb0;
    written = {
        1,    0,    0, 0, record.algorithm, record.exchanges ? at_key_exchange : at_signature, record.key, key_files,
        0xff, 0xff, 0, 0};
  }
  std::copy(written.begin(), written.end(), out.begin() + static_cast<std::ptrdiff_t>(1 + index * key_record_size));
  return out;
}

Bytes first_master_file() {
  constexpr Byte version = 1;
  Bytes file{version};
  file = with_entry(file, {std::string(minidriver_directory), "", {directory_file, 0}});
  file = with_entry(file, {"", "cardid", card_id_place});
  file = with_entry(file, {"", "cardapps", applications_place});
  file = with_entry(file, {"", "cardcf", cache_file_place});
  return with_entry(file, {std::string(minidriver_directory), "cmapfile", usual_map_place});
}

}  // namespace cardea::card::gids
