// The names that the daemon has for places of keys, and those that PIV has (SP 800-73-4 part 1, table 4b).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cardea::agent {

/// "retired-1" … "retired-20".
std::string retired_name(std::size_t number);

/// Key reference of a container's name; empty for a name that PIV has no place for.
std::optional<std::uint32_t> piv_reference(std::string_view name);

/// The inverse: "authentication", "retired-3"; the key reference in hexadecimal for places that the daemon does not
/// name.
std::string piv_container_name(std::uint32_t reference);

}  // namespace cardea::agent
