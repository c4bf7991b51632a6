// Lines for the trace from code that does not know whether there is one: exchanges with cards, objects left out.
#pragma once

#include <string_view>

namespace cardea {

/// Writes one line, given without its end. Called from any thread.
using TraceSink = void (*)(std::string_view line) noexcept;

/// Where lines go from now on; null: nowhere, as at first. The trace of the module sets it when it is on.
void set_trace_sink(TraceSink sink) noexcept;

/// Whether a line would be written: to be asked before one is made at some cost.
bool trace_is_on() noexcept;

/// Writes a line, which must contain no secret and need not say when and where: the sink does.
void trace_line(std::string_view line) noexcept;

}  // namespace cardea
