#include "agent/container_names.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace cardea::agent {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint32_t>, 4> fixed_places{
    {{"authentication", 0x9a}, {"signature", 0x9c}, {"encryption", 0x9d}, {"card_authentication", 0x9e}}};
constexpr std::string_view retired_prefix = "retired-";
constexpr std::uint32_t first_retired = 0x82;
constexpr std::uint32_t last_retired = 0x95;

}  // namespace

std::string retired_name(std::size_t number) {
  return fmt::format("{}{}", retired_prefix, number);
}

std::optional<std::uint32_t> piv_reference(std::string_view name) {
  for (const auto& [word, reference] : fixed_places) {
    if (word == name) return reference;
  }
  if (!name.starts_with(retired_prefix)) return {};
  name.remove_prefix(retired_prefix.size());
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (problem != std::errc() || end != name.data() + name.size()) return {};
  if (number < 1 || number > last_retired - first_retired + 1) return {};
  return first_retired + number - 1;
}

std::string piv_container_name(std::uint32_t reference) {
  for (const auto& [word, place] : fixed_places) {
    if (place == reference) return std::string(word);
  }
  if (reference >= first_retired && reference <= last_retired) return retired_name(reference - first_retired + 1);
  return fmt::format("{:02X}", reference);
}

}  // namespace cardea::agent
