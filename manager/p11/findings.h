// What `doctor` finds.
#pragma once

#include <string>
#include <vector>

namespace cardea::p11client {

/// ok: works. info: not set up or limited, and nobody's fault. problem: set up, but does not work; makes `doctor` fail.
enum class Severity { ok, info, problem };

struct Finding {
  Severity severity;
  std::string subject;
  std::string sentence;
  std::string next_step;  ///< a command or a sentence; empty when there is nothing to do
};

using Findings = std::vector<Finding>;

}  // namespace cardea::p11client
