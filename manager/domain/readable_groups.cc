#include "domain/readable_groups.h"

#include <fmt/format.h>

#include <cctype>
#include <vector>

namespace cardea::manager {

namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t data_characters = 4;
constexpr std::size_t group_characters = data_characters + 1;
constexpr std::size_t bits_of_group = data_characters * 5;

// Multiplies by x in GF(32) with x^5 + x^2 + 1, whose root generates the field: the five places of a group get five
// different factors, so no single change and no exchange of two leaves the sum as it was.
constexpr unsigned times_x(unsigned value) {
  value <<= 1;
  return (value & 0x20U) != 0 ? value ^ 0x25U : value;
}

// The weighted sum of values, the last with factor 1.
unsigned weighted_sum(const std::vector<unsigned>& values) {
  unsigned sum = 0;
  for (const unsigned value : values) sum = times_x(sum) ^ value;
  return sum;
}

// -1: a separator; -2: no character of ours.
int value_of(char c) {
  const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (upper == ' ' || upper == '-' || upper == '\n' || upper == '\r' || upper == '\t') return -1;
  if (upper == 'O') return 0;
  if (upper == 'I' || upper == 'L') return 1;
  const auto at = alphabet.find(upper);
  return at == std::string_view::npos ? -2 : static_cast<int>(at);
}

constexpr std::size_t groups_for(std::size_t bytes) {
  return (bytes * 8 + bits_of_group - 1) / bits_of_group;
}

}  // namespace

std::string to_readable_groups(ByteView bytes) {
  std::string out;
  const std::size_t groups = groups_for(bytes.size());
  for (std::size_t group = 0; group < groups; ++group) {
    std::vector<unsigned> values;
    for (std::size_t place = 0; place < data_characters; ++place) {
      unsigned value = 0;
      for (std::size_t bit = 0; bit < 5; ++bit) {
        const std::size_t at = (group * data_characters + place) * 5 + bit;
        const unsigned set = at / 8 < bytes.size() ? (bytes[at / 8] >> (7 - at % 8)) & 1U : 0U;
        value = value << 1 | set;
      }
      values.push_back(value);
    }
    const auto expected = static_cast<unsigned>((group + 1) % alphabet.size());
    values.push_back(times_x(weighted_sum(values)) ^ expected);
    if (group > 0) out += '-';
    for (const unsigned value : values) out += alphabet[value];
  }
  return out;
}

Result<Bytes> from_readable_groups(std::string_view text, std::size_t size) {
  std::vector<unsigned> values;
  for (const char c : text) {
    const int value = value_of(c);
    if (value == -1) continue;
    if (value < 0)
      return error(Code::data_invalid,
                   fmt::format("group {} holds a character that is never used", values.size() / group_characters + 1));
    values.push_back(static_cast<unsigned>(value));
  }
  const std::size_t groups = groups_for(size);
  if (values.size() != groups * group_characters)
    return error(Code::data_length, fmt::format("{} groups of {} characters are needed, {} characters were given",
                                                groups, group_characters, values.size()));
  Bytes out(size);
  for (std::size_t group = 0; group < groups; ++group) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(group * group_characters);
    const std::vector<unsigned> one(begin, begin + group_characters);
    if (weighted_sum(one) != (group + 1) % alphabet.size())
      return error(Code::data_invalid, fmt::format("group {} was misheard or mistyped", group + 1));
    for (std::size_t bit = 0; bit < bits_of_group; ++bit) {
      const std::size_t at = group * bits_of_group + bit;
      const unsigned set = (one[bit / 5] >> (4 - bit % 5)) & 1U;
      if (at / 8 < size)
        out[at / 8] = static_cast<Byte>(out[at / 8] | set << (7 - at % 8));
      else if (set != 0)
        return error(Code::data_invalid, fmt::format("group {} was misheard or mistyped", group + 1));
    }
  }
  return out;
}

}  // namespace cardea::manager
