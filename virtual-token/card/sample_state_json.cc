#include "card/sample_state_json.h"

#include "card/json_fields.h"

namespace cardea::vcard {

namespace json = boost::json;

namespace {

Status files_from_json(const json::object& object, SampleState& state) {
  CARDEA_ASSIGN(const json::array* files, array_field(object, "files"));
  for (const json::value& item : *files) {
    if (!item.is_object()) return bad_field("files");
    const json::object& fields = item.get_object();
    const json::value* path = fields.if_contains("path");
    if (!path || !path->is_string()) return bad_field("path");
    SampleFile file;
    CARDEA_ASSIGN(const std::int64_t access, number_field(fields, "access", 1, 3));
    file.access = static_cast<SampleAccess>(access);
    CARDEA_ASSIGN(file.content, bytes_field(fields, "content"));
    state.files.insert_or_assign(std::string(path->get_string()), std::move(file));
  }
  return {};
}

Status keys_from_json(const json::object& object, SampleState& state) {
  CARDEA_ASSIGN(const json::array* keys, array_field(object, "keys"));
  for (const json::value& item : *keys) {
    if (!item.is_object()) return bad_field("keys");
    const json::object& fields = item.get_object();
    CARDEA_ASSIGN(const std::int64_t slot, number_field(fields, "slot", 0, sample_slots - 1));
    CARDEA_ASSIGN(CardKey key, key_from_fields(fields));
    CARDEA_ASSIGN(const std::int64_t policy, number_field(fields, "pin_policy", 0, 2));
    state.keys.insert_or_assign(static_cast<Byte>(slot), SampleKey{std::move(key), static_cast<Byte>(policy)});
  }
  return {};
}

}  // namespace

json::object sample_to_json(const SampleState& state) {
  json::array files;
  for (const auto& [path, file] : state.files) {
    files.push_back(
        json::object{{"path", path}, {"access", static_cast<int>(file.access)}, {"content", hex_field(file.content)}});
  }
  json::array keys;
  for (const auto& [slot, entry] : state.keys) {
    json::object fields{{"slot", slot}, {"pin_policy", entry.pin_policy}};
    put_key_fields(fields, entry.key);
    keys.push_back(std::move(fields));
  }
  return {{"serial", hex_field(state.serial)}, {"pin", pin_to_json(state.pin)}, {"puk", pin_to_json(state.puk)},
          {"admin", pin_to_json(state.admin)}, {"files", std::move(files)},     {"keys", std::move(keys)}};
}

Result<SampleState> sample_from_json(const json::object& object) {
  SampleState state;
  CARDEA_ASSIGN(state.serial, bytes_field(object, "serial"));
  CARDEA_ASSIGN(state.pin, pin_from_json(object, "pin"));
  CARDEA_ASSIGN(state.puk, pin_from_json(object, "puk"));
  CARDEA_ASSIGN(state.admin, pin_from_json(object, "admin"));
  CARDEA_TRY(files_from_json(object, state));
  CARDEA_TRY(keys_from_json(object, state));
  return state;
}

}  // namespace cardea::vcard
