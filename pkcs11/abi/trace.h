// CARDEA_TRACE=file: every call with its arguments, result and duration, one line each. Bytes are never written, only
// how many there were; attribute values only where attribute_is_public says so.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>

#include "cryptoki/cryptoki.h"

namespace cardea::abi {

/// Opens the trace for appending, mode 0600; an empty path leaves it off. A file that cannot be opened is told on
/// stderr.
void trace_open(const std::filesystem::path& file);

namespace detail {
extern std::atomic<int> trace_file;  // -1: off
}

inline bool trace_enabled() noexcept {
  return detail::trace_file.load(std::memory_order_relaxed) >= 0;
}

/// One argument, reduced to what may be written.
struct TraceArgument {
  enum class Kind : unsigned char { number, output_number, mechanism, attributes, pointer } kind;
  CK_ULONG number = 0;
  const void* pointer = nullptr;
};

template <class T>
TraceArgument trace_argument(T value) noexcept {
  using Kind = TraceArgument::Kind;
  if constexpr (std::is_integral_v<T>) {
    return {Kind::number, value, nullptr};
  } else if constexpr (std::is_same_v<T, CK_ULONG_PTR>) {
    return {Kind::output_number, 0, value};
  } else if constexpr (std::is_same_v<T, CK_MECHANISM_PTR>) {
    return {Kind::mechanism, 0, value};
  } else if constexpr (std::is_same_v<T, CK_ATTRIBUTE_PTR>) {
    return {Kind::attributes, 0, value};
  } else {
    return {Kind::pointer, 0, reinterpret_cast<const void*>(value)};
  }
}

/// Writes the line. `argument_names` is the list as written in functions.def: "(session, mechanism, key)".
void write_trace(std::string_view name, std::string_view argument_names, CK_RV rv, std::chrono::nanoseconds duration,
                 const TraceArgument* arguments, std::size_t count) noexcept;

template <class... Arguments>
void trace_call(const char* name, const char* argument_names, CK_RV rv, std::chrono::nanoseconds duration,
                Arguments... arguments) noexcept {
  const std::array<TraceArgument, sizeof...(Arguments)> list{trace_argument(arguments)...};
  write_trace(name, argument_names, rv, duration, list.data(), list.size());
}

}  // namespace cardea::abi
