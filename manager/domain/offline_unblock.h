// Unblocking a token whose user is on the phone (requirements L8).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// What an operator reads out.
struct OfflineAnswer {
  SecretBytes text;          ///< the answer or the PUK in readable groups (readable_groups.h)
  bool is_puk = false;       ///< the kind takes no challenges for this: the text is the PUK, which is used up now
  std::optional<Id> rotate;  ///< the request by which the PUK is replaced at the token's next contact
};

/// Answers the challenge that the user reads from the screen, in readable groups; `algorithm` as in docs/manager.md,
/// empty: the kind's usual one. Kinds whose PIN is set with a PUK (PIV, keystore) take no challenge: an empty one, and
/// the PUK is told. Needs token_unblock over the token's person; the token must be issued. data_invalid names the group
/// that was misheard. Audited.
Result<OfflineAnswer> unblock_offline(const Ports& ports, const Actor& actor, Id token, std::string_view challenge,
                                      std::string_view algorithm);

}  // namespace cardea::manager
