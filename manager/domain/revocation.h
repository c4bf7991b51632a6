// Why and when certificates stop being valid (RFC 5280, 5.3.1), and the port through which whoever signs CRLs and OCSP
// answers reads it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::manager {

/// CRLReason with its numbers (RFC 5280, 5.3.1).
enum class RevocationReason : std::uint8_t {
  unspecified = 0,
  key_compromise = 1,
  ca_compromise = 2,
  affiliation_changed = 3,
  superseded = 4,
  cessation_of_operation = 5,
  certificate_hold = 6,
  remove_from_crl = 8,
  privilege_withdrawn = 9,
  aa_compromise = 10
};

/// The reason's name as RFC 5280 writes it: "keyCompromise", "certificateHold".
std::string_view word(RevocationReason reason);
/// The reason of that name, or of its snake_case form ("key_compromise"); arguments_bad lists the names.
Result<RevocationReason> revocation_reason(std::string_view word);

/// One revoked or suspended certificate. `serial` is the unsigned number big-endian without leading zeros.
struct RevokedCertificate {
  ByteView serial;  ///< valid during the call only
  std::chrono::sys_seconds revoked_at;
  RevocationReason reason = RevocationReason::unspecified;
  std::optional<std::chrono::sys_seconds> invalid_since;  ///< invalidityDate (RFC 5280, 5.3.2)
};

/// What is known of one certificate.
struct CertificateStatus {
  enum class State : std::uint8_t { unknown, good, revoked };
  State state = State::unknown;         ///< unknown: this CA never issued such a number; suspended counts as revoked
  std::chrono::sys_seconds revoked_at;  ///< of a revoked one
  RevocationReason reason = RevocationReason::unspecified;
};

/// Where the state of issued certificates is read (store_status.h reads it from the store). Thread-safe.
class StatusSource {
 public:
  virtual ~StatusSource() = default;
  /// The state of the certificate with that number (big-endian, no leading zeros). `ca` is the CA's row.
  virtual Result<CertificateStatus> status(std::int64_t ca, ByteView serial) = 0;
  /// Calls `use` for each revoked or suspended certificate, with `expired_too` also for those whose time is over, read
  /// through a cursor so that half a million need no memory of their own. Ends with the first error of `use`.
  virtual Status each_revoked(std::int64_t ca, bool expired_too,
                              const std::function<Status(const RevokedCertificate&)>& use) = 0;
};

}  // namespace cardea::manager
