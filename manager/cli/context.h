// What one run of the program has: the options every command shares, and what the chosen command will do.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/p11.h"

namespace cardea::card {
class CardChannel;
}

namespace cardea::cli {

/// How the manager is reached, and as whom. Empty members come from the environment.
struct ManagerOptions {
  std::string url;
  std::string ca_file;
  std::string certificate;
  std::string key;
  std::string access_token_file;
};

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
  ManagerOptions manager;
  std::shared_ptr<std::string> card_recording;       ///< `card record`: where the conversation with the card is kept
  std::shared_ptr<card::CardChannel> card_recorded;  ///< `card replay`: the card instead of those in readers
};

/// One run.
struct Context {
  Options options;
  std::optional<Uri> uri;  ///< the URI among the arguments, when there was one
  std::function<Status()> action;
};

/// The program without its process: parses, runs, prints. Answers the exit status.
int run(int argc, char** argv);

/// A command inside another one. `arguments` are what would follow the program's name; `preset` are options that they
/// do not have to say.
Status run_inside(const std::vector<std::string>& arguments, const Options& preset);

}  // namespace cardea::cli
