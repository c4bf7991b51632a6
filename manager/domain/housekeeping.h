// What the daemon does by itself from time to time.
#pragma once

#include <chrono>
#include <optional>

#include "base/result.h"
#include "domain/ports.h"

namespace cardea::manager {

/// What was done.
struct Housekeeping {
  std::size_t expired_requests = 0;
  std::size_t expired_certificates = 0;
  std::size_t settled_issuances = 0;     ///< certificates whose outcome at the authority was not known
  std::size_t renewals = 0;              ///< requests made (L11)
  std::chrono::seconds clock_behind{0};  ///< behind a time that was seen already: warn
  std::optional<Error> failure;          ///< the first; what does not depend on it was done all the same
};

/// Expires requests and certificates, finds out what became of certificates that were asked for, makes renewal
/// requests, signs the audit log's head, and notices a clock that was set back. An error when not even that is known.
/// A while after a failure it may simply be called again. While the clock is behind, nothing is expired and nothing
/// renewed: what depends on time waits until it is right.
Result<Housekeeping> keep_house(const Ports& ports);

}  // namespace cardea::manager
