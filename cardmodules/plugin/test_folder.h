// A folder for the tests of loading code, which must lie where nobody else can write.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "plugin/trusted_path.h"

namespace cardea::card::plugin {

/// Lies in the working directory of the tests (the build folder) and goes with its object.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::current_path() / "plugin-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Whether the build folder itself passes the rules, which a test cannot arrange.
  bool is_trusted() const { return !path_.empty() && trusted_path(path_).ok(); }

 private:
  std::filesystem::path path_;
};

}  // namespace cardea::card::plugin
