#include "card/apdu.h"

namespace cardea::vcard {

namespace {

// An Le field of zero asks for the most that its form can express.
std::size_t expected_length(ByteView field) {
  const std::size_t most = field.size() == 1 ? 0x100 : 0x10000;
  std::size_t value = 0;
  for (const Byte byte : field) value = value << 8 | byte;
  return value == 0 ? most : value;
}

// Body of a command in short form: Le, Lc data, or Lc data Le.
Status parse_short_body(ByteView body, Command& command) {
  if (body.size() == 1) {
    command.expected = expected_length(body);
    return {};
  }
  const std::size_t length = body[0];
  const std::size_t rest = body.size() - 1;
  if (length == 0 || rest < length || rest > length + 1) return Code::data_length;
  command.data = to_bytes(body.subspan(1, length));
  if (rest == length + 1) command.expected = expected_length(body.last(1));
  return {};
}

// Body of a command in extended form; it starts with a zero byte.
Status parse_extended_body(ByteView body, Command& command) {
  command.extended = true;
  if (body.size() == 3) {
    command.expected = expected_length(body.last(2));
    return {};
  }
  const std::size_t length = static_cast<std::size_t>(body[1] << 8 | body[2]);
  const std::size_t rest = body.size() - 3;
  if (length == 0 || (rest != length && rest != length + 2)) return Code::data_length;
  command.data = to_bytes(body.subspan(3, length));
  if (rest == length + 2) command.expected = expected_length(body.last(2));
  return {};
}

}  // namespace

Result<Command> parse_command(ByteView apdu) {
  if (apdu.size() < 4) return Code::data_length;
  Command command;
  command.cla = apdu[0];
  command.ins = apdu[1];
  command.p1 = apdu[2];
  command.p2 = apdu[3];
  const ByteView body = apdu.subspan(4);
  if (body.empty()) return command;
  if (body[0] == 0 && body.size() >= 3) {
    CARDEA_TRY(parse_extended_body(body, command));
  } else {
    CARDEA_TRY(parse_short_body(body, command));
  }
  return command;
}

Bytes encode_response(const Response& response) {
  Bytes out = response.data;
  out.push_back(static_cast<Byte>(response.status >> 8));
  out.push_back(static_cast<Byte>(response.status));
  return out;
}

}  // namespace cardea::vcard
