#include "log/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <ctime>

namespace cardea::manager {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warning", "error"};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// As JSON wants it (RFC 8259, 7); for text lines too, so that no value can look like another line or field.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += letter;
    }
  }
  out += '"';
}

bool is_plain_word(std::string_view text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/_-+@[]{}?&,";
  return !text.empty() && text.find_first_not_of(plain) == std::string_view::npos;
}

std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const std::time_t time = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count());
}

}  // namespace

struct Log::State {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

Log::Log() = default;
Log::~Log() = default;

std::string log_line(bool json, std::string_view time, LogLevel level, std::string_view what, Log::Fields fields) {
  const std::string_view level_name = level_names[static_cast<std::size_t>(level)];
  std::string line;
  if (json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","what":)", time, level_name);
    append_quoted(line, what);
    for (const auto& [key, value] : fields) {
      line += fmt::format(",\"{}\":", key);
      append_quoted(line, value);
    }
    return line + "}";
  }
  line = fmt::format("{} {:<7} {}", time, level_name, what);
  for (const auto& [key, value] : fields) {
    line += fmt::format(" {}=", key);
    if (is_plain_word(value)) {
      line += value;
    } else {
      append_quoted(line, value);
    }
  }
  return line;
}

Result<std::unique_ptr<Log>> Log::open(const LogSettings& settings) {
  std::unique_ptr<Log> log(new Log);
  log->state_ = std::make_unique<State>();
  log->state_->json = settings.json;
  try {
    spdlog::sink_ptr sink;
    if (settings.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(settings.file.string(), settings.file_bytes,
                                                                    settings.files);
    }
    sink->set_pattern("%v");
    log->state_->logger = std::make_shared<spdlog::logger>("cardea", std::move(sink));
  } catch (const spdlog::spdlog_ex& problem) {
    return cardea::error(Code::permission_denied, fmt::format("the log cannot be written: {}", problem.what()));
  }
  log->state_->logger->set_level(level_of(settings.level));
  log->state_->logger->flush_on(spdlog::level::warn);
  return log;
}

Log& Log::none() {
  static Log& nothing = *new Log;
  return nothing;
}

bool Log::shows(LogLevel level) const {
  return state_ && state_->logger->should_log(level_of(level));
}

void Log::write(LogLevel level, std::string_view what, Fields fields) {
  if (!shows(level)) return;
  const std::string line = log_line(state_->json, now_text(), level, what, fields);
  state_->logger->log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

void Log::flush() {
  if (state_) state_->logger->flush();
}

}  // namespace cardea::manager
