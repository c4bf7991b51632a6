// Renewal without being asked (L11).
#pragma once

#include <cstddef>

#include "base/result.h"
#include "domain/ports.h"

namespace cardea::manager {

/// Makes renewal requests for tokens whose certificates end within their profile's window, unless one is open. Looks at
/// `limit` certificates (at most 1,000), going on where the call before stopped and from the beginning after the last,
/// so that however many are due, all have their turn and no call takes long. Answers how many were made. What is wrong
/// with one certificate or profile is told in the end and keeps nobody from the others.
Result<std::size_t> request_renewals(const Ports& ports, std::size_t limit);

}  // namespace cardea::manager
