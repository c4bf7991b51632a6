// The table of device_kinds.def.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/pkcs11_device.h"

namespace cardea::agent {

/// Whether the agent makes tokens of this kind; false for unknown ones.
bool is_made(std::string_view kind);
/// Of a kind that is made.
MadeKind made_kind(std::string_view kind);
/// "PIV card"; the kind itself when it is unknown.
std::string_view words_of_kind(std::string_view kind);
/// Every kind.
std::vector<std::string> device_kinds();

}  // namespace cardea::agent
