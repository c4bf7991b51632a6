// person and profile: who carries credentials, and what credentials consist of.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "cli/api_access.h"
#include "cli/exit_status.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

struct PersonOptions {
  std::string person;
  std::string name;
  std::string display_name;
  std::string email;
  std::string department;
  std::vector<std::string> attributes;
  bool disable = false;
  bool enable = false;
  ChangeCondition condition;
};

Result<json::object> person_body(const PersonOptions& options) {
  if (options.enable && options.disable) return failure(Code::arguments_bad, "Say --enable or --disable, not both.");
  json::object body;
  put_text(body, "name", options.name);
  put_text(body, "display_name", options.display_name);
  put_text(body, "email", options.email);
  put_text(body, "department", options.department);
  if (!options.attributes.empty()) {
    CARDEA_ASSIGN(body["attributes"], read_pairs(options.attributes));
  }
  if (options.disable) body["enabled"] = false;
  if (options.enable) body["enabled"] = true;
  return body;
}

Status add_person(Context& context, const PersonOptions& options) {
  CARDEA_ASSIGN(const json::object body, person_body(options));
  return show_object(context, "POST", "/v1/persons", body);
}

// The manager replaces all attributes at once, and those that were not named are to stay. NAME= takes one away.
Status keep_other_attributes(const json::value& there, json::object& named) {
  const json::value* held = there.is_object() ? there.get_object().if_contains("attributes") : nullptr;
  if (held == nullptr || !held->is_object())
    return failure(Code::data_invalid, "The manager's answer is not understood.");
  json::object all = held->get_object();
  for (const auto& [name, value] : named) {
    if (value.is_string() && value.get_string().empty()) {
      all.erase(name);
    } else {
      all[name] = value;
    }
  }
  named = std::move(all);
  return {};
}

Status change_person(Context& context, const PersonOptions& options) {
  CARDEA_ASSIGN(const auto id, find_person(context, options.person));
  CARDEA_ASSIGN(json::object body, person_body(options));
  const std::string path = fmt::format("/v1/persons/{}", id);
  if (options.attributes.empty()) return change_object(context, "PATCH", path, body, options.condition);
  CARDEA_ASSIGN(const ReadObject read, read_object(context, path));
  CARDEA_TRY(keep_other_attributes(read.value, body["attributes"].get_object()));
  return change_object(context, "PATCH", read, body, options.condition);
}

Status show_person(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const auto id, find_person(context, name));
  return show_object(context, "GET", fmt::format("/v1/persons/{}", id));
}

void person_options(const Command& command, PersonOptions& options, const std::string& more = "") {
  command.text("--display-name", options.display_name, "as certificates name the person", "NAME")
      .text("--email", options.email, "e-mail address", "ADDRESS")
      .text("--department", options.department, "department", "NAME")
      .list("--attribute", options.attributes, "a further value for certificates: upn, sid, employee_id …" + more,
            "NAME=VALUE");
}

struct ProfileOptions {
  std::string profile;
  std::string name;
  std::string file;
  ChangeCondition condition;
};

Status add_profile(Context& context, const ProfileOptions& options) {
  CARDEA_ASSIGN(json::object document, read_json_file(options.file));
  return show_object(context, "POST", "/v1/profiles", json::object{{"name", options.name}, {"document", document}});
}

Status change_profile(Context& context, const ProfileOptions& options) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/profiles", "name", options.profile));
  CARDEA_ASSIGN(json::object document, read_json_file(options.file));
  return change_object(context, "PATCH", fmt::format("/v1/profiles/{}", id), json::object{{"document", document}},
                       options.condition);
}

Status show_profile(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/profiles", "name", name));
  return show_object(context, "GET", fmt::format("/v1/profiles/{}", id));
}

}  // namespace

void add_person_commands(const Command& root, Context& context) {
  const Command group = root.group("person", "people who carry credentials, at the manager");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(group.command(context, "list", "list people", "  cardea person list --search arch\n", Needs::manager,
                                 [&context, list] {
                                   return print_list(context, "/v1/persons", *list,
                                                     {{"ID", "id"},
                                                      {"NAME", "name"},
                                                      {"DISPLAY NAME", "display_name"},
                                                      {"E-MAIL", "email"},
                                                      {"DEPARTMENT", "department"},
                                                      {"ENABLED", "enabled"}});
                                 }),
                   *list, {"search"});
  const auto shown = std::make_shared<std::string>();
  group
      .command(context, "show", "show a person", "  cardea person show alice\n", Needs::manager,
               [&context, shown] { return show_person(context, *shown); })
      .required("person", *shown, "name or number", "PERSON");
  const auto added = std::make_shared<PersonOptions>();
  const Command add = group.command(context, "add", "add a person",
                                    "  cardea person add alice --display-name 'Alice Archer' --email alice@example.org "
                                    "--attribute upn=alice@example.org\n",
                                    Needs::manager, [&context, added] { return add_person(context, *added); });
  add.required("name", added->name, "name at log-on, unique", "NAME");
  person_options(add, *added);
  const auto changed = std::make_shared<PersonOptions>();
  const Command change =
      group.command(context, "change", "change a person", "  cardea person change alice --department Sales\n",
                    Needs::manager, [&context, changed] { return change_person(context, *changed); });
  change.required("person", changed->person, "name or number", "PERSON");
  change.text("--name", changed->name, "new name at log-on", "NAME");
  person_options(change, *changed, ", or NAME= to remove one; others stay");
  change.flag("--disable", changed->disable, "no new credentials for this person");
  change.flag("--enable", changed->enable, "the opposite");
  add_change_condition(change, changed->condition);
}

void add_profile_commands(const Command& root, Context& context) {
  const Command group = root.group("profile", "credential profiles, at the manager");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(
      group.command(context, "list", "list credential profiles", "  cardea profile list\n", Needs::manager,
                    [&context, list] {
                      return print_list(
                          context, "/v1/profiles", *list,
                          {{"ID", "id"}, {"NAME", "name"}, {"VERSION", "version"}, {"ENABLED", "enabled"}});
                    }),
      *list, {"search"});
  group.command(context, "examples", "show the profiles that come with the product",
                "  cardea profile examples --json\n", Needs::manager, [&context] {
                  return print_list(context, "/v1/profiles/examples", ListOptions{},
                                    {{"NAME", "name"}, {"DOCUMENT", "document"}});
                });
  const auto shown = std::make_shared<std::string>();
  group
      .command(context, "show", "show a credential profile", "  cardea profile show staff-piv --json\n", Needs::manager,
               [&context, shown] { return show_profile(context, *shown); })
      .required("profile", *shown, "name or number", "PROFILE");
  const auto added = std::make_shared<ProfileOptions>();
  group
      .command(context, "add", "add a credential profile", "  cardea profile add guests --file guests.json\n",
               Needs::manager, [&context, added] { return add_profile(context, *added); })
      .required("name", added->name, "its name", "NAME")
      .required("--file", added->file, "its document, JSON", "FILE");
  const auto changed = std::make_shared<ProfileOptions>();
  const Command change = group.command(context, "change", "save a new version of a credential profile",
                                       "  cardea profile change guests --file guests.json\n", Needs::manager,
                                       [&context, changed] { return change_profile(context, *changed); });
  change.required("profile", changed->profile, "name or number", "PROFILE")
      .required("--file", changed->file, "its document, JSON", "FILE");
  add_change_condition(change, changed->condition);
}

}  // namespace cardea::cli
