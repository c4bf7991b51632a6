// Exchanges with cards as lines of a trace, for people.
#pragma once

#include "pcsc/apdu_observer.h"

namespace cardea::card {

/// Takes one line, without its end. Called from any thread.
using LineSink = std::function<void(std::string_view line)>;

/// "card <reader>: > 00a4… ", then what came back and how long it took:
///   card Virtual PCD 00 00: 0020008008<8> = 9000 1532us
ObserverFactory apdu_trace(LineSink sink);

}  // namespace cardea::card
