// Runs other programs: no shell, no inherited secrets, bounded time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace cardea::cli {

struct ProgramResult {
  int status = -1;     ///< exit status; -1 when it was ended by a signal or by the time limit
  std::string output;  ///< standard output and standard error together, at most 64 KiB
};

/// Where a program is on PATH; empty when there is none.
std::string find_program(const std::string& name);

/// Runs argv[0] (a path) and waits; the child is killed after `limit`.
Result<ProgramResult> run_program(const std::vector<std::string>& argv, std::chrono::seconds limit);

}  // namespace cardea::cli
