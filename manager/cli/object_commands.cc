// object list.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/key_types.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cryptoki/names.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

json::object object_json(const Session& session, CK_OBJECT_HANDLE object) {
  const auto id = session.attribute(object, CKA_ID);
  const auto of_class = session.number(object, CKA_CLASS);
  const std::string type = of_class ? uri_type(*of_class) : "";
  return {{"class", of_class ? constant_text(ConstantKind::CKO, *of_class) : ""},
          {"label", session.text(object, CKA_LABEL)},
          {"id", id ? to_hex(*id) : ""},
          {"type", describe_key(session, object)},
          {"private", session.flag(object, CKA_PRIVATE)},
          {"uri", type.empty() ? "" : object_uri(session, object)}};
}

Status list_objects(Context& context, const ObjectChoice& choice) {
  CARDEA_TRY(take_choice(context, choice));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, choice));
  Template attributes;
  if (wanted.label) attributes.text(CKA_LABEL, *wanted.label);
  if (wanted.id) attributes.bytes(CKA_ID, *wanted.id);
  CARDEA_ASSIGN(const auto objects, connection->find(attributes));
  json::array list;
  Table table({"CLASS", "LABEL", "ID", "TYPE", "PRIVATE"});
  const Progress progress("reading objects");
  for (const CK_OBJECT_HANDLE object : objects) {
    const auto of_class = connection->number(object, CKA_CLASS);
    if (context.uri && context.uri->type && of_class && uri_type(*of_class) != *context.uri->type) continue;
    const json::object about = object_json(*connection, object);
    const auto text = [&](const char* name) { return std::string(about.at(name).as_string()); };
    table.row({text("class"), text("label"), text("id"), text("type"), about.at("private").as_bool() ? "yes" : "no"});
    list.push_back(about);
  }
  if (context.options.json) return print_json({{"token", connection->token().label}, {"objects", list}});
  if (!table.empty()) return print(table.text());
  return print(fmt::format("Token '{}' shows no objects. Private ones show only after login: add --login.\n",
                           connection->token().label));
}

}  // namespace

void add_object_commands(const Command& root, Context& context) {
  const Command group = root.group("object", "everything on a token");
  const auto choice = std::make_shared<ObjectChoice>();
  const Command list =
      group.command(context, "list", "list objects of every class",
                    "  cardea object list --login\n  cardea object list 'pkcs11:token=demo;type=cert'\n", Needs::user,
                    [&context, choice] { return list_objects(context, *choice); });
  add_object_options(list, *choice, "only objects");
  list.flag("--login", context.options.login, "log in first, so that private objects show");
}

}  // namespace cardea::cli
