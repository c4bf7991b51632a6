// What the program's commands do; main.cc reads the command line.
#pragma once

#include <string>

#include "base/result.h"
#include "daemon/initialise.h"

namespace cardea::manager {

Status run_command(const std::string& settings_file);
/// Reads the settings and looks at what they name: certificate and key, PIN, database, key token.
Status check_config(const std::string& settings_file);
Status migrate(const std::string& settings_file);
/// For a clock that was ahead by mistake and is right again; works while a daemon runs.
Status accept_clock(const std::string& settings_file);
/// A new folder for its owner only, with the database of one moment, the key token's store, its PIN, the server's key
/// and the settings. Whoever has it can act as the manager.
Status backup(const std::string& settings_file, const std::string& folder);
/// The inverse: checks the database first, and overwrites nothing.
Status restore(const std::string& settings_file, const std::string& folder);
Status print_default_config();
Status print_version();

}  // namespace cardea::manager
