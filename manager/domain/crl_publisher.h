// CRLs of the authorities that the manager runs itself: made on schedule or now, stored, served from the store.
#pragma once

#include <string_view>

#include "base/result.h"
#include "domain/local_ca.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// Makes the next CRL of that authority and stores it with its number (RFC 5280, 5.2.3: one more than the last).
/// It shows everything that was revoked before this call, also when others publish at the same time. timed_out when
/// they never stop; errors of the key token and the store.
Result<CrlState> publish_crl(const Ports& ports, LocalCa& ca, Id id);

/// The same for an operator who wants it now, which is recorded. Needs crl_publish.
Result<CrlState> publish_crl(const Ports& ports, const Actor& actor, LocalCa& ca, Id id);

/// The newest CRL; makes the first one, and the next when it is due and nobody else has made it meanwhile.
Result<CrlState> current_crl(const Ports& ports, LocalCa& ca, Id id);

/// What was published last by the authority of that name, while it is valid: it can be served also when the authority
/// cannot make another. not_found when there is none.
Result<CrlState> valid_crl(const Ports& ports, std::string_view name);

}  // namespace cardea::manager
