#include "daemon/commands.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "daemon/key_token_copy.h"
#include "daemon/run.h"
#include "daemon/settings.h"
#include "daemon/system.h"
#include "domain/time_seen.h"
#include "keys/pin_source.h"
#include "store/database.h"

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;

// Beside the database, what a manager cannot do without; those in the data directory under these names.
constexpr std::string_view kept_files[] = {key_token_folder,    "key-token.pin",     "key-token.pin.so",
                                           "server.pem",        "server.key",        "ca.pem",
                                           "administrator.pem", "administrator.key", "administrator.env"};

store::Settings database_of(const DaemonSettings& settings) {
  store::Settings database;
  database.database = settings.database;
  database.readers = settings.database_readers;
  return database;
}

Status copied(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  if (!fs::exists(from, failed)) return {};
  if (fs::exists(to, failed)) return error(Code::exists, fmt::format("{} is there already", to.string()));
  fs::copy(from, to, fs::copy_options::recursive, failed);
  if (!failed) return {};
  return error(failed == std::errc::no_space_on_device ? Code::device_memory : Code::permission_denied,
               fmt::format("{} cannot be copied: {}", from.string(), failed.message()));
}

Status check_server_files(const DaemonSettings& settings) {
  for (const fs::path& file : {settings.server.certificate_file, settings.server.key_file}) {
    std::error_code failed;
    if (!fs::exists(file, failed)) return error(Code::not_found, fmt::format("{} is not there", file.string()));
  }
  return {};
}

}  // namespace

Status run_command(const std::string& settings_file) {
  CARDEA_ASSIGN(const DaemonSettings settings, read_settings(settings_file));
  return run(settings);
}

Status check_config(const std::string& settings_file) {
  CARDEA_ASSIGN(const DaemonSettings settings, read_settings(settings_file));
  CARDEA_TRY(check_server_files(settings));
  CARDEA_TRY(keys::read_pin(settings.keys.pin_source));
  CARDEA_ASSIGN(const auto system, System::open(settings, Log::none()));
  CARDEA_TRY(system->ready());
  std::printf("%s is good: settings, certificate, database and key token work.\n", settings.file.c_str());
  return {};
}

Status migrate(const std::string& settings_file) {
  CARDEA_ASSIGN(const DaemonSettings settings, read_settings(settings_file));
  CARDEA_ASSIGN(const store::Migrated done, store::migrate(database_of(settings)));
  std::printf(
      done.from == done.to ? "The database is at version %d already.\n" : "The database is at version %d now.\n",
      done.to);
  return {};
}

Status accept_clock(const std::string& settings_file) {
  CARDEA_ASSIGN(const DaemonSettings settings, read_settings(settings_file));
  CARDEA_ASSIGN(const auto system, System::open(settings, Log::none()));
  CARDEA_TRY(accept_clock(system->ports(), manager_actor()));
  std::puts(
      "The clock is taken for right. Whatever had ended by the time before may live again: look at codes and "
      "requests.");
  return {};
}

Status backup(const std::string& settings_file, const std::string& folder) {
  CARDEA_ASSIGN(const DaemonSettings settings, read_settings(settings_file));
  const fs::path place(folder);
  if (mkdir(place.c_str(), 0700) != 0)
    return error(errno == EEXIST ? Code::exists : Code::permission_denied,
                 fmt::format("{} cannot be made as a new folder", folder));
  CARDEA_TRY(store::backup(database_of(settings), place / "manager.db"));
  // The key token after the database: what the database names must be in it, not the other way round.
  for (const std::string_view name : kept_files)
    if (name != key_token_folder) CARDEA_TRY(copied(settings.data_directory / name, place / name));
  CARDEA_TRY(copy_stores(settings.data_directory / key_token_folder, place / key_token_folder));
  CARDEA_TRY(copied(settings.file, place / "manager.toml"));
  std::printf("Backup in %s. Keep it as safe as the manager: its keys are in it.\n", folder.c_str());
  return {};
}

Status restore(const std::string& settings_file, const std::string& folder) {
  CARDEA_ASSIGN(const DaemonSettings settings, read_settings(settings_file));
  const fs::path place(folder);
  if (mkdir(settings.data_directory.c_str(), 0700) != 0 && errno != EEXIST)
    return error(Code::permission_denied, fmt::format("{} cannot be made", settings.data_directory.string()));
  CARDEA_ASSIGN(const store::Checked checked, store::restore(database_of(settings), place / "manager.db"));
  for (const std::string_view name : kept_files) CARDEA_TRY(copied(place / name, settings.data_directory / name));
  std::printf("Restored; %llu audit events in an unbroken chain.\nnext: cardea-manager check-config --config %s\n",
              static_cast<unsigned long long>(checked.audit_events), settings.file.c_str());
  return {};
}

Status print_default_config() {
  std::fputs(default_settings_text("/var/lib/cardea-manager").c_str(), stdout);
  return {};
}

Status print_version() {
  std::printf("cardea-manager %s\n", CARDEA_VERSION);
  return {};
}

}  // namespace cardea::manager
