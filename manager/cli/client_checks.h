// Whether other programs know the module: p11-kit, NSS databases of browsers and mail programs, ssh, OpenSSL, Java.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/p11.h"

namespace cardea::cli {

/// The values of "name: value", "name=value" or "name value" lines, in order; names are compared without regard to
/// case, lines that begin with '#' are comments, quotes around a value are taken off.
std::vector<std::string> line_values(std::string_view text, std::string_view name);

/// One finding for each client that is installed or configured. A client that was never told about the module is a
/// note; one that was told about a module that is gone is a problem.
void check_clients(const std::filesystem::path& module, Findings& findings);

}  // namespace cardea::cli
