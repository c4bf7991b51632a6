#include "piv/fascn.h"

#include <algorithm>
#include <array>
#include <bit>

namespace cardea::card::piv {
namespace {

constexpr std::size_t characters = 40;
constexpr unsigned start_sentinel = 0xb;
constexpr unsigned field_separator = 0xd;
constexpr unsigned end_sentinel = 0xf;
constexpr unsigned character_bits = 5;

// The fields between start and end sentinel, and whether a separator follows (TIG SCEPACS 2.3, 6.1).
struct Field {
  std::string Fascn::*member;
  std::size_t length;
  bool separator;
};
constexpr std::array<Field, 9> fields{{{&Fascn::agency, 4, true},
                                       {&Fascn::system, 4, true},
                                       {&Fascn::credential, 6, true},
                                       {&Fascn::series, 1, true},
                                       {&Fascn::issue, 1, true},
                                       {&Fascn::person, 10, false},
                                       {&Fascn::category, 1, false},
                                       {&Fascn::organization, 4, false},
                                       {&Fascn::association, 1, false}}};

// Characters stand one after the other, each with its least significant bit first and its parity bit last.
unsigned raw_character(ByteView bytes, std::size_t index) {
  unsigned value = 0;
  for (unsigned bit = 0; bit < character_bits; ++bit) {
    const std::size_t position = index * character_bits + bit;
    const unsigned set = (bytes[position / 8] >> (7 - position % 8)) & 1u;
    value |= set << bit;
  }
  return value;
}

void put_character(Bytes& bytes, std::size_t index, unsigned value) {
  const unsigned parity = (std::popcount(value) & 1) == 0 ? 1u << 4 : 0u;
  for (unsigned bit = 0; bit < character_bits; ++bit) {
    if ((((value | parity) >> bit) & 1u) == 0) continue;
    const std::size_t position = index * character_bits + bit;
    bytes[position / 8] = static_cast<Byte>(bytes[position / 8] | 0x80u >> (position % 8));
  }
}

Error malformed(const char* detail) {
  return error(Code::data_invalid, detail);
}

}  // namespace

std::string Fascn::digits() const {
  std::string all;
  for (const Field& field : fields) all += this->*field.member;
  return all;
}

bool Fascn::is_absent() const {
  const std::string number = agency + system + credential;
  return std::all_of(number.begin(), number.end(), [](char digit) { return digit == '9'; });
}

Result<Fascn> decode_fascn(ByteView bytes) {
  if (bytes.size() != fascn_size) return malformed("the FASC-N is not 25 bytes long");
  std::array<unsigned, characters> values{};
  unsigned check = 0;
  for (std::size_t i = 0; i < characters; ++i) {
    const unsigned raw = raw_character(bytes, i);
    if ((std::popcount(raw) & 1) == 0) return malformed("a parity bit of the FASC-N is wrong");
    values[i] = raw & 0xf;
    check ^= values[i];
  }
  if (check != 0) return malformed("the check character of the FASC-N is wrong");
  std::size_t position = 0;
  if (values[position++] != start_sentinel) return malformed("the FASC-N does not begin with its sentinel");
  Fascn fascn;
  for (const Field& field : fields) {
    for (std::size_t i = 0; i < field.length; ++i) {
      const unsigned digit = values[position++];
      if (digit > 9) return malformed("a field of the FASC-N is no number");
      (fascn.*field.member).push_back(static_cast<char>('0' + digit));
    }
    if (field.separator && values[position++] != field_separator) return malformed("the FASC-N lacks a separator");
  }
  if (values[position] != end_sentinel) return malformed("the FASC-N does not end with its sentinel");
  return fascn;
}

Result<Bytes> encode_fascn(const Fascn& fascn) {
  Bytes bytes(fascn_size);
  std::size_t position = 0;
  unsigned check = 0;
  const auto put = [&](unsigned value) {
    put_character(bytes, position++, value);
    check ^= value;
  };
  put(start_sentinel);
  for (const Field& field : fields) {
    const std::string& digits = fascn.*field.member;
    if (digits.size() != field.length) return malformed("a field of the FASC-N has the wrong length");
    for (const char digit : digits) {
      if (digit < '0' || digit > '9') return malformed("a field of the FASC-N is no number");
      put(static_cast<unsigned>(digit - '0'));
    }
    if (field.separator) put(field_separator);
  }
  put(end_sentinel);
  put_character(bytes, position, check);
  return bytes;
}

}  // namespace cardea::card::piv
