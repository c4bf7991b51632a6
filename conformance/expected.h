// Expected results: files of "fail <name>" and "skip <name>" lines; everything they do not name is expected to pass.
#pragma once

#include <string>
#include <vector>

#include "conformance/check.h"

namespace cardea::conformance {

/// What differs, one sentence each: an unexpected failure or skip, an unexpected pass, a name that no result bears. A
/// name may end in "*". Lines that start with # say why. Throws std::runtime_error when the file cannot be read or
/// understood.
std::vector<std::string> compare_with_expected(const std::string& file, const std::vector<Finding>& findings);

}  // namespace cardea::conformance
