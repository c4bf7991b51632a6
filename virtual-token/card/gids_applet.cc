#include "card/gids_applet.h"

#include <algorithm>
#include <utility>

namespace cardea::vcard {

namespace {

constexpr Byte application_name[] = {0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59, 0x02, 0x01};
constexpr std::size_t shortest_name = 9;  // without the version
constexpr std::size_t memory_size = 0x20000;
constexpr std::size_t file_overhead = 16;

constexpr std::uint16_t tag_access_rule = 0x8C;

// Conditions for contact operation, contactless operation and both (security environment in the low half).
constexpr Byte contactless_only = 0x02;

Bytes application_information() {
  constexpr Byte protocols[] = {0xC0};  // mutual and external authentication with the administrator's key
  Bytes content = make_tlv(0x4F, application_name);
  append_tlv(content, 0x50, view_of("Cardea virtual GIDS card"));
  append_tlv(content, 0x73, make_tlv(0x40, protocols));
  return make_tlv(0x61, content);
}

}  // namespace

const GidsApplet::Instruction GidsApplet::instructions[] = {
    {0x20, &GidsApplet::verify},
    {0x22, &GidsApplet::manage_security_environment},
    {0x24, &GidsApplet::change_reference_data},
    {0x2A, &GidsApplet::perform_security_operation},
    {0x2C, &GidsApplet::reset_retry_counter},
    {0x44, &GidsApplet::activate_file},
    {0x47, &GidsApplet::generate_key_pair},
    {0x87, &GidsApplet::general_authenticate},
    {0xA4, &GidsApplet::select_file},
    {0xCB, &GidsApplet::get_data},
    {0xDB, &GidsApplet::put_data},
    {0xE0, &GidsApplet::create_file},
    {0xE4, &GidsApplet::delete_file},
};

bool GidsApplet::answers_to(ByteView name) const {
  return name.size() >= shortest_name && name.size() <= sizeof application_name &&
         std::equal(name.begin(), name.end(), application_name);
}

Response GidsApplet::select(const Command& command, bool) {
  reset();
  return file_information(command.p2, nullptr);
}

Response GidsApplet::process(const Command& command) {
  const auto* found = std::find_if(std::begin(instructions), std::end(instructions),
                                   [&](const Instruction& known) { return known.code == command.ins; });
  if (found == std::end(instructions)) return sw::instruction_not_supported;
  return (this->*found->handler)(command);
}

void GidsApplet::reset() {
  wipe(security_.card_challenge);
  wipe(security_.host_challenge);
  security_ = {};
}

bool GidsApplet::take_changed() {
  return std::exchange(changed_, false);
}

// SELECT by file identifier (ISO/IEC 7816-4, 7.1.1): the application itself or one of its files.
Response GidsApplet::select_file(const Command& command) {
  if (command.p1 != 0x00 || (command.p2 & 0xF3) != 0) return sw::wrong_p1_p2;
  if (command.data.size() != 2) return sw::wrong_length;
  const auto identifier = static_cast<std::uint16_t>(command.data[0] << 8 | command.data[1]);
  if (identifier == gids::application_file) {
    security_.current_file.reset();
    return file_information(command.p2, nullptr);
  }
  const GidsFile* file = find_file(identifier);
  if (!file) return sw::file_not_found;
  security_.current_file = identifier;
  return file_information(command.p2, file);
}

// P2 asks for control information, control parameters, management data or nothing; null stands for the application.
Response GidsApplet::file_information(Byte p2, const GidsFile* file) const {
  switch (p2 & 0x0C) {
    case 0x00:
      return file ? Response(sw::wrong_p1_p2) : Response(application_information());
    case 0x04:
      return file ? file->control_parameters : to_bytes(gids::application_parameters);
    case 0x08:
      break;
    default:
      return sw::ok;
  }
  if (file) return sw::wrong_p1_p2;
  constexpr Byte pin_usage[] = {0x60};
  const std::size_t left = free_space();
  const Byte persistent[] = {static_cast<Byte>(left >> 16), static_cast<Byte>(left >> 8), static_cast<Byte>(left)};
  Bytes content = make_tlv(0x5F2F, pin_usage);
  append_tlv(content, 0x7F65, make_tlv(0x82, persistent));
  return make_tlv(0x64, content);
}

std::size_t GidsApplet::free_space() const {
  std::size_t used = 0;
  for (const auto& [identifier, file] : state_.files) {
    used += file_overhead + file.control_parameters.size();
    for (const auto& [tag, content] : file.objects) used += file_overhead + content.size();
    if (file.key) used += 4 * field_size(file.key->type());
  }
  return used < memory_size ? memory_size - used : 0;
}

GidsFile* GidsApplet::find_file(std::uint16_t identifier) {
  const auto found = state_.files.find(identifier);
  return found == state_.files.end() ? nullptr : &found->second;
}

GidsFile* GidsApplet::key_file(Byte reference) {
  return find_file(static_cast<std::uint16_t>(0xB000 | reference));
}

// Compact format (ISO/IEC 7816-4, 5.4.3.1): the access mode byte has one condition byte for each bit set, from the
// highest on; bit 8 only says that the others have a meaning of their own. What no rule speaks of is free.
StatusWord GidsApplet::check(ByteView control_parameters, Access access) const {
  const auto rule = find_tlv(control_parameters, {0x62, tag_access_rule});
  if (!state_.activated || !rule || rule->empty()) return sw::ok;
  std::size_t position = 1;
  for (Byte bit = 0x40; bit != 0; bit = static_cast<Byte>(bit >> 1)) {
    if ((rule->front() & bit) == 0) continue;
    if (position >= rule->size()) return sw::security_status_not_satisfied;
    if (bit == static_cast<Byte>(access)) {
      return condition_holds((*rule)[position]) ? sw::ok : sw::security_status_not_satisfied;
    }
    ++position;
  }
  return sw::ok;
}

StatusWord GidsApplet::check_file(const GidsFile& file, Access access) const {
  if (!file.activated && access != Access::activate) return sw::conditions_not_satisfied;
  return check(file.control_parameters, access);
}

// Security condition byte (ISO/IEC 7816-4, table 23): bit 8 all or any, bit 6 external, bit 5 user authentication.
bool GidsApplet::condition_holds(Byte condition) const {
  if (condition == 0x00) return true;
  if (condition == 0xFF || (condition & 0x0F) == contactless_only) return false;
  const bool wants_admin = (condition & 0x20) != 0;
  const bool wants_user = (condition & 0x10) != 0;
  if (!wants_admin && !wants_user) return false;
  const bool all = (condition & 0x80) != 0;
  if (all) return (!wants_admin || security_.admin) && (!wants_user || security_.user);
  return (wants_admin && security_.admin) || (wants_user && security_.user);
}

}  // namespace cardea::vcard
