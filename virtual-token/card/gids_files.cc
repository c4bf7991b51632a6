// Files and data objects: CREATE, ACTIVATE, DELETE FILE, GET DATA, PUT DATA.
#include <algorithm>

#include "card/gids_applet.h"

namespace cardea::vcard {

namespace {

constexpr std::uint16_t ef_atr = 0x2F01;
constexpr Byte object_file = 0x39;
constexpr Byte key_file_kind = 0x18;

std::optional<std::uint16_t> two_byte_number(std::optional<ByteView> bytes) {
  if (!bytes || bytes->size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>((*bytes)[0] << 8 | (*bytes)[1]);
}

// Status of a PIN as a data object: tries left (97) and limit (93).
Bytes pin_status(std::uint32_t tag, const PinState& pin) {
  const Byte left[] = {static_cast<Byte>(pin.left)};
  const Byte limit[] = {static_cast<Byte>(pin.limit)};
  Bytes content = make_tlv(0x97, left);
  append_tlv(content, 0x93, limit);
  return make_tlv(tag, content);
}

}  // namespace

Response GidsApplet::create_file(const Command& command) {
  if (command.p1p2() != 0) return sw::wrong_p1_p2;
  const auto parameters = find_tlv(command.data, 0x62);
  if (!parameters || !is_tlv_sequence(command.data)) return sw::data_invalid;
  const auto identifier = two_byte_number(find_tlv(*parameters, 0x83));
  const auto kind = find_tlv(*parameters, 0x82);
  if (!identifier || !kind || kind->empty()) return sw::data_invalid;
  const bool is_key = kind->front() == key_file_kind;
  if (!is_key && kind->front() != object_file) return sw::data_invalid;
  if (is_key && (!find_tlv(*parameters, 0xA5) || *identifier >> 8 != 0xB0)) return sw::data_invalid;
  if (const StatusWord refused = check(gids::application_parameters, Access::create_file); refused != sw::ok)
    return refused;
  if (find_file(*identifier) || *identifier == gids::application_file) return sw::file_exists;
  if (command.data.size() > free_space()) return sw::not_enough_memory;
  changed_ = true;
  state_.files[*identifier].control_parameters = command.data;
  security_.current_file = *identifier;
  return sw::ok;
}

// Without a current file the application itself is activated, which ends initialisation.
Response GidsApplet::activate_file(const Command& command) {
  if (command.p1p2() != 0) return sw::wrong_p1_p2;
  if (!security_.current_file) {
    if (state_.activated) return sw::conditions_not_satisfied;
    changed_ = true;
    state_.activated = true;
    log_out();
    return sw::ok;
  }
  GidsFile* file = find_file(*security_.current_file);
  if (!file) return sw::file_not_found;
  if (const StatusWord refused = check_file(*file, Access::activate); refused != sw::ok) return refused;
  changed_ = true;
  file->activated = true;
  return sw::ok;
}

Response GidsApplet::delete_file(const Command& command) {
  if (command.p1p2() != 0) return sw::wrong_p1_p2;
  const auto identifier = command.data.empty() ? security_.current_file : two_byte_number(command.data);
  if (!identifier) return sw::command_not_allowed;
  GidsFile* file = find_file(*identifier);
  if (!file) return sw::file_not_found;
  if (const StatusWord refused = check(gids::application_parameters, Access::delete_child); refused != sw::ok)
    return refused;
  if (const StatusWord refused = check(file->control_parameters, Access::delete_self); refused != sw::ok)
    return refused;
  changed_ = true;
  state_.files.erase(*identifier);
  security_.current_file.reset();
  security_.environment.reset();
  return sw::ok;
}

// P1 P2 name the file; 0000 is the current one. A file that is named becomes the current one.
GidsFile* GidsApplet::addressed_file(const Command& command) {
  if (command.p1p2() != 0) security_.current_file = command.p1p2();
  GidsFile* file = security_.current_file ? find_file(*security_.current_file) : nullptr;
  if (!file) security_.current_file.reset();
  return file;
}

Response GidsApplet::get_data(const Command& command) {
  if (command.p1p2() == gids::application_file) return get_application_data(command);
  if (command.p1p2() == ef_atr) return get_card_data(command);
  const GidsFile* file = addressed_file(command);
  if (!file) return sw::file_not_found;
  if (const StatusWord refused = check_file(*file, Access::get_data); refused != sw::ok) return refused;
  const auto wanted = find_tlv(command.data, 0x5C);
  if (!wanted || wanted->size() > 3) return sw::data_invalid;
  std::uint32_t tag = 0;
  for (const Byte byte : *wanted) tag = tag << 8 | byte;
  Bytes found;
  for (const auto& [known, content] : file->objects) {
    if (tag == 0 || tag == known) append_tlv(found, known, content);
  }
  if (found.empty()) return sw::reference_not_found;
  return found;
}

// Of the application: public keys and the state of PINs.
Response GidsApplet::get_application_data(const Command& command) {
  for (const std::uint32_t usage : {0x70, 0xA3}) {
    const auto reference = find_tlv(command.data, {usage, 0x84});
    if (reference && reference->size() == 1) return get_public_key(reference->front());
  }
  const auto tag = two_byte_number(find_tlv(command.data, 0x5C));
  if (!tag) return sw::data_invalid;
  if (*tag == 0x7F71 || *tag == 0x7F72) return pin_status(*tag, state_.pin);
  if (*tag == 0x7F73) return state_.puk ? Response(pin_status(*tag, *state_.puk)) : Response(sw::reference_not_found);
  return sw::data_invalid;
}

// EF.ATR (ISO/IEC 7816-4, 8.2.1.1): services, capabilities with chaining and extended lengths, issuer's data.
Response GidsApplet::get_card_data(const Command& command) {
  const auto wanted = find_tlv(command.data, 0x5C);
  if (!wanted || !wanted->empty()) return sw::data_invalid;
  constexpr Byte services[] = {0xF4};
  constexpr Byte capabilities[] = {0xC0, 0x01, 0xC0};
  Bytes content = make_tlv(0x43, services);
  append_tlv(content, 0x47, capabilities);
  append_tlv(content, 0x46, view_of("CARDEA-V"));
  return content;
}

// One data object; an empty one that is empty already disappears.
Response GidsApplet::put_data(const Command& command) {
  TlvReader reader(command.data);
  const auto object = reader.next();
  if (!object || !reader.finished()) return sw::data_invalid;
  if (command.p1p2() == gids::application_file) {
    return object->tag == 0x70 ? put_key(object->value) : Response(sw::data_invalid);
  }
  GidsFile* file = addressed_file(command);
  if (!file) return sw::file_not_found;
  if (find_tlv(file->control_parameters, {0x62, 0xA5})) return sw::command_not_allowed;
  if (const StatusWord refused = check_file(*file, Access::put_data); refused != sw::ok) return refused;
  const auto old = file->objects.find(object->tag);
  const std::size_t replaced = old == file->objects.end() ? 0 : old->second.size();
  if (object->value.size() > free_space() + replaced) return sw::not_enough_memory;
  changed_ = true;
  if (old != file->objects.end() && old->second.empty() && object->value.empty()) {
    file->objects.erase(old);
  } else {
    file->objects[object->tag] = to_bytes(object->value);
  }
  return sw::ok;
}

}  // namespace cardea::vcard
