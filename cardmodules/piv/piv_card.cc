#include "piv/piv_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "piv/certificate_object.h"
#include "piv/chuid.h"
#include "piv/commands.h"
#include "piv/data_objects.h"
#include "piv/key_references.h"

namespace cardea::card {
namespace piv {
namespace {

// The identifier without its version, which selects every version (SP 800-73-4 part 1, 2.2).
constexpr std::array<Byte, 9> application_identifier{0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00};
constexpr Byte by_name = 0x04;

Result<Response> send_select(CardTransaction& transaction) {
  return transaction.transmit(Command{.ins = instruction::select, .p1 = by_name, .data = application_identifier});
}

bool names_yubikey(ByteView atr) {
  constexpr std::string_view name = "Yubi";
  return text_of(atr).find(name) != std::string_view::npos;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}{:02}{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

void describe_chuid(CardDescription& description, ByteView content) {
  const Result<Chuid> chuid = parse_chuid(content);
  if (!chuid) {
    description.problems.push_back(fmt::format("The card's CHUID is damaged: {}.", chuid.error().detail));
    return;
  }
  if (!chuid->fascn_bytes.empty() && !chuid->fascn) {
    description.problems.push_back(fmt::format("The card's FASC-N is damaged: {}.", chuid->fascn_problem));
  }
  if (!chuid->expires.empty() && chuid->expires < today()) {
    description.problems.push_back(fmt::format("The card expired on {}-{}-{}.", chuid->expires.substr(0, 4),
                                               chuid->expires.substr(4, 2), chuid->expires.substr(6)));
  }
  description.serial = chuid_serial(*chuid);
  // PIV-I and CIV cards are known by their FASC-N of nines (FBCA, "PIV-I profile"); the two differ in policy only.
  if (!chuid->fascn || chuid->fascn->is_absent()) description.model = "PIV-I or CIV";
}

Bytes identity_of(ByteView chuid, const std::string& serial) {
  Bytes text = to_bytes(view_of("piv\n" + serial + "\n"));
  text.insert(text.end(), chuid.begin(), chuid.end());
  const Result<Bytes> digest = crypto::digest(Hash::sha256, text);
  return digest ? *digest : Bytes();
}

// What a key of this kind does in this place. Key management keys sign too, since their certificate requests must be
// signed; a card that refuses says so.
void set_uses(Container& container, const KeyKind& kind) {
  const std::uint32_t reference = container.place.index;
  const bool manages = reference == key_management || is_retired(reference);
  switch (kind.algorithm) {
    case crypto::KeyAlgorithm::rsa:
      container.primitives = static_cast<Primitives>(Primitive::rsa_raw);
      container.signs = true;
      container.decrypts = reference != key_signature && reference != key_card_authentication;
      break;
    case crypto::KeyAlgorithm::ed25519:
      container.primitives = static_cast<Primitives>(Primitive::eddsa_sign);
      container.signs = true;
      break;
    case crypto::KeyAlgorithm::x25519:
      container.primitives = static_cast<Primitives>(Primitive::ecdh);
      container.derives = true;
      break;
    default:
      container.primitives =
          manages ? Primitive::ecdsa_sign | Primitive::ecdh : static_cast<Primitives>(Primitive::ecdsa_sign);
      container.signs = true;
      container.derives = manages;
      break;
  }
}

FileEntry file_of(const DataObject& object) {
  FileEntry file;
  file.name = object.name;
  file.application = "PIV";
  file.object_id = encode_identifier(object.identifier);
  file.reference = object.tag;
  file.needs_pin = object.needs_pin;
  return file;
}

bool is_retired_certificate(std::uint32_t tag) {
  return tag >= object::retired_certificate_1 && tag <= object::retired_certificate_20;
}

}  // namespace

Status PivCard::select(CardTransaction& transaction) {
  administered_ = false;
  CARDEA_ASSIGN(const Response answer, send_select(transaction));
  if (!answer.ok()) return error(Code::token_not_recognized, "the card has no PIV application any more");
  return {};
}

Result<CardDescription> PivCard::describe(CardTransaction& transaction) {
  CardDescription description;
  description.model = "PIV";
  description.min_pin_length = 6;  // SP 800-73-4 part 1, 3.1.5
  description.max_pin_length = 8;
  description.can_generate = true;
  // Import is Yubico's command; whether a card has it is asked when somebody imports.
  description.can_import = !facts_.known_extensions() || facts_.known_extensions()->present;
  const Result<Bytes> chuid = get_data(transaction, object::chuid);
  if (!chuid && !is_about_object(chuid.error())) return chuid.error();
  if (chuid) {
    describe_chuid(description, *chuid);
  } else {
    description.problems.emplace_back(
        "The card has no CHUID that can be read, so other software may not know it again.");
  }
  if (is_yubikey_ || description.serial.empty()) {
    CARDEA_ASSIGN(const std::optional<std::uint32_t> serial, CardFacts::vendor_serial(transaction));
    if (serial) description.serial = fmt::format("{}", *serial);
  }
  if (is_yubikey_) description.manufacturer = "Yubico";
  description.label = description.serial.empty() ? "PIV" : fmt::format("PIV {}", description.serial);
  if (chuid || !description.serial.empty()) {
    description.identity = identity_of(chuid ? ByteView(*chuid) : ByteView(), description.serial);
  }
  return description;
}

Result<std::vector<ContainerPlace>> PivCard::places(CardTransaction& transaction) {
  std::vector<ContainerPlace> places;
  for (const Byte reference : {key_authentication, key_signature, key_management, key_card_authentication}) {
    places.push_back(*place_of(reference));
  }
  CARDEA_ASSIGN(const KeyHistory history, CardFacts::key_history(transaction));
  for (const Byte reference : retired_references(history)) places.push_back(*place_of(reference));
  if (!is_yubikey_ || history.on_card + history.off_card != 0) return places;
  CARDEA_TRY(add_retired_by_metadata(transaction, places));
  return places;
}

// Yubico's own tools keep no key history, but their cards tell of each key. Only cards that are known to be theirs are
// asked, since this takes twenty commands.
Status PivCard::add_retired_by_metadata(CardTransaction& transaction, std::vector<ContainerPlace>& places) {
  CARDEA_ASSIGN(const Extensions extensions, facts_.extensions(transaction));
  if (!extensions.has_metadata()) return {};
  for (std::uint32_t reference = key_retired_first; reference <= key_retired_last; ++reference) {
    const Result<Metadata> metadata = facts_.metadata(transaction, static_cast<Byte>(reference));
    if (metadata) places.push_back(*place_of(reference));
    if (!metadata && !is_about_object(metadata.error())) return metadata.error();
  }
  return {};
}

Result<std::optional<Container>> PivCard::read_container(CardTransaction& transaction, const ContainerPlace& place) {
  const std::uint32_t tag = certificate_object(place.index);
  if (tag == 0) return error(Code::arguments_bad, "PIV has no such key");
  const Result<Bytes> content = get_data(transaction, tag);
  if (!content && content.code() == Code::not_found) return container_by_metadata(transaction, place);
  if (!content) return content.error();
  Result<CertificateObject> object = parse_certificate_object(*content);
  if (!object && object.code() == Code::not_found) return container_by_metadata(transaction, place);
  if (!object) return std::move(object).error();
  Container container;
  container.place = place;
  container.certificate = std::move(object->certificate);
  CARDEA_ASSIGN(const crypto::CertificateParts parts, crypto::certificate_parts(container.certificate));
  container.public_key = to_bytes(parts.key_info);
  const Result<KeyKind> kind = kind_of_public_key(container.public_key);
  if (kind) {
    container.has_key = true;
    set_uses(container, *kind);
  }
  return std::optional(std::move(container));
}

Result<bool> PivCard::is_free(CardTransaction& transaction, const ContainerPlace& place) {
  const Result<Metadata> metadata = facts_.metadata(transaction, static_cast<Byte>(place.index));
  if (metadata) return false;
  if (!is_about_object(metadata.error())) return metadata.error();
  if (metadata.code() == Code::not_found) return true;
  // Cards without metadata: where there is a certificate, there is a key.
  const Result<Bytes> content = get_data(transaction, certificate_object(place.index));
  if (!content && content.code() != Code::not_found) return content.error();
  return !content || content->empty();
}

// Without a certificate only YubiKeys and their like tell whether there is a key.
Result<std::optional<Container>> PivCard::container_by_metadata(CardTransaction& transaction,
                                                                const ContainerPlace& place) {
  const Result<Metadata> metadata = facts_.metadata(transaction, static_cast<Byte>(place.index));
  if (!metadata && !is_about_object(metadata.error())) return metadata.error();
  if (!metadata && (metadata.code() == Code::data_invalid || metadata.code() == Code::public_key_invalid)) {
    return metadata.error();
  }
  if (!metadata) return std::optional<Container>();
  const std::optional<KeyKind> kind = kind_of_identifier(metadata->algorithm);
  if (!kind) return error(Code::data_invalid, "the card has a key of an unknown kind");
  Container container;
  container.place = place;
  container.place.pin = metadata->pin.value_or(place.pin);
  container.touch = metadata->touch.value_or(TouchPolicy::never);
  container.has_key = true;
  container.public_key = metadata->public_key;
  container.local = metadata->generated;
  set_uses(container, *kind);
  return std::optional(std::move(container));
}

Result<std::vector<FileEntry>> PivCard::files(CardTransaction& transaction) {
  CARDEA_ASSIGN(const KeyHistory history, CardFacts::key_history(transaction));
  std::vector<FileEntry> files;
  for (const DataObject& object : data_objects()) {
    const bool retired = is_retired_certificate(object.tag);
    if (retired && object.tag - object::retired_certificate_1 >= history.on_card) continue;
    files.push_back(file_of(object));
    files.back().listed = retired;
  }
  return files;
}

Result<Bytes> PivCard::read_file(CardTransaction& transaction, const FileEntry& file) {
  return get_data(transaction, file.reference);
}

}  // namespace piv

Result<Recognition> recognise_piv(CardTransaction& transaction) {
  CARDEA_ASSIGN(const Response answer, piv::send_select(transaction));
  if (!answer.ok()) return Recognition();
  Result<piv::Application> application = piv::parse_application(answer.data);
  const bool certain = application && piv::is_piv(*application);
  const bool is_yubikey = piv::names_yubikey(transaction.atr());
  // YubiKeys before 5 do not say so in their ATR.
  if (is_yubikey) transaction.allow_extended();
  Recognition recognition;
  // Some cards select what they have without saying what it is.
  recognition.match = certain ? Match::certain : Match::possible;
  recognition.module =
      std::make_unique<piv::PivCard>(application ? std::move(*application) : piv::Application(), is_yubikey);
  return recognition;
}

}  // namespace cardea::card
