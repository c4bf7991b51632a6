#include "card/gids_state_json.h"

#include "card/json_fields.h"

namespace cardea::vcard {

namespace json = boost::json;

namespace {

json::object file_to_json(std::uint16_t identifier, const GidsFile& file) {
  json::array objects;
  for (const auto& [tag, content] : file.objects) {
    objects.push_back(json::object{{"tag", tag}, {"value", hex_field(content)}});
  }
  json::object fields{{"file", identifier},
                      {"parameters", hex_field(file.control_parameters)},
                      {"activated", file.activated},
                      {"objects", std::move(objects)},
                      {"symmetric_key", hex_field(file.symmetric_key.view())}};
  if (file.key) {
    json::object key;
    put_key_fields(key, *file.key);
    fields["key"] = std::move(key);
  }
  return fields;
}

Status objects_from_json(const json::object& fields, GidsFile& file) {
  CARDEA_ASSIGN(const json::array* objects, array_field(fields, "objects"));
  for (const json::value& item : *objects) {
    if (!item.is_object()) return bad_field("objects");
    CARDEA_ASSIGN(const std::int64_t tag, number_field(item.get_object(), "tag", 1, 0xFFFFFF));
    CARDEA_ASSIGN(file.objects[static_cast<std::uint32_t>(tag)], bytes_field(item.get_object(), "value"));
  }
  return {};
}

Result<GidsFile> file_from_json(const json::object& fields) {
  GidsFile file;
  CARDEA_ASSIGN(file.control_parameters, bytes_field(fields, "parameters"));
  CARDEA_ASSIGN(file.activated, flag_field(fields, "activated"));
  CARDEA_TRY(objects_from_json(fields, file));
  CARDEA_ASSIGN(file.symmetric_key, secret_field(fields, "symmetric_key"));
  if (fields.contains("key")) {
    CARDEA_ASSIGN(const json::object* key_fields, object_field(fields, "key"));
    CARDEA_ASSIGN(CardKey key, key_from_fields(*key_fields));
    file.key.emplace(std::move(key));
  }
  return file;
}

}  // namespace

json::object gids_to_json(const GidsState& state) {
  json::array files;
  for (const auto& [identifier, file] : state.files) files.push_back(file_to_json(identifier, file));
  json::object out{{"activated", state.activated}, {"pin", pin_to_json(state.pin)}, {"files", std::move(files)}};
  if (state.puk) out["puk"] = pin_to_json(*state.puk);
  return out;
}

Result<GidsState> gids_from_json(const json::object& object) {
  GidsState state;
  CARDEA_ASSIGN(state.activated, flag_field(object, "activated"));
  CARDEA_ASSIGN(state.pin, pin_from_json(object, "pin"));
  if (object.contains("puk")) {
    CARDEA_ASSIGN(state.puk, pin_from_json(object, "puk"));
  }
  CARDEA_ASSIGN(const json::array* files, array_field(object, "files"));
  for (const json::value& item : *files) {
    if (!item.is_object()) return bad_field("files");
    CARDEA_ASSIGN(const std::int64_t identifier, number_field(item.get_object(), "file", 1, 0xFFFF));
    CARDEA_ASSIGN(GidsFile file, file_from_json(item.get_object()));
    state.files.insert_or_assign(static_cast<std::uint16_t>(identifier), std::move(file));
  }
  return state;
}

}  // namespace cardea::vcard
