#include "card/json_fields.h"

#include <string>

namespace cardea::vcard {

namespace json = boost::json;

Error bad_field(std::string_view name) {
  return error(Code::store_corrupt, "field \"" + std::string(name) + "\" of the card's state");
}

json::string hex_field(ByteView bytes) {
  return json::string(to_hex(bytes));
}

Result<Bytes> bytes_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  Bytes out;
  if (!value || !value->is_string() || !from_hex(std::string_view(value->get_string()), out)) return bad_field(name);
  return out;
}

Result<SecretBytes> secret_field(const json::object& object, std::string_view name) {
  CARDEA_ASSIGN(Bytes plain, bytes_field(object, name));
  SecretBytes out{ByteView(plain)};
  wipe(plain);
  return out;
}

Result<std::int64_t> number_field(const json::object& object, std::string_view name, std::int64_t lowest,
                                  std::int64_t highest) {
  const json::value* value = object.if_contains(name);
  if (!value || !value->is_int64()) return bad_field(name);
  const std::int64_t number = value->get_int64();
  if (number < lowest || number > highest) return bad_field(name);
  return number;
}

Result<bool> flag_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value || !value->is_bool()) return bad_field(name);
  return value->get_bool();
}

Result<const json::object*> object_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value || !value->is_object()) return bad_field(name);
  return &value->get_object();
}

Result<const json::array*> array_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (!value || !value->is_array()) return bad_field(name);
  return &value->get_array();
}

json::object pin_to_json(const PinState& pin) {
  return {{"value", hex_field(pin.value.view())}, {"limit", pin.limit}, {"left", pin.left}, {"initial", pin.initial}};
}

Result<PinState> pin_from_json(const json::object& object, std::string_view name) {
  CARDEA_ASSIGN(const json::object* fields, object_field(object, name));
  PinState pin;
  CARDEA_ASSIGN(pin.value, secret_field(*fields, "value"));
  CARDEA_ASSIGN(const std::int64_t limit, number_field(*fields, "limit", 1, 255));
  CARDEA_ASSIGN(const std::int64_t left, number_field(*fields, "left", 0, limit));
  CARDEA_ASSIGN(pin.initial, flag_field(*fields, "initial"));
  pin.limit = static_cast<int>(limit);
  pin.left = static_cast<int>(left);
  return pin;
}

void put_key_fields(json::object& object, const CardKey& key) {
  const SecretBytes secret = key.secret();
  object["algorithm"] = static_cast<int>(key.type());
  object["value"] = hex_field(secret.view());
}

Result<CardKey> key_from_fields(const json::object& object) {
  CARDEA_ASSIGN(const std::int64_t identifier, number_field(object, "algorithm", 0, 255));
  const auto type = key_type_of(static_cast<Byte>(identifier));
  if (!type) return bad_field("algorithm");
  CARDEA_ASSIGN(const SecretBytes secret, secret_field(object, "value"));
  auto key = CardKey::from_secret(*type, secret.view());
  if (!key) return bad_field("value");
  return key;
}

}  // namespace cardea::vcard
