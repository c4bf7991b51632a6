// Who may do what: rights (rights.def), roles (roles.def and the store's), scopes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/model.h"
#include "domain/store.h"

namespace cardea::manager {

enum class Right : std::uint8_t {
#define CARDEA_RIGHT(name, words) name,
#include "domain/rights.def"
#undef CARDEA_RIGHT
};
inline constexpr std::size_t right_count = 0
#define CARDEA_RIGHT(name, words) +1
#include "domain/rights.def"
#undef CARDEA_RIGHT
    ;

/// The right's name as in the table, and what it lets one do, in words.
std::string_view name(Right right);
std::string_view words(Right right);
/// The inverse of name; arguments_bad.
Result<Right> right_of(std::string_view name);

/// Whom a right reaches: oneself, one's department, everybody. A larger one contains the smaller.
enum class Scope : std::uint8_t { none, own, department, all };
std::string_view name(Scope scope);
/// arguments_bad lists the words.
Result<Scope> scope_of(std::string_view name);

/// Who acts. Made once a call; plain data.
struct Actor {
  std::string name;  ///< for the audit log: "operator:alice", "person:bob", "agent:job 7", "manager"
  std::optional<Id> operator_id;
  std::optional<Id> person;
  std::string department;
  std::vector<std::string> roles;
  std::array<Scope, right_count> scopes = {};
};

/// The operator with the rights of its roles, narrowed by its own scope and by `only` (names of rights; empty: not
/// narrowed), as access tokens do. action_prohibited for a disabled one; arguments_bad for a role that is gone.
Result<Actor> operator_actor(Transaction& store, const Operator& who, const std::vector<std::string>& only = {});
/// A person who acts for oneself, with the role `person`.
Actor person_actor(const Person& who);
/// The daemon itself, which may do everything. `name` is for the audit log.
Actor manager_actor(std::string name = "manager");

/// Whether the actor has the right at all, over somebody.
bool may(const Actor& actor, Right right);
/// Whether the actor has it over this person.
bool may(const Actor& actor, Right right, const Person& person);
/// permission_denied with a sentence that names the right.
Status require(const Actor& actor, Right right);
Status require(const Actor& actor, Right right, const Person& person);
/// For what tells of everybody and cannot be narrowed.
Status require_over_all(const Actor& actor, Right right);

/// Checks and stores a custom role. arguments_bad in words; exists for the name of a role that comes with the product.
Status save_role(Transaction& store, const CustomRole& role);
/// The names of all roles, those of the product first.
Result<std::vector<std::string>> role_names(Transaction& store);

}  // namespace cardea::manager
