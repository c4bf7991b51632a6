#include "base/trace_line.h"

#include <atomic>

namespace cardea {
namespace {

std::atomic<TraceSink> trace_sink{nullptr};

}  // namespace

void set_trace_sink(TraceSink sink) noexcept {
  trace_sink.store(sink, std::memory_order_release);
}

bool trace_is_on() noexcept {
  return trace_sink.load(std::memory_order_relaxed) != nullptr;
}

void trace_line(std::string_view line) noexcept {
  if (const TraceSink sink = trace_sink.load(std::memory_order_acquire)) sink(line);
}

}  // namespace cardea
