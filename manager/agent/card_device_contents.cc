// A card's own objects, and its end.
#include <fmt/format.h>

#include <algorithm>

#include "agent/card_device.h"
#include "agent/key_use.h"
#include "agent/root_store.h"
#include "base/tlv.h"
#include "crypto/random.h"
#include "piv/data_objects.h"
#include "piv/fascn.h"
#include "piv/key_references.h"

namespace cardea::agent {
namespace {

constexpr std::size_t longest_pin_digits = 8;
constexpr std::string_view root_store_name = "mscp/msroots";

/// A version 4 UUID (RFC 9562, 5.4).
Result<Bytes> random_uuid() {
  Bytes uuid(16);
  CARDEA_TRY(crypto::random_bytes(uuid));
  uuid[6] = static_cast<Byte>((uuid[6] & 0x0f) | 0x40);
  uuid[8] = static_cast<Byte>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

constexpr std::uint32_t tag_fascn = 0x30;
constexpr std::uint32_t tag_guid = 0x34;
constexpr std::uint32_t tag_expires = 0x35;
constexpr std::uint32_t tag_signature = 0x3e;
constexpr std::uint32_t tag_check = 0xfe;

/// An identifier for a card that nobody numbered: a FASC-N of nines, as cards outside the government have it, and the
/// card UUID (SP 800-73-4 part 1, 3.1.2 and table 9).
Result<Bytes> new_chuid(ByteView uuid) {
  const card::piv::Fascn nines{.agency = "9999",
                               .system = "9999",
                               .credential = "999999",
                               .series = "0",
                               .issue = "1",
                               .person = "0000000000",
                               .category = "3",
                               .organization = "0000",
                               .association = "1"};
  CARDEA_ASSIGN(const Bytes fascn, card::piv::encode_fascn(nines));
  Bytes chuid = make_tlv(tag_fascn, fascn);
  append_tlv(chuid, tag_guid, uuid);
  append_tlv(chuid, tag_expires, view_of("20991231"));
  append_tlv(chuid, tag_signature, {});
  append_tlv(chuid, tag_check, {});
  return chuid;
}

}  // namespace

Result<card::FileEntry> CardDevice::chuid_file(Work& work) {
  CARDEA_ASSIGN(const std::vector<card::FileEntry> files, module_->files(work.transaction));
  const auto found = std::ranges::find(files, card::piv::object::chuid, &card::FileEntry::reference);
  if (found == files.end()) return error(Code::not_found, "the card has no place for a CHUID");
  return *found;
}

// Only where the maker's serial number names the card whatever its CHUID says: a job goes on with the token that it
// began with, and knows it by that number.
Result<bool> CardDevice::lacks_card_uuid(Work& work) {
  if (!is_piv() || !has_makers_serial() || about_.serial.empty()) return false;
  CARDEA_ASSIGN(const card::FileEntry file, chuid_file(work));
  const Result<Bytes> content = module_->read_file(work.transaction, file);
  if (!content) return content.code() == Code::not_found ? Result<bool>(true) : Result<bool>(content.error());
  return content->empty();
}

// The issuer's signature over the old fields would be wrong over the new ones, so it goes; its field stays, since the
// standard wants one (SP 800-73-4 part 1, table 9).
Status CardDevice::renew_card_uuid(Work& work, const card::FileEntry& chuid) {
  CARDEA_ASSIGN(const Bytes uuid, random_uuid());
  const Result<Bytes> present = module_->read_file(work.transaction, chuid);
  if (!present && present.code() != Code::not_found) return present.error();
  if (!present || present->empty()) {
    CARDEA_ASSIGN(const Bytes first, new_chuid(uuid));
    return work.administrator->write_file(work.transaction, chuid, first);
  }
  Bytes fresh;
  bool replaced = false;
  for (TlvReader reader(*present); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv field, reader.next());
    replaced = replaced || field.tag == tag_guid;
    append_tlv(fresh, field.tag,
               field.tag == tag_guid ? ByteView(uuid) : (field.tag == tag_signature ? ByteView() : field.value));
  }
  if (!replaced) return error(Code::data_invalid, "the card's CHUID has no card UUID to be renewed");
  return work.administrator->write_file(work.transaction, chuid, fresh);
}

Status CardDevice::write_object(Authority& authority, const std::string& name, ByteView content) {
  return as_writer(authority, [&](Work& work) -> Status {
    CARDEA_ASSIGN(const std::vector<card::FileEntry> files, module_->files(work.transaction));
    const bool is_chuid = is_piv() && name == "chuid";
    const auto file = std::ranges::find_if(files, [&](const card::FileEntry& entry) {
      return is_chuid ? entry.reference == card::piv::object::chuid : entry.name == name;
    });
    if (file == files.end()) return error(Code::not_found, fmt::format("the card has no object '{}'", name));
    if (is_chuid && content.empty()) return renew_card_uuid(work, *file);
    CARDEA_TRY(work.administrator->write_file(work.transaction, *file, content));
    CARDEA_ASSIGN(const Bytes read_back, module_->read_file(work.transaction, *file));
    if (same_bytes(read_back, content)) return {};
    return error(Code::device_error, fmt::format("the object '{}' reads back otherwise than it was written", name));
  });
}

Result<std::string> CardDevice::initialise(const Pin& user_pin, const SecretBytes& admin_key) {
  CARDEA_ASSIGN(Work work, begin());
  work.transaction.reset_at_end();
  CARDEA_TRY(work.administrator->initialise(work.transaction, {{}, Pin(user_pin.view()), admin_key.copy()}));
  CARDEA_ASSIGN(about_, module_->describe(work.transaction));
  return about_.serial;
}

Result<std::optional<card::FileEntry>> CardDevice::root_store(Work& work) {
  CARDEA_ASSIGN(const std::vector<card::FileEntry> files, module_->files(work.transaction));
  const auto found = std::ranges::find(files, root_store_name, &card::FileEntry::name);
  return found == files.end() ? std::optional<card::FileEntry>() : std::optional(*found);
}

// PIV has data objects for the card's own certificates alone (SP 800-73-4 part 1, table 3).
Result<std::size_t> CardDevice::write_authorities(Authority& authority, std::span<const Bytes> certificates) {
  if (is_piv()) return error(Code::function_not_supported, "PIV cards have no place for certificates of authorities");
  std::vector<Bytes> all;
  std::size_t before = 0;
  {
    CARDEA_ASSIGN(Work work, begin());
    CARDEA_ASSIGN(const std::optional<card::FileEntry> file, root_store(work));
    if (file) {
      CARDEA_ASSIGN(const Bytes content, module_->read_file(work.transaction, *file));
      CARDEA_ASSIGN(all, read_root_store(content));
    }
    before = all.size();
  }
  for (const Bytes& certificate : certificates) {
    if (std::ranges::find(all, certificate) == all.end()) all.push_back(certificate);
  }
  const std::size_t written = all.size() - before;
  if (written == 0) return written;
  const Bytes content = make_root_store(all);
  // What is no certificate must not make the file unreadable for everybody.
  CARDEA_ASSIGN(const std::vector<Bytes> understood, read_root_store(content));
  if (understood != all) return error(Code::data_invalid, "a certificate of an authority is damaged");
  const card::FileEntry file{.name = std::string(root_store_name)};
  CARDEA_TRY(as_writer(authority, [&](Work& work) -> Status {
    CARDEA_TRY(work.administrator->write_file(work.transaction, file, content));
    CARDEA_ASSIGN(const std::optional<card::FileEntry> stored, root_store(work));
    if (!stored) return error(Code::device_error, "the certificates of the authorities are not there after writing");
    CARDEA_ASSIGN(const Bytes read_back, module_->read_file(work.transaction, *stored));
    if (same_bytes(read_back, content)) return {};
    return error(Code::device_error, "the certificates of the authorities read back otherwise than they were written");
  }));
  return written;
}

// Cards that cannot delete a key have another one made in its place, of which nobody has the certificate.
Status CardDevice::erase_contents(Work& work) {
  CARDEA_ASSIGN(const std::vector<Spot> all, spots(work));
  for (const Spot& spot : all) {
    if (!spot.held) continue;
    const Status deleted = work.administrator->delete_key(work.transaction, spot.place);
    if (!deleted && deleted.code() == Code::function_not_supported) {
      CARDEA_TRY(work.administrator->generate(work.transaction, spot.place,
                                              {.algorithm = crypto::KeyAlgorithm::p256, .bits = 0}));
    } else if (!deleted && deleted.code() != Code::not_found) {
      return deleted;
    }
    if (is_piv()) CARDEA_TRY(work.administrator->write_certificate(work.transaction, spot.place, {}));
  }
  return {};
}

Result<bool> CardDevice::erase(Authority& authority) {
  written_ = true;
  if (!is_piv()) {
    // The user's PIN may be locked or unknown, and only the user deletes keys: the administrator becomes the user.
    CARDEA_ASSIGN(const Pin pin, random_digits(longest_pin_digits));
    CARDEA_TRY(set_user_pin(authority, pin));
    CARDEA_ASSIGN(Work work, begin());
    work.transaction.reset_at_end();
    CARDEA_TRY(module_->verify(work.transaction, card::PinRole::user, pin));
    CARDEA_TRY(erase_contents(work));
    CARDEA_ASSIGN(const std::optional<card::FileEntry> roots, root_store(work));
    if (roots) CARDEA_TRY(work.administrator->write_file(work.transaction, *roots, {}));
    return false;
  }
  // The daemon has to be the administrator also where the card would let anybody reset it.
  CARDEA_ASSIGN(Work work, begin());
  CARDEA_TRY(show_administrator(work, authority));
  CARDEA_ASSIGN(const bool reset, reset_card(work));
  if (!reset) CARDEA_TRY(erase_contents(work));
  return reset;
}

// Other makers' cards are known by their CHUID (docs/piv-cards.md), which a reset takes away or replaces.
Result<Bytes> CardDevice::number_object(Work& work) {
  if (!is_piv() || has_makers_serial()) return Bytes();
  CARDEA_ASSIGN(const card::FileEntry file, chuid_file(work));
  Result<Bytes> content = module_->read_file(work.transaction, file);
  return !content && content.code() == Code::not_found ? Result<Bytes>(Bytes()) : std::move(content);
}

Result<bool> CardDevice::reset_card(Work& work) {
  CARDEA_ASSIGN(const Bytes number, number_object(work));
  // Pulled in between it could not be found again.
  if (!number.empty() && maker_number_.empty()) return false;
  const Status reset = work.administrator->reset(work.transaction);
  if (!reset && reset.code() == Code::function_not_supported) return false;
  CARDEA_TRY(reset);
  if (!number.empty()) CARDEA_TRY(write_number(work, number));
  return true;
}

Status CardDevice::write_number(Work& work, ByteView object) {
  work.transaction.reset_at_end();
  CARDEA_TRY(work.administrator->authenticate(work.transaction, work.administrator->factory_key()));
  CARDEA_ASSIGN(const card::FileEntry file, chuid_file(work));
  CARDEA_TRY(work.administrator->write_file(work.transaction, file, object));
  if (written_) tell_of_writing();
  CARDEA_ASSIGN(about_, module_->describe(work.transaction));
  return {};
}

Status CardDevice::give_back_number(ByteView object) {
  CARDEA_ASSIGN(const DeviceDescription about, describe());
  if (!about.factory.admin_key.value_or(false) || !about.containers.empty()) {
    return error(Code::action_prohibited, "the card is in use, so it is not the one whose erasure was cut off");
  }
  CARDEA_ASSIGN(Work work, begin());
  written_ = true;
  return write_number(work, object);
}

}  // namespace cardea::agent
