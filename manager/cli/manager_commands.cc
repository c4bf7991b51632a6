// manager: the manager itself, its stock of tokens and its certificates. `cardea token` and `cardea cert` are about
// tokens in this machine; these are about what the manager knows.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "cli/api_access.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/text.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

struct StockOptions {
  std::string token;
  std::string kind;
  std::string serial;
  std::string label;
  std::string location;
  std::string card_type;
  std::string person;
  ChangeCondition condition;
};

struct UnblockOptions {
  std::string token;
  std::string challenge;
  std::string algorithm;
};

json::object stock_body(const StockOptions& options) {
  json::object body;
  put_text(body, "kind", options.kind);
  put_text(body, "serial", options.serial);
  put_text(body, "label", options.label);
  put_text(body, "location", options.location);
  put_text(body, "card_type", options.card_type);
  return body;
}

Status about_token(Context& context, const std::string& token, std::string_view method, std::string_view rest,
                   const std::optional<json::object>& body) {
  CARDEA_ASSIGN(const auto id, find_token(context, token));
  return show_object(context, method, fmt::format("/v1/tokens/{}{}", id, rest), body);
}

Status change_stock(Context& context, const StockOptions& options) {
  CARDEA_ASSIGN(const auto id, find_token(context, options.token));
  return change_object(context, "PATCH", fmt::format("/v1/tokens/{}", id), stock_body(options), options.condition);
}

void stock_options(const Command& command, StockOptions& options) {
  command.text("--label", options.label, "what it is called", "TEXT")
      .text("--location", options.location, "where it lies", "TEXT")
      .text("--card-type", options.card_type, "which factory secrets it came with", "NAME");
}

void add_stock(const Command& above, Context& context) {
  const Command group = above.group("token", "tokens that the manager knows, in stock and issued");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(
      group.command(context, "list", "list tokens", "  cardea manager token list --state stock\n", Needs::manager,
                    [&context, list] {
                      return print_list(context, "/v1/tokens", *list,
                                        {{"ID", "id"},
                                         {"KIND", "kind"},
                                         {"SERIAL", "serial"},
                                         {"STATE", "state"},
                                         {"PERSON", "person"},
                                         {"LABEL", "label"},
                                         {"LOCATION", "location"}});
                    }),
      *list, {"search", "state", "kind", "person"});
  const auto shown = std::make_shared<std::string>();
  group
      .command(context, "show", "show a token", "  cardea manager token show 1234\n", Needs::manager,
               [&context, shown] { return about_token(context, *shown, "GET", "", {}); })
      .required("token", *shown, "serial number or number", "TOKEN");
  const auto added = std::make_shared<StockOptions>();
  const Command add = group.command(context, "add", "register a token in stock",
                                    "  cardea manager token add piv 12345678 --location 'safe 2'\n", Needs::manager,
                                    [&context, added]() -> Status {
                                      json::object body = stock_body(*added);
                                      if (!added->person.empty()) {
                                        CARDEA_ASSIGN(body["person"], find_person(context, added->person));
                                      }
                                      return show_object(context, "POST", "/v1/tokens", body);
                                    });
  add.required("kind", added->kind, "piv, gids, tpm or keystore", "KIND");
  add.required("serial", added->serial, "serial number", "SERIAL");
  add.text("--person", added->person, "whose it is already, by name or number; nobody else gets it", "PERSON");
  stock_options(add, *added);
  const auto changed = std::make_shared<StockOptions>();
  const Command change = group.command(context, "change", "change label, location or card type",
                                       "  cardea manager token change 1234 --location 'safe 1'\n", Needs::manager,
                                       [&context, changed] { return change_stock(context, *changed); });
  change.required("token", changed->token, "serial number or number", "TOKEN");
  stock_options(change, *changed);
  add_change_condition(change, changed->condition);
  const auto unblocked = std::make_shared<UnblockOptions>();
  group
      .command(context, "unblock",
               "answer the challenge of a token whose user is on the phone, or show its unblock code; shown once",
               "  cardea manager token unblock 1234 --challenge 4K7QX-09AZM\n", Needs::manager,
               [&context, unblocked] {
                 json::object body;
                 put_text(body, "challenge", unblocked->challenge);
                 put_text(body, "algorithm", unblocked->algorithm);
                 return about_token(context, unblocked->token, "POST", "/unblock", body);
               })
      .required("token", unblocked->token, "serial number or number", "TOKEN")
      .text("--challenge", unblocked->challenge, "as the user reads it; none for tokens that take a PUK", "GROUPS")
      .text("--algorithm", unblocked->algorithm, "of the token's administrator key (default: the kind's)", "NAME");
  const auto restocked = std::make_shared<std::string>();
  group
      .command(context, "restock", "put a retired token back into stock", "  cardea manager token restock 1234\n",
               Needs::manager,
               [&context, restocked] { return about_token(context, *restocked, "POST", "/restock", json::object{}); })
      .required("token", *restocked, "serial number or number", "TOKEN");
}

struct IssueOptions {
  std::string policy;
  std::string request;
  std::string person;
  std::string subject;
  std::string key_type = "ec:P-256";
  std::string out;
};

// A key and its certificate, for programs that read files.
Status make_identity(Context& context, const IssueOptions& options) {
  json::object body{{"policy", options.policy}, {"key_algorithm", options.key_type}};
  put_text(body, "subject", options.subject);
  if (!options.person.empty()) {
    CARDEA_ASSIGN(body["person"], find_person(context, options.person));
  }
  // The key is shown once.
  if (!context.options.json) CARDEA_TRY(check_output(options.out));
  CARDEA_ASSIGN(const json::value answer, ask_manager(context, "POST", "/v1/certificates/pkcs12", body));
  if (context.options.json) return print_object(context, answer);
  const auto file = x509::from_base64(text_of_member(answer, "pkcs12"));
  if (!file || file->empty()) return failure(Code::data_invalid, "The manager's answer is not understood.");
  CARDEA_TRY(write_output(options.out, *file, FileMode::secret));
  return print(fmt::format("{}  password: {}\n", options.out, text_of_member(answer, "password")));
}

Status issue(Context& context, const IssueOptions& options) {
  CARDEA_ASSIGN(const Bytes file, read_file(options.request, 64 * 1024));
  const auto request = x509::from_pem_or_der("CERTIFICATE REQUEST", file);
  if (!request) return failure(request.code(), "This is no certificate request in PEM or DER.");
  json::object body{{"policy", options.policy}, {"csr", x509::to_base64(*request)}};
  if (!options.person.empty()) {
    CARDEA_ASSIGN(body["person"], find_person(context, options.person));
  }
  CARDEA_ASSIGN(const json::value answer, ask_manager(context, "POST", "/v1/certificates", body));
  if (context.options.json) return print_object(context, answer);
  const json::value* text = answer.is_object() ? answer.get_object().if_contains("certificate") : nullptr;
  const auto der = x509::from_base64(text != nullptr && text->is_string() ? std::string_view(text->get_string()) : "");
  if (!der || der->empty()) return print_object(context, answer);
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE", *der));
  return write_output(options.out, view_of(pem), FileMode::open, true);
}

struct RevokeOptions {
  std::size_t id = 0;
  std::string reason;
  std::string person;
  std::string token;
  std::string action = "revoke";
};

Status change_certificate(Context& context, const RevokeOptions& options, std::string_view what) {
  json::object body;
  put_text(body, "reason", options.reason);
  return show_object(context, "POST", fmt::format("/v1/certificates/{}/{}", options.id, what), body);
}

// One line for each certificate; a failure when one of them is not done.
Status report_bulk(Context& context, const json::value& answer) {
  const json::value* items = answer.is_object() ? answer.get_object().if_contains("items") : nullptr;
  if (items == nullptr || !items->is_array())
    return failure(Code::data_invalid, "The manager's answer is not understood.");
  Table table({"CERTIFICATE", "DONE", "PROBLEM"});
  std::size_t left = 0;
  for (const json::value& item : items->get_array()) {
    const json::object* line = item.if_object();
    const json::value* done = line == nullptr ? nullptr : line->if_contains("done");
    const json::value* number = line == nullptr ? nullptr : line->if_contains("certificate");
    const bool fine = done != nullptr && done->is_bool() && done->get_bool();
    if (!fine) ++left;
    table.row({number == nullptr ? "" : json::serialize(*number), fine ? "yes" : "no",
               printable(text_of_member(item, "problem"))});
  }
  CARDEA_TRY(context.options.json ? print_json(answer.get_object())
                                  : print(table.empty() ? "There is none.\n" : table.text()));
  if (left == 0) return {};
  return failure(
      Code::function_failed,
      fmt::format("{} of {} certificates are as they were; the column PROBLEM says why. The others are done.", left,
                  items->get_array().size()));
}

Status revoke_in_bulk(Context& context, const RevokeOptions& options) {
  json::object body{{"action", options.action}};
  put_text(body, "reason", options.reason);
  if (!options.person.empty()) {
    CARDEA_ASSIGN(body["person"], find_person(context, options.person));
  }
  if (!options.token.empty()) {
    CARDEA_ASSIGN(body["token"], find_token(context, options.token));
  }
  CARDEA_ASSIGN(const json::value answer, ask_manager(context, "POST", "/v1/certificates/bulk", body));
  return report_bulk(context, answer);
}

void add_certificates(const Command& above, Context& context) {
  constexpr std::size_t largest = 1ULL << 62;
  const Command group = above.group("cert", "certificates that the manager had issued");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(group.command(context, "list", "search certificates",
                                 "  cardea manager cert list --search 'CN=Alice' --state active\n", Needs::manager,
                                 [&context, list] {
                                   return print_list(context, "/v1/certificates", *list,
                                                     {{"ID", "id"},
                                                      {"STATE", "state"},
                                                      {"SUBJECT", "subject"},
                                                      {"SERIAL", "serial"},
                                                      {"EXPIRES", "not_after"},
                                                      {"CONTAINER", "container"}});
                                 }),
                   *list, {"search", "state", "person", "token", "from", "to"});
  const auto issued = std::make_shared<IssueOptions>();
  group
      .command(context, "issue", "have a certificate issued for a request made elsewhere",
               "  cardea manager cert issue request.pem --policy tls-server --out server.pem\n", Needs::manager,
               [&context, issued] { return issue(context, *issued); })
      .required("request", issued->request, "PKCS#10 in PEM or DER", "FILE")
      .required("--policy", issued->policy, "certificate policy", "NAME")
      .text("--person", issued->person, "whose attributes the policy maps", "PERSON")
      .text("--out", issued->out, "where the certificate goes (default: standard output)", "FILE");
  const auto made = std::make_shared<IssueOptions>();
  group
      .command(context, "make", "have a key made and certified, as PKCS#12",
               "  cardea manager cert make --policy tls-client --subject 'CN=backup.example.org' --out backup.p12\n",
               Needs::manager, [&context, made] { return make_identity(context, *made); })
      .required("--policy", made->policy, "certificate policy", "NAME")
      .text("--person", made->person, "whose attributes the policy maps", "PERSON")
      .text("--subject", made->subject, "RFC 4514, instead of a person", "DN")
      .text("--key-type", made->key_type, "ec:P-256 (default), ec:P-384, ec:P-521, rsa:2048, rsa:3072, rsa:4096",
            "TYPE")
      .required("--out", made->out, "where the file goes; the password is shown once", "FILE");
  for (const auto& [name, help] : {std::pair<const char*, const char*>{"revoke", "revoke a certificate"},
                                   {"suspend", "suspend a certificate"},
                                   {"unsuspend", "lift a certificate's suspension"}}) {
    const auto options = std::make_shared<RevokeOptions>();
    const Command command = group.command(
        context, name, help, fmt::format("  cardea manager cert {} 12\n", name), Needs::manager,
        [&context, options, what = std::string(name)] { return change_certificate(context, *options, what); });
    command.required_number("id", options->id, "its number", 1, largest);
    if (std::string_view(name) == "revoke")
      command.text("--reason", options->reason, "as RFC 5280 writes it: keyCompromise, superseded …", "WORD");
  }
  const auto shown = std::make_shared<RevokeOptions>();
  group
      .command(context, "show", "show a certificate", "  cardea manager cert show 12 --json\n", Needs::manager,
               [&context, shown] { return show_object(context, "GET", fmt::format("/v1/certificates/{}", shown->id)); })
      .required_number("id", shown->id, "its number", 1, largest);
  const auto bulk = std::make_shared<RevokeOptions>();
  group
      .command(context, "bulk", "revoke, suspend or unsuspend all of a person or token",
               "  cardea manager cert bulk revoke --person alice --reason cessationOfOperation\n", Needs::manager,
               [&context, bulk] { return revoke_in_bulk(context, *bulk); })
      .choice("action", bulk->action, "what is to be done", "ACTION", {"revoke", "suspend", "unsuspend"})
      .text("--person", bulk->person, "all of this person", "PERSON")
      .text("--serial", bulk->token, "all on this token", "TOKEN")
      .text("--reason", bulk->reason, "as RFC 5280 writes it", "WORD");
}

}  // namespace

void add_manager_commands(const Command& root, Context& context) {
  const Command group = root.group("manager", "the manager: whether it works, its stock, its certificates");
  group.command(context, "status", "say whether the manager can do its work", "  cardea manager status\n",
                Needs::manager, [&context] { return show_object(context, "GET", "/v1/ready"); });
  group.command(context, "whoami", "say who is logged on, and what that allows", "  cardea manager whoami\n",
                Needs::manager, [&context] { return show_object(context, "GET", "/v1/me"); });
  add_stock(group, context);
  add_certificates(group, context);
}

}  // namespace cardea::cli
