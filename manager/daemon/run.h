// The daemon's life, from its first sign of readiness to its orderly end.
#pragma once

#include "base/result.h"
#include "daemon/settings.h"

namespace cardea::manager {

/// Serves until SIGTERM or SIGINT. Errors are those of the start, in words.
Status run(const DaemonSettings& settings);

}  // namespace cardea::manager
