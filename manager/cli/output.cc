#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/exit_status.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

Status write_all(int fd, ByteView bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    // Whoever read our output has enough of it (`cardea key list | head -1`): that needs no words.
    if (count < 0 && errno == EPIPE) return Code::function_canceled;
    if (count <= 0) {
      return failure(errno == ENOSPC ? Code::device_memory : Code::device_error,
                     fmt::format("{} cannot be written: {}. Check the disk and the path.", name, std::strerror(errno)));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status write_device(const std::string& file, ByteView bytes) {
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return failure(Code::permission_denied, fmt::format("{} cannot be opened: {}.", file, std::strerror(errno)));
  Status written = write_all(fd, bytes, file);
  if (close(fd) != 0 && written.ok()) written = failure(Code::device_error, fmt::format("{} cannot be written.", file));
  return written;
}

Status replace_file(const std::string& file, ByteView bytes, FileMode mode) {
  struct stat existing {};
  if (stat(file.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode)) return write_device(file, bytes);
  std::string temporary = file + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) {
    return failure(Code::permission_denied, fmt::format("{} cannot be written: {}. Choose a folder that exists and is "
                                                        "yours to write.",
                                                        file, std::strerror(errno)));
  }
  Status written = write_all(fd, bytes, file);
  // Some file systems find out only now that there is no room.
  if (written.ok() && fsync(fd) != 0 && errno != EINVAL) {
    written = failure(Code::device_error, fmt::format("{} cannot be written: {}.", file, std::strerror(errno)));
  }
  fchmod(fd, mode == FileMode::secret ? 0600 : 0644);
  if (close(fd) != 0 && written.ok()) written = failure(Code::device_error, fmt::format("{} cannot be written.", file));
  if (written.ok() && rename(temporary.c_str(), file.c_str()) != 0) {
    written = failure(Code::permission_denied, fmt::format("{} cannot be written: {}.", file, std::strerror(errno)));
  }
  if (!written.ok()) unlink(temporary.c_str());
  return written;
}

}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths(headers_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string result;
  const auto add_row = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      if (widths[i] == 0) continue;  // no row has anything here
      const std::size_t columns = std::max(widths[i], width(headers_[i]));
      line += row[i] + std::string(columns - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  };
  add_row(headers_);
  for (const auto& row : rows_) add_row(row);
  return result;
}

Status print(std::string_view text) {
  return write_all(STDOUT_FILENO, view_of(text), "Standard output");
}

Status print_json(const boost::json::object& object) {
  return print(boost::json::serialize(object) + "\n");
}

Status write_output(const std::string& file, ByteView bytes, FileMode mode, bool is_text) {
  if (!file.empty() && file != "-") return replace_file(file, bytes, mode);
  if (!is_text && isatty(STDOUT_FILENO) != 0) {
    return failure(Code::arguments_bad,
                   "The result is binary and standard output is a terminal. Name a file with --out "
                   "FILE, or send the output into a file or pipe.");
  }
  return write_all(STDOUT_FILENO, bytes, "Standard output");
}

void note(std::string_view line) {
  fmt::print(stderr, "cardea: {}\n", line);
}

Progress::Progress(std::string what) : what_(std::move(what)), thread_([this] { run(); }) {}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  done_changed_.notify_one();
  thread_.join();
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  auto pause = std::chrono::seconds(1);
  auto elapsed = pause;
  while (!done_changed_.wait_for(lock, pause, [this] { return done_; })) {
    note(fmt::format("{} … {} s", what_, elapsed.count()));
    pause = std::chrono::seconds(5);
    elapsed += pause;
  }
}

}  // namespace cardea::cli
