// The latest time that a manager on this database has seen, so that a clock that is set back is noticed and revives
// nothing that had ended.
#pragma once

#include <chrono>

#include "base/result.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// Corrections by a time server, and differences between daemons, that are no reason for a warning.
inline constexpr std::chrono::minutes tolerated_skew{2};

/// The later of the clock and what was seen. What ended by it stays ended while the clock is behind.
Result<Time> latest_time(Transaction& store, const Clock& clock);

/// Keeps `now`, unless a later time was seen. It takes a transaction that writes.
Status remember_time(Transaction& store, Time now);

/// Keeps the time, and says how far the clock is behind what was seen: 0 within `tolerated_skew`. Once for each time
/// it is set back that goes into the audit log (clock_set_back).
Result<std::chrono::seconds> watch_clock(const Ports& ports);

/// For a clock that was ahead by mistake and is right again: what was seen is forgotten, which the audit log tells
/// (clock_accepted). What had ended by the wrong time may live again.
Status accept_clock(const Ports& ports, const Actor& actor);

}  // namespace cardea::manager
