#include "gids/gids_card.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/tlv.h"

namespace cardea::card::gids {
namespace {

// Right-truncated: version bytes follow (01 or 02, then 01), and every GIDS card answers to it (GIDS 2.0, "SELECT").
constexpr std::array<Byte, 9> application_identifier{0xa0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59};

// Keys 81 to 9E (GIDS 2.0, table 32). Other middleware goes beyond; what it made is shown, but we make no more.
constexpr std::size_t most_containers = 30;

constexpr std::size_t min_pin_length = 4;
constexpr std::size_t max_pin_length = 16;

Byte key_of(std::uint32_t index) {
  return static_cast<Byte>(first_key + index);
}

ContainerPlace place_of(std::size_t index, const ContainerRecord* record) {
  ContainerPlace place;
  place.index = static_cast<std::uint32_t>(index);
  // OpenSC numbers the objects of these cards so, and applications may have stored it.
  place.id = {static_cast<Byte>(index)};
  if (record != nullptr) place.label = record->label();
  return place;
}

bool is_certificate_of(const DirectoryEntry& entry, const std::vector<ContainerRecord>& containers) {
  if (entry.directory != minidriver_directory) return false;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    if (containers[i].has_key() && entry.name == certificate_name(i, containers[i].exchanges())) return true;
  }
  return false;
}

bool is_wrapped(std::string_view name) {
  return name.ends_with("msroots") || name.starts_with("mscp/kxc") || name.starts_with("mscp/ksc");
}

// The minidriver's own books, which only its operations change.
bool is_book(const DirectoryEntry& entry, ObjectPlace map) {
  return entry.place == map || entry.place == cache_file_place || entry.name == "cardapps";
}

}  // namespace

Application parse_application(ByteView answer) {
  Application application;
  const auto outer = find_tlv(answer, 0x61);
  const ByteView parts = outer && *outer ? **outer : answer;
  if (const auto identifier = find_tlv(parts, 0x4f); identifier && *identifier) {
    application.identifier = to_bytes(**identifier);
  }
  if (const auto label = find_tlv(parts, 0x50); label && *label) application.label = text_of(**label);
  if (const auto more = find_tlv(parts, 0x73); more && *more) {
    const auto protocols = find_tlv(**more, 0x40);
    if (protocols && *protocols && (*protocols)->size() == 1) application.protocols = (**protocols)[0];
  }
  return application;
}

Status GidsCard::select(CardTransaction& transaction) {
  constexpr Byte by_name = 4;
  CARDEA_ASSIGN(const Response response,
                transaction.transmit({.ins = 0xa4, .p1 = by_name, .data = application_identifier}));
  if (!response.ok()) return error(Code::token_not_recognized, "the card no longer has the GIDS application");
  return {};
}

Result<CardDescription> GidsCard::describe(CardTransaction& transaction) {
  CardDescription description;
  description.label = application_.label.empty() ? "GIDS card" : application_.label;
  description.manufacturer = "Generic";
  const bool first_version = application_.identifier.size() > 9 && application_.identifier[9] == 1;
  description.model = first_version ? "GIDS 1.0" : "GIDS 2.0";
  description.min_pin_length = min_pin_length;
  description.max_pin_length = max_pin_length;
  description.can_generate = true;
  description.can_import = true;
  description.user_writes = true;

  CARDEA_ASSIGN(Bytes card_id, get_card_id(transaction));
  if (card_id.empty()) {
    description.initialized = false;
    description.problems.emplace_back("The card has no cardid file: it has not been initialised for a minidriver.");
    return description;
  }
  constexpr std::size_t serial_bytes = 8;
  description.serial = to_hex(ByteView(card_id).first(std::min(card_id.size(), serial_bytes)));
  description.identity = std::move(card_id);
  return description;
}

Status GidsCard::load_directory(CardTransaction& transaction) {
  Directory directory;
  CARDEA_ASSIGN(directory.master_file, get_object(transaction, master_file_place));
  CARDEA_ASSIGN(directory.entries, parse_master_file(directory.master_file));
  const DirectoryEntry* const map = find_entry(directory.entries, minidriver_directory, "cmapfile");
  directory.map_place = map != nullptr ? map->place : usual_map_place;
  const Result<Bytes> records = get_object(transaction, directory.map_place);
  if (records) {
    directory.containers = parse_container_map(*records);
  } else if (records.code() != Code::not_found) {
    return records.error();
  }
  // Key references are one byte, and FF is none.
  constexpr std::size_t most_records = 0xff - first_key;
  if (directory.containers.size() > most_records) {
    return error(Code::data_invalid, "the container map has more records than a card can have keys");
  }
  directory_ = std::move(directory);
  return {};
}

Status GidsCard::ensure_directory(CardTransaction& transaction) {
  return directory_ ? Status() : load_directory(transaction);
}

Result<std::vector<ContainerPlace>> GidsCard::places(CardTransaction& transaction) {
  uses_.clear();
  Status loaded = load_directory(transaction);
  if (!loaded && loaded.code() == Code::not_found) return std::vector<ContainerPlace>();
  CARDEA_TRY(std::move(loaded));
  std::vector<ContainerPlace> places;
  const std::size_t count = std::max(directory_->containers.size(), most_containers);
  for (std::size_t i = 0; i < count; ++i) {
    const bool known = i < directory_->containers.size() && directory_->containers[i].valid();
    places.push_back(place_of(i, known ? &directory_->containers[i] : nullptr));
  }
  return places;
}

Result<KeyUse> GidsCard::key_use(CardTransaction& transaction, std::uint32_t index) {
  if (const auto known = uses_.find(index); known != uses_.end()) return known->second;
  constexpr Byte control_parameters = 0x04;
  constexpr std::uint16_t key_files = 0xb000;
  const auto file = static_cast<std::uint16_t>(key_files | key_of(index));
  CARDEA_ASSIGN(const Bytes parameters, file_information(transaction, file, control_parameters));
  CARDEA_ASSIGN(KeyUse use, parse_key_file(parameters));
  return uses_.insert_or_assign(index, std::move(use)).first->second;
}

Status GidsCard::read_key(CardTransaction& transaction, const ContainerRecord& record, Container& container) {
  const std::optional<KeyKind> kind = kind_of_bits(record.bits());
  if (!kind) return error(Code::data_invalid, fmt::format("the card has a key of {} bits", record.bits()));
  Result<KeyUse> told = key_use(transaction, container.place.index);
  if (!told && (told.code() == Code::device_removed || told.code() == Code::timed_out)) return std::move(told).error();
  // Some cards keep the parameters to themselves; then what Windows always writes is the best guess.
  const KeyUse use = told ? std::move(*told) : usual_key_use(*kind, record.exchanges());
  container.has_key = true;
  container.place.pin = use.pin;
  container.primitives = primitives_of(use, *kind);
  container.signs = !use.signing.empty();
  container.decrypts = !use.deciphering.empty();
  return {};
}

// A certificate that is damaged is left out: the key can still be used.
Status GidsCard::read_certificate(CardTransaction& transaction, const ContainerRecord& record, Container& container) {
  const std::string name = certificate_name(container.place.index, record.exchanges());
  const DirectoryEntry* const entry = find_entry(directory_->entries, minidriver_directory, name);
  if (entry == nullptr) return {};
  const Result<Bytes> content = get_object(transaction, entry->place);
  if (!content) return content.code() == Code::not_found ? Status() : content.error();
  add_certificate(container, *content);
  return {};
}

Result<std::optional<Container>> GidsCard::read_container(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(ensure_directory(transaction));
  const std::vector<ContainerRecord>& containers = directory_->containers;
  if (place.index >= containers.size() || !containers[place.index].has_key()) return std::optional<Container>();
  const ContainerRecord& record = containers[place.index];
  Container container;
  container.place = place_of(place.index, &record);
  CARDEA_TRY(read_key(transaction, record, container));
  CARDEA_TRY(read_certificate(transaction, record, container));
  if (container.public_key.empty()) {
    CARDEA_ASSIGN(const Bytes key_template, get_public_key(transaction, key_of(place.index)));
    CARDEA_ASSIGN(container.public_key, public_key_info(key_template));
  }
  return std::optional(std::move(container));
}

Result<std::vector<FileEntry>> GidsCard::files(CardTransaction& transaction) {
  Status loaded = ensure_directory(transaction);
  if (!loaded && loaded.code() == Code::not_found) {
    // Nothing there: on this card, or in another application that somebody selected meanwhile.
    CARDEA_TRY(select(transaction));
    loaded = load_directory(transaction);
  }
  if (!loaded && loaded.code() == Code::not_found) return std::vector<FileEntry>();
  CARDEA_TRY(std::move(loaded));
  std::vector<FileEntry> files;
  for (const DirectoryEntry& entry : directory_->entries) {
    if (entry.name.empty() || is_certificate_of(entry, directory_->containers)) continue;
    FileEntry file;
    file.name = entry.directory.empty() ? entry.name : entry.directory + "/" + entry.name;
    file.application = "GIDS";
    file.reference = static_cast<std::uint32_t>(entry.place.file) << 16 | entry.place.object;
    file.needs_pin = entry.place.file == private_file || entry.place.file == user_execute_file;
    file.writable = !is_book(entry, directory_->map_place);
    file.listed = true;
    files.push_back(std::move(file));
  }
  return files;
}

Result<Bytes> GidsCard::read_file(CardTransaction& transaction, const FileEntry& file) {
  const ObjectPlace place{static_cast<std::uint16_t>(file.reference >> 16),
                          static_cast<std::uint16_t>(file.reference & 0xffff)};
  CARDEA_ASSIGN(Bytes content, get_object(transaction, place));
  if (is_wrapped(file.name)) return unwrap_file(content);
  return content;
}

Result<std::optional<std::size_t>> GidsCard::free_space(CardTransaction& transaction) {
  constexpr Byte management_data = 0x08;
  constexpr std::uint32_t management_template = 0x64;
  constexpr std::uint32_t memory_template = 0x7f65;
  constexpr std::uint32_t persistent_data = 0x82;
  CARDEA_ASSIGN(const Bytes data, file_information(transaction, application_file, management_data));
  CARDEA_ASSIGN(const ByteView management, require_tlv(data, management_template));
  CARDEA_ASSIGN(const std::optional<ByteView> memory, find_tlv(management, memory_template));
  if (!memory) return std::optional<std::size_t>();
  CARDEA_ASSIGN(const std::optional<ByteView> left, find_tlv(*memory, persistent_data));
  if (!left || left->empty() || left->size() > sizeof(std::uint32_t)) return std::optional<std::size_t>();
  std::size_t bytes = 0;
  for (const Byte b : *left) bytes = bytes << 8 | b;
  return std::optional(bytes);
}

}  // namespace cardea::card::gids

namespace cardea::card {

Result<Recognition> recognise_gids(CardTransaction& transaction) {
  constexpr Byte by_name = 4;
  const auto& name = gids::application_identifier;
  CARDEA_ASSIGN(const Response response, transaction.transmit({.ins = 0xa4, .p1 = by_name, .data = name}));
  if (!response.ok()) return Recognition{};
  gids::Application application = gids::parse_application(response.data);
  const bool named = application.identifier.size() >= name.size() &&
                     std::equal(name.begin(), name.end(), application.identifier.begin());
  return Recognition{named ? Match::certain : Match::possible,
                     std::make_unique<gids::GidsCard>(std::move(application))};
}

}  // namespace cardea::card
