// operator: who may act at the manager, their roles and access tokens.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "cli/api_access.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "client/api_client.h"
#include "crypto/digest.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

struct OperatorOptions {
  std::string who;
  std::string name;
  std::vector<std::string> roles;
  std::vector<std::string> certificates;
  std::string scope;
  std::string department;
  std::string person;
  bool disable = false;
  bool enable = false;
  ChangeCondition condition;
};

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(text);
  return array;
}

Result<json::object> operator_body(Context& context, const OperatorOptions& options) {
  if (options.enable && options.disable) return failure(Code::arguments_bad, "Say --enable or --disable, not both.");
  json::object body;
  if (!options.person.empty()) {
    CARDEA_ASSIGN(body["person"], find_person(context, options.person));
  }
  put_text(body, "name", options.name);
  put_text(body, "scope", options.scope);
  put_text(body, "department", options.department);
  if (!options.roles.empty()) body["roles"] = texts(options.roles);
  if (!options.certificates.empty()) {
    json::array hashes;
    for (const std::string& file : options.certificates) {
      CARDEA_ASSIGN(const x509::Certificate certificate, read_certificate_file(file));
      CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, certificate.der));
      hashes.emplace_back(to_hex(hash));
    }
    body["certificates"] = std::move(hashes);
  }
  if (options.disable) body["enabled"] = false;
  if (options.enable) body["enabled"] = true;
  return body;
}

Status add_operator(Context& context, const OperatorOptions& options) {
  CARDEA_ASSIGN(const json::object body, operator_body(context, options));
  return show_object(context, "POST", "/v1/operators", body);
}

Result<std::int64_t> find_operator(Context& context, const std::string& name) {
  return find_id(context, "/v1/operators", "name", name);
}

Status change_operator(Context& context, const OperatorOptions& options) {
  CARDEA_ASSIGN(const auto id, find_operator(context, options.who));
  CARDEA_ASSIGN(const json::object body, operator_body(context, options));
  return change_object(context, "PATCH", fmt::format("/v1/operators/{}", id), body, options.condition);
}

Status show_operator(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const auto id, find_operator(context, name));
  return show_object(context, "GET", fmt::format("/v1/operators/{}", id));
}

void operator_options(const Command& command, OperatorOptions& options) {
  command.list("--role", options.roles, "a role; may be repeated", "ROLE")
      .list("--operator-certificate", options.certificates, "a certificate to log on with; may be repeated", "FILE")
      .text("--scope", options.scope, "own, department or all", "SCOPE")
      .text("--department", options.department, "for the scope department", "NAME")
      .text("--person", options.person, "who this is among the people; for the scope own", "PERSON");
}

struct AccessTokenOptions {
  std::string who;
  std::string name;
  std::vector<std::string> rights;
  std::size_t days = 90;
  std::string out;
  std::size_t id = 0;
};

Status create_access_token(Context& context, const AccessTokenOptions& options) {
  CARDEA_ASSIGN(const auto id, find_operator(context, options.who));
  // The token is shown once.
  if (!context.options.json) CARDEA_TRY(check_output(options.out));
  json::object body{{"name", options.name}, {"valid_days", options.days}};
  if (!options.rights.empty()) body["rights"] = texts(options.rights);
  CARDEA_ASSIGN(const json::value answer,
                ask_manager(context, "POST", fmt::format("/v1/operators/{}/access-tokens", id), body));
  const json::value* text = answer.is_object() ? answer.get_object().if_contains("access_token") : nullptr;
  if (context.options.json || text == nullptr || !text->is_string()) return print_object(context, answer);
  return write_output(options.out, view_of(std::string(text->get_string()) + "\n"), FileMode::secret, true);
}

void add_access_tokens(const Command& above, Context& context) {
  const Command group = above.group("access-token", "tokens with which scripts log on");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(group.command(context, "list", "list access tokens, without the tokens",
                                 "  cardea operator access-token list\n", Needs::manager,
                                 [&context, list] {
                                   return print_list(context, "/v1/access-tokens", *list,
                                                     {{"ID", "id"},
                                                      {"NAME", "name"},
                                                      {"OPERATOR", "operator"},
                                                      {"RIGHTS", "rights"},
                                                      {"EXPIRES", "expires"}});
                                 }),
                   *list, {"search"});
  const auto made = std::make_shared<AccessTokenOptions>();
  group
      .command(context, "create", "make an access token; shown once",
               "  cardea operator access-token create alice --name nightly --right audit_read --out audit.token\n",
               Needs::manager, [&context, made] { return create_access_token(context, *made); })
      .required("operator", made->who, "name or number", "OPERATOR")
      .required("--name", made->name, "what it is for", "NAME")
      .list("--right", made->rights, "only this right; may be repeated (default: all of the operator's)", "RIGHT")
      .number("--days", made->days, "how long it is valid (default 90)", 1, 366)
      .text("--out", made->out, "where it goes (default: standard output)", "FILE");
  const auto removed = std::make_shared<AccessTokenOptions>();
  group
      .command(context, "remove", "remove an access token", "  cardea operator access-token remove 3\n", Needs::manager,
               [&context, removed] {
                 return show_object(context, "DELETE", fmt::format("/v1/access-tokens/{}", removed->id));
               })
      .required_number("id", removed->id, "its number", 1, 1ULL << 62);
}

struct RoleOptions {
  std::string name;
  std::string scope = "all";
  std::vector<std::string> rights;
};

Status save_role(Context& context, const RoleOptions& options) {
  return show_object(context, "PUT", "/v1/roles/" + client::encode(options.name),
                     json::object{{"scope", options.scope}, {"rights", texts(options.rights)}});
}

void add_roles(const Command& above, Context& context) {
  const Command group = above.group("role", "what operators may do");
  group.command(context, "list", "list roles", "  cardea operator role list\n", Needs::manager,
                [&context] { return show_object(context, "GET", "/v1/roles"); });
  const auto saved = std::make_shared<RoleOptions>();
  group
      .command(context, "save", "make a role of one's own, or change it",
               "  cardea operator role save front-desk --right person_read --right request_create --scope department\n",
               Needs::manager, [&context, saved] { return save_role(context, *saved); })
      .required("name", saved->name, "not that of a role that comes with the product", "NAME")
      .list("--right", saved->rights, "a right that the role gives; may be repeated", "RIGHT")
      .text("--scope", saved->scope, "whom the rights reach: own, department or all (default)", "SCOPE");
}

}  // namespace

void add_operator_commands(const Command& root, Context& context) {
  const Command group = root.group("operator", "who may act at the manager");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(
      group.command(
          context, "list", "list operators", "  cardea operator list\n", Needs::manager,
          [&context, list] {
            return print_list(
                context, "/v1/operators", *list,
                {{"ID", "id"}, {"NAME", "name"}, {"ROLES", "roles"}, {"SCOPE", "scope"}, {"ENABLED", "enabled"}});
          }),
      *list, {"search"});
  const auto shown = std::make_shared<std::string>();
  group
      .command(context, "show", "show an operator", "  cardea operator show alice\n", Needs::manager,
               [&context, shown] { return show_operator(context, *shown); })
      .required("operator", *shown, "name or number", "OPERATOR");
  const auto added = std::make_shared<OperatorOptions>();
  const Command add = group.command(context, "add", "appoint an operator",
                                    "  cardea operator add alice --role normal --operator-certificate alice.pem\n",
                                    Needs::manager, [&context, added] { return add_operator(context, *added); });
  add.required("name", added->name, "unique", "NAME");
  operator_options(add, *added);
  const auto changed = std::make_shared<OperatorOptions>();
  const Command change =
      group.command(context, "change", "change an operator", "  cardea operator change alice --disable\n",
                    Needs::manager, [&context, changed] { return change_operator(context, *changed); });
  change.required("operator", changed->who, "name or number", "OPERATOR");
  operator_options(change, *changed);
  change.flag("--disable", changed->disable, "may not act any more");
  change.flag("--enable", changed->enable, "the opposite");
  add_change_condition(change, changed->condition);
  add_roles(group, context);
  add_access_tokens(group, context);
}

}  // namespace cardea::cli
