// The audit log's use: what is written (audit_actions.def), signed heads (B5), verification, export. audit.h has the
// chain itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

enum class AuditAction : std::uint8_t {
#define CARDEA_AUDIT_ACTION(name, words) name,
#include "domain/audit_actions.def"
#undef CARDEA_AUDIT_ACTION
};
std::string_view name(AuditAction action);

/// Writes an event in the transaction of what it tells of. `detail` never holds a secret.
Status audit(Transaction& store, const Actor& actor, Time now, AuditAction action, std::string subject,
             json::object detail = {});

/// Signs the newest event's hash and stores that as a head; nothing when there is no newer event than the last head's.
Status sign_audit_head(const Ports& ports);

/// What verification found.
struct AuditVerdict {
  std::uint64_t events = 0;
  bool intact = false;
  std::string problem;  ///< names the first event that is changed or missing
  bool head_verified = false;
};
/// Walks the whole chain and compares the last signed head. Needs audit_read over everybody.
Result<AuditVerdict> verify_audit_log(const Ports& ports, const Actor& actor);

/// Events as JSON lines, oldest first, from that number on. Needs audit_read over everybody; the export itself is an
/// event.
Status export_audit_log(const Ports& ports, const Actor& actor, std::uint64_t from,
                        const std::function<Status(std::string_view line)>& sink);

}  // namespace cardea::manager
