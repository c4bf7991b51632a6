// Why something failed, for logs and for whoever reads a job.
#pragma once

#include <string>

#include "base/result.h"

namespace cardea::manager {

/// As describe(), but device_error, device_memory and timed_out are told by their detail alone where they have one:
/// their words speak of a token, and here it may as well be a database or an authority that failed. The detail says
/// what it was.
std::string cause(const Error& problem);

}  // namespace cardea::manager
