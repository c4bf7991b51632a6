#include "cli/keystore_tokens.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/p11.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

namespace fs = std::filesystem;

Status delete_token(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const bool is_uri, take_uri(context, name));
  if (!is_uri && !name.empty()) context.options.token = name;
  if (!context.uri && context.options.token.empty()) {
    return failure(Code::arguments_bad, "Say which token to delete: its label, serial number or URI.");
  }
  CARDEA_ASSIGN(const auto module, load_module(context));
  CARDEA_ASSIGN(const TokenInfo token, select_token(*module, context));
  if (!context.options.yes && !confirm(fmt::format("This deletes token '{}' (serial {}) with all its keys for ever.",
                                                   token.label, token.serial))) {
    return failure(Code::function_canceled, "Nothing was deleted. Say --yes to delete without being asked.");
  }
  const auto keystore = Keystore::of(module->path());
  if (const Status done = keystore ? keystore->delete_token(token.serial) : Status(Code::not_found); !done) {
    return library_failure(
        done.error(),
        fmt::format("Token '{}' could not be deleted (only tokens of the software keystore can)", token.label));
  }
  if (context.options.json) return print_json({{"deleted", token.serial}, {"label", token.label}});
  return print(fmt::format("Deleted token '{}' (serial {}).\n", token.label, token.serial));
}

struct ImportOptions {
  std::string directory;
  std::string label;
};

// SoftHSM2's own configuration names the directory of its tokens.
fs::path softhsm_directory() {
  const char* const named = secure_getenv("SOFTHSM2_CONF");
  const char* const home = secure_getenv("HOME");
  const fs::path own = fs::path(home != nullptr ? home : "") / ".config/softhsm2/softhsm2.conf";
  const fs::path file = named != nullptr ? fs::path(named) : fs::exists(own) ? own : "/etc/softhsm/softhsm2.conf";
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || line.find("directories.tokendir") > equals) continue;
    const auto value = split(std::string_view(line).substr(equals + 1), ' ');
    if (!value.empty()) return value.front();
  }
  return "/var/lib/softhsm/tokens";
}

Result<SofthsmToken> choose_source(const Keystore& keystore, const fs::path& directory, const std::string& wanted) {
  const auto tokens = keystore.find_softhsm_tokens(directory);
  if (!tokens) {
    return library_failure(tokens.error(), fmt::format("No SoftHSM2 tokens can be read in {}", directory.string()));
  }
  std::string names;
  std::vector<SofthsmToken> fitting;
  for (const auto& token : *tokens) {
    names += fmt::format("{}'{}' (serial {})", names.empty() ? "" : ", ", printable(token.label), token.serial);
    if (wanted.empty() || token.label == wanted || token.serial == wanted) fitting.push_back(token);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty()) {
    return failure(Code::not_found, fmt::format("No such SoftHSM2 token in {}. There are: {}.", directory.string(),
                                                names.empty() ? "none" : names));
  }
  return failure(Code::arguments_bad, fmt::format("Several SoftHSM2 tokens fit: {}. Choose one with --from.", names));
}

Status import_softhsm(Context& context, const ImportOptions& options) {
  const fs::path directory = options.directory.empty() ? softhsm_directory() : fs::path(options.directory);
  const auto keystore = Keystore::near(wanted_module(context));
  if (!keystore) {
    return failure(Code::not_found,
                   "No module with a software keystore was found. Name libcardea-pkcs11.so with --module PATH.");
  }
  CARDEA_ASSIGN(const auto source, choose_source(*keystore, directory, options.label));
  const std::string name = printable(source.label);
  CARDEA_ASSIGN(const Pin so_pin,
                obtain_pin(context, PinRole::officer, fmt::format("Security officer's PIN of '{}': ", name)));
  CARDEA_ASSIGN(const Pin user_pin, obtain_pin(context, PinRole::user, fmt::format("User PIN of '{}': ", name)));
  const Progress progress("importing");
  const auto report = keystore->import_softhsm(source.path, user_pin, so_pin);
  if (!report) return library_failure(report.error(), fmt::format("Token '{}' could not be imported", name));
  for (const std::string& sentence : report->skipped) note("left out: " + printable(sentence));
  if (context.options.json) {
    boost::json::array skipped;
    for (const std::string& sentence : report->skipped) skipped.emplace_back(printable(sentence));
    return print_json({{"label", printable(report->label)},
                       {"serial", report->serial},
                       {"imported", report->imported},
                       {"skipped", skipped}});
  }
  return print(fmt::format("Imported {} objects into token '{}' (serial {}); it has the same PINs. {} left out.\n",
                           report->imported, printable(report->label), report->serial, report->skipped.size()));
}

}  // namespace

std::optional<int> keystore_tries_left(const Module& module, const TokenInfo& token, CK_USER_TYPE user) {
  const auto keystore = Keystore::of(module.path());
  return keystore ? keystore->tries_left(token.serial, user) : std::nullopt;
}

void add_keystore_commands(const Command& group, Context& context) {
  const auto name = std::make_shared<std::string>();
  const Command remove = group.command(context, "delete", "delete a token of the software keystore with all its keys",
                                       "  cardea token delete demo\n", Needs::token,
                                       [&context, name] { return delete_token(context, *name); });
  remove.text("name", *name, "label, serial number or pkcs11: URI", "TOKEN");
  remove.flag("--yes", context.options.yes, "do not ask first");

  const auto options = std::make_shared<ImportOptions>();
  const Command import =
      group.command(context, "import-softhsm", "copy a SoftHSM2 token into the software keystore",
                    "  cardea token import-softhsm --from mytoken\n"
                    "  cardea token import-softhsm --directory /var/lib/softhsm/tokens --from mytoken\n",
                    Needs::officer, [&context, options] { return import_softhsm(context, *options); });
  import.text("--from", options->label, "label or serial number of the SoftHSM2 token (default: the only one)",
              "TOKEN");
  import.text("--directory", options->directory, "SoftHSM2's directories.tokendir (default: from softhsm2.conf)",
              "DIR");
}

}  // namespace cardea::cli
