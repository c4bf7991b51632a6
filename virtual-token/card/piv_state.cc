#include "card/piv_state.h"

#include "card/piv_attestation.h"
#include "card/random.h"
#include "card/tlv.h"

namespace cardea::vcard {

namespace {

constexpr std::uint32_t chuid_tag = 0x5FC102;
constexpr std::uint32_t capability_container_tag = 0x5FC107;
constexpr std::uint32_t discovery_tag = 0x7E;
constexpr int initial_tries = 3;

constexpr Byte initial_pin[] = {'1', '2', '3', '4', '5', '6', 0xFF, 0xFF};
constexpr Byte initial_puk[] = {'1', '2', '3', '4', '5', '6', '7', '8'};
constexpr Byte initial_management_key[] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8,
                                           1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};

// FASC-N of a card outside the federal government: agency, system and credential all nines (SP 800-73-4 part 1, 3.1.2).
constexpr Byte non_federal_fascn[] = {0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68,
                                      0x58, 0x21, 0x08, 0x42, 0x10, 0x84, 0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB};

// Card holder unique identifier, unsigned (part 1, table 9), with a random UUID (RFC 4122, 4.4).
Bytes new_chuid() {
  Bytes uuid = random_bytes(16);
  uuid[6] = static_cast<Byte>((uuid[6] & 0x0F) | 0x40);
  uuid[8] = static_cast<Byte>((uuid[8] & 0x3F) | 0x80);
  Bytes chuid = make_tlv(0x30, non_federal_fascn);
  append_tlv(chuid, 0x34, uuid);
  append_tlv(chuid, 0x35, view_of("20991231"));
  append_tlv(chuid, 0x3E, {});
  append_tlv(chuid, 0xFE, {});
  return chuid;
}

// Card capability container (part 1, table 8): registered identifier, manufacturer, type, then the card's own number.
Bytes new_capability_container() {
  Bytes identifier = {0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02};
  const Bytes own = random_bytes(14);
  identifier.insert(identifier.end(), own.begin(), own.end());
  constexpr Byte version[] = {0x21};
  constexpr Byte no_pkcs15[] = {0x00};
  constexpr Byte data_model[] = {0x10};
  Bytes container = make_tlv(0xF0, identifier);
  append_tlv(container, 0xF1, version);
  append_tlv(container, 0xF2, version);
  append_tlv(container, 0xF3, {});
  append_tlv(container, 0xF4, no_pkcs15);
  append_tlv(container, 0xF5, data_model);
  for (const Byte tag : {0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE}) append_tlv(container, tag, {});
  return container;
}

}  // namespace

ByteView initial_piv_pin() {
  return initial_pin;
}

ByteView initial_piv_puk() {
  return initial_puk;
}

Bytes piv_discovery(bool global_pin) {
  constexpr Byte name[] = {0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00};
  // First byte: bit 7 application PIN, bit 6 global PIN; second: 10 when the application PIN is primary.
  const Byte policy[] = {static_cast<Byte>(global_pin ? 0x60 : 0x40), static_cast<Byte>(global_pin ? 0x10 : 0x00)};
  Bytes object = make_tlv(0x4F, name);
  append_tlv(object, 0x5F2F, policy);
  return object;
}

void reset_piv(PivState& state) {
  state.pin.reset(initial_pin, initial_tries);
  state.puk.reset(initial_puk, initial_tries);
  const BlockCipher cipher = state.profile.management_cipher;
  state.management = ManagementKey{cipher, SecretBytes(ByteView(initial_management_key).first(key_size(cipher)))};
  // The attestation key and its certificate outlive a reset.
  std::erase_if(state.keys, [](const auto& entry) { return entry.first != 0xF9; });
  std::erase_if(state.objects, [](const auto& entry) { return entry.first != 0x5FFF01; });
  state.objects[chuid_tag] = new_chuid();
  state.objects[capability_container_tag] = new_capability_container();
  state.objects[discovery_tag] = piv_discovery(state.global_pin.has_value());
}

Result<PivState> new_piv(PivProfile profile) {
  PivState state;
  state.profile = profile;
  for (const Byte byte : random_bytes(4)) state.serial = state.serial << 8 | byte;
  state.serial %= 100000000;  // eight digits, as tools print it
  reset_piv(state);
  if (profile.vendor_extensions) CARDEA_TRY(add_attestation_key(state));
  return state;
}

}  // namespace cardea::vcard
