#include "cli/api_access.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cstdlib>

#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "client/api_client.h"
#include "client/secret_text.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t largest_file = 1024 * 1024;
constexpr std::size_t longest_access_token = 4096;

std::string from_environment(const std::string& given, const char* name) {
  if (!given.empty()) return given;
  const char* const value = secure_getenv(name);
  return value == nullptr ? "" : value;
}

Result<SecretBytes> read_access_token(const std::string& file) {
  CARDEA_ASSIGN(Bytes bytes, read_file(file, longest_access_token));
  SecretBytes token{ByteView(bytes)};
  wipe(bytes);
  while (!token.empty() && (token.data()[token.size() - 1] == '\n' || token.data()[token.size() - 1] == '\r'))
    token.truncate(token.size() - 1);
  return token;
}

Result<std::unique_ptr<client::ApiClient>> open_client(const Context& context) {
  const ManagerOptions& options = context.options.manager;
  client::ClientSettings settings;
  settings.url = from_environment(options.url, "CARDEA_MANAGER");
  if (settings.url.empty())
    return failure(Code::arguments_bad,
                   "Which manager? Give --server https://HOST:PORT or set CARDEA_MANAGER; `cardea-manager init` wrote "
                   "a file of such settings.");
  settings.ca_file = from_environment(options.ca_file, "CARDEA_MANAGER_CA");
  settings.certificate = from_environment(options.certificate, "CARDEA_MANAGER_CERTIFICATE");
  settings.key = from_environment(options.key, "CARDEA_MANAGER_KEY");
  const std::string token_file = from_environment(options.access_token_file, "CARDEA_MANAGER_ACCESS_TOKEN_FILE");
  if (!token_file.empty()) {
    CARDEA_ASSIGN(settings.bearer, read_access_token(token_file));
  }
  auto opened = client::ApiClient::open(std::move(settings));
  if (!opened) return failure(opened.code(), describe(opened.error()) + ".");
  return opened;
}

Error unreachable(const Error& cause) {
  return failure(cause.code, fmt::format("The manager did not answer: {}. Check --server and --server-ca, and whether "
                                         "cardea-manager runs.",
                                         cause.detail));
}

std::string cell(const json::value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return printable(std::string_view(value.get_string()));
  if (value.is_array()) {
    std::string text;
    for (const json::value& item : value.get_array()) text += (text.empty() ? "" : ", ") + cell(item);
    return text;
  }
  return printable(json::serialize(value));
}

std::string query_of(const ListOptions& options) {
  std::string query;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) query += fmt::format("&{}={}", name, client::encode(value));
  };
  add("q", options.search);
  add("state", options.state);
  add("kind", options.kind);
  add("person", options.person);
  add("token", options.token);
  add("from", options.from);
  add("to", options.to);
  return query;
}

// All rows up to the limit, in pages that the manager allows.
Result<json::array> fetch_rows(Context& context, const std::string& path, const ListOptions& options) {
  constexpr std::size_t page_limit = 1000;
  json::array rows;
  std::string cursor;
  while (rows.size() < options.limit) {
    const char joint = path.find('?') == std::string::npos ? '?' : '&';
    std::string target = fmt::format("{}{}limit={}{}", path, joint, std::min(page_limit, options.limit - rows.size()),
                                     query_of(options));
    if (!cursor.empty()) target += "&cursor=" + client::encode(cursor);
    CARDEA_ASSIGN(const json::value page, ask_manager(context, "GET", target));
    const json::value* items = page.is_object() ? page.get_object().if_contains("items") : nullptr;
    if (items == nullptr || !items->is_array())
      return failure(Code::data_invalid, "The manager's answer is no list; do its version and cardea's differ?");
    for (const json::value& item : items->get_array()) rows.push_back(item);
    const json::value* next = page.get_object().if_contains("next");
    if (next == nullptr || !next->is_string()) break;
    cursor = next->get_string();
  }
  return rows;
}

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

// What the manager answers; `if_match` is an entity tag without its quotes, "*", or empty.
Result<ReadObject> ask(Context& context, std::string_view method, const std::string& path, std::string_view body,
                       const std::string& if_match = {}) {
  CARDEA_ASSIGN(const auto opened, open_client(context));
  std::vector<std::string> headers;
  if (!if_match.empty()) headers.push_back("If-Match: " + (if_match == "*" ? "*" : fmt::format("\"{}\"", if_match)));
  const auto answer = opened->call(method, path, body, headers);
  if (!answer) return unreachable(answer.error());
  if (!answer->good()) {
    const Error problem = client::to_error(*answer);
    return failure(problem.code, problem.detail);
  }
  if (answer->body.empty()) return ReadObject{path, nullptr, {}};
  auto value = answer->json();
  if (!value) return failure(value.code(), describe(value.error()) + ".");
  return ReadObject{path, std::move(*value), without_quotes(answer->etag)};
}

Status print_with_etag(Context& context, ReadObject answer) {
  if (!answer.etag.empty() && answer.value.is_object()) answer.value.get_object()["etag"] = answer.etag;
  return print_object(context, answer.value);
}

}  // namespace

Result<json::value> ask_manager(Context& context, std::string_view method, const std::string& path,
                                const std::optional<json::object>& body) {
  CARDEA_ASSIGN(ReadObject answer, ask(context, method, path, body ? json::serialize(*body) : std::string()));
  return std::move(answer.value);
}

Result<json::value> ask_manager_with_secret(Context& context, std::string_view method, const std::string& path,
                                            const json::object& body) {
  const SecretBytes text = client::secret_text(body);
  CARDEA_ASSIGN(ReadObject answer, ask(context, method, path, text_of(text.view())));
  return std::move(answer.value);
}

Result<ReadObject> read_object(Context& context, const std::string& path) {
  return ask(context, "GET", path, {});
}

void add_change_condition(const Command& command, ChangeCondition& condition) {
  command.text("--if-match", condition.etag,
               "only if it is still what `show` called by this etag; * whatever it is (default: what is there now)",
               "ETAG");
}

Status change_object(Context& context, std::string_view method, const ReadObject& read, const json::object& body,
                     const ChangeCondition& condition) {
  const std::string etag = condition.etag.empty() ? read.etag : without_quotes(condition.etag);
  auto answer = ask(context, method, read.path, json::serialize(body), etag);
  if (answer) return print_with_etag(context, std::move(*answer));
  if (answer.code() != Code::key_changed) return std::move(answer).error();
  return failure(Code::key_changed,
                 "Nothing was changed, because somebody else changed it after it was read. Look at what is there now "
                 "(`show` instead of `change` or `renew`), then run the command again if it is still meant.");
}

Status change_object(Context& context, std::string_view method, const std::string& path, const json::object& body,
                     const ChangeCondition& condition) {
  ReadObject read{path, nullptr, {}};
  if (condition.etag.empty()) {
    CARDEA_ASSIGN(read, read_object(context, path));
  }
  return change_object(context, method, read, body, condition);
}

Result<TextPiece> ask_manager_for_text(Context& context, const std::string& path) {
  CARDEA_ASSIGN(const auto opened, open_client(context));
  const auto answer = opened->call("GET", path);
  if (!answer) return unreachable(answer.error());
  if (!answer->good()) {
    const Error problem = client::to_error(*answer);
    return failure(problem.code, problem.detail);
  }
  return TextPiece{answer->body, answer->next};
}

void add_list_options(const Command& command, ListOptions& options, const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    if (name == "search") command.text("--search", options.search, "what names or numbers begin with", "TEXT");
    if (name == "state") command.text("--state", options.state, "only those in this state", "STATE");
    if (name == "kind") command.text("--kind", options.kind, "only those of this kind", "KIND");
    if (name == "person")
      command.text("--person", options.person, "only those of this person (name or number)", "PERSON");
    if (name == "token")
      command.text("--token", options.token, "only those of this token (serial number or number)", "TOKEN");
    if (name == "from") command.text("--from", options.from, "not before, as 2026-11-20T00:00:00Z", "TIME");
    if (name == "to") command.text("--to", options.to, "not after", "TIME");
  }
  command.number("--limit", options.limit, "most rows to show (default 200)", 1, 1'000'000);
}

Status print_list(Context& context, const std::string& path, const ListOptions& options,
                  const std::vector<Column>& columns) {
  ListOptions narrowed = options;
  if (!options.person.empty()) {
    CARDEA_ASSIGN(const auto id, find_person(context, options.person));
    narrowed.person = std::to_string(id);
  }
  if (!options.token.empty()) {
    CARDEA_ASSIGN(const auto id, find_token(context, options.token));
    narrowed.token = std::to_string(id);
  }
  CARDEA_ASSIGN(const json::array rows, fetch_rows(context, path, narrowed));
  if (context.options.json) return print_json({{"items", rows}});
  std::vector<std::string> headers;
  for (const Column& column : columns) headers.push_back(column.header);
  Table table(headers);
  for (const json::value& row : rows) {
    std::vector<std::string> cells;
    for (const Column& column : columns) {
      const json::value* value = row.is_object() ? row.get_object().if_contains(column.member) : nullptr;
      cells.push_back(value == nullptr ? "" : cell(*value));
    }
    table.row(std::move(cells));
  }
  return print(table.empty() ? "There is none.\n" : table.text());
}

Status print_object(Context& context, const json::value& value) {
  if (!value.is_object()) return context.options.json ? print_json({}) : print("Done.\n");
  if (context.options.json) return print_json(value.get_object());
  std::size_t width = 0;
  for (const auto& [name, member] : value.get_object()) width = std::max(width, name.size() + 1);
  std::string text;
  for (const auto& [name, member] : value.get_object()) {
    const std::string shown = cell(member);
    if (!shown.empty()) text += fmt::format("{:<{}} {}\n", std::string(name) + ":", width, shown);
  }
  return print(text);
}

Status show_object(Context& context, std::string_view method, const std::string& path,
                   const std::optional<json::object>& body) {
  CARDEA_ASSIGN(ReadObject answer, ask(context, method, path, body ? json::serialize(*body) : std::string()));
  return print_with_etag(context, std::move(answer));
}

Result<std::int64_t> find_id(Context& context, const std::string& path, std::string_view member,
                             const std::string& name) {
  std::int64_t id = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (failed == std::errc() && end == name.data() + name.size() && id > 0) return id;
  ListOptions options;
  options.search = name;
  options.limit = 1000;
  CARDEA_ASSIGN(const json::array rows, fetch_rows(context, path, options));
  for (const json::value& row : rows) {
    const json::value* value = row.is_object() ? row.get_object().if_contains(member) : nullptr;
    if (value != nullptr && value->is_string() && value->get_string() == name)
      return row.get_object().at("id").to_number<std::int64_t>();
  }
  return failure(Code::not_found,
                 fmt::format("There is no '{}' at the manager. The list command of its kind shows what "
                             "there is.",
                             printable(name)));
}

Result<std::int64_t> find_person(Context& context, const std::string& name) {
  return find_id(context, "/v1/persons", "name", name);
}

Result<std::int64_t> find_token(Context& context, const std::string& serial) {
  // Makers' serial numbers are often digits alone, and what is printed on the token comes before our own numbers.
  ListOptions options;
  options.search = serial;
  options.limit = 1000;
  CARDEA_ASSIGN(const json::array rows, fetch_rows(context, "/v1/tokens", options));
  for (const json::value& row : rows) {
    const json::value* value = row.is_object() ? row.get_object().if_contains("serial") : nullptr;
    if (value != nullptr && value->is_string() && value->get_string() == serial)
      return row.get_object().at("id").to_number<std::int64_t>();
  }
  return find_id(context, "/v1/tokens", "serial", serial);
}

std::string text_of_member(const json::value& object, std::string_view name) {
  const json::value* const value = object.is_object() ? object.get_object().if_contains(name) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<json::object> read_json_file(const std::string& file) {
  CARDEA_ASSIGN(const Bytes bytes, read_file(file, largest_file));
  json::error_code failed;
  const json::value value = json::parse(text_of(bytes), failed);
  if (failed || !value.is_object())
    return failure(Code::data_invalid, fmt::format("{} is not one JSON object{}.", printable(file),
                                                   failed ? ": " + failed.message() : std::string()));
  return value.get_object();
}

Result<json::object> read_pairs(const std::vector<std::string>& words) {
  json::object object;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      return failure(Code::arguments_bad, fmt::format("'{}' is not NAME=VALUE.", printable(word)));
    object[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return object;
}

void put_text(json::object& object, std::string_view name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

}  // namespace cardea::cli
