#include "plugin/loader.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>

namespace cardea::card::plugin {
namespace {

constexpr std::size_t longest_text = 64;

std::string printable(const char* text) {
  std::string out;
  for (; *text != '\0' && out.size() < longest_text; ++text) {
    out.push_back(*text >= ' ' && *text < 0x7f ? *text : '?');
  }
  return out;
}

bool is_complete(const cardea_plugin& table) {
  return table.name != nullptr && table.version != nullptr && table.acquire_context != nullptr &&
         table.delete_context != nullptr && table.select != nullptr && table.query_capabilities != nullptr &&
         table.query_free_space != nullptr && table.get_property != nullptr && table.read_file != nullptr &&
         table.enumerate_files != nullptr && table.get_container_info != nullptr && table.get_public_key != nullptr &&
         table.authenticate_pin != nullptr && table.sign != nullptr;
}

// A plug-in's initialisers and its entry function are its author's code.
Result<const cardea_plugin*> table_of(void* library, const std::filesystem::path& file) {
  const auto entry = reinterpret_cast<cardea_plugin_entry>(::dlsym(library, CARDEA_PLUGIN_ENTRY));
  if (entry == nullptr) {
    return error(Code::data_invalid, fmt::format("{} has no function {}", file.string(), CARDEA_PLUGIN_ENTRY));
  }
  try {
    return entry(CARDEA_PLUGIN_ABI_VERSION);
  } catch (...) {
    return error(Code::data_invalid, fmt::format("{} threw an exception", file.string()));
  }
}

}  // namespace

Result<Plugin> check_table(const cardea_plugin* table, const std::filesystem::path& file) {
  if (table == nullptr) {
    return error(Code::function_not_supported, fmt::format("{} does not work with this version", file.string()));
  }
  if (table->abi_version >> 16 != CARDEA_PLUGIN_ABI_MAJOR) {
    return error(Code::function_not_supported, fmt::format("{} has interface version {}, not {}", file.string(),
                                                           table->abi_version >> 16, CARDEA_PLUGIN_ABI_MAJOR));
  }
  // Version 1.0 ended with destroy_dh_agreement; a table that ends before was cut off.
  constexpr std::size_t first_size = offsetof(cardea_plugin, destroy_dh_agreement) + sizeof(void*);
  if (table->size < first_size) {
    return error(Code::data_invalid, fmt::format("the table of {} is too short", file.string()));
  }
  Plugin plugin;
  std::memcpy(&plugin.table, table, std::min<std::size_t>(table->size, sizeof plugin.table));
  if (!is_complete(plugin.table)) {
    return error(Code::data_invalid, fmt::format("the table of {} lacks a necessary function", file.string()));
  }
  plugin.name = printable(plugin.table.name);
  plugin.version = printable(plugin.table.version);
  plugin.file = file;
  return plugin;
}

Result<Plugin> load_plugin(const std::filesystem::path& file) {
  CARDEA_ASSIGN(const std::filesystem::path real, trusted_path(file));
  std::error_code failure;
  if (!std::filesystem::is_regular_file(real, failure)) {
    return error(Code::data_invalid, fmt::format("{} is no file", real.string()));
  }
  void* const library = ::dlopen(real.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = ::dlerror();
    return error(Code::data_invalid, reason != nullptr ? reason : real.string());
  }
  CARDEA_ASSIGN(const cardea_plugin* const table, table_of(library, real));
  return check_table(table, real);
}

LoadedPlugins load_plugins(const std::filesystem::path& directory) {
  LoadedPlugins loaded;
  if (directory.empty()) return loaded;
  const Result<std::filesystem::path> trusted = trusted_path(directory);
  if (!trusted) {
    loaded.problems.push_back(fmt::format("No card plug-ins are loaded: {}.", describe(trusted.error())));
    return loaded;
  }
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (std::filesystem::directory_iterator at(*trusted, failure), end; !failure && at != end; at.increment(failure)) {
    if (at->path().extension() == ".so") files.push_back(at->path());
  }
  if (failure) {
    loaded.problems.push_back(fmt::format("No card plug-ins are loaded: {} cannot be read.", trusted->string()));
  }
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    Result<Plugin> plugin = load_plugin(file);
    if (plugin) {
      loaded.plugins.push_back(std::move(*plugin));
    } else {
      loaded.problems.push_back(
          fmt::format("The card plug-in {} is not loaded: {}.", file.string(), describe(plugin.error())));
    }
  }
  return loaded;
}

}  // namespace cardea::card::plugin
