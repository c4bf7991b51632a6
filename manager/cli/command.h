// Commands and what each reads from the command line. The parser behind them (CLI11) is seen by command.cc and app.cc
// only, because its header costs every file that includes it seconds of compilation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/context.h"

namespace CLI {
class App;
}

namespace cardea::cli {

/// What a command reads beyond its own options; decides which options it shows.
enum class Needs : unsigned { nothing, manager, module, token, user, officer };

/// A command, or a group of commands. A handle: copies mean the same command, the parser owns it, and the variables
/// given to it must live until the command has run.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  /// A group below this one.
  Command group(const std::string& name, const std::string& description) const;

  /// A command below this group. `examples` are whole command lines, shown under the help text; `action` is what
  /// context.action becomes when the command was chosen.
  Command command(Context& context, const std::string& name, const std::string& description,
                  const std::string& examples, Needs needs, std::function<Status()> action) const;

  /// An argument: "--name,--other" with dashes is an option, a bare name is positional. `placeholder` stands for the
  /// value in the help.
  const Command& text(const std::string& names, std::string& value, const std::string& help,
                      const std::string& placeholder) const;
  /// The same, and the command is refused without it.
  const Command& required(const std::string& names, std::string& value, const std::string& help,
                          const std::string& placeholder) const;
  /// One word of a few.
  const Command& choice(const std::string& names, std::string& value, const std::string& help,
                        const std::string& placeholder, const std::vector<std::string>& words) const;
  /// An option that may be repeated; every value counts.
  const Command& list(const std::string& names, std::vector<std::string>& values, const std::string& help,
                      const std::string& placeholder) const;
  /// All words that follow, at least one; those that begin with dashes stand behind "--".
  const Command& rest(const std::string& name, std::vector<std::string>& values, const std::string& help,
                      const std::string& placeholder) const;
  /// A whole number from `least` to `most`.
  const Command& number(const std::string& names, std::size_t& value, const std::string& help, std::size_t least,
                        std::size_t most) const;
  /// The same, and the command is refused without it.
  const Command& required_number(const std::string& names, std::size_t& value, const std::string& help,
                                 std::size_t least, std::size_t most) const;
  const Command& flag(const std::string& names, bool& value, const std::string& help) const;

 private:
  CLI::App* app_;
};

/// Every group registers itself by one function and one line in commands.def.
#define CARDEA_COMMAND_GROUP(name) void add_##name##_commands(const Command& root, Context& context);
#include "cli/commands.def"
#undef CARDEA_COMMAND_GROUP

}  // namespace cardea::cli
