// The daemon's log: one line an event, as text for people or JSON for programs. Never a secret: callers pass names and
// numbers, not bodies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace cardea::manager {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogSettings {
  LogLevel level = LogLevel::info;
  bool json = false;
  std::filesystem::path file;                 ///< empty: standard error, where systemd picks it up
  std::size_t file_bytes = 16 * 1024 * 1024;  ///< a file that has grown to this is put aside
  std::size_t files = 5;                      ///< how many put aside are kept

  bool operator==(const LogSettings&) const = default;
};

/// Thread-safe.
class Log {
 public:
  using Field = std::pair<std::string_view, std::string>;
  using Fields = std::initializer_list<Field>;

  /// permission_denied when the file cannot be written.
  static Result<std::unique_ptr<Log>> open(const LogSettings& settings);
  /// A log that keeps nothing, for tests and commands.
  static Log& none();
  ~Log();

  bool shows(LogLevel level) const;
  /// `what` is a short, fixed text; what varies stands in fields.
  void write(LogLevel level, std::string_view what, Fields fields = {});
  void debug(std::string_view what, Fields fields = {}) { write(LogLevel::debug, what, fields); }
  void info(std::string_view what, Fields fields = {}) { write(LogLevel::info, what, fields); }
  void warning(std::string_view what, Fields fields = {}) { write(LogLevel::warning, what, fields); }
  void error(std::string_view what, Fields fields = {}) { write(LogLevel::error, what, fields); }
  void flush();

 private:
  struct State;
  Log();
  std::unique_ptr<State> state_;
};

/// One line as it is written, without the line's end; time in RFC 3339. What clients sent cannot break the line or the
/// terminal it is shown on: control characters are escaped.
std::string log_line(bool json, std::string_view time, LogLevel level, std::string_view what, Log::Fields fields);

}  // namespace cardea::manager
