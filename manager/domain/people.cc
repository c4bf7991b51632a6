#include "domain/people.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "domain/audit_log.h"
#include "domain/token_secrets.h"

namespace cardea::manager {

namespace {

bool is_line(std::string_view text, std::size_t max) {
  return text.size() <= max && std::none_of(text.begin(), text.end(),
                                            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Status check_line(std::string_view pointer, std::string_view text, std::size_t max, bool needed) {
  if (needed && text.empty()) return error(Code::arguments_bad, fmt::format("{}: is missing", pointer));
  if (!is_line(text, max))
    return error(Code::arguments_bad, fmt::format("{}: must be one line of at most {} bytes", pointer, max));
  return {};
}

// As far as one can tell without writing to it; what certificates may carry is for authorities to say.
bool is_mail_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  return at != 0 && at != std::string_view::npos && at + 1 < text.size() && text.find(' ') == std::string_view::npos;
}

Status check_person(const Person& person) {
  CARDEA_TRY(check_line("/name", person.name, 128, true));
  CARDEA_TRY(check_line("/display_name", person.display_name, 256, false));
  CARDEA_TRY(check_line("/email", person.email, 256, false));
  if (!person.email.empty() && !is_mail_address(person.email))
    return error(Code::arguments_bad, "/email: must look like alice@example.org");
  CARDEA_TRY(check_line("/department", person.department, 128, false));
  if (person.attributes.size() > 64) return error(Code::arguments_bad, "/attributes: holds more than 64");
  for (const auto& [name, value] : person.attributes) {
    CARDEA_TRY(check_line("/attributes: a name", name, 64, true));
    CARDEA_TRY(check_line("/attributes/" + name, value, 1024, false));
  }
  return {};
}

Status check_token(const Token& token) {
  if (auto kind = kind_secrets(token.kind); !kind) return error(Code::arguments_bad, "/kind: " + kind.error().detail);
  CARDEA_TRY(check_line("/serial", token.serial, 128, true));
  CARDEA_TRY(check_line("/label", token.label, 128, false));
  CARDEA_TRY(check_line("/model", token.model, 128, false));
  CARDEA_TRY(check_line("/location", token.location, 128, false));
  if (!token.card_type.empty() && factory_algorithm(token.kind, token.card_type).empty())
    return error(Code::arguments_bad,
                 fmt::format("/card_type: no tokens of kind {} are called '{}'", token.kind, token.card_type));
  return {};
}

// Somebody else changed it since the caller read it: `updated` travels with what the caller shows and sends back.
Status check_unchanged(Time before, Time now_given) {
  if (now_given == Time{} || before == now_given) return {};
  return error(Code::key_changed, "somebody else has changed it meanwhile: read it again");
}

std::string subject(std::string_view what, Id id) {
  return fmt::format("{}:{}", what, id);
}

// A text that scanners for leaked secrets recognise, made without a copy outside of locked memory.
SecretBytes printable_secret(const SecretBytes& random) {
  constexpr std::string_view prefix = "cardea_";
  constexpr std::string_view digits = "0123456789abcdef";
  SecretBytes text(prefix.size() + 2 * random.size());
  Byte* end = std::copy(prefix.begin(), prefix.end(), text.data());
  for (const Byte byte : random.view()) {
    *end++ = static_cast<Byte>(digits[byte >> 4]);
    *end++ = static_cast<Byte>(digits[byte & 0x0F]);
  }
  return text;
}

Status check_operator(Transaction& store, const Actor& actor, const Operator& who) {
  CARDEA_TRY(check_line("/name", who.name, 128, true));
  if (auto scope = scope_of(who.scope.empty() ? "all" : std::string_view(who.scope)); !scope)
    return error(Code::arguments_bad, "/scope: " + scope.error().detail);
  for (const auto& certificate : who.certificates) {
    Bytes hash;
    if (!from_hex(certificate, hash) || hash.size() != 32)
      return error(Code::arguments_bad, "/certificates: each is the SHA-256 of a certificate, 64 hexadecimal digits");
  }
  if (who.person)
    if (auto person = store.person(*who.person); !person)
      return error(Code::arguments_bad, "/person: there is no such person");
  Operator enabled = who;
  enabled.enabled = true;
  auto becomes = operator_actor(store, enabled);
  if (!becomes) return error(Code::arguments_bad, "/roles: " + becomes.error().detail);
  for (std::size_t i = 0; i < right_count; ++i)
    if (becomes->scopes[i] > actor.scopes[i])
      return error(Code::permission_denied,
                   fmt::format("nobody can give the right {} further than having it", name(static_cast<Right>(i))));
  return {};
}

}  // namespace

Result<Person> save_person(const Ports& ports, const Actor& actor, const Person& person) {
  CARDEA_TRY(check_person(person));
  Person saved;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    saved = person;
    saved.updated = ports.clock.now();
    CARDEA_TRY(require(actor, Right::person_write, person));
    if (person.id == 0) {
      saved.created = saved.updated;
      CARDEA_ASSIGN(saved.id, store.insert(saved));
    } else {
      CARDEA_ASSIGN(const Person before, store.person(person.id));
      CARDEA_TRY(require(actor, Right::person_write, before));
      CARDEA_TRY(check_unchanged(before.updated, person.updated));
      saved.created = before.created;
      CARDEA_TRY(store.update(saved));
    }
    return audit(store, actor, saved.updated, person.id == 0 ? AuditAction::person_added : AuditAction::person_changed,
                 subject("person", saved.id), {{"name", saved.name}, {"enabled", saved.enabled}});
  }));
  return saved;
}

namespace {

// A token that comes with its person is not in stock: nobody else gets it.
Status promise(Transaction& store, const Actor& actor, Id id, Token& token) {
  auto person = store.person(id);
  if (!person && person.code() == Code::not_found)
    return error(Code::arguments_bad, "/person: there is no such person");
  if (!person) return std::move(person).error();
  CARDEA_TRY(require(actor, Right::token_write, *person));
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(token.kind));
  if (secrets.made)
    return error(
        Code::arguments_bad,
        fmt::format("/person: a token of kind {} is made when it is issued, so nobody has it before", token.kind));
  CARDEA_ASSIGN(token.state, after(token.state, "assign"));
  token.person = id;
  return {};
}

}  // namespace

Result<Token> register_token(const Ports& ports, const Actor& actor, const Token& token) {
  CARDEA_TRY(require(actor, Right::token_write));
  CARDEA_TRY(check_token(token));
  Token saved;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    saved = Token();
    saved.kind = token.kind;
    saved.serial = token.serial;
    saved.label = token.label;
    saved.model = token.model;
    saved.location = token.location;
    saved.card_type = token.card_type;
    saved.registered_stock = true;
    saved.created = saved.updated = ports.clock.now();
    auto known = store.token_by_serial(token.kind, token.serial);
    if (known) return error(Code::exists, fmt::format("the {} token {} is known already", token.kind, token.serial));
    if (known.code() != Code::not_found) return std::move(known).error();
    json::object detail{{"kind", saved.kind}, {"serial", saved.serial}};
    if (token.person) {
      CARDEA_TRY(promise(store, actor, *token.person, saved));
      detail["person"] = *token.person;
    }
    CARDEA_ASSIGN(saved.id, store.insert(saved));
    return audit(store, actor, saved.updated, AuditAction::token_registered, subject("token", saved.id), detail);
  }));
  return saved;
}

Result<Token> change_token(const Ports& ports, const Actor& actor, const Token& token) {
  CARDEA_TRY(require(actor, Right::token_write));
  CARDEA_TRY(check_token(token));
  Token saved;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(saved, store.token(token.id));
    CARDEA_TRY(check_unchanged(saved.updated, token.updated));
    saved.label = token.label;
    saved.location = token.location;
    saved.model = token.model;
    if (saved.card_type != token.card_type && saved.secret_version != 0)
      return error(Code::action_prohibited,
                   "the card type says which factory secrets a token came with; these are replaced already");
    saved.card_type = token.card_type;
    saved.updated = ports.clock.now();
    CARDEA_TRY(store.update(saved));
    return audit(store, actor, saved.updated, AuditAction::token_changed, subject("token", saved.id));
  }));
  return saved;
}

Result<Token> restock_token(const Ports& ports, const Actor& actor, Id token) {
  CARDEA_TRY(require(actor, Right::token_write));
  Token saved;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(saved, store.token(token));
    if (saved.person) {
      CARDEA_ASSIGN(const Person person, store.person(*saved.person));
      CARDEA_TRY(require(actor, Right::token_write, person));
    }
    CARDEA_ASSIGN(saved.state, after(saved.state, "restock"));
    saved.person.reset();
    saved.profile.reset();
    saved.updated = ports.clock.now();
    CARDEA_TRY(store.update(saved));
    return audit(store, actor, saved.updated, AuditAction::token_changed, subject("token", saved.id),
                 {{"state", "stock"}});
  }));
  return saved;
}

Result<Operator> save_operator(const Ports& ports, const Actor& actor, const Operator& who) {
  CARDEA_TRY(require(actor, Right::operator_write));
  Operator saved;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    saved = who;
    saved.updated = ports.clock.now();
    CARDEA_TRY(check_operator(store, actor, who));
    if (who.id == 0) {
      saved.created = saved.updated;
      CARDEA_ASSIGN(saved.id, store.insert(saved));
    } else {
      CARDEA_ASSIGN(const Operator before, store.operator_(who.id));
      // Whoever has more rights cannot be changed, or disabled, by somebody with fewer.
      CARDEA_TRY(check_operator(store, actor, before));
      CARDEA_TRY(check_unchanged(before.updated, who.updated));
      saved.created = before.created;
      CARDEA_TRY(store.update(saved));
    }
    json::array roles;
    for (const auto& role : saved.roles) roles.emplace_back(role);
    return audit(store, actor, saved.updated, AuditAction::operator_saved, subject("operator", saved.id),
                 {{"name", saved.name}, {"roles", roles}, {"enabled", saved.enabled}});
  }));
  return saved;
}

namespace {

// Whoever could write a role with rights of their own choice would have them all, and so would its operators.
Status check_role(const Actor& actor, const CustomRole& role) {
  CARDEA_ASSIGN(const Scope scope, scope_of(role.scope));
  for (const auto& word : role.rights) {
    CARDEA_ASSIGN(const Right right, right_of(word));
    if (scope > actor.scopes[static_cast<std::size_t>(right)])
      return error(Code::permission_denied,
                   fmt::format("nobody can give the right {} further than having it, nor take it from those who have "
                               "it further",
                               word));
  }
  return {};
}

}  // namespace

Status save_role(const Ports& ports, const Actor& actor, const CustomRole& role) {
  CARDEA_TRY(require(actor, Right::operator_write));
  return ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const auto custom, store.custom_roles());
    for (const auto& before : custom)
      if (before.name == role.name) CARDEA_TRY(check_role(actor, before));
    CARDEA_TRY(check_role(actor, role));
    CARDEA_TRY(save_role(store, role));
    json::array rights;
    for (const auto& right : role.rights) rights.emplace_back(right);
    return audit(store, actor, ports.clock.now(), AuditAction::role_saved, "role:" + role.name,
                 {{"name", role.name}, {"scope", role.scope}, {"rights", rights}});
  });
}

Result<NewAccessToken> make_access_token(const Ports& ports, const Actor& actor, Id operator_id, std::string name,
                                         std::vector<std::string> rights, Time expires) {
  CARDEA_TRY(require(actor, Right::operator_write));
  CARDEA_TRY(check_line("/name", name, 128, true));
  const Time now = ports.clock.now();
  if (expires <= now || expires > now + std::chrono::days(3660))
    return error(Code::arguments_bad, "/expires: must lie in the future, within ten years");
  for (const auto& right : rights)
    if (auto known = right_of(right); !known) return error(Code::arguments_bad, "/rights: " + known.error().detail);
  SecretBytes random(32);
  CARDEA_TRY(crypto::random_bytes(random.mutable_view()));
  NewAccessToken made{.token = {}, .text = printable_secret(random)};
  CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, made.text.view()));
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const Operator who, store.operator_(operator_id));
    CARDEA_TRY(check_operator(store, actor, who));
    made.token = AccessToken{.id = 0,
                             .operator_id = operator_id,
                             .name = name,
                             .hash = hash,
                             .rights = rights,
                             .expires = expires,
                             .created = now};
    CARDEA_ASSIGN(made.token.id, store.insert(made.token));
    return audit(store, actor, now, AuditAction::access_token_made, subject("operator", operator_id), {{"name", name}});
  }));
  return made;
}

Status remove_access_token(const Ports& ports, const Actor& actor, Id id) {
  return ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const AccessToken token, store.access_token(id));
    if (actor.operator_id != token.operator_id) {
      CARDEA_TRY(require(actor, Right::operator_write));
      CARDEA_ASSIGN(const Operator owner, store.operator_(token.operator_id));
      // As with the operator itself: nobody with fewer rights locks it out.
      CARDEA_TRY(check_operator(store, actor, owner));
    }
    CARDEA_TRY(store.remove_access_token(id));
    return audit(store, actor, ports.clock.now(), AuditAction::access_token_removed,
                 subject("operator", token.operator_id), {{"name", token.name}});
  });
}

Result<Actor> actor_of_access_token(const Ports& ports, ByteView text) {
  CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, text));
  std::optional<Actor> actor;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    auto token = store.access_token_by_hash(hash);
    if (!token && token.code() != Code::not_found) return std::move(token).error();
    if (!token || token->expires <= ports.clock.now())
      return error(Code::permission_denied, "the access token is unknown or has expired");
    CARDEA_ASSIGN(const Operator who, store.operator_(token->operator_id));
    CARDEA_ASSIGN(actor, operator_actor(store, who, token->rights));
    return {};
  }));
  return *actor;
}

Result<Actor> actor_of_certificate(const Ports& ports, ByteView sha256) {
  std::optional<Actor> actor;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    auto who = store.operator_by_certificate(to_hex(sha256));
    if (!who && who.code() != Code::not_found) return std::move(who).error();
    if (!who) return error(Code::permission_denied, "this certificate belongs to no operator");
    CARDEA_ASSIGN(actor, operator_actor(store, *who));
    return {};
  }));
  return *actor;
}

}  // namespace cardea::manager
