#include "cryptoki/names.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace cardea {
namespace {

// The letters stand in the table itself: a pointer to them would have to be relocated whenever the module is loaded,
// and most processes never ask for a name.
struct Constant {
  ConstantKind kind;
  CK_ULONG value;
  char letters[40];

  constexpr std::string_view name() const noexcept { return letters; }
};

constexpr Constant constants[] = {
#define CARDEA_CK(prefix, name, value) {ConstantKind::prefix, value, #name},
#include "cryptoki/constants.def"
#include "cryptoki/nss.def"
#undef CARDEA_CK
};

/// "CKA_" of "CKA_LABEL": the prefix of the kind's first constant.
std::string_view prefix_of(ConstantKind kind) noexcept {
  const auto* const first = std::ranges::find(constants, kind, &Constant::kind);
  return first->name().substr(0, first->name().find('_') + 1);
}

constexpr char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, upper, upper);
}

std::optional<CK_ULONG> number(std::string_view text) noexcept {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  CK_ULONG value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view constant_name(ConstantKind kind, CK_ULONG value) noexcept {
  const auto* const found =
      std::ranges::find_if(constants, [&](const Constant& c) { return c.kind == kind && c.value == value; });
  return found == std::end(constants) ? std::string_view{} : found->name();
}

std::string constant_text(ConstantKind kind, CK_ULONG value) {
  if (const auto known = constant_name(kind, value); !known.empty()) return std::string(known);
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value, 16).ptr;
  return std::string(prefix_of(kind)) + "0x" + std::string(digits, end);
}

std::optional<CK_ULONG> constant_value(ConstantKind kind, std::string_view name) noexcept {
  const std::size_t prefix = prefix_of(kind).size();
  const auto* const found = std::ranges::find_if(constants, [&](const Constant& c) {
    return c.kind == kind && (same_ignoring_case(c.name(), name) || same_ignoring_case(c.name().substr(prefix), name));
  });
  if (found != std::end(constants)) return found->value;
  return number(name);
}

}  // namespace cardea
