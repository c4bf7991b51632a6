#include "domain/offline_unblock.h"

#include <fmt/format.h>

#include "domain/audit_log.h"
#include "domain/readable_groups.h"
#include "domain/requests.h"
#include "domain/token_secrets.h"

namespace cardea::manager {

namespace {

constexpr std::size_t tpm_challenge = 32;
constexpr std::size_t des_challenge = 8;
constexpr std::size_t gids_mutual_challenge = 40;

Result<Token> unblockable(Transaction& store, const Actor& actor, Id id) {
  CARDEA_ASSIGN(Token token, store.token(id));
  if (token.state != TokenState::issued || !token.person)
    return error(Code::action_prohibited,
                 fmt::format("the token is {}; only an issued one is unblocked", name(token.state)));
  CARDEA_ASSIGN(const Person person, store.person(*token.person));
  CARDEA_TRY(require(actor, Right::token_unblock, person));
  return token;
}

// Groups say nothing of how many bytes they stand for, so the lengths that the kind knows are tried.
Result<Bytes> heard_challenge(const Token& token, std::string_view text) {
  if (token.kind == "tpm") return from_readable_groups(text, tpm_challenge);
  auto bytes = from_readable_groups(text, des_challenge);
  if (!bytes && bytes.code() == Code::data_length) return from_readable_groups(text, gids_mutual_challenge);
  return bytes;
}

Result<OfflineAnswer> tell_puk(const Ports& ports, const Actor& actor, const Token& token, const KindSecrets& secrets) {
  const bool so_pin = secrets.so_pin_digits > 0;
  if (token.puk_version == 0) return error(Code::action_prohibited, "this token's PUK was never set by the manager");
  OfflineAnswer answer;
  answer.is_puk = true;
  CARDEA_ASSIGN(
      const SecretBytes digits,
      derived_digits(ports.keys, so_pin ? SecretPurpose::so_pin : SecretPurpose::puk, {token.kind, token.serial},
                     token.puk_version, so_pin ? secrets.so_pin_digits : secrets.puk_digits));
  CARDEA_ASSIGN(answer.text, digits_to_readable_groups(digits.view()));
  NewRequest rotate;
  rotate.kind = "rotate";
  rotate.person = *token.person;
  rotate.token = token.id;
  auto made = create_request(ports, manager_actor(), rotate);
  // One that waits already will do.
  if (!made && made.code() != Code::action_prohibited) return std::move(made).error();
  if (made) answer.rotate = made->id;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) {
    return audit(store, actor, ports.clock.now(), AuditAction::secret_told, fmt::format("token:{}", token.id),
                 {{"step", "offline unblock"}});
  }));
  return answer;
}

}  // namespace

Result<OfflineAnswer> unblock_offline(const Ports& ports, const Actor& actor, Id id, std::string_view challenge,
                                      std::string_view algorithm) {
  Token token;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(token, unblockable(store, actor, id));
    return {};
  }));
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(token.kind));
  const bool by_challenge = token.kind == "gids" || token.kind == "tpm";
  if (!by_challenge && !challenge.empty())
    return error(Code::arguments_bad, "tokens of this kind are unblocked with their PUK: send no challenge");
  if (!by_challenge) return tell_puk(ports, actor, token, secrets);
  CARDEA_ASSIGN(const Bytes heard, heard_challenge(token, challenge));
  const std::string_view usual = token.kind == "tpm" ? "hmac-sha256" : "3des";
  const std::string_view chosen = algorithm.empty() ? usual : algorithm;
  if (token.secret_version == 0)
    return error(Code::action_prohibited, "this token's administrator key was never set by the manager");
  CARDEA_ASSIGN(const SecretBytes key,
                derived_admin_key(ports.keys, {token.kind, token.serial}, token.secret_version, chosen));
  CARDEA_ASSIGN(const Bytes bytes, challenge_answer(token.kind, chosen, key, heard));
  OfflineAnswer answer;
  answer.text = SecretBytes(view_of(to_readable_groups(bytes)));
  CARDEA_TRY(ports.store.transact([&](Transaction& store) {
    return audit(store, actor, ports.clock.now(), AuditAction::challenge_answered, fmt::format("token:{}", token.id),
                 {{"offline", true}});
  }));
  return answer;
}

}  // namespace cardea::manager
