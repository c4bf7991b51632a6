#include "card/sample_applet.h"

#include <algorithm>
#include <iterator>

namespace cardea::vcard {

namespace {

constexpr Byte application[] = {0xF0, 'C', 'A', 'R', 'D', 'E', 'A', 'S', 'P'};
constexpr Byte version = 1;
constexpr std::size_t longest_path = 64;

std::string path_of(ByteView bytes) {
  return std::string(text_of(bytes));
}

bool is_path(std::string_view path) {
  return !path.empty() && path.size() <= longest_path && path.find('\0') == std::string_view::npos;
}

Bytes big_endian(std::size_t value) {
  Bytes out;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<Byte>(value >> shift));
  return out;
}

}  // namespace

const SampleApplet::Instruction SampleApplet::instructions[] = {
    {0xB0, &SampleApplet::read_file},     {0xD6, &SampleApplet::write_file},
    {0xE0, &SampleApplet::create_file},   {0xE4, &SampleApplet::delete_file},
    {0xCA, &SampleApplet::get_data},      {0x20, &SampleApplet::verify},
    {0x24, &SampleApplet::change_pin},    {0x2C, &SampleApplet::unblock},
    {0x84, &SampleApplet::get_challenge}, {0x82, &SampleApplet::external_authenticate},
    {0xFF, &SampleApplet::set_admin_key}, {0x47, &SampleApplet::generate_key},
    {0xFE, &SampleApplet::import_key},    {0xE6, &SampleApplet::delete_key},
    {0x2A, &SampleApplet::use_key},
};

bool SampleApplet::answers_to(ByteView name) const {
  return !name.empty() && name.size() <= std::size(application) &&
         std::equal(name.begin(), name.end(), std::begin(application));
}

// Version and serial number.
Response SampleApplet::select(const Command&, bool) {
  Bytes answer{version};
  answer.insert(answer.end(), state_.serial.begin(), state_.serial.end());
  return answer;
}

Response SampleApplet::process(const Command& command) {
  const auto known = std::find_if(std::begin(instructions), std::end(instructions),
                                  [&](const Instruction& one) { return one.code == command.ins; });
  return known == std::end(instructions) ? sw::instruction_not_supported : (this->*known->handler)(command);
}

void SampleApplet::reset() {
  user_ = false;
  admin_ = false;
  challenge_.clear();
}

bool SampleApplet::take_changed() {
  return std::exchange(changed_, false);
}

bool SampleApplet::may_write(const SampleFile& file) const {
  return admin_ || (user_ && file.access != SampleAccess::everyone_reads_admin_writes);
}

std::size_t SampleApplet::memory_left() const {
  std::size_t used = 0;
  for (const auto& [path, file] : state_.files) used += path.size() + file.content.size();
  return sample_memory - std::min(used, sample_memory);
}

// Data: the path.
Response SampleApplet::read_file(const Command& command) {
  const auto found = state_.files.find(path_of(command.data));
  if (found == state_.files.end()) return sw::file_not_found;
  if (found->second.access == SampleAccess::user_reads_and_writes && !user_) return sw::security_status_not_satisfied;
  return found->second.content;
}

// Data: the path, a zero, the content.
Response SampleApplet::write_file(const Command& command) {
  const auto end = std::find(command.data.begin(), command.data.end(), Byte{0});
  if (end == command.data.end()) return sw::wrong_data;
  const auto found = state_.files.find(std::string(command.data.begin(), end));
  if (found == state_.files.end()) return sw::file_not_found;
  if (!may_write(found->second)) return sw::security_status_not_satisfied;
  Bytes content(std::next(end), command.data.end());
  if (content.size() > memory_left() + found->second.content.size()) return sw::not_enough_memory;
  found->second.content = std::move(content);
  changed_ = true;
  return sw::ok;
}

// P1: access. Data: the path.
Response SampleApplet::create_file(const Command& command) {
  const std::string path = path_of(command.data);
  if (!is_path(path) || command.p1 < 1 || command.p1 > 3) return sw::wrong_data;
  SampleFile file{static_cast<SampleAccess>(command.p1), {}};
  if (!may_write(file)) return sw::security_status_not_satisfied;
  if (path.size() > memory_left()) return sw::not_enough_memory;
  if (!state_.files.emplace(path, std::move(file)).second) return sw::file_exists;
  changed_ = true;
  return sw::ok;
}

Response SampleApplet::delete_file(const Command& command) {
  const auto found = state_.files.find(path_of(command.data));
  if (found == state_.files.end()) return sw::file_not_found;
  if (!may_write(found->second)) return sw::security_status_not_satisfied;
  state_.files.erase(found);
  changed_ = true;
  return sw::ok;
}

// P2: 01 names in a directory (data), each with a zero; 02 free bytes, used and all slots; 03 and 04 tries left and
// limit of PIN and PUK; 05 type and PIN policy, 06 public key (RFC 5280, 4.1.2.7) of the key in slot P1.
Response SampleApplet::get_data(const Command& command) {
  const auto key = state_.keys.find(command.p1);
  switch (command.p2) {
    case 0x01: {
      const std::string prefix = command.data.empty() ? "" : path_of(command.data) + "/";
      Bytes names;
      for (const auto& [path, file] : state_.files) {
        if (!path.starts_with(prefix) || path.find('/', prefix.size()) != std::string::npos) continue;
        names.insert(names.end(), path.begin() + static_cast<std::ptrdiff_t>(prefix.size()), path.end());
        names.push_back(0);
      }
      return names;
    }
    case 0x02: {
      Bytes space = big_endian(memory_left());
      space.push_back(static_cast<Byte>(state_.keys.size()));
      space.push_back(static_cast<Byte>(sample_slots));
      return space;
    }
    case 0x03:
      return Bytes{static_cast<Byte>(state_.pin.left), static_cast<Byte>(state_.pin.limit)};
    case 0x04:
      return Bytes{static_cast<Byte>(state_.puk.left), static_cast<Byte>(state_.puk.limit)};
    case 0x05:
      if (key == state_.keys.end()) return sw::reference_not_found;
      return Bytes{static_cast<Byte>(key->second.key.type()), key->second.pin_policy};
    case 0x06:
      if (key == state_.keys.end()) return sw::reference_not_found;
      return key->second.key.public_key_der();
    default:
      return sw::wrong_p1_p2;
  }
}

}  // namespace cardea::vcard
