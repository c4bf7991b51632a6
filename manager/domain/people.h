// People, operators, and the stock of tokens.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// Adds a person (`id` 0) or changes one. Needs person_write over both what the person was and becomes. exists for a
/// name that is taken; arguments_bad in words for members that cannot be used; key_changed when somebody else changed
/// it since `updated`.
Result<Person> save_person(const Ports& ports, const Actor& actor, const Person& person);

/// Registers a token by kind and serial number (L6), with `person` for that person alone, or changes its label,
/// location or card type. Needs token_write. exists when it is known already.
Result<Token> register_token(const Ports& ports, const Actor& actor, const Token& token);
Result<Token> change_token(const Ports& ports, const Actor& actor, const Token& token);
/// Puts a retired token back into stock. action_prohibited by lifecycle.def.
Result<Token> restock_token(const Ports& ports, const Actor& actor, Id token);

/// Adds or changes an operator. Needs operator_write; nobody gives rights that one does not have oneself
/// (permission_denied names the right). Roles must exist; certificates are SHA-256 in hexadecimal.
Result<Operator> save_operator(const Ports& ports, const Actor& actor, const Operator& who);

/// Makes or changes a custom role. Needs operator_write, and each of the role's rights, those that it had before too,
/// at least as far as the role reaches (permission_denied names the right). Otherwise as save_role of rights.h.
Status save_role(const Ports& ports, const Actor& actor, const CustomRole& role);

/// Makes a bearer token for an operator's script. The text is answered once and only its SHA-256 is stored.
struct NewAccessToken {
  AccessToken token;
  SecretBytes text;
};
Result<NewAccessToken> make_access_token(const Ports& ports, const Actor& actor, Id operator_id, std::string name,
                                         std::vector<std::string> rights, Time expires);
/// One's own, or with operator_write that of an operator who has no more rights than the actor.
Status remove_access_token(const Ports& ports, const Actor& actor, Id id);
/// Who presents that bearer token; permission_denied when there is none, or it has expired.
Result<Actor> actor_of_access_token(const Ports& ports, ByteView text);
/// Who logs on with that certificate (SHA-256 of its DER); permission_denied.
Result<Actor> actor_of_certificate(const Ports& ports, ByteView sha256);

}  // namespace cardea::manager
