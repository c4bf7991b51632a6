// Work in a child process that reports findings through a pipe, so that a crash or a hang costs only itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance/check.h"

namespace cardea::conformance {

using IsolatedWork = std::function<void(const Context::Sink&, const Context::Announce&)>;

/// Runs `work` in a child. A death by signal or an overrun of `seconds` becomes a failure of the step that had begun
/// last
/// (`name` when none had). The child is always reaped.
std::vector<Finding> isolate(const std::string& name, int seconds, const IsolatedWork& work);

}  // namespace cardea::conformance
