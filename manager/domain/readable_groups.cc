#include "domain/readable_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
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

// What a group, counted from 0, sums up to with its check character.
constexpr unsigned expected_sum(std::size_t group) {
  return static_cast<unsigned>((group + 1) % alphabet.size());
}

Error never_used(std::size_t group) {
  return error(Code::data_invalid, fmt::format("group {} holds a character that is never used", group + 1));
}

Error misheard(std::size_t group) {
  return error(Code::data_invalid, fmt::format("group {} was misheard or mistyped", group + 1));
}

Error wrong_count(std::size_t groups, std::size_t given) {
  return error(Code::data_length, fmt::format("{} groups of {} characters are needed, {} characters were given", groups,
                                              group_characters, given));
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
    values.push_back(times_x(weighted_sum(values)) ^ expected_sum(group));
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
    if (value < 0) return never_used(values.size() / group_characters);
    values.push_back(static_cast<unsigned>(value));
  }
  const std::size_t groups = groups_for(size);
  if (values.size() != groups * group_characters) return wrong_count(groups, values.size());
  Bytes out(size);
  for (std::size_t group = 0; group < groups; ++group) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(group * group_characters);
    const std::vector<unsigned> one(begin, begin + group_characters);
    if (weighted_sum(one) != expected_sum(group)) return misheard(group);
    for (std::size_t bit = 0; bit < bits_of_group; ++bit) {
      const std::size_t at = group * bits_of_group + bit;
      const unsigned set = (one[bit / 5] >> (4 - bit % 5)) & 1U;
      if (at / 8 < size)
        out[at / 8] = static_cast<Byte>(out[at / 8] | set << (7 - at % 8));
      else if (set != 0)
        return misheard(group);
    }
  }
  return out;
}

Result<SecretBytes> digits_to_readable_groups(ByteView digits) {
  const bool decimal = std::all_of(digits.begin(), digits.end(), [](Byte c) { return c >= '0' && c <= '9'; });
  if (!decimal || digits.empty() || digits.size() % data_characters != 0)
    return error(Code::arguments_bad,
                 fmt::format("only decimal digits, a multiple of {} of them, are written in groups", data_characters));
  const std::size_t groups = digits.size() / data_characters;
  SecretBytes out(groups * (group_characters + 1) - 1);
  std::size_t at = 0;
  for (std::size_t group = 0; group < groups; ++group) {
    if (group > 0) out.data()[at++] = '-';
    unsigned sum = 0;
    for (const Byte digit : digits.subspan(group * data_characters, data_characters)) {
      sum = times_x(sum) ^ static_cast<unsigned>(digit - '0');
      out.data()[at++] = digit;
    }
    out.data()[at++] = static_cast<Byte>(alphabet[times_x(sum) ^ expected_sum(group)]);
  }
  return out;
}

Result<SecretBytes> digits_from_readable_groups(ByteView text, std::size_t count) {
  const std::size_t groups = count / data_characters;
  SecretBytes digits(groups * data_characters);
  std::size_t given = 0;
  std::size_t filled = 0;
  unsigned sum = 0;
  std::optional<std::size_t> wrong;  // said only when all groups are there: a missing character moves those after it
  for (const Byte c : text) {
    const int value = value_of(static_cast<char>(c));
    if (value == -1) continue;
    const std::size_t group = given / group_characters;
    if (value < 0) return never_used(group);
    const bool is_check = given++ % group_characters == data_characters;
    sum = times_x(sum) ^ static_cast<unsigned>(value);
    if (!is_check && filled < digits.size()) digits.data()[filled++] = static_cast<Byte>('0' + value);
    const bool fits = is_check ? sum == expected_sum(group) : value <= 9;
    if (!fits && !wrong) wrong = group;
    if (is_check) sum = 0;
  }
  if (given != groups * group_characters) return wrong_count(groups, given);
  if (wrong) return misheard(*wrong);
  return digits;
}

}  // namespace cardea::manager
