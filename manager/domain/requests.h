// Requests (requirements L2, L3): asked for, approved, collected with a one-time code.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "domain/one_time_code.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// Set among a request's parameters where its token is to get the person's former decryption keys as well: two
/// operators with recovery_approve have to agree then (K4).
inline constexpr std::string_view former_keys = "former_keys";

/// What somebody asks for.
struct NewRequest {
  std::string kind;  ///< a line of job_kinds.def
  Id person = 0;
  std::string profile;      ///< name; needed by issue; else the token's own
  std::optional<Id> token;  ///< needed by all but issue
  std::string reason;       ///< replace, cancel, retire: a word of RFC 5280 or lost, damaged, forgotten, left
  json::object parameters;  ///< of the kind: recover {keys: "all"|"latest"|[ids], to: "token"|"pkcs12"},
                            ///< retire {destroy_unarchived: true}, cancel {suspend: true}
};

/// Checks rights, limits and the lifecycle, and stores the request: `approved` at once when nobody has to approve it.
/// Kinds that need no token in hand (disable, enable, cancel) get their job with it. permission_denied,
/// action_prohibited (limit reached, wrong state, an unarchived decryption key would be lost), arguments_bad,
/// not_found, in words.
Result<Request> create_request(const Ports& ports, const Actor& actor, const NewRequest& wanted);

/// An operator's yes. Never the requester's; recoveries need two different operators. permission_denied,
/// action_prohibited.
Result<Request> approve_request(const Ports& ports, const Actor& actor, Id request, std::string comment);
/// An operator's no.
Result<Request> reject_request(const Ports& ports, const Actor& actor, Id request, std::string comment);
/// Withdraws it; a job that runs is undone.
Result<Request> cancel_request(const Ports& ports, const Actor& actor, Id request);

/// Makes a new one-time code; an earlier one is void. Only for approved requests, and for collecting ones (to resume on
/// another machine). Shown once.
struct IssuedCode {
  SecretBytes text;  ///< "7-4821 3377": the request's number, then the secret in groups
  Time expires;
};
Result<IssuedCode> make_code(const Ports& ports, const Actor& actor, Id request);

/// Requests whose time is over expire; answers how many.
Result<std::size_t> expire_requests(const Ports& ports);

}  // namespace cardea::manager
