// Finds plug-ins and takes over their tables.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cardmodules/plugin_abi.h"
#include "plugin/trusted_path.h"

namespace cardea::card::plugin {

/// A plug-in whose table was checked. Members that its version does not have, and optional functions that it leaves
/// out, are null. The shared object stays loaded: a call that hangs may still be inside.
struct Plugin {
  cardea_plugin table{};
  std::string name;     ///< printable, at most 64 bytes
  std::string version;  ///< the same
  std::filesystem::path file;
};

/// Checks a table. function_not_supported for another major version; data_invalid when something necessary is missing.
Result<Plugin> check_table(const cardea_plugin* table, const std::filesystem::path& file);

/// Loads one shared object. Errors as trusted_path and check_table; data_invalid when it is no plug-in.
Result<Plugin> load_plugin(const std::filesystem::path& file);

struct LoadedPlugins {
  std::vector<Plugin> plugins;
  std::vector<std::string> problems;  ///< one sentence for each file that was refused, and for the folder
};
/// Every *.so of the folder, in the order of their names. An empty path loads nothing.
LoadedPlugins load_plugins(const std::filesystem::path& directory);

}  // namespace cardea::card::plugin
