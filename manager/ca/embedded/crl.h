// Certificate revocation lists (RFC 5280, 5), written while the revoked certificates stream by.
#pragma once

#include <chrono>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "domain/key_token.h"
#include "domain/revocation.h"
#include "embedded/issuer.h"

namespace cardea::ca {

struct CrlContent {
  std::uint64_t number = 0;
  std::chrono::sys_seconds this_update;
  std::chrono::sys_seconds next_update;
  /// Since when expired certificates stay on the list (expiredCertsOnCRL, X.509, 9.5.2.8); absent: they leave it.
  std::optional<std::chrono::sys_seconds> expired_since;
};

/// A full CRL, DER. `ca` is asked for at the status source.
Result<Bytes> make_crl(manager::KeyToken& keys, const SigningIdentity& identity, manager::StatusSource& status,
                       std::int64_t ca, const CrlContent& content);

}  // namespace cardea::ca
