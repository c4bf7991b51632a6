#include "card/apdu_log.h"

namespace cardea::vcard {

namespace {

constexpr std::size_t most_exchanges = 10000;
constexpr std::size_t header_size = 4;
constexpr std::size_t status_size = 2;
constexpr Byte get_response = 0xC0;

// Commands whose data field holds a PIN, a key or a plaintext, of PIV and of GIDS.
bool carries_secret(ByteView command) {
  switch (command[1]) {
    case 0x20:  // VERIFY
    case 0x24:  // CHANGE REFERENCE DATA
    case 0x2C:  // RESET RETRY COUNTER
    case 0xDA:  // PUT KEY
    case 0xFE:  // PIV import
    case 0xFF:  // PIV management key
      return true;
    case 0xDB:  // PUT DATA: PIV's has 3FFF, GIDS puts keys under 3FFF's tag 70 and files under other names
    default:
      return false;
  }
}

// Commands that answer with a plaintext, a shared secret or PIN-protected data.
bool answers_secret(ByteView command) {
  const bool decipher = command[1] == 0x2A && command[2] == 0x80;
  const bool private_key = command[1] == 0x87 && command[3] != 0x9B;
  return decipher || private_key;
}

std::string hidden(std::size_t size) {
  return "<" + std::to_string(size) + " bytes>";
}

std::string shown_command(ByteView command) {
  if (command.size() <= header_size || !carries_secret(command)) return to_hex(command);
  return to_hex(command.first(header_size)) + hidden(command.size() - header_size);
}

std::string shown_response(ByteView response, bool secret) {
  if (!secret || response.size() <= status_size) return to_hex(response);
  return hidden(response.size() - status_size) + to_hex(response.last(status_size));
}

}  // namespace

void ApduLog::add(ByteView command, ByteView response) {
  const bool whole = command.size() >= header_size;
  if (whole && command[1] != get_response) secret_response_ = answers_secret(command);
  exchanges_.push_back({shown_command(command), shown_response(response, secret_response_)});
  if (exchanges_.size() > most_exchanges) exchanges_.pop_front();
}

void ApduLog::clear() {
  exchanges_.clear();
}

}  // namespace cardea::vcard
