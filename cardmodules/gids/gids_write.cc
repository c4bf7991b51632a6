// Creating, filling and deleting containers and files, in the order in which Windows' minidriver does it: the counters
// first, so that no cache survives a change that was cut off; the directory last, so that it never names what is not
// there.
#include <algorithm>

#include "gids/gids_card.h"

namespace cardea::card::gids {
namespace {

constexpr std::size_t longest_name = 8;

Byte key_of(const ContainerPlace& place) {
  return static_cast<Byte>(first_key + place.index);
}

bool is_taken(const std::vector<ContainerRecord>& containers, std::string_view label) {
  return std::any_of(containers.begin(), containers.end(),
                     [&](const ContainerRecord& record) { return record.valid() && record.label() == label; });
}

}  // namespace

Status GidsCard::advance(CardTransaction& transaction, CacheChange change) {
  CARDEA_ASSIGN(const Bytes present, get_object(transaction, cache_file_place));
  CARDEA_ASSIGN(const CacheCounters counters, parse_cache_file(present));
  return put_object(transaction, cache_file_place, cache_file(advanced(counters, change)));
}

Status GidsCard::write_map(CardTransaction& transaction) {
  return put_object(transaction, directory_->map_place, container_map(directory_->containers));
}

// An empty place with a key file in it. What was there before goes.
Status GidsCard::make_room(CardTransaction& transaction, const ContainerPlace& place, KeyKind kind,
                           const KeyRequest& request) {
  if (request.touch.value_or(TouchPolicy::never) != TouchPolicy::never) {
    return error(Code::function_not_supported, "GIDS cards have no button");
  }
  constexpr std::uint32_t last_index = 0x9e - first_key;  // table 32
  if (place.index > last_index) return error(Code::arguments_bad, "GIDS cards have 30 containers");
  CARDEA_TRY(load_directory(transaction));
  const std::vector<ContainerRecord>& containers = directory_->containers;
  if (place.index < containers.size() && containers[place.index].has_key()) {
    CARDEA_TRY(delete_key(transaction, place));
  }
  CARDEA_TRY(advance(transaction, {.containers = true, .files = true}));
  uses_.erase(place.index);
  // Left by a deletion that was cut off; it would be taken for the new key's.
  for (const bool exchanges : {false, true}) {
    const std::string certificate = certificate_name(place.index, exchanges);
    const DirectoryEntry* const entry = find_entry(directory_->entries, minidriver_directory, certificate);
    if (entry != nullptr) CARDEA_TRY(remove_file(transaction, entry->place));
  }
  const Bytes parameters = key_file(key_of(place), kind, is_rsa(kind), request.pin.value_or(PinPolicy::once));
  return create_key_file(transaction, key_of(place), parameters);
}

// Names the key that is now in its file in the key map and the container map.
Status GidsCard::enter_container(CardTransaction& transaction, const ContainerPlace& place, KeyKind kind) {
  std::vector<ContainerRecord>& containers = directory_->containers;
  std::string label = place.label;
  // Windows finds containers by their names, so each name is there once.
  if (label.empty() || is_taken(containers, label)) {
    CARDEA_ASSIGN(label, random_container_name());
  }
  const bool has_default = std::any_of(containers.begin(), containers.end(), [](const ContainerRecord& record) {
    return record.valid() && (record.flags & container_default) != 0;
  });
  if (place.index >= containers.size()) containers.resize(place.index + 1);
  ContainerRecord record;
  record.set_label(label);
  record.flags = has_default ? container_valid : container_valid | container_default;
  (is_rsa(kind) ? record.exchange_bits : record.signature_bits) = bits_of(kind);
  containers[place.index] = record;

  Result<Bytes> key_map = get_object(transaction, key_map_place);
  if (!key_map && key_map.code() != Code::not_found) return std::move(key_map).error();
  const KeyRecord key{true, static_cast<Byte>(kind), is_rsa(kind), key_of(place)};
  const Bytes keys = with_key_record(key_map ? *key_map : Bytes(), place.index, key, containers.size());
  CARDEA_TRY(put_object(transaction, key_map_place, keys));
  return write_map(transaction);
}

Result<Bytes> GidsCard::generate(CardTransaction& transaction, const ContainerPlace& place, const KeyRequest& request) {
  CARDEA_ASSIGN(const KeyKind kind, kind_of(request.algorithm, request.bits));
  CARDEA_TRY(make_room(transaction, place, kind, request));
  Result<Bytes> key_template = generate_key(transaction, key_of(place), static_cast<Byte>(kind));
  if (!key_template) {
    // A card without this kind of key: the file that waits for one has no use.
    (void)delete_key_file(transaction, key_of(place));
    return std::move(key_template).error();
  }
  if (key_template->empty()) {
    CARDEA_ASSIGN(key_template, get_public_key(transaction, key_of(place)));
  }
  CARDEA_ASSIGN(Bytes key_info, public_key_info(*key_template));
  CARDEA_TRY(enter_container(transaction, place, kind));
  return key_info;
}

Status GidsCard::import_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                            const KeyRequest& request) {
  KeyKind kind{};
  CARDEA_ASSIGN(const SecretBytes data, private_key_template(key_of(place), pkcs8.view(), kind));
  CARDEA_TRY(make_room(transaction, place, kind, request));
  Status put = put_key(transaction, data.view());
  if (!put) {
    (void)delete_key_file(transaction, key_of(place));
    return put;
  }
  return enter_container(transaction, place, kind);
}

Status GidsCard::delete_key(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(load_directory(transaction));
  std::vector<ContainerRecord>& containers = directory_->containers;
  if (place.index >= containers.size() || !containers[place.index].valid()) return Code::not_found;
  const std::string certificate = certificate_name(place.index, containers[place.index].exchanges());
  CARDEA_TRY(advance(transaction, {.containers = true, .files = true}));
  uses_.erase(place.index);
  containers[place.index] = ContainerRecord{};
  CARDEA_TRY(write_map(transaction));
  const Result<Bytes> key_map = get_object(transaction, key_map_place);
  if (key_map) {
    const Bytes keys = with_key_record(*key_map, place.index, KeyRecord{}, containers.size());
    CARDEA_TRY(put_object(transaction, key_map_place, keys));
  }
  Status gone = delete_key_file(transaction, key_of(place));
  if (!gone && gone.code() != Code::not_found) return gone;
  if (const DirectoryEntry* entry = find_entry(directory_->entries, minidriver_directory, certificate)) {
    return remove_file(transaction, entry->place);
  }
  return {};
}

// The caller has moved the counters. The directory goes first here: it must not name an object that is gone.
Status GidsCard::remove_file(CardTransaction& transaction, ObjectPlace place) {
  directory_->master_file = without_entry(directory_->master_file, place);
  CARDEA_TRY(put_object(transaction, master_file_place, directory_->master_file));
  CARDEA_ASSIGN(directory_->entries, parse_master_file(directory_->master_file));
  return put_object(transaction, place, {});
}

Status GidsCard::store_file(CardTransaction& transaction, std::string_view directory, std::string_view name,
                            std::uint16_t file, ByteView content) {
  if (name.empty() || name.size() > longest_name) return error(Code::arguments_bad, "file names have 1 to 8 letters");
  CARDEA_TRY(advance(transaction, {.files = true}));
  if (const DirectoryEntry* entry = find_entry(directory_->entries, directory, name)) {
    return content.empty() ? remove_file(transaction, entry->place) : put_object(transaction, entry->place, content);
  }
  if (content.empty()) return Code::not_found;
  if (!directory.empty() && find_entry(directory_->entries, directory, "") == nullptr) return Code::not_found;
  const std::optional<ObjectPlace> place = free_place(directory_->entries, file);
  if (!place) return error(Code::device_memory, "the card's directory is full");
  CARDEA_TRY(put_object(transaction, *place, content));
  const DirectoryEntry entry{std::string(directory), std::string(name), *place};
  directory_->master_file = with_entry(directory_->master_file, entry);
  directory_->entries.push_back(entry);
  return put_object(transaction, master_file_place, directory_->master_file);
}

Status GidsCard::write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) {
  CARDEA_TRY(load_directory(transaction));
  const std::vector<ContainerRecord>& containers = directory_->containers;
  if (place.index >= containers.size() || !containers[place.index].has_key()) {
    return error(Code::not_found, "on a GIDS card a certificate needs a container with its key");
  }
  Bytes content;
  if (!der.empty()) {
    CARDEA_ASSIGN(content, wrap_file(der));
  }
  const std::string name = certificate_name(place.index, containers[place.index].exchanges());
  Status stored = store_file(transaction, minidriver_directory, name, user_file, content);
  // Removing what is not there is no failure here.
  return der.empty() && !stored && stored.code() == Code::not_found ? Status() : stored;
}

Status GidsCard::write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) {
  if (!file.writable) return error(Code::action_prohibited, "the card's own books change with what they describe");
  CARDEA_TRY(load_directory(transaction));
  const std::size_t slash = file.name.rfind('/');
  const std::string_view whole = file.name;
  const std::string_view directory = slash == std::string::npos ? std::string_view() : whole.substr(0, slash);
  const std::string_view name = slash == std::string::npos ? whole : whole.substr(slash + 1);
  const DirectoryEntry* const known = find_entry(directory_->entries, directory, name);
  if (known != nullptr && (known->place == directory_->map_place || known->place == cache_file_place)) {
    return error(Code::action_prohibited, "the card's own books change with what they describe");
  }
  const std::uint16_t access = file.needs_pin ? private_file : user_file;
  if (content.empty() || name != "msroots") return store_file(transaction, directory, name, access, content);
  CARDEA_ASSIGN(const Bytes wrapped, wrap_file(content));
  return store_file(transaction, directory, name, access, wrapped);
}

Status GidsCard::set_default(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(load_directory(transaction));
  std::vector<ContainerRecord>& containers = directory_->containers;
  if (place.index >= containers.size() || !containers[place.index].has_key()) return Code::not_found;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    containers[i].flags = static_cast<Byte>(containers[i].flags & ~container_default);
    if (i == place.index) containers[i].flags |= container_default;
  }
  CARDEA_TRY(advance(transaction, {.containers = true, .files = true}));
  return write_map(transaction);
}

}  // namespace cardea::card::gids
