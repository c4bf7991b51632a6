#include "card/gids_state.h"

#include <string_view>

#include "card/random.h"
#include "card/tlv.h"

namespace cardea::vcard {

namespace {

constexpr int tries = 3;
constexpr std::string_view initial_pin = "123456";
constexpr Byte initial_admin_key[] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
constexpr std::uint16_t admin_key_file = 0xB080;

// Where a minidriver's file stands: data object and elementary file.
struct Place {
  std::uint16_t file;
  std::uint16_t object;
};

constexpr Place master_file{0xA000, 0xDF1F};
constexpr Place cardid{0xA012, 0xDF20};
constexpr Place cardapps{0xA010, 0xDF21};
constexpr Place cardcf{0xA010, 0xDF22};
constexpr Place cmapfile{0xA010, 0xDF23};

struct AccessRule {
  std::uint16_t file;
  Byte write;  ///< security condition of PUT DATA (ISO/IEC 7816-4, 5.4.3.2)
  Byte read;
};

// 30: user or administrator, 20: administrator, 00: anybody, FF: nobody.
constexpr AccessRule minidriver_files[] = {{0xA000, 0x30, 0x00}, {0xA010, 0x30, 0x00}, {0xA011, 0x30, 0xFF},
                                           {0xA012, 0x20, 0x00}, {0xA013, 0x30, 0x30}, {0xA014, 0x20, 0x20}};

Bytes two_bytes(std::uint16_t value) {
  return {static_cast<Byte>(value >> 8), static_cast<Byte>(value)};
}

// File control parameters of a file of data objects; access mode 03: put and get.
Bytes object_file_parameters(const AccessRule& rule) {
  constexpr Byte tlv_structure[] = {0x39};
  const Byte access[] = {0x03, rule.write, rule.read};
  Bytes content = make_tlv(0x82, tlv_structure);
  append_tlv(content, 0x83, two_bytes(rule.file));
  append_tlv(content, 0x8C, access);
  return make_tlv(0x62, content);
}

// The administrator's key: triple DES (02) for external and mutual authentication (usage C0). It can be put by the
// administrator and is never read.
Bytes admin_key_parameters() {
  constexpr Byte key_file[] = {0x18};
  constexpr Byte access[] = {0x87, 0x00, 0x20, 0xFF};
  constexpr Byte algorithm[] = {0x02};
  constexpr Byte reference[] = {0x80};
  constexpr Byte usage[] = {0xC0};
  Bytes use = make_tlv(0x80, algorithm);
  append_tlv(use, 0x83, reference);
  append_tlv(use, 0x95, usage);
  Bytes content = make_tlv(0x82, key_file);
  append_tlv(content, 0x83, two_bytes(admin_key_file));
  append_tlv(content, 0x8C, access);
  append_tlv(content, 0xA5, make_tlv(0xA4, use));
  return make_tlv(0x62, content);
}

void append_name(Bytes& out, std::string_view name, std::size_t width) {
  const ByteView bytes = view_of(name);
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.resize(out.size() + width - bytes.size());
}

void append_little_endian(Bytes& out, std::uint16_t value) {
  out.insert(out.end(), {static_cast<Byte>(value), static_cast<Byte>(value >> 8), 0x00, 0x00});
}

// A record of the master file: directory and name of nine bytes each, two bytes to align, data object and file of four.
void append_record(Bytes& out, std::string_view directory, std::string_view name, Place place) {
  append_name(out, directory, 9);
  append_name(out, name, 11);
  append_little_endian(out, place.object);
  append_little_endian(out, place.file);
}

Bytes master_file_content() {
  Bytes out = {0x01};
  append_record(out, "mscp", "", {0xA000, 0x0000});
  append_record(out, "", "cardid", cardid);
  append_record(out, "", "cardapps", cardapps);
  append_record(out, "", "cardcf", cardcf);
  append_record(out, "mscp", "cmapfile", cmapfile);
  return out;
}

}  // namespace

GidsState new_gids() {
  GidsState state;
  state.pin.reset(view_of(initial_pin), tries);
  return state;
}

GidsState new_initialised_gids() {
  GidsState state = new_gids();
  for (const AccessRule& rule : minidriver_files) {
    GidsFile& file = state.files[rule.file];
    file.control_parameters = object_file_parameters(rule);
    file.activated = true;
  }
  GidsFile& admin = state.files[admin_key_file];
  admin.control_parameters = admin_key_parameters();
  admin.activated = true;
  admin.symmetric_key = SecretBytes(ByteView(initial_admin_key));
  const auto put = [&](Place place, Bytes content) {
    state.files[place.file].objects[place.object] = std::move(content);
  };
  put(master_file, master_file_content());
  put(cardapps, {'m', 's', 'c', 'p', 0, 0, 0, 0});
  put(cardcf, {0, 0, 0, 0, 0, 0});
  put(cmapfile, {});
  put(cardid, random_bytes(16));
  state.activated = true;
  return state;
}

}  // namespace cardea::vcard
