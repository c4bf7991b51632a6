// What one run of the program has: the options every command shares, and what the chosen command will do.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "cli/session.h"
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

/// What a command reads beyond its own options; decides which options it shows.
enum class Needs : unsigned { nothing, module, token, user, officer };

/// Adds a command below `group`. `examples` are whole command lines, shown under the help text.
CLI::App* add_command(CLI::App& group, Context& context, const std::string& name, const std::string& description,
                      const std::string& examples, Needs needs, std::function<Status()> action);

/// Adds a group of commands.
CLI::App* add_group(CLI::App& parent, const std::string& name, const std::string& description);

/// Every group registers itself by one function and one line in commands.def.
#define CARDEA_COMMAND_GROUP(name) void add_##name##_commands(CLI::App& root, Context& context);
#include "cli/commands.def"
#undef CARDEA_COMMAND_GROUP

/// The program without its process: parses, runs, prints. Answers the exit status.
int run(int argc, char** argv);

/// Fills `root` with every command.
void build_commands(CLI::App& root, Context& context);

}  // namespace cardea::cli
