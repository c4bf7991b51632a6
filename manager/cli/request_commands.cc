// request, job and archive: what is wanted, how far it is, and keys that come back.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "base/wiping_memory.h"
#include "cli/api_access.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

struct RequestOptions {
  std::string kind;
  std::string person;
  std::string profile;
  std::string token;
  std::string reason;
  std::string parameters;
};

Status create_request(Context& context, const RequestOptions& options) {
  json::object body{{"kind", options.kind}};
  CARDEA_ASSIGN(body["person"], find_person(context, options.person));
  put_text(body, "profile", options.profile);
  put_text(body, "reason", options.reason);
  if (!options.token.empty()) {
    CARDEA_ASSIGN(body["token"], find_token(context, options.token));
  }
  if (!options.parameters.empty()) {
    CARDEA_ASSIGN(body["parameters"], read_json_file(options.parameters));
  }
  return show_object(context, "POST", "/v1/requests", body);
}

struct NumberOptions {
  std::size_t number = 0;
  std::string comment;
  std::string directory;
};

Status decide(Context& context, const NumberOptions& options, std::string_view what) {
  json::object body;
  put_text(body, "comment", options.comment);
  return show_object(context, "POST", fmt::format("/v1/requests/{}/{}", options.number, what), body);
}

Status make_code(Context& context, const NumberOptions& options) {
  CARDEA_ASSIGN(const json::value answer,
                ask_manager(context, "POST", fmt::format("/v1/requests/{}/code", options.number), json::object{}));
  if (context.options.json) return print_object(context, answer);
  const std::string code = text_of_member(answer, "code");
  if (code.empty()) return failure(Code::data_invalid, "The manager's answer is not understood.");
  return print(code + "\n");
}

// Names come from certificates: nothing in them may lead out of the directory. The request's number keeps the keys of
// another recovery, whose passwords were shown once, from being overwritten.
std::string file_name(std::size_t request, std::size_t number, std::string_view name) {
  std::string safe;
  for (const char letter : name) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '-';
    safe += plain ? letter : '_';
  }
  return fmt::format("{}-{:02}-{}.p12", request, number, safe.substr(0, 64));
}

Status recover(Context& context, const NumberOptions& options) {
  // The keys are shown once: what could not be written would take another request and two approvals.
  if (!context.options.json) CARDEA_TRY(check_output(options.directory + "/" + file_name(options.number, 1, "key")));
  CARDEA_ASSIGN(const json::value answer,
                ask_manager(context, "POST", fmt::format("/v1/requests/{}/recover", options.number), json::object{}));
  if (context.options.json) return print_object(context, answer);
  if (!answer.is_object()) return failure(Code::data_invalid, "The manager's answer is not understood.");
  const json::value* list = answer.get_object().if_contains("identities");
  std::size_t number = 0;
  for (const json::value& one : list != nullptr && list->is_array() ? list->get_array() : json::array{}) {
    const auto bytes = x509::from_base64(text_of_member(one, "pkcs12"));
    if (!bytes) return failure(bytes.code(), "The manager's answer is not understood.");
    const std::string file =
        fmt::format("{}/{}", options.directory, file_name(options.number, ++number, text_of_member(one, "name")));
    CARDEA_TRY(write_output(file, *bytes, FileMode::secret));
    CARDEA_TRY(print(fmt::format("{}  password: {}\n", file, text_of_member(one, "password"))));
  }
  const json::value* left_out = answer.get_object().if_contains("left_out");
  for (const json::value& name : left_out != nullptr && left_out->is_array() ? left_out->get_array() : json::array{})
    if (name.is_string()) note("left out: " + printable(std::string_view(name.get_string())));
  return {};
}

struct ImportOptions {
  std::string file;
  std::string person;
  std::string policy;
  std::string password_file;
};

constexpr std::size_t longest_pkcs12 = 256 * 1024;

Result<Pin> pkcs12_password(const ImportOptions& options) {
  if (options.password_file.empty() && !has_terminal())
    return failure(Code::user_not_logged_in,
                   "The file's password is needed and there is no terminal to ask for it. Give it with "
                   "--password-file FILE.");
  if (options.password_file.empty()) return ask_pin(fmt::format("Password of {}: ", options.file));
  return read_pin_file(options.password_file, "password");
}

Status import_key(Context& context, const ImportOptions& options) {
  CARDEA_ASSIGN(Bytes file, read_file(options.file, longest_pkcs12));
  json::object body(wiping_memory());
  std::string encoded = x509::to_base64(file);
  wipe(file);
  body.emplace("pkcs12", std::string_view(encoded));
  wipe({reinterpret_cast<Byte*>(encoded.data()), encoded.size()});
  CARDEA_ASSIGN(body["person"], find_person(context, options.person));
  put_text(body, "policy", options.policy);
  CARDEA_ASSIGN(const Pin password, pkcs12_password(options));
  if (password.size() > 0) body.emplace("password", text_of(password.view()));
  CARDEA_ASSIGN(const json::value answer, ask_manager_with_secret(context, "POST", "/v1/archived-keys", body));
  if (context.options.json || !answer.is_object()) return print_object(context, answer);
  const json::value* certificate = answer.get_object().if_contains("certificate");
  return print_object(context, certificate == nullptr ? answer : *certificate);
}

Status undo(Context& context, const NumberOptions& options) {
  return show_object(context, "POST", fmt::format("/v1/jobs/{}/undo", options.number),
                     json::object{{"why", options.comment}});
}

constexpr std::size_t largest_number = 1ULL << 62;

// A command about one request or job.
std::shared_ptr<NumberOptions> numbered(const Command& group, Context& context, const std::string& name,
                                        const std::string& help, const std::string& example,
                                        Status (*action)(Context&, const NumberOptions&), bool comment) {
  const auto options = std::make_shared<NumberOptions>();
  const Command command = group.command(context, name, help, "  " + example + "\n", Needs::manager,
                                        [&context, options, action] { return action(context, *options); });
  command.required_number("number", options->number, "its number", 1, largest_number);
  if (comment) command.text("--comment", options->comment, "a remark that is kept", "TEXT");
  return options;
}

}  // namespace

void add_request_commands(const Command& root, Context& context) {
  const Command group = root.group("request", "what is wanted of the manager: issue, renew, replace, unblock …");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(
      group.command(context, "list", "list requests", "  cardea request list --state pending\n", Needs::manager,
                    [&context, list] {
                      return print_list(context, "/v1/requests", *list,
                                        {{"NUMBER", "id"},
                                         {"KIND", "kind"},
                                         {"STATE", "state"},
                                         {"PERSON", "person"},
                                         {"TOKEN", "token"},
                                         {"JOB", "job"},
                                         {"CREATED", "created"}});
                    }),
      *list, {"state", "kind", "person", "token"});
  numbered(
      group, context, "show", "show a request", "cardea request show 7",
      [](Context& c, const NumberOptions& o) {
        return show_object(c, "GET", fmt::format("/v1/requests/{}", o.number));
      },
      false);
  const auto made = std::make_shared<RequestOptions>();
  group
      .command(context, "create", "ask for a credential or a change of one",
               "  cardea request create issue --person alice --profile staff-piv\n"
               "  cardea request create cancel --person alice --serial 1234 --reason lost\n",
               Needs::manager, [&context, made] { return create_request(context, *made); })
      .choice("kind", made->kind, "what is wanted", "KIND",
              {"issue", "renew", "replace", "update", "unblock", "recover", "rotate", "disable", "enable", "cancel",
               "retire"})
      .required("--person", made->person, "for whom, by name or number", "PERSON")
      .text("--profile", made->profile, "credential profile", "NAME")
      .text("--serial", made->token, "which of the person's tokens, by serial number or number", "TOKEN")
      .text("--reason", made->reason, "why: lost, damaged, keyCompromise …", "WORD")
      .text("--parameters", made->parameters, "what the kind needs beyond this, JSON", "FILE");
  numbered(
      group, context, "approve", "approve a request", "cardea request approve 7",
      [](Context& c, const NumberOptions& o) { return decide(c, o, "approve"); }, true);
  numbered(
      group, context, "reject", "reject a request", "cardea request reject 7 --comment 'wrong person'",
      [](Context& c, const NumberOptions& o) { return decide(c, o, "reject"); }, true);
  numbered(
      group, context, "cancel", "withdraw a request", "cardea request cancel 7",
      [](Context& c, const NumberOptions& o) {
        return show_object(c, "POST", fmt::format("/v1/requests/{}/cancel", o.number), json::object{});
      },
      false);
  numbered(group, context, "code", "make a one-time code for collecting; shown once", "cardea request code 7",
           make_code, false);
}

void add_job_commands(const Command& root, Context& context) {
  const Command group = root.group("job", "how far requests are, at the manager");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(group.command(context, "list", "list jobs", "  cardea job list --state waiting\n", Needs::manager,
                                 [&context, list] {
                                   return print_list(context, "/v1/jobs", *list,
                                                     {{"NUMBER", "id"},
                                                      {"KIND", "kind"},
                                                      {"STATE", "state"},
                                                      {"REQUEST", "request"},
                                                      {"TOKEN", "token"},
                                                      {"WHERE IT STANDS", "text"}});
                                 }),
                   *list, {"state", "kind", "token"});
  numbered(
      group, context, "show", "say where a job stands, and why", "cardea job show 7",
      [](Context& c, const NumberOptions& o) { return show_object(c, "GET", fmt::format("/v1/jobs/{}", o.number)); },
      false);
  const auto undone = std::make_shared<NumberOptions>();
  group
      .command(context, "undo", "give a job up and take back what it did",
               "  cardea job undo 7 --why 'card is broken'\n", Needs::manager,
               [&context, undone] { return undo(context, *undone); })
      .required_number("number", undone->number, "its number", 1, largest_number)
      .required("--why", undone->comment, "a sentence that is kept", "TEXT");
}

void add_archive_commands(const Command& root, Context& context) {
  const Command group = root.group("archive", "archived decryption keys, at the manager");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(group.command(context, "list", "list archived keys, without the keys",
                                 "  cardea archive list --person 3\n", Needs::manager,
                                 [&context, list] {
                                   return print_list(context, "/v1/archived-keys", *list,
                                                     {{"ID", "id"},
                                                      {"PERSON", "person"},
                                                      {"POLICY", "policy"},
                                                      {"CERTIFICATE", "certificate"},
                                                      {"CREATED", "created"}});
                                 }),
                   *list, {"person"});
  const auto imported = std::make_shared<ImportOptions>();
  group
      .command(context, "import", "take a decryption key and its certificate, made elsewhere, into the archive",
               "  cardea archive import alice.p12 --person alice\n"
               "  cardea archive import alice.p12 --person alice --policy encryption --password-file password\n",
               Needs::manager, [&context, imported] { return import_key(context, *imported); })
      .required("file", imported->file, "PKCS#12 with one key", "FILE")
      .required("--person", imported->person, "whose it is, by name or number", "PERSON")
      .text("--policy", imported->policy, "certificate policy that it is treated by (default: none)", "NAME")
      .text("--password-file", imported->password_file, "holds the file's password (default: asked for)", "FILE");
  const auto recovered = std::make_shared<NumberOptions>();
  recovered->directory = ".";
  group
      .command(context, "recover", "write the keys of an approved recovery request as PKCS#12 files; shown once",
               "  cardea archive recover 7 --directory keys\n", Needs::manager,
               [&context, recovered] { return recover(context, *recovered); })
      .required_number("request", recovered->number, "number of the request", 1, largest_number)
      .text("--directory", recovered->directory, "where the files go (default: here)", "DIRECTORY");
}

}  // namespace cardea::cli
