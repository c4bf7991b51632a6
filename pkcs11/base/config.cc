#include "base/config.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

// The parser asserts what a file may well break ("[;]") and reports the same a few lines later as an error. An
// assertion would end the host; with NDEBUG clang is told to take its truth for granted, which is worse.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace cardea {
namespace {

namespace fs = std::filesystem;

// Cost of the PIN derivation, chosen by measurement: about 50 ms on a 3 GHz server core. Memory stays at 19 MiB, so
// that a process that logs in does not grow beyond what the keystore needs anyway; passes make up for it (RFC 9106, 4).
constexpr PinCost default_pin_cost{.memory_kib = 19 * 1024, .iterations = 5, .lanes = 1};

// A setting beyond these is a slip of the pen, and would make every login hang or fail.
constexpr std::int64_t longest_pin = 1024;
constexpr std::int64_t longest_tpm_answer = 3600;  // seconds
constexpr std::int64_t most_retries = 1'000'000;
constexpr std::int64_t most_memory_kib = 4 * 1024 * 1024;
constexpr std::int64_t most_iterations = 10'000;
constexpr std::int64_t most_lanes = 64;
constexpr std::uintmax_t largest_config_file = 1024 * 1024;

/// A variable of the environment; none when unset, empty, or the process runs with another user's rights.
std::optional<std::string> environment(const char* name) {
  const char* const value = secure_getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

/// XDG Base Directory Specification: a relative path in these variables is to be ignored.
std::optional<fs::path> xdg_directory(const char* name) {
  const auto value = environment(name);
  if (!value || !fs::path(*value).is_absolute()) return std::nullopt;
  return fs::path(*value);
}

fs::path user_directory() {
  if (const auto home = environment("HOME")) return *home;
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_dir;
  return "/";
}

fs::path absolute(const fs::path& path) {
  std::error_code failed;
  fs::path result = fs::absolute(path, failed);
  return failed ? path : result;
}

fs::path home_directory() {
  if (const auto home = environment("CARDEA_HOME")) return absolute(*home);
  if (const auto data = xdg_directory("XDG_DATA_HOME")) return *data / "cardea";
  return user_directory() / ".local" / "share" / "cardea";
}

fs::path cache_directory() {
  return xdg_directory("XDG_CACHE_HOME").value_or(user_directory() / ".cache") / "cardea";
}

fs::path runtime_directory() {
  if (const auto runtime = xdg_directory("XDG_RUNTIME_DIR")) return *runtime / "cardea";
  return fs::path("/tmp") / ("cardea-" + std::to_string(geteuid()));
}

/// The file to read; empty when there is none. A file that CARDEA_CONF names must be there.
fs::path config_path() {
  if (const auto named = environment("CARDEA_CONF")) return absolute(*named);
  const fs::path user = xdg_directory("XDG_CONFIG_HOME").value_or(user_directory() / ".config") / "cardea/cardea.toml";
  for (const fs::path& candidate : {user, fs::path("/etc/cardea/cardea.toml")}) {
    std::error_code failed;
    if (fs::exists(candidate, failed)) return candidate;
  }
  return {};
}

/// Takes settings out of one table and remembers what nobody asked for.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string name, Settings& settings)
      : table_(table), name_(std::move(name)), settings_(settings) {}

  template <class T>
  void number(std::string_view key, T& target, std::int64_t least, std::int64_t most) {
    const toml::node* const node = take(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value) return problem(*node, key, "must be a whole number");
    if (*value < least || *value > most) {
      return problem(*node, key, "must be from " + std::to_string(least) + " to " + std::to_string(most));
    }
    target = static_cast<T>(*value);
  }

  void flag(std::string_view key, bool& target) {
    const toml::node* const node = take(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) return problem(*node, key, "must be true or false");
    target = *value;
  }

  void text(std::string_view key, std::string& target) {
    const toml::node* const node = take(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) return problem(*node, key, "must be a text in quotes");
    target = *value;
  }

  void path(std::string_view key, fs::path& target) {
    const toml::node* const node = take(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value || !fs::path(*value).is_absolute()) return problem(*node, key, "must be an absolute path in quotes");
    target = *value;
  }

  /// One of the given words; the index of that which stands there.
  std::optional<std::size_t> choice(std::string_view key, std::initializer_list<std::string_view> words) {
    const toml::node* const node = take(key);
    if (node == nullptr) return std::nullopt;
    const auto value = node->value_exact<std::string>();
    const auto found = value ? std::find(words.begin(), words.end(), *value) : words.end();
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::string all;
    for (const std::string_view word : words) all += (all.empty() ? "\"" : ", \"") + std::string(word) + "\"";
    problem(*node, key, "must be one of " + all);
    return std::nullopt;
  }

  void texts(std::string_view key, std::vector<std::string>& target) {
    const toml::node* const node = take(key);
    if (node == nullptr) return;
    const toml::array* const values = node->as_array();
    std::vector<std::string> read;
    if (values != nullptr) {
      for (const toml::node& value : *values) {
        if (const auto text = value.value_exact<std::string>()) read.push_back(*text);
      }
    }
    if (values == nullptr || read.size() != values->size()) {
      return problem(*node, key, "must be a list of texts in quotes");
    }
    target = std::move(read);
  }

  /// A table inside this one; null when absent or no table.
  const toml::table* table(std::string_view key) {
    const toml::node* const node = take(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) problem(*node, key, "must be a table");
    return node->as_table();
  }

  void report_unknown() {
    for (const auto& [key, node] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
        problem(node, key.str(), "is no setting of this version");
      }
    }
  }

  void problem(const toml::node& node, std::string_view key, std::string_view reason) {
    const auto line = node.source().begin.line;
    settings_.problems.push_back(settings_.config_file.string() + ":" + std::to_string(line) + ": " + qualified(key) +
                                 " " + std::string(reason));
  }

 private:
  std::string qualified(std::string_view key) const {
    return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  }

  const toml::node* take(std::string_view key) {
    known_.push_back(key);
    return table_.get(key);
  }

  const toml::table& table_;
  std::string name_;
  Settings& settings_;
  std::vector<std::string_view> known_;
};

void read_pin_cost(const toml::table& table, Settings& settings) {
  TableReader reader(table, "keystore.pin_cost", settings);
  PinCost cost = default_pin_cost;
  reader.number("memory_kib", cost.memory_kib, 8, most_memory_kib);
  reader.number("iterations", cost.iterations, 1, most_iterations);
  reader.number("lanes", cost.lanes, 1, most_lanes);
  reader.report_unknown();
  // RFC 9106, 3.1: the memory must be at least eight blocks a lane.
  if (cost.memory_kib < 8 * cost.lanes) return reader.problem(table, "memory_kib", "must be at least 8 times lanes");
  settings.keystore.pin_cost = cost;
}

void read_keystore(const toml::table& table, Settings& settings) {
  TableReader reader(table, "keystore", settings);
  KeystoreSettings& keystore = settings.keystore;
  const KeystoreSettings defaults = keystore;
  reader.flag("enabled", keystore.enabled);
  reader.number("min_pin_length", keystore.min_pin_length, 1, longest_pin);
  reader.number("max_pin_length", keystore.max_pin_length, 1, longest_pin);
  reader.number("retry_limit", keystore.retry_limit, 0, most_retries);
  reader.number("so_retry_limit", keystore.so_retry_limit, 0, most_retries);
  if (const toml::table* const cost = reader.table("pin_cost")) read_pin_cost(*cost, settings);
  reader.report_unknown();
  if (keystore.min_pin_length > keystore.max_pin_length) {
    reader.problem(table, "min_pin_length", "must not be greater than max_pin_length");
    keystore.min_pin_length = defaults.min_pin_length;
    keystore.max_pin_length = defaults.max_pin_length;
  }
}

void read_card(const toml::table& table, Settings& settings) {
  TableReader reader(table, "card", settings);
  CardSettings& card = settings.card;
  reader.flag("enabled", card.enabled);
  reader.texts("ignore_readers", card.ignore_readers);
  reader.flag("cache", card.cache);
  reader.path("plugin_directory", card.plugin_directory);
  reader.path("admin_key_file", card.admin_key_file);
  if (reader.choice("admin_key", {"factory"})) card.factory_admin_key = true;
  reader.report_unknown();
}

void read_tpm(const toml::table& table, Settings& settings) {
  TableReader reader(table, "tpm", settings);
  TpmSettings& tpm = settings.tpm;
  const TpmSettings defaults = tpm;
  reader.flag("enabled", tpm.enabled);
  reader.text("tcti", tpm.tcti);
  reader.path("state_directory", tpm.state_directory);
  reader.path("hierarchy_auth_file", tpm.hierarchy_auth_file);
  reader.path("endorsement_auth_file", tpm.endorsement_auth_file);
  reader.flag("protect_bus", tpm.protect_bus);
  reader.number("timeout_seconds", tpm.timeout_seconds, 1, longest_tpm_answer);
  reader.number("min_pin_length", tpm.min_pin_length, 1, longest_pin);
  reader.number("max_pin_length", tpm.max_pin_length, 1, longest_pin);
  reader.report_unknown();
  if (tpm.min_pin_length > tpm.max_pin_length) {
    reader.problem(table, "min_pin_length", "must not be greater than max_pin_length");
    tpm.min_pin_length = defaults.min_pin_length;
    tpm.max_pin_length = defaults.max_pin_length;
  }
}

void read_tables(const toml::table& root, Settings& settings) {
  TableReader reader(root, "", settings);
  if (const toml::table* const keystore = reader.table("keystore")) read_keystore(*keystore, settings);
  if (const toml::table* const card = reader.table("card")) read_card(*card, settings);
  if (const toml::table* const tpm = reader.table("tpm")) read_tpm(*tpm, settings);
  if (const toml::table* const trace = reader.table("trace")) {
    TableReader trace_reader(*trace, "trace", settings);
    trace_reader.path("file", settings.trace_file);
    trace_reader.report_unknown();
  }
  reader.report_unknown();
}

/// The line of the first character beyond ASCII that stands outside quotes and comments; 0 when there is none. The
/// parser's tables call some of them impossible there and do anything when they come ("5\u00e4"). Quotes of several
/// lines are not looked into, so beside such characters they count as well.
std::size_t line_of_stray_letter(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto beyond_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::none_of(text.begin(), text.end(), beyond_ascii)) return 0;
  std::size_t line = 1;
  char inside = 0;  // the quote, or '#'
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '\n' && c <= '\r') {
      line += c == '\n' ? 1 : 0;
      inside = 0;
    } else if (inside == 0) {
      const std::string_view rest = text.substr(i);
      if (beyond_ascii(c) || rest.starts_with("\"\"\"") || rest.starts_with("'''")) return line;
      if (c == '"' || c == '\'' || c == '#') inside = c;
    } else if (c == '\\' && inside == '"' && i + 1 < text.size() && text[i + 1] >= ' ') {
      ++i;
    } else if (c == inside && c != '#') {
      inside = 0;
    }
  }
  return 0;
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

void read_file(Settings& settings) {
  const auto complain = [&](const std::string& reason) {
    settings.problems.push_back(settings.config_file.string() + ": cannot be read: " + reason);
  };
  if (settings.config_file == "/dev/null") return;  // how people say: no settings
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(settings.config_file, failed);
  if (failed) return complain(failed.message());
  if (size > largest_config_file) return complain("it is larger than 1 MiB");
  const FilePtr file(std::fopen(settings.config_file.c_str(), "rbe"));
  if (!file) return complain(std::strerror(errno));
  std::string text(static_cast<std::size_t>(size), '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return complain(std::strerror(errno));
  if (const std::size_t line = line_of_stray_letter(text); line != 0) {
    settings.problems.push_back(settings.config_file.string() + ":" + std::to_string(line) +
                                ": characters beyond ASCII stand only in quotes of one line and in comments; the whole "
                                "file is ignored");
    return;
  }
  const toml::parse_result parsed = toml::parse(text, settings.config_file.string());
  if (parsed) return read_tables(parsed.table(), settings);
  const toml::parse_error& error = parsed.error();
  settings.problems.push_back(settings.config_file.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                              std::string(error.description()) + "; the whole file is ignored");
}

}  // namespace

Settings load_settings() {
  Settings settings;
  settings.home = home_directory();
  settings.cache_directory = cache_directory();
  settings.runtime_directory = runtime_directory();
  settings.keystore.pin_cost = default_pin_cost;
  settings.config_file = config_path();
  if (!settings.config_file.empty()) read_file(settings);
  if (const auto trace = environment("CARDEA_TRACE")) settings.trace_file = absolute(*trace);
  return settings;
}

std::string default_config_text() {
  const KeystoreSettings keystore;
  const TpmSettings tpm;
  const auto line = [](std::string_view key, std::uint64_t value) {
    return "# " + std::string(key) + " = " + std::to_string(value) + "\n";
  };
  return "# Settings of Cardea. Every line that starts with '#' shows a default; remove the '#' to change it.\n"
         "# Looked for in $CARDEA_CONF, $XDG_CONFIG_HOME/cardea/cardea.toml, /etc/cardea/cardea.toml; the first "
         "counts.\n"
         "\n"
         "[keystore]\n"
         "# Whether software keystore tokens are offered.\n"
         "# enabled = true\n"
         "# PIN lengths in bytes and wrong tries before a PIN is locked (0: never). A token keeps what was set here "
         "when it\n"
         "# was initialised.\n" +
         line("min_pin_length", keystore.min_pin_length) + line("max_pin_length", keystore.max_pin_length) +
         line("retry_limit", static_cast<std::uint64_t>(keystore.retry_limit)) +
         line("so_retry_limit", static_cast<std::uint64_t>(keystore.so_retry_limit)) +
         "\n"
         "# Cost of deriving a key from a PIN (Argon2id). The default takes about 50 ms; a PIN set later uses a new "
         "value.\n"
         "[keystore.pin_cost]\n" +
         line("memory_kib", default_pin_cost.memory_kib) + line("iterations", default_pin_cost.iterations) +
         line("lanes", default_pin_cost.lanes) +
         "\n"
         "[card]\n"
         "# Whether cards and tokens in PC/SC readers are offered.\n"
         "# enabled = true\n"
         "# Readers that are left alone, by name; * and ? stand for any characters and any one.\n"
         "# ignore_readers = [\"*Contactless*\"]\n"
         "# Whether certificates and public keys of a card are remembered under $XDG_CACHE_HOME/cardea until it is "
         "pulled.\n"
         "# cache = true\n"
         "# Card modules of vendors: a directory that only its owner and root can write. None are loaded without it.\n"
         "# plugin_directory = \"/usr/lib/cardea/cards\"\n"
         "# Who is logged in as user may write keys and certificates where the administrator's key is known: from a "
         "file\n"
         "# (hexadecimal digits), or the one that all cards of the kind have when they are new.\n"
         "# admin_key_file = \"/etc/cardea/admin-key\"\n"
         "# admin_key = \"factory\"\n"
         "\n"
         "[tpm]\n"
         "# Whether virtual smart cards in the TPM are offered, and how the TPM is reached (tss2-tctildr(7)).\n"
         "# enabled = true\n"
         "# tcti = \"device:/dev/tpmrm0\"\n"
         "# Where their state is kept, one directory a card; by default the directory tpm beside the keystore's "
         "tokens.\n"
         "# state_directory = \"/var/lib/cardea/tpm\"\n"
         "# A file with the authorisation of the TPM's owner hierarchy, where it has one.\n"
         "# hierarchy_auth_file = \"/etc/cardea/tpm-owner\"\n"
         "# The same for its endorsement hierarchy, which attestation needs.\n"
         "# endorsement_auth_file = \"/etc/cardea/tpm-endorsement\"\n"
         "# Whether keys are used in a way that shows nothing to who listens between processor and TPM. Each use then "
         "takes\n"
         "# two commands instead of one.\n"
         "# protect_bus = false\n"
         "# For how many seconds a TPM behind a socket may think about an answer, ten times as long about a new "
         "key.\n" +
         line("timeout_seconds", tpm.timeout_seconds) + "# PIN lengths in bytes.\n" +
         line("min_pin_length", tpm.min_pin_length) + line("max_pin_length", tpm.max_pin_length) +
         "\n"
         "[trace]\n"
         "# A file that gets one line for every call, without secrets. CARDEA_TRACE in the environment comes first.\n"
         "# file = \"/tmp/cardea.trace\"\n";
}

}  // namespace cardea
