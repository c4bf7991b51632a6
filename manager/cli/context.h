// What one run of the program has: the options every command shares, and what the chosen command will do.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/uri.h"

namespace cardea::cli {

/// Options that mean the same wherever they are.
struct Options {
  bool json = false;
  bool yes = false;    ///< do not ask before destroying
  bool login = false;  ///< log in to see private objects
  std::string module;
  std::string token;  ///< label, serial number or URI
  std::string pin_file;
  std::string so_pin_file;
  std::string new_pin_file;
  bool pin_stdin = false;
};

/// One run.
struct Context {
  Options options;
  std::optional<Uri> uri;  ///< the URI among the arguments, when there was one
  std::function<Status()> action;
};

/// The program without its process: parses, runs, prints. Answers the exit status.
int run(int argc, char** argv);

}  // namespace cardea::cli
