#include "daemon/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

// As base/config.cc: the parser asserts what a file may well break, and reports it as an error afterwards.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = 1024 * 1024;

// One table of the file. The first mistake is kept; what is wrong is never used.
class Section {
 public:
  Section(const toml::table& root, std::string_view name, std::optional<Error>& mistake, const fs::path& file)
      : name_(name), mistake_(mistake), file_(file) {
    const toml::node* node = root.get(name);
    if (node == nullptr) return;
    table_ = node->as_table();
    if (table_ == nullptr) refuse(*node, fmt::format("[{}] must be a table", name));
  }
  // What nobody asked for is a slip of the pen, and would otherwise be a setting that silently does nothing.
  ~Section() {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      if (!asked_.contains(std::string(key.str())))
        refuse(node, fmt::format("'{}' is not known in [{}]", key.str(), name_));
    }
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  void text(std::string_view key, std::string& place) {
    if (const toml::node* node = find(key)) {
      if (const auto* value = node->as_string()) {
        place = value->get();
      } else {
        refuse(*node, fmt::format("'{}' must be a text", key));
      }
    }
  }
  void path(std::string_view key, fs::path& place) {
    std::string value;
    text(key, value);
    if (!value.empty()) place = fs::path(value).is_absolute() ? fs::path(value) : file_.parent_path() / value;
  }
  void flag(std::string_view key, bool& place) {
    if (const toml::node* node = find(key)) {
      if (const auto* value = node->as_boolean()) {
        place = value->get();
      } else {
        refuse(*node, fmt::format("'{}' must be true or false", key));
      }
    }
  }
  template <class T>
  void number(std::string_view key, T& place, std::int64_t least, std::int64_t most) {
    if (const toml::node* node = find(key)) {
      const auto* value = node->as_integer();
      if (value != nullptr && value->get() >= least && value->get() <= most) {
        place = static_cast<T>(value->get());
      } else {
        refuse(*node, fmt::format("'{}' must be a whole number from {} to {}", key, least, most));
      }
    }
  }
  void seconds(std::string_view key, std::chrono::seconds& place, std::int64_t least, std::int64_t most) {
    std::int64_t count = place.count();
    number(key, count, least, most);
    place = std::chrono::seconds(count);
  }
  void paths(std::string_view key, std::vector<fs::path>& place) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return refuse(*node, fmt::format("'{}' must be a list of texts", key));
    for (const toml::node& item : *array) {
      const auto* value = item.as_string();
      if (value == nullptr) return refuse(item, fmt::format("'{}' must be a list of texts", key));
      place.push_back(fs::path(value->get()).is_absolute() ? fs::path(value->get())
                                                           : file_.parent_path() / value->get());
    }
  }
  /// The index of the word.
  std::optional<std::size_t> word(std::string_view key, std::initializer_list<std::string_view> words) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    const auto* value = node->as_string();
    std::string known;
    std::size_t index = 0;
    for (const std::string_view one : words) {
      if (value != nullptr && value->get() == one) return index;
      known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", one);
      ++index;
    }
    refuse(*node, fmt::format("'{}' must be one of {}", key, known));
    return std::nullopt;
  }
  void refuse(std::string_view key, const std::string& sentence) {
    if (const toml::node* node = table_ == nullptr ? nullptr : table_->get(key)) refuse(*node, sentence);
  }

 private:
  const toml::node* find(std::string_view key) {
    asked_.emplace(key);
    return table_ == nullptr ? nullptr : table_->get(key);
  }
  void refuse(const toml::node& node, const std::string& sentence) {
    if (mistake_) return;
    mistake_ =
        error(Code::arguments_bad, fmt::format("{}, line {}: {}", file_.string(), node.source().begin.line, sentence));
  }

  std::string_view name_;
  std::optional<Error>& mistake_;
  const fs::path& file_;
  const toml::table* table_ = nullptr;
  std::set<std::string> asked_;
};

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "manager";
}

void read_server(Section& section, DaemonSettings& settings) {
  http::ServerSettings& server = settings.server;
  section.text("address", server.address);
  section.number("port", server.port, 0, 65535);
  section.path("certificate", server.certificate_file);
  section.path("key", server.key_file);
  section.paths("client_cas", settings.client_ca_files);
  section.flag("trust_own_cas", settings.trust_own_cas);
  section.number("threads", server.threads, 0, 1024);
  section.number("max_connections", server.limits.connections, 1, 1'000'000);
  section.seconds("header_seconds", server.limits.header, 1, 3600);
  section.seconds("body_seconds", server.limits.body, 1, 3600);
  section.seconds("idle_seconds", server.limits.idle, 1, 3600);
  section.seconds("drain_seconds", settings.drain, 0, 3600);
}

void read_published(Section& section, DaemonSettings& settings) {
  section.flag("enabled", settings.server.plain);
  section.text("address", settings.server.plain_address);
  section.number("port", settings.server.plain_port, 0, 65535);
  section.text("url", settings.public_url);
  while (settings.public_url.ends_with('/')) settings.public_url.pop_back();
  if (!settings.public_url.empty() && !settings.public_url.starts_with("http://"))
    section.refuse("url",
                   "'url' must begin with http://: certificates name it, and whoever checks them cannot need "
                   "another check for that");
}

// How often may be tried in vain: <what>_of_one, <what>_of_all, <what>_seconds.
void read_attempts(Section& section, std::string_view what, http::AttemptLimit::Bounds& bounds) {
  // Each attempt looks through those before it.
  constexpr std::int64_t most = 100'000;
  section.number(fmt::format("{}_of_one", what), bounds.of_one, 1, most);
  section.number(fmt::format("{}_of_all", what), bounds.of_all, 1, most);
  section.seconds(fmt::format("{}_seconds", what), bounds.window, 1, 86'400);
}

void read_log(Section& section, DaemonSettings& settings) {
  if (const auto level = section.word("level", {"debug", "info", "warning", "error"}))
    settings.log.level = static_cast<LogLevel>(*level);
  if (const auto format = section.word("format", {"text", "json"})) settings.log.json = *format == 1;
  section.path("file", settings.log.file);
  section.number("file_bytes", settings.log.file_bytes, 4096, 1LL << 40);
  section.number("files", settings.log.files, 1, 1000);
}

void check_sections(const toml::table& root, std::optional<Error>& mistake, const fs::path& file) {
  constexpr std::string_view known[] = {"manager",  "server", "published",   "agents",
                                        "database", "keys",   "attestation", "log"};
  for (const auto& [key, node] : root) {
    if (std::find(std::begin(known), std::end(known), key.str()) != std::end(known) || mistake) continue;
    mistake = error(Code::arguments_bad, fmt::format("{}, line {}: '{}' is no section of this file", file.string(),
                                                     node.source().begin.line, key.str()));
  }
}

void read_sections(const toml::table& root, DaemonSettings& settings, std::optional<Error>& mistake) {
  const fs::path& file = settings.file;
  check_sections(root, mistake, file);
  {
    Section section(root, "manager", mistake, file);
    section.path("data_directory", settings.data_directory);
    section.text("name", settings.name);
    section.seconds("housekeeping_seconds", settings.housekeeping, 1, 86400);
  }
  {
    Section section(root, "server", mistake, file);
    read_server(section, settings);
  }
  {
    Section section(root, "published", mistake, file);
    read_published(section, settings);
  }
  {
    Section section(root, "agents", mistake, file);
    section.number("max_sessions", settings.server.limits.device_sessions, -1, 1'000'000);
    // No shorter than the lease that keeps a job from other agents.
    section.seconds("session_seconds", settings.session_lasts, 900, 30 * 86400);
    read_attempts(section, "wrong_codes", settings.wrong_codes);
    read_attempts(section, "refused_contacts", settings.refused_contacts);
  }
  {
    Section section(root, "database", mistake, file);
    section.text("database", settings.database);
    section.number("readers", settings.database_readers, 1, 1000);
  }
  {
    Section section(root, "keys", mistake, file);
    section.text("module", settings.keys.module);
    section.text("token", settings.keys.token);
    section.text("pin_source", settings.keys.pin_source);
  }
  {
    Section section(root, "attestation", mistake, file);
    section.paths("piv_roots", settings.piv_roots);
    section.paths("tpm_roots", settings.tpm_roots);
  }
  Section section(root, "log", mistake, file);
  read_log(section, settings);
}

void fill_defaults(DaemonSettings& settings) {
  const fs::path& data = settings.data_directory;
  if (settings.name.empty()) settings.name = host_name();
  if (settings.server.certificate_file.empty()) settings.server.certificate_file = data / "server.pem";
  if (settings.server.key_file.empty()) settings.server.key_file = data / "server.key";
  if (settings.database.empty()) settings.database = "sqlite:" + (data / "manager.db").string();
  if (settings.keys.token.empty()) settings.keys.token = "cardea-manager";
  if (settings.keys.pin_source.empty()) settings.keys.pin_source = (data / "key-token.pin").string();
}

}  // namespace

Result<DaemonSettings> parse_settings(std::string_view text, const fs::path& file) {
  DaemonSettings settings;
  settings.file = file;
  settings.data_directory = "/var/lib/cardea-manager";
  settings.server.plain = true;
  settings.public_url = "http://127.0.0.1:8080";
  const toml::parse_result parsed = toml::parse(text, file.string());
  if (!parsed)
    return error(Code::arguments_bad, fmt::format("{}, line {}: {}", file.string(), parsed.error().source().begin.line,
                                                  parsed.error().description()));
  std::optional<Error> mistake;
  read_sections(parsed.table(), settings, mistake);
  if (mistake) return std::move(*mistake);
  fill_defaults(settings);
  return settings;
}

Result<DaemonSettings> read_settings(const fs::path& file) {
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(file, failed);
  if (failed)
    return error(
        failed == std::errc::no_such_file_or_directory ? Code::not_found : Code::permission_denied,
        fmt::format("{} cannot be read: {}; `cardea-manager init` makes one", file.string(), failed.message()));
  if (size > largest_file) return error(Code::arguments_bad, fmt::format("{} is no settings file", file.string()));
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return error(Code::permission_denied, fmt::format("{} cannot be read", file.string()));
  std::error_code ignored;
  const fs::path whole = fs::absolute(file, ignored);
  return parse_settings(text.str(), ignored ? file : whole);
}

std::vector<std::string_view> sections_for_restart(const DaemonSettings& running, const DaemonSettings& wanted) {
  const http::ServerSettings& now = running.server;
  // What a reload takes, and what has a section of its own, does not count for the server's.
  http::ServerSettings then = wanted.server;
  then.certificate_file = now.certificate_file;
  then.key_file = now.key_file;
  then.client_ca_pems = now.client_ca_pems;
  then.plain = now.plain;
  then.plain_address = now.plain_address;
  then.plain_port = now.plain_port;
  then.limits.device_sessions = now.limits.device_sessions;
  std::vector<std::string_view> sections;
  const auto differ = [&](std::string_view section, bool same) {
    if (!same) sections.push_back(section);
  };
  differ("manager", running.data_directory == wanted.data_directory && running.name == wanted.name &&
                        running.housekeeping == wanted.housekeeping);
  differ("server", then == now && running.drain == wanted.drain);
  differ("published", now.plain == wanted.server.plain && now.plain_address == wanted.server.plain_address &&
                          now.plain_port == wanted.server.plain_port && running.public_url == wanted.public_url);
  differ("agents", now.limits.device_sessions == wanted.server.limits.device_sessions &&
                       running.session_lasts == wanted.session_lasts && running.wrong_codes == wanted.wrong_codes &&
                       running.refused_contacts == wanted.refused_contacts);
  differ("database", running.database == wanted.database && running.database_readers == wanted.database_readers);
  differ("keys", running.keys == wanted.keys);
  differ("attestation", running.piv_roots == wanted.piv_roots && running.tpm_roots == wanted.tpm_roots);
  differ("log", running.log == wanted.log);
  return sections;
}

}  // namespace cardea::manager
