#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <cctype>
#include <cstdio>

#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace cardea::cli {
namespace {

// A PIN in the argument list shows in the process list and the shell's history, so it is not even parsed.
bool is_pin_argument(std::string_view argument) {
  constexpr std::array names = {"--pin", "--so-pin",   "--new-pin",   "--user-pin",
                                "--puk", "--password", "--admin-key", "--new-admin-key"};
  argument = argument.substr(0, argument.find('='));
  return std::ranges::find(names, argument) != names.end();
}

Error pin_in_arguments() {
  return failure(
      Code::arguments_bad,
      "A PIN on the command line is refused: every user of this machine can see it there, and the shell keeps it. "
      "Let the program ask, or use --pin-file FILE or --pin-stdin; if it was the real PIN, change it with "
      "`cardea token pin change`.");
}

// CLI11's message for a person: without the line for developers, and with where to look next.
int report_parse_error(const CLI::ParseError& problem) {
  std::string message = problem.what();
  if (!message.ends_with('.')) message += '.';
  note(message + " `cardea help` lists the commands; add --help to one of them to see its options.");
  return exit_usage;
}

int report(const Status& status) {
  if (status.ok()) return exit_ok;
  if (!status.error().detail.empty()) note(status.error().detail);
  return exit_status(status.code());
}

std::string usage_text(const CLI::App& root, bool everything) {
  std::string result;
  const auto walk = [&](const auto& self, const CLI::App& app, const std::string& path) -> void {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      const std::string name = path.empty() ? command->get_name() : path + " " + command->get_name();
      const bool is_group = !command->get_subcommands([](const CLI::App*) { return true; }).empty();
      if (is_group) {
        self(self, *command, name);
      } else if (!everything) {
        result += fmt::format("  {:<24} {}\n", name, command->get_description());
      } else {
        std::string options;
        for (const CLI::Option* option : command->get_options()) {
          for (const std::string& word : option->get_lnames()) options += " --" + word;
        }
        result += fmt::format("{}:{}\n", name, options);
      }
    }
  };
  walk(walk, root, "");
  return result;
}

void build_commands(CLI::App& app, Context& context) {
  app.require_subcommand(0, 1);
  app.set_help_flag("-h,--help", "show this help");
  const Command root(app);
#define CARDEA_COMMAND_GROUP(name) add_##name##_commands(root, context);
#include "cli/commands.def"
#undef CARDEA_COMMAND_GROUP
}

Status print_version(const Options& options) {
  if (options.json) return print_json({{"program", "cardea"}, {"version", CARDEA_VERSION}});
  return print(fmt::format("cardea {}\n", CARDEA_VERSION));
}

}  // namespace

Status run_inside(const std::vector<std::string>& arguments, const Options& preset) {
  Context context;
  context.options = preset;
  CLI::App root("cardea: keys, certificates and PINs of PKCS#11 tokens", "cardea");
  build_commands(root, context);
  try {
    // The parser takes the words from the end.
    root.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return print(root.help());
  } catch (const CLI::ParseError& problem) {
    return failure(Code::arguments_bad, fmt::format("The command inside is not understood: {}.", problem.what()));
  }
  if (!context.action) return failure(Code::arguments_bad, "No command was given inside. `cardea help` lists them.");
  return context.action();
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (std::ranges::any_of(arguments, is_pin_argument)) return report(pin_in_arguments());
  Context context;
  CLI::App root("cardea: keys, certificates and PINs of PKCS#11 tokens", "cardea");
  bool version = false;
  bool all_options = false;
  root.add_flag("--version", version, "print the version");
  root.add_flag("--json", context.options.json, "print one JSON object instead of text");
  build_commands(root, context);
  CLI::App* help = root.add_subcommand("help", "list all commands");
  help->add_flag("--options", all_options, "list each command's options as well, one command a line");
  help->callback([&] {
    context.action = [&] {
      if (all_options) return print(usage_text(root, true));
      return print("Usage: cardea COMMAND [OPTIONS]\n\nCommands:\n" + usage_text(root, false) +
                   "\n`cardea COMMAND --help` shows a command's options and examples; `man cardea` tells all.\n");
    };
  });
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return report(print(root.help()));
  } catch (const CLI::ParseError& problem) {
    return report_parse_error(problem);
  }
  if (version) return report(print_version(context.options));
  if (!context.action) {
    note("no command was given. `cardea help` lists them.");
    return exit_usage;
  }
  return report(context.action());
}

}  // namespace cardea::cli
