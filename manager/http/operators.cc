// Operators, their access tokens, roles.
#include <boost/json.hpp>

#include "domain/people.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::AccessToken;
using manager::CustomRole;
using manager::Id;
using manager::Operator;
using manager::Right;
using manager::Transaction;

constexpr Id largest_id = std::numeric_limits<Id>::max();
constexpr std::size_t longest_name = 128;

void read_operator(JsonReader& reader, Operator& who, bool is_new) {
  if (is_new) {
    who.name = reader.required_string("name", longest_name);
  } else if (auto name = reader.optional_string("name", longest_name)) {
    who.name = std::move(*name);
  }
  if (reader.has("person")) who.person = reader.optional_number("person", 1, largest_id);
  if (reader.has("roles")) who.roles = reader.strings("roles", 32, longest_name);
  if (auto scope = reader.optional_word("scope", {"own", "department", "all"})) {
    who.scope = std::move(*scope);
  } else if (is_new) {
    who.scope = "all";
  }
  if (auto department = reader.optional_string("department", 256)) who.department = std::move(*department);
  if (reader.has("certificates")) who.certificates = reader.strings("certificates", 16, 64);
  if (const auto enabled = reader.optional_bool("enabled")) who.enabled = *enabled;
}

boost::json::object shape_of_actor(const manager::Actor& actor) {
  boost::json::array roles;
  for (const std::string& role : actor.roles) roles.emplace_back(role);
  boost::json::object rights;
  for (std::size_t i = 0; i < manager::right_count; ++i) {
    if (actor.scopes[i] != manager::Scope::none)
      rights[manager::name(static_cast<manager::Right>(i))] = manager::name(actor.scopes[i]);
  }
  return {{"name", actor.name},
          {"operator", actor.operator_id ? boost::json::value(*actor.operator_id) : boost::json::value(nullptr)},
          {"roles", std::move(roles)},
          {"rights", std::move(rights)}};
}

}  // namespace

Result<HttpResponse> show_me(RequestContext& context) {
  return json_answer(shape_of_actor(context.actor()));
}

Result<HttpResponse> list_operators(RequestContext& context) {
  return list_rows<Operator>(context, Right::operator_read, &Transaction::operators);
}

Result<HttpResponse> show_operator(RequestContext& context) {
  return show_row<Operator>(context, Right::operator_read, &Transaction::operator_);
}

Result<HttpResponse> create_operator(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  Operator who;
  read_operator(reader, who, true);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Operator saved, manager::save_operator(context.ports(), context.actor(), who));
  return created("/v1/operators/" + std::to_string(saved.id), shape(saved));
}

Result<HttpResponse> change_operator(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(Operator who, find_row<Operator>(context, Right::operator_write, &Transaction::operator_));
  CARDEA_TRY(context.if_match(shape(who)));
  JsonReader reader(body, context.errors);
  read_operator(reader, who, false);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Operator saved, manager::save_operator(context.ports(), context.actor(), who));
  return entity_answer(shape(saved));
}

Result<HttpResponse> list_access_tokens(RequestContext& context) {
  return list_rows<AccessToken>(context, Right::operator_read, &Transaction::access_tokens);
}

Result<HttpResponse> create_access_token(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const std::string name = reader.required_string("name", longest_name);
  const std::vector<std::string> rights = reader.strings("rights", manager::right_count, longest_name);
  const auto days = reader.required_number("valid_days", 1, 366);
  CARDEA_TRY(reader.done());
  const manager::Time expires = context.ports().clock.now() + std::chrono::days(days);
  CARDEA_ASSIGN(const manager::NewAccessToken made,
                manager::make_access_token(context.ports(), context.actor(), id, name, rights, expires));
  boost::json::object answer = shape(made.token);
  answer["access_token"] = text_of(made.text.view());
  context.shows_secret = true;
  return json_answer(answer, 201);
}

Result<HttpResponse> remove_access_token(RequestContext& context) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_TRY(manager::remove_access_token(context.ports(), context.actor(), id));
  return no_content();
}

Result<HttpResponse> list_roles(RequestContext& context) {
  CARDEA_TRY(context.query_done());
  boost::json::array names;
  boost::json::array custom;
  CARDEA_TRY(context.ports().store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const auto all, manager::role_names(store));
    CARDEA_ASSIGN(const auto rows, store.custom_roles());
    names.clear();
    custom.clear();
    for (const std::string& name : all) names.emplace_back(name);
    for (const CustomRole& role : rows) custom.push_back(shape(role));
    return {};
  }));
  return json_answer({{"names", std::move(names)}, {"custom", std::move(custom)}});
}

Result<HttpResponse> save_role(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  CustomRole role;
  role.name = context.part("name");
  role.scope = reader.required_word("scope", {"own", "department", "all"});
  role.rights = reader.strings("rights", manager::right_count, longest_name);
  CARDEA_TRY(reader.done());
  CARDEA_TRY(manager::save_role(context.ports(), context.actor(), role));
  return json_answer(shape(role));
}

}  // namespace cardea::http
