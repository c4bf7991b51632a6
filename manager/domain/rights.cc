#include "domain/rights.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/words.h"

namespace cardea::manager {

namespace {

struct RightRow {
  std::string_view name;
  std::string_view words;
};
constexpr RightRow rights[] = {
#define CARDEA_RIGHT(name, words) {#name, words},
#include "domain/rights.def"
#undef CARDEA_RIGHT
};

struct RoleRow {
  std::string_view name;
  Scope scope;
  std::string_view rights;
};
constexpr RoleRow roles[] = {
#define CARDEA_ROLE(name, scope, rights) {#name, Scope::scope, rights},
#include "domain/roles.def"
#undef CARDEA_ROLE
};

constexpr std::array<std::string_view, 4> scope_names = {"none", "own", "department", "all"};

const RoleRow* role_of_product(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(roles), std::end(roles), [&](const auto& row) { return row.name == name; });
  return found == std::end(roles) ? nullptr : found;
}

void grant(Actor& actor, Right right, Scope scope) {
  Scope& held = actor.scopes[static_cast<std::size_t>(right)];
  held = std::max(held, scope);
}

// Each word of a list separated by spaces.
template <class Use>
void each_word(std::string_view list, Use&& use) {
  while (!list.empty()) {
    const auto end = std::min(list.find(' '), list.size());
    if (end > 0) use(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

void grant_role(Actor& actor, const RoleRow& role, Scope limit) {
  const Scope scope = std::min(role.scope, limit);
  each_word(role.rights, [&](std::string_view word) {
    for (std::size_t i = 0; i < right_count; ++i)
      if (word == "*" || rights[i].name == word) grant(actor, static_cast<Right>(i), scope);
  });
}

Status grant_custom(Actor& actor, const CustomRole& role, Scope limit) {
  CARDEA_ASSIGN(const Scope own, scope_of(role.scope));
  for (const auto& word : role.rights) {
    CARDEA_ASSIGN(const Right right, right_of(word));
    grant(actor, right, std::min(own, limit));
  }
  return {};
}

}  // namespace

std::string_view name(Right right) {
  return rights[static_cast<std::size_t>(right)].name;
}

std::string_view words(Right right) {
  return rights[static_cast<std::size_t>(right)].words;
}

Result<Right> right_of(std::string_view name) {
  for (std::size_t i = 0; i < right_count; ++i)
    if (rights[i].name == name) return static_cast<Right>(i);
  return error(Code::arguments_bad, fmt::format("there is no right called '{}'", name));
}

std::string_view name(Scope scope) {
  return scope_names[static_cast<std::size_t>(scope)];
}

Result<Scope> scope_of(std::string_view name) {
  return value_of_word<Scope>(scope_names, name, "scope");
}

Result<Actor> operator_actor(Transaction& store, const Operator& who, const std::vector<std::string>& only) {
  if (!who.enabled) return error(Code::action_prohibited, fmt::format("the operator '{}' is disabled", who.name));
  Actor actor;
  actor.name = "operator:" + who.name;
  actor.operator_id = who.id;
  actor.person = who.person;
  actor.department = who.department;
  actor.roles = who.roles;
  CARDEA_ASSIGN(const Scope limit, scope_of(who.scope.empty() ? "all" : std::string_view(who.scope)));
  std::vector<CustomRole> custom;
  for (const auto& role : who.roles) {
    if (const RoleRow* row = role_of_product(role)) {
      grant_role(actor, *row, limit);
      continue;
    }
    if (custom.empty()) {
      CARDEA_ASSIGN(custom, store.custom_roles());
    }
    const auto found = std::find_if(custom.begin(), custom.end(), [&](const auto& row) { return row.name == role; });
    if (found == custom.end()) return error(Code::arguments_bad, fmt::format("there is no role called '{}'", role));
    CARDEA_TRY(grant_custom(actor, *found, limit));
  }
  if (!only.empty())
    for (std::size_t i = 0; i < right_count; ++i)
      if (std::find(only.begin(), only.end(), rights[i].name) == only.end()) actor.scopes[i] = Scope::none;
  return actor;
}

Actor person_actor(const Person& who) {
  Actor actor;
  actor.name = "person:" + who.name;
  actor.person = who.id;
  actor.department = who.department;
  actor.roles = {"person"};
  if (who.enabled) grant_role(actor, *role_of_product("person"), Scope::own);
  return actor;
}

Actor manager_actor(std::string name) {
  Actor actor;
  actor.name = std::move(name);
  actor.roles = {"manager"};
  actor.scopes.fill(Scope::all);
  return actor;
}

bool may(const Actor& actor, Right right) {
  return actor.scopes[static_cast<std::size_t>(right)] != Scope::none;
}

bool may(const Actor& actor, Right right, const Person& person) {
  switch (actor.scopes[static_cast<std::size_t>(right)]) {
    case Scope::all:
      return true;
    case Scope::department:
      return (!actor.department.empty() && actor.department == person.department) || actor.person == person.id;
    case Scope::own:
      return person.id != 0 && actor.person == person.id;
    case Scope::none:
      return false;
  }
  return false;
}

Status require(const Actor& actor, Right right) {
  if (may(actor, right)) return {};
  return error(Code::permission_denied, fmt::format("this needs the right {} ({})", name(right), words(right)));
}

Status require(const Actor& actor, Right right, const Person& person) {
  CARDEA_TRY(require(actor, right));
  if (may(actor, right, person)) return {};
  return error(Code::permission_denied,
               fmt::format("the right {} reaches only {} here, and {} is outside of that", name(right),
                           actor.scopes[static_cast<std::size_t>(right)] == Scope::own ? "oneself" : "one's department",
                           person.name));
}

Status require_over_all(const Actor& actor, Right right) {
  CARDEA_TRY(require(actor, right));
  if (actor.scopes[static_cast<std::size_t>(right)] == Scope::all) return {};
  return error(Code::permission_denied, fmt::format("this tells of everybody, and the right {} has the scope {} here",
                                                    name(right), name(actor.scopes[static_cast<std::size_t>(right)])));
}

Status save_role(Transaction& store, const CustomRole& role) {
  if (role_of_product(role.name) != nullptr || role.name == "manager")
    return error(Code::exists, fmt::format("'{}' is a role that comes with the product", role.name));
  const bool fine = !role.name.empty() && role.name.size() <= 64 &&
                    role.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
  if (!fine) return error(Code::arguments_bad, "a role's name is 1 to 64 lower-case letters, digits, '_' and '-'");
  CARDEA_ASSIGN(const Scope scope, scope_of(role.scope));
  if (scope == Scope::none || role.rights.empty())
    return error(Code::arguments_bad, "a role without scope or rights would let nobody do anything");
  for (const auto& word : role.rights)
    if (auto right = right_of(word); !right) return std::move(right).error();
  return store.put(role);
}

Result<std::vector<std::string>> role_names(Transaction& store) {
  std::vector<std::string> names;
  for (const auto& row : roles) names.emplace_back(row.name);
  CARDEA_ASSIGN(const auto custom, store.custom_roles());
  for (const auto& role : custom) names.push_back(role.name);
  return names;
}

}  // namespace cardea::manager
