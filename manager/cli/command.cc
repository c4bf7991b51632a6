#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace cardea::cli {
namespace {

void add_module_options(const Command& command, Options& options) {
  command.text("--module", options.module, "PKCS#11 module to use (default: Cardea's own; also CARDEA_MODULE)", "PATH");
}

void add_token_options(const Command& command, Options& options) {
  add_module_options(command, options);
  command.text("--token", options.token, "token by label, serial number or pkcs11: URI (default: the only one)",
               "TOKEN");
}

void add_manager_options(const Command& command, ManagerOptions& options) {
  command.text("--server", options.url, "where the manager is (also CARDEA_MANAGER)", "URL")
      .text("--server-ca", options.ca_file, "authority of its certificate (also CARDEA_MANAGER_CA)", "FILE")
      .text("--certificate", options.certificate,
            "log on with this certificate, a PEM file or pkcs11: URI (also CARDEA_MANAGER_CERTIFICATE)", "FILE")
      .text("--key", options.key, "its key (also CARDEA_MANAGER_KEY)", "FILE")
      .text("--access-token-file", options.access_token_file,
            "log on with the access token in this file (also CARDEA_MANAGER_ACCESS_TOKEN_FILE)", "FILE");
}

void add_user_pin_options(const Command& command, Options& options) {
  command.text("--pin-file", options.pin_file, "read the PIN from the first line of this file", "FILE")
      .flag("--pin-stdin", options.pin_stdin, "read each PIN that is needed from one line of standard input");
}

void add_officer_pin_options(const Command& command, Options& options) {
  command.text("--so-pin-file", options.so_pin_file, "read the security officer's PIN from this file", "FILE");
}

// An empty value is a variable of a script that was not set. What it was meant to narrow, check or name must not be
// left out for that.
std::string no_empty_value(const std::string& value) {
  return value.empty() ? "its value is empty; leave it out, or say what is meant" : "";
}

}  // namespace

Command Command::group(const std::string& name, const std::string& description) const {
  CLI::App* group = app_->add_subcommand(name, description);
  group->require_subcommand(1);
  return Command(*group);
}

Command Command::command(Context& context, const std::string& name, const std::string& description,
                         const std::string& examples, Needs needs, std::function<Status()> action) const {
  CLI::App* app = app_->add_subcommand(name, description);
  const Command command(*app);
  Options& options = context.options;
  command.flag("--json", options.json, "print one JSON object instead of text");
  if (needs == Needs::manager) add_manager_options(command, options.manager);
  if (needs == Needs::module) add_module_options(command, options);
  if (needs >= Needs::token) add_token_options(command, options);
  if (needs >= Needs::user) add_user_pin_options(command, options);
  if (needs >= Needs::officer) add_officer_pin_options(command, options);
  if (!examples.empty()) app->footer("Examples:\n" + examples);
  app->callback([&context, action = std::move(action)] { context.action = action; });
  return command;
}

const Command& Command::text(const std::string& names, std::string& value, const std::string& help,
                             const std::string& placeholder) const {
  app_->add_option(names, value, help)->type_name(placeholder)->check(no_empty_value);
  return *this;
}

const Command& Command::required(const std::string& names, std::string& value, const std::string& help,
                                 const std::string& placeholder) const {
  app_->add_option(names, value, help)->type_name(placeholder)->required()->check(no_empty_value);
  return *this;
}

const Command& Command::choice(const std::string& names, std::string& value, const std::string& help,
                               const std::string& placeholder, const std::vector<std::string>& words) const {
  app_->add_option(names, value, help)->type_name(placeholder)->check(CLI::IsMember(words));
  return *this;
}

const Command& Command::list(const std::string& names, std::vector<std::string>& values, const std::string& help,
                             const std::string& placeholder) const {
  app_->add_option(names, values, help)
      ->type_name(placeholder)
      ->expected(1)
      ->check(no_empty_value)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return *this;
}

const Command& Command::rest(const std::string& name, std::vector<std::string>& values, const std::string& help,
                             const std::string& placeholder) const {
  app_->add_option(name, values, help)->type_name(placeholder)->expected(1, -1)->required();
  return *this;
}

const Command& Command::number(const std::string& names, std::size_t& value, const std::string& help, std::size_t least,
                               std::size_t most) const {
  app_->add_option(names, value, help)->check(CLI::Range(least, most));
  return *this;
}

const Command& Command::required_number(const std::string& names, std::size_t& value, const std::string& help,
                                        std::size_t least, std::size_t most) const {
  app_->add_option(names, value, help)->check(CLI::Range(least, most))->required();
  return *this;
}

const Command& Command::flag(const std::string& names, bool& value, const std::string& help) const {
  app_->add_flag(names, value, help);
  return *this;
}

}  // namespace cardea::cli
