// Lays out a blank GIDS card as minidrivers expect it: files by their access rules, the administrator's key, the user's
// PIN (GIDS 2.0, "CREATE FILE", "ACTIVATE FILE", "CHANGE REFERENCE DATA"; the files as Windows' minidriver and other
// tools that initialise such cards make them).
#include <array>

#include "base/tlv.h"
#include "crypto/random.h"
#include "gids/gids_card.h"

namespace cardea::card::gids {
namespace {

// Security conditions (ISO/IEC 7816-4, 5.4.3.2): of the user or the administrator, of the administrator alone.
constexpr Byte everybody = 0x00;
constexpr Byte user = 0x30;
constexpr Byte administrator = 0x20;
constexpr Byte nobody = 0xff;

struct FileRules {
  std::uint16_t file;
  Byte write;
  Byte read;
};
constexpr std::array<FileRules, 6> minidriver_files{{{directory_file, user, everybody},
                                                     {user_file, user, everybody},
                                                     {user_execute_file, user, nobody},
                                                     {admin_file, administrator, everybody},
                                                     {private_file, user, user},
                                                     {admin_private_file, administrator, administrator}}};

constexpr std::uint32_t control_template = 0x62;
constexpr std::uint32_t descriptor_tag = 0x82;
constexpr std::uint32_t identifier_tag = 0x83;
constexpr std::uint32_t access_tag = 0x8c;

Bytes two_bytes(std::uint16_t value) {
  return {static_cast<Byte>(value >> 8), static_cast<Byte>(value)};
}

/// File control parameters (ISO/IEC 7816-4, 5.3.3).
Bytes control_parameters(Byte descriptor, std::uint16_t file, ByteView access, ByteView more = {}) {
  const std::array<Byte, 1> described{descriptor};
  Bytes content = make_tlv(descriptor_tag, described);
  append_tlv(content, identifier_tag, two_bytes(file));
  append_tlv(content, access_tag, access);
  content.insert(content.end(), more.begin(), more.end());
  return make_tlv(control_template, content);
}

Bytes object_file(const FileRules& rules) {
  constexpr Byte data_objects = 0x39;
  constexpr Byte put_and_get = 0x03;
  const std::array<Byte, 3> access{put_and_get, rules.write, rules.read};
  return control_parameters(data_objects, rules.file, access);
}

/// For external and mutual authentication by triple DES; the administrator alone puts another key, nobody reads it.
Bytes admin_key_file() {
  constexpr Byte key_descriptor = 0x18;
  constexpr std::uint16_t file = 0xb000 | admin_key;
  constexpr std::array<Byte, 4> access{0x87, everybody, administrator, nobody};
  constexpr std::array<Byte, 13> use{0xa5, 11, 0xa4, 9, 0x80, 1, 0x02, 0x83, 1, admin_key, 0x95, 1, 0xc0};
  return control_parameters(key_descriptor, file, access, use);
}

Status set_first_pin(CardTransaction& transaction, const Pin& pin) {
  constexpr Byte new_value_alone = 1;
  CARDEA_TRY(transaction.call({.ins = 0x24,
                               .p1 = new_value_alone,
                               .p2 = user_pin,
                               .data = pin.view(),
                               .expects_data = false,
                               .secret_data = true}));
  return {};
}

Status write_first_files(CardTransaction& transaction) {
  constexpr std::array<Byte, 8> applications{'m', 's', 'c', 'p', 0, 0, 0, 0};
  CARDEA_TRY(put_object(transaction, master_file_place, first_master_file()));
  CARDEA_TRY(put_object(transaction, applications_place, applications));
  CARDEA_TRY(put_object(transaction, cache_file_place, cache_file({})));
  return put_object(transaction, usual_map_place, {});
}

}  // namespace

// The identifier comes last, under the administrator's key: what has one is whole and closed.
Status GidsCard::initialise(CardTransaction& transaction, const NewCard& wanted) {
  constexpr std::size_t triple_des_key = 24;
  if (wanted.admin_key.size() != triple_des_key) return Code::key_size_range;
  Bytes card_id = wanted.card_id;
  if (card_id.empty()) {
    card_id.resize(16);
    CARDEA_TRY(crypto::random_bytes(card_id));
  }
  CARDEA_TRY(select(transaction));
  CARDEA_ASSIGN(const Bytes present, get_card_id(transaction));
  if (!present.empty()) return error(Code::exists, "the card has been initialised before");
  directory_.reset();
  uses_.clear();
  const Status open = set_first_pin(transaction, wanted.user_pin);
  // Closed already: an earlier attempt came to its end but for the identifier, or the card is somebody's.
  const bool closed = !open && open.code() == Code::user_not_logged_in;
  if (!open && !closed) return open;
  if (!closed) {
    for (const FileRules& rules : minidriver_files) {
      CARDEA_TRY(create_file(transaction, rules.file, object_file(rules)));
    }
    CARDEA_TRY(create_key_file(transaction, admin_key, admin_key_file()));
    CARDEA_TRY(set_key(transaction, wanted.admin_key));
    CARDEA_TRY(write_first_files(transaction));
    CARDEA_TRY(activate_application(transaction));
  }
  CARDEA_TRY(authenticate(transaction, wanted.admin_key));
  return put_object(transaction, card_id_place, card_id);
}

}  // namespace cardea::card::gids
