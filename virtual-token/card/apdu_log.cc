#include "card/apdu_log.h"

#include "card/apdu.h"

namespace cardea::vcard {

namespace {

constexpr std::size_t most_exchanges = 10000;
constexpr std::size_t header_size = 4;
constexpr std::size_t status_size = 2;
constexpr Byte get_response = 0xC0;
constexpr Byte get_data = 0xCB;
constexpr Byte put_data = 0xDB;
constexpr std::uint16_t whole_application = 0x3FFF;

// PIV objects that need the PIN: 5FC103, 08, 09, 21 and 23. Some middleware keeps the management key in 5FC109.
bool names_protected_object(ByteView data) {
  constexpr Byte beginning[] = {0x5C, 0x03, 0x5F, 0xC1};
  if (data.size() < 5 || !same_bytes(data.first(4), beginning)) return false;
  const Byte last = data[4];
  return last == 0x03 || last == 0x08 || last == 0x09 || last == 0x21 || last == 0x23;
}

// Commands whose data field holds a PIN, a key or personal data, of all our cards.
bool carries_secret(const Command& command) {
  constexpr Byte key_usage_template = 0x70;
  switch (command.ins) {
    case 0x20:  // VERIFY
    case 0x24:  // CHANGE REFERENCE DATA
    case 0x2C:  // RESET RETRY COUNTER
    case 0xFE:  // PIV import
    case 0xFF:  // PIV management key
      return true;
    case put_data: {
      const bool puts_key = !command.data.empty() && command.data.front() == key_usage_template;
      return command.p1p2() == whole_application && (puts_key || names_protected_object(command.data));
    }
    default:
      return false;
  }
}

// Commands that answer with a plaintext, a shared secret or personal data.
bool answers_secret(const Command& command) {
  // PERFORM SECURITY OPERATION: decipher, and the sample card's key agreement.
  const bool decipher = command.ins == 0x2A && (command.p1 == 0x80 || command.p1 == 0x85);
  const bool private_key = command.ins == 0x87 && command.p1 != 0 && command.p2 != 0x9B;
  return decipher || private_key || (command.ins == get_data && names_protected_object(command.data));
}

std::string hidden(std::size_t size) {
  return "<" + std::to_string(size) + " bytes>";
}

std::string shown_response(ByteView response, bool secret) {
  if (!secret || response.size() <= status_size) return to_hex(response);
  return hidden(response.size() - status_size) + to_hex(response.last(status_size));
}

}  // namespace

void ApduLog::add(ByteView bytes, ByteView response) {
  const auto command = parse_command(bytes);
  // What does not parse may be a PIN with a wrong length before it.
  const bool secret = !command || secret_chain_ || carries_secret(*command);
  secret_chain_ = secret && command.ok() && command->chained();
  if (!command || command->ins != get_response) secret_response_ = command.ok() && answers_secret(*command);
  const bool hide = secret && bytes.size() > header_size;
  exchanges_.push_back({hide ? to_hex(bytes.first(header_size)) + hidden(bytes.size() - header_size) : to_hex(bytes),
                        shown_response(response, secret_response_)});
  if (exchanges_.size() > most_exchanges) exchanges_.pop_front();
}

void ApduLog::clear() {
  exchanges_.clear();
}

}  // namespace cardea::vcard
