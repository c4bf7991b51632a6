#include "x509/asn1.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace cardea::x509 {
namespace {

// Seven bits a byte, the highest bit set on all but the last (X.690, 8.19.2).
void append_arc(Bytes& out, std::uint64_t arc) {
  std::array<Byte, 10> digits{};
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<Byte>(arc & 0x7f);
    arc >>= 7;
  } while (arc != 0);
  while (count > 0) {
    --count;
    out.push_back(static_cast<Byte>(digits[count] | (count == 0 ? 0 : 0x80)));
  }
}

std::optional<std::vector<std::uint64_t>> arcs_of(std::string_view text) {
  std::vector<std::uint64_t> arcs;
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    std::uint64_t arc = 0;
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + end, arc);
    if (end == 0 || problem != std::errc() || stop != text.data() + end) return {};
    arcs.push_back(arc);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  const bool fits = arcs.size() >= 2 && arcs[0] <= 2 && (arcs[0] == 2 || arcs[1] < 40) && arcs[1] <= UINT64_MAX - 80;
  return fits ? std::optional(std::move(arcs)) : std::nullopt;
}

struct Civil {
  int year;
  unsigned month, day;
  int hour, minute, second;
};

Civil civil(std::chrono::sys_seconds at) {
  using namespace std::chrono;
  const sys_seconds first = sys_days{year{1950} / 1 / 1};
  const sys_seconds last = sys_days{year{9999} / 12 / 31} + hours(24) - seconds(1);
  at = std::clamp(at, first, last);
  const auto midnight = floor<days>(at);
  const year_month_day date{midnight};
  const hh_mm_ss clock{at - midnight};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

void two_digits(Bytes& out, unsigned number) {
  out.push_back(static_cast<Byte>('0' + number / 10 % 10));
  out.push_back(static_cast<Byte>('0' + number % 10));
}

Bytes time_element(const Civil& at, bool generalized) {
  Bytes text;
  text.reserve(15);
  const auto year = static_cast<unsigned>(at.year);
  if (generalized) two_digits(text, year / 100);
  two_digits(text, year % 100);
  two_digits(text, at.month);
  two_digits(text, at.day);
  two_digits(text, static_cast<unsigned>(at.hour));
  two_digits(text, static_cast<unsigned>(at.minute));
  two_digits(text, static_cast<unsigned>(at.second));
  text.push_back('Z');
  return element(generalized ? tag_generalized_time : tag_utc_time, {text});
}

std::optional<std::chrono::sys_seconds> parse_time(ByteView text, bool generalized) {
  using namespace std::chrono;
  const std::size_t digits = generalized ? 14 : 12;
  if (text.size() != digits + 1 || text.back() != 'Z') return {};
  std::array<int, 7> pairs{};
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return {};
    pairs[i / 2] = pairs[i / 2] * 10 + (text[i] - '0');
  }
  const std::size_t at = generalized ? 2 : 1;
  int full_year = pairs[0];
  if (generalized) {
    full_year = pairs[0] * 100 + pairs[1];
  } else {
    full_year += full_year < 50 ? 2000 : 1900;
  }
  const year_month_day date{year{full_year}, month{static_cast<unsigned>(pairs[at])},
                            day{static_cast<unsigned>(pairs[at + 1])}};
  if (!date.ok() || pairs[at + 2] > 23 || pairs[at + 3] > 59 || pairs[at + 4] > 59) return {};
  return sys_days{date} + hours(pairs[at + 2]) + minutes(pairs[at + 3]) + seconds(pairs[at + 4]);
}

}  // namespace

Bytes bit_string(ByteView content) {
  constexpr Byte no_unused_bits = 0;
  return element(tag_bit_string, {ByteView(&no_unused_bits, 1), content});
}

Bytes named_bits(std::uint32_t bits) {
  Bytes content{0};
  for (std::uint32_t number = 0; number < 32; ++number) {
    if ((bits >> number & 1) == 0) continue;
    content.resize(std::max<std::size_t>(content.size(), 2 + number / 8));
    content[1 + number / 8] |= static_cast<Byte>(0x80 >> number % 8);
    content[0] = static_cast<Byte>(7 - number % 8);
  }
  return element(tag_bit_string, {content});
}

Bytes boolean(bool value) {
  const Byte content = value ? 0xff : 0;
  return element(tag_boolean, {ByteView(&content, 1)});
}

Bytes integer(std::uint64_t value) {
  std::array<Byte, 8> number{};
  for (std::size_t i = number.size(); i-- > 0; value >>= 8) number[i] = static_cast<Byte>(value);
  return integer(ByteView(number));
}

Result<Bytes> object_identifier(std::string_view dotted) {
  const auto arcs = arcs_of(dotted);
  if (!arcs) return error(Code::arguments_bad, fmt::format("'{}' is no object identifier", dotted));
  Bytes content;
  append_arc(content, (*arcs)[0] * 40 + (*arcs)[1]);
  for (std::size_t i = 2; i < arcs->size(); ++i) append_arc(content, (*arcs)[i]);
  return element(tag_oid, {content});
}

std::string dotted(ByteView oid_element) {
  crypto::DerReader reader(oid_element);
  const auto content = reader.take(tag_oid);
  if (!content || content->empty() || !reader.at_end() || (content->back() & 0x80) != 0) return "";
  std::string text;
  std::uint64_t arc = 0;
  for (const Byte byte : *content) {
    if (arc > UINT64_MAX >> 7) return "";
    arc = arc << 7 | (byte & 0x7f);
    if ((byte & 0x80) != 0) continue;
    if (text.empty()) {
      const std::uint64_t first = std::min<std::uint64_t>(arc / 40, 2);
      text = fmt::format("{}.{}", first, arc - first * 40);
    } else {
      text += fmt::format(".{}", arc);
    }
    arc = 0;
  }
  return text;
}

Bytes time(std::chrono::sys_seconds at) {
  const Civil parts = civil(at);
  return time_element(parts, parts.year >= 2050);
}

Bytes generalized_time(std::chrono::sys_seconds at) {
  return time_element(civil(at), true);
}

std::optional<std::chrono::sys_seconds> take_time(crypto::DerReader& reader) {
  const bool generalized = reader.next_tag() == tag_generalized_time;
  const auto text = reader.take(generalized ? tag_generalized_time : tag_utc_time);
  return text ? parse_time(*text, generalized) : std::nullopt;
}

std::optional<bool> take_boolean(crypto::DerReader& reader) {
  const auto content = reader.take(tag_boolean);
  if (!content || content->size() != 1 || ((*content)[0] != 0 && (*content)[0] != 0xff)) return {};
  return (*content)[0] != 0;
}

Result<std::vector<Extension>> read_extensions(ByteView content) {
  std::vector<Extension> extensions;
  for (crypto::DerReader list(content); !list.at_end();) {
    const auto body = list.take(tag_sequence);
    if (!body) return error(Code::data_invalid, "an extension is malformed");
    crypto::DerReader reader(*body);
    Extension extension;
    const auto oid = reader.take_whole(tag_oid);
    const bool stated = oid && reader.next_tag() == tag_boolean;
    // Others may take any byte but zero for true (X.690, 8.2.2), so nothing is guessed.
    const auto critical = stated ? take_boolean(reader) : std::optional(false);
    const auto value = reader.take(tag_octet_string);
    if (!oid || !critical || !value || !reader.at_end()) return error(Code::data_invalid, "an extension is malformed");
    extension.critical = *critical;
    extension.oid = *oid;
    extension.value = *value;
    if (find_extension(extensions, extension.oid) != nullptr) {
      return error(Code::data_invalid, fmt::format("the extension {} is there twice", dotted(extension.oid)));
    }
    extensions.push_back(extension);
  }
  return extensions;
}

const Extension* find_extension(const std::vector<Extension>& extensions, ByteView oid) {
  for (const Extension& extension : extensions) {
    if (same_bytes(extension.oid, oid)) return &extension;
  }
  return nullptr;
}

Bytes extension(ByteView oid, bool critical, ByteView value) {
  const Bytes flag = critical ? boolean(true) : Bytes();
  return sequence({oid, flag, octet_string(value)});
}

}  // namespace cardea::x509
