// What commands print on standard output: a table for people or one JSON object for programs (--json).
#pragma once

#include <boost/json/fwd.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::cli {

/// Rows of a table; cells beyond the headers are not allowed. Columns that are empty in every row are left out.
class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string text() const;

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<std::string>> rows_;
};

/// Writes to standard output; permission_denied or device_memory in words when that fails (a full disk, a closed pipe).
Status print(std::string_view text);
Status print_json(const boost::json::object& object);

/// Writes a file as a whole with mode 0600 or, for what is public, 0644: under another name first, then renamed.
/// "-" or an empty name is standard output. Binary data is not written to a terminal.
enum class FileMode { secret, open };
Status write_output(const std::string& file, ByteView bytes, FileMode mode, bool is_text = false);
/// Whether write_output() can write there, asked before something that is shown once: permission_denied in words.
Status check_output(const std::string& file);

/// A file that is written in pieces, under another name until finish(); one that is not finished leaves nothing behind.
/// "-" or an empty name is standard output.
class OutputFile {
 public:
  static Result<OutputFile> make(const std::string& file, FileMode mode);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  Status write(ByteView bytes);
  Status finish();

 private:
  OutputFile(std::string file, std::string temporary, int fd)
      : file_(std::move(file)), temporary_(std::move(temporary)), fd_(fd) {}

  std::string file_;
  std::string temporary_;  ///< empty: written where it stays (standard output, a pipe)
  int fd_;
};

/// Says on standard error what is going on once it has taken over a second, and again every few seconds.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void run();

  std::string what_;
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::thread thread_;
};

/// One line on standard error, beginning with the program's name.
void note(std::string_view line);

}  // namespace cardea::cli
