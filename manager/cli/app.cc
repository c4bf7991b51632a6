#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "cli/context.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace cardea::cli {
namespace {

void add_module_options(CLI::App& command, Options& options) {
  command.add_option("--module", options.module, "PKCS#11 module to use (default: Cardea's own; also CARDEA_MODULE)")
      ->type_name("PATH");
}

void add_token_options(CLI::App& command, Options& options) {
  add_module_options(command, options);
  command.add_option("--token", options.token, "token by label, serial number or pkcs11: URI (default: the only one)")
      ->type_name("TOKEN");
}

void add_user_pin_options(CLI::App& command, Options& options) {
  command.add_option("--pin-file", options.pin_file, "read the PIN from the first line of this file")
      ->type_name("FILE");
  command.add_flag("--pin-stdin", options.pin_stdin, "read each PIN that is needed from one line of standard input");
}

void add_officer_pin_options(CLI::App& command, Options& options) {
  command.add_option("--so-pin-file", options.so_pin_file, "read the security officer's PIN from this file")
      ->type_name("FILE");
}

// A PIN in the argument list shows in the process list and the shell's history, so it is not even parsed.
bool is_pin_argument(std::string_view argument) {
  constexpr std::array names = {"--pin", "--so-pin", "--new-pin", "--user-pin", "--puk", "--password"};
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
        result += name + ":" + options + "\n";
      }
    }
  };
  walk(walk, root, "");
  return result;
}

Status print_version() {
  return print(fmt::format("cardea {}\n", CARDEA_VERSION));
}

}  // namespace

CLI::App* add_group(CLI::App& parent, const std::string& name, const std::string& description) {
  CLI::App* group = parent.add_subcommand(name, description);
  group->require_subcommand(1);
  return group;
}

CLI::App* add_command(CLI::App& group, Context& context, const std::string& name, const std::string& description,
                      const std::string& examples, Needs needs, std::function<Status()> action) {
  CLI::App* command = group.add_subcommand(name, description);
  Options& options = context.options;
  command->add_flag("--json", options.json, "print one JSON object instead of text");
  if (needs == Needs::module) add_module_options(*command, options);
  if (needs >= Needs::token) add_token_options(*command, options);
  if (needs >= Needs::user) add_user_pin_options(*command, options);
  if (needs >= Needs::officer) add_officer_pin_options(*command, options);
  if (!examples.empty()) command->footer("Examples:\n" + examples);
  command->callback([&context, action = std::move(action)] { context.action = action; });
  return command;
}

void build_commands(CLI::App& root, Context& context) {
  root.require_subcommand(0, 1);
  root.set_help_flag("-h,--help", "show this help");
#define CARDEA_COMMAND_GROUP(name) add_##name##_commands(root, context);
#include "cli/commands.def"
#undef CARDEA_COMMAND_GROUP
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (std::ranges::any_of(arguments, is_pin_argument)) return report(pin_in_arguments());
  Context context;
  CLI::App root("cardea: keys, certificates and PINs of PKCS#11 tokens", "cardea");
  bool version = false;
  bool all_options = false;
  root.add_flag("--version", version, "print the version");
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
  } catch (const CLI::CallForHelp& wanted) {
    return root.exit(wanted);
  } catch (const CLI::CallForAllHelp& wanted) {
    return root.exit(wanted);
  } catch (const CLI::ParseError& problem) {
    return report_parse_error(problem);
  }
  if (version) return report(print_version());
  if (!context.action) {
    note("no command was given. `cardea help` lists them.");
    return exit_usage;
  }
  return report(context.action());
}

}  // namespace cardea::cli
