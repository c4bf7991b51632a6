// config show, default.
#include <fmt/format.h>
#include <boost/json.hpp>

#include "base/config.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

Status show_config(const Context& context) {
  const Settings settings = load_settings();
  const KeystoreSettings& keystore = settings.keystore;
  const CardSettings& card = settings.card;
  const TpmSettings& tpm = settings.tpm;
  for (const std::string& problem : settings.problems) note(printable(problem));
  if (context.options.json) {
    boost::json::array problems(settings.problems.begin(), settings.problems.end());
    return print_json({{"config_file", settings.config_file.string()},
                       {"home", settings.home.string()},
                       {"trace_file", settings.trace_file.string()},
                       {"keystore",
                        {{"enabled", keystore.enabled},
                         {"min_pin_length", keystore.min_pin_length},
                         {"max_pin_length", keystore.max_pin_length},
                         {"retry_limit", keystore.retry_limit},
                         {"so_retry_limit", keystore.so_retry_limit},
                         {"pin_cost",
                          {{"memory_kib", keystore.pin_cost.memory_kib},
                           {"iterations", keystore.pin_cost.iterations},
                           {"lanes", keystore.pin_cost.lanes}}}}},
                       {"card",
                        {{"enabled", card.enabled},
                         {"ignore_readers", boost::json::value_from(card.ignore_readers)},
                         {"cache", card.cache},
                         {"plugin_directory", card.plugin_directory.string()},
                         {"admin_key_file", card.admin_key_file.string()},
                         {"factory_admin_key", card.factory_admin_key}}},
                       {"tpm",
                        {{"enabled", tpm.enabled},
                         {"tcti", tpm.tcti},
                         {"state_directory", tpm.state_directory.string()},
                         {"hierarchy_auth_file", tpm.hierarchy_auth_file.string()},
                         {"endorsement_auth_file", tpm.endorsement_auth_file.string()},
                         {"protect_bus", tpm.protect_bus},
                         {"timeout_seconds", tpm.timeout_seconds},
                         {"min_pin_length", tpm.min_pin_length},
                         {"max_pin_length", tpm.max_pin_length}}},
                       {"problems", problems}});
  }
  return print(fmt::format(
      "Configuration file:  {}\nHome:                {}\nTrace file:          {}\nSoftware keystore:   {}\n"
      "PIN length:          {} to {} bytes\nRetry limit:         {} (security officer {}; 0 is unlimited)\n"
      "PIN cost (Argon2id): {} KiB, {} iterations, {} lanes\n"
      "Cards:               {}, contents {}remembered, administrator's key {}\n"
      "Virtual cards:       {}, TPM at {}{}\n",
      settings.config_file.empty() ? "none, defaults are used" : settings.config_file.string(), settings.home.string(),
      settings.trace_file.empty() ? "none" : settings.trace_file.string(), keystore.enabled ? "on" : "off",
      keystore.min_pin_length, keystore.max_pin_length, keystore.retry_limit, keystore.so_retry_limit,
      keystore.pin_cost.memory_kib, keystore.pin_cost.iterations, keystore.pin_cost.lanes, card.enabled ? "on" : "off",
      card.cache ? "" : "not ",
      !card.admin_key_file.empty() ? card.admin_key_file.string()
      : card.factory_admin_key     ? "of the factory"
                                   : "not configured",
      tpm.enabled ? "on" : "off", tpm.tcti, tpm.protect_bus ? ", bus protected" : ""));
}

Status print_default(const Context& context) {
  if (context.options.json) return print_json({{"default", default_config_text()}});
  return print(default_config_text());
}

}  // namespace

void add_config_commands(const Command& root, Context& context) {
  const Command group = root.group("config", "the settings in cardea.toml");
  group.command(context, "show", "print the settings in force and what is wrong with them", "  cardea config show\n",
                Needs::nothing, [&context] { return show_config(context); });
  group.command(context, "default", "print a commented default file",
                "  cardea config default > ~/.config/cardea/cardea.toml\n", Needs::nothing,
                [&context] { return print_default(context); });
}

}  // namespace cardea::cli
