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
#include <utility>

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

Result<OutputFile> OutputFile::make(const std::string& file, FileMode mode) {
  if (file.empty() || file == "-") return OutputFile("Standard output", "", STDOUT_FILENO);
  struct stat existing {};
  if (stat(file.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode)) {
    const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
      return failure(Code::permission_denied, fmt::format("{} cannot be opened: {}.", file, std::strerror(errno)));
    return OutputFile(file, "", fd);
  }
  std::string temporary = file + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) {
    return failure(Code::permission_denied, fmt::format("{} cannot be written: {}. Choose a folder that exists and is "
                                                        "yours to write.",
                                                        file, std::strerror(errno)));
  }
  fchmod(fd, mode == FileMode::secret ? 0600 : 0644);
  return OutputFile(file, std::move(temporary), fd);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::move(other.file_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::exchange(other.fd_, STDOUT_FILENO)) {}

OutputFile::~OutputFile() {
  if (fd_ != STDOUT_FILENO) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Status OutputFile::write(ByteView bytes) {
  return write_all(fd_, bytes, file_);
}

Status OutputFile::finish() {
  const auto not_written = [&](Code code) {
    return failure(code, fmt::format("{} cannot be written: {}.", file_, std::strerror(errno)));
  };
  if (fd_ == STDOUT_FILENO) return {};
  // Some file systems find out only now that there is no room.
  if (!temporary_.empty() && fsync(fd_) != 0 && errno != EINVAL) return not_written(Code::device_error);
  if (close(std::exchange(fd_, STDOUT_FILENO)) != 0) return not_written(Code::device_error);
  if (temporary_.empty()) return {};
  if (rename(temporary_.c_str(), file_.c_str()) != 0) return not_written(Code::permission_denied);
  temporary_.clear();
  return {};
}

Status check_output(const std::string& file) {
  struct stat existing {};
  const bool stays = file.empty() || file == "-" || (stat(file.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode));
  // A pipe would be opened twice, and its reader would see the first end.
  if (stays) return {};
  const auto there = OutputFile::make(file, FileMode::secret);
  return there ? Status() : there.error();
}

Status write_output(const std::string& file, ByteView bytes, FileMode mode, bool is_text) {
  if (!file.empty() && file != "-") {
    CARDEA_ASSIGN(OutputFile output, OutputFile::make(file, mode));
    CARDEA_TRY(output.write(bytes));
    return output.finish();
  }
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
