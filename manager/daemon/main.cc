// cardea-manager: the management daemon and its commands.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "daemon/commands.h"
#include "domain/cause.h"

namespace {

using namespace cardea;
using namespace cardea::manager;

constexpr const char* default_settings = "/etc/cardea/manager.toml";

int finish(const Status& status) {
  if (status) return std::fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  std::fprintf(stderr, "cardea-manager: %s.\n", cause(status.error()).c_str());
  return EXIT_FAILURE;
}

void add_init(CLI::App& app, Beginning& beginning, std::function<Status()>& action) {
  CLI::App* init = app.add_subcommand("init", "make a manager: keys, database, authorities, first administrator");
  init->add_option("--data", beginning.data_directory, "everything it keeps goes here")
      ->type_name("DIRECTORY")
      ->default_val("/var/lib/cardea-manager");
  init->add_option("--config", beginning.settings_file, "settings, made unless the file is there")
      ->type_name("FILE")
      ->default_val(default_settings);
  init->add_option("--organisation", beginning.organisation, "in the names of the authorities")->type_name("NAME");
  init->add_option("--host", beginning.host, "name or address under which the server is reached")->type_name("HOST");
  init->add_option("--administrator", beginning.administrator, "name of the first operator")->type_name("NAME");
  init->add_option("--administrator-request", beginning.administrator_request,
                   "certificate request of a key on the administrator's token; a key file is made otherwise")
      ->type_name("FILE");
  init->callback([&] { action = [&] { return initialise(beginning); }; });
}

void add_with_settings(CLI::App& app, const char* name, const char* help, std::string& settings,
                       std::function<Status()>& action, Status (*command)(const std::string&)) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->add_option("--config", settings, "settings")->type_name("FILE")->default_val(default_settings);
  sub->callback([&settings, &action, command] { action = [&settings, command] { return command(settings); }; });
}

void add_with_file(CLI::App& app, const char* name, const char* help, std::string& settings, std::string& file,
                   std::function<Status()>& action, Status (*command)(const std::string&, const std::string&)) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->add_option("--config", settings, "settings")->type_name("FILE")->default_val(default_settings);
  sub->add_option("file", file, "the folder of the backup")->type_name("DIRECTORY")->required();
  sub->callback([&settings, &file, &action, command] {
    action = [&settings, &file, command] { return command(settings, file); };
  });
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("cardea-manager: credentials on tokens, issued and kept through their lives", "cardea-manager");
  app.require_subcommand(1);
  Beginning beginning;
  std::string settings;
  std::string file;
  std::function<Status()> action;
  add_init(app, beginning, action);
  add_with_settings(app, "run", "serve until told to stop", settings, action, run_command);
  add_with_settings(app, "check-config", "say what is wrong with the settings", settings, action, check_config);
  add_with_settings(app, "migrate", "bring the database to this version", settings, action, migrate);
  add_with_settings(app, "accept-clock", "take the clock for right again after it was ahead by mistake", settings,
                    action, accept_clock);
  add_with_file(app, "backup", "copy database, key token and settings to a new folder", settings, file, action, backup);
  add_with_file(app, "restore", "put a backup where the settings say", settings, file, action, restore);
  CLI::App* config = app.add_subcommand("config", "the settings file");
  config->require_subcommand(1);
  config->add_subcommand("default", "print a commented default")->callback([&] { action = print_default_config; });
  app.add_subcommand("version", "print the version")->callback([&] { action = print_version; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? EXIT_SUCCESS : 2;
  }
  return finish(action());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cardea-manager: unexpected: %s\n", problem.what());
    return EXIT_FAILURE;
  }
}
