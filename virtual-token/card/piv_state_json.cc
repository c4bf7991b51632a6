#include "card/piv_state_json.h"

#include <string>

#include "card/json_fields.h"

namespace cardea::vcard {

namespace json = boost::json;

namespace {

template <class Enum>
Result<Enum> enum_field(const json::object& object, std::string_view name, int lowest, int highest) {
  CARDEA_ASSIGN(const std::int64_t number, number_field(object, name, lowest, highest));
  return static_cast<Enum>(number);
}

Result<BlockCipher> cipher_field(const json::object& object, std::string_view name) {
  CARDEA_ASSIGN(const std::int64_t identifier, number_field(object, name, 0, 255));
  const auto cipher = block_cipher_of(static_cast<Byte>(identifier));
  if (!cipher) return bad_field(name);
  return *cipher;
}

json::object key_to_json(Byte reference, const PivKey& entry) {
  json::object fields{{"reference", reference},
                      {"pin_policy", static_cast<int>(entry.pin_policy)},
                      {"touch_policy", static_cast<int>(entry.touch_policy)},
                      {"origin", static_cast<int>(entry.origin)}};
  put_key_fields(fields, entry.key);
  return fields;
}

Result<PivKey> key_from_json(const json::object& fields) {
  CARDEA_ASSIGN(CardKey key, key_from_fields(fields));
  PivKey entry{std::move(key)};
  CARDEA_ASSIGN(entry.pin_policy, enum_field<PinPolicy>(fields, "pin_policy", 1, 3));
  CARDEA_ASSIGN(entry.touch_policy, enum_field<TouchPolicy>(fields, "touch_policy", 1, 3));
  CARDEA_ASSIGN(entry.origin, enum_field<KeyOrigin>(fields, "origin", 1, 2));
  return entry;
}

json::object management_to_json(const ManagementKey& management) {
  return {{"algorithm", static_cast<int>(management.cipher)},
          {"value", hex_field(management.value.view())},
          {"touch_policy", static_cast<int>(management.touch_policy)},
          {"initial", management.initial}};
}

Result<ManagementKey> management_from_json(const json::object& object) {
  CARDEA_ASSIGN(const json::object* fields, object_field(object, "management_key"));
  ManagementKey management;
  CARDEA_ASSIGN(management.cipher, cipher_field(*fields, "algorithm"));
  CARDEA_ASSIGN(management.value, secret_field(*fields, "value"));
  if (management.value.size() != key_size(management.cipher)) return bad_field("value");
  CARDEA_ASSIGN(management.touch_policy, enum_field<TouchPolicy>(*fields, "touch_policy", 1, 3));
  CARDEA_ASSIGN(management.initial, flag_field(*fields, "initial"));
  return management;
}

Status keys_from_json(const json::object& object, PivState& state) {
  CARDEA_ASSIGN(const json::array* keys, array_field(object, "keys"));
  for (const json::value& item : *keys) {
    if (!item.is_object()) return bad_field("keys");
    CARDEA_ASSIGN(const std::int64_t reference, number_field(item.get_object(), "reference", 0, 255));
    CARDEA_ASSIGN(PivKey key, key_from_json(item.get_object()));
    state.keys.insert_or_assign(static_cast<Byte>(reference), std::move(key));
  }
  return {};
}

Status objects_from_json(const json::object& object, PivState& state) {
  CARDEA_ASSIGN(const json::array* objects, array_field(object, "objects"));
  for (const json::value& item : *objects) {
    if (!item.is_object()) return bad_field("objects");
    CARDEA_ASSIGN(const Bytes tag, bytes_field(item.get_object(), "tag"));
    if (tag.empty() || tag.size() > 3) return bad_field("tag");
    std::uint32_t number = 0;
    for (const Byte byte : tag) number = number << 8 | byte;
    CARDEA_ASSIGN(state.objects[number], bytes_field(item.get_object(), "value"));
  }
  return {};
}

Bytes tag_bytes(std::uint32_t tag) {
  Bytes out;
  if (tag > 0xFFFF) out.push_back(static_cast<Byte>(tag >> 16));
  if (tag > 0xFF) out.push_back(static_cast<Byte>(tag >> 8));
  out.push_back(static_cast<Byte>(tag));
  return out;
}

}  // namespace

json::object piv_to_json(const PivState& state) {
  json::array keys;
  for (const auto& [reference, entry] : state.keys) keys.push_back(key_to_json(reference, entry));
  json::array objects;
  for (const auto& [tag, value] : state.objects) {
    objects.push_back(json::object{{"tag", hex_field(tag_bytes(tag))}, {"value", hex_field(value)}});
  }
  json::object out{{"serial", state.serial},
                   {"vendor_extensions", state.profile.vendor_extensions},
                   {"list_algorithms", state.profile.list_algorithms},
                   {"select_forgets", state.profile.select_forgets},
                   {"management_cipher", static_cast<int>(state.profile.management_cipher)},
                   {"pin", pin_to_json(state.pin)},
                   {"puk", pin_to_json(state.puk)},
                   {"management_key", management_to_json(state.management)},
                   {"keys", std::move(keys)},
                   {"objects", std::move(objects)}};
  if (state.global_pin) out["global_pin"] = pin_to_json(*state.global_pin);
  return out;
}

Result<PivState> piv_from_json(const json::object& object) {
  PivState state;
  CARDEA_ASSIGN(const std::int64_t serial, number_field(object, "serial", 0, 0xFFFFFFFF));
  state.serial = static_cast<std::uint32_t>(serial);
  CARDEA_ASSIGN(state.profile.vendor_extensions, flag_field(object, "vendor_extensions"));
  CARDEA_ASSIGN(state.profile.list_algorithms, flag_field(object, "list_algorithms"));
  CARDEA_ASSIGN(state.profile.select_forgets, flag_field(object, "select_forgets"));
  CARDEA_ASSIGN(state.profile.management_cipher, cipher_field(object, "management_cipher"));
  CARDEA_ASSIGN(state.pin, pin_from_json(object, "pin"));
  CARDEA_ASSIGN(state.puk, pin_from_json(object, "puk"));
  if (object.contains("global_pin")) {
    CARDEA_ASSIGN(state.global_pin, pin_from_json(object, "global_pin"));
  }
  CARDEA_ASSIGN(state.management, management_from_json(object));
  CARDEA_TRY(keys_from_json(object, state));
  CARDEA_TRY(objects_from_json(object, state));
  return state;
}

}  // namespace cardea::vcard
