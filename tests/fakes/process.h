// Child processes with a bound on their life, and folders that vanish with the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cardea::test {

/// A fresh folder under $TMPDIR, removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

using Environment = std::map<std::string, std::string>;

struct Outcome {
  int exit_status = -1;  ///< -1 when a signal ended it
  int signal = 0;
  bool timed_out = false;  ///< it was killed because it outlived its time
  std::string out;
  std::string err;
  bool succeeded() const noexcept { return exit_status == 0; }
};

/// A running child whose output is kept in files of its own, so that it can never block on a full pipe.
class Child {
 public:
  /// Starts argv[0] with our environment changed by `environment` (an empty value removes the variable). `uid` other
  /// than zero: with that user's rights only.
  Child(const std::vector<std::string>& arguments, const Environment& environment, uid_t uid = 0);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  pid_t pid() const noexcept { return pid_; }
  /// Waits for its end; kills it when it takes longer than `limit`.
  Outcome wait(std::chrono::seconds limit = std::chrono::seconds(60));

 private:
  TemporaryFolder output_;
  pid_t pid_ = -1;
};

/// Runs a child to its end.
Outcome run(const std::vector<std::string>& arguments, const Environment& environment, uid_t uid = 0,
            std::chrono::seconds limit = std::chrono::seconds(60));

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& content);

}  // namespace cardea::test
