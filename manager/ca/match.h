// A CA's answer compared with what was asked for, before anything is written on a token.
#pragma once

#include <chrono>

#include "base/result.h"
#include "domain/ca_connector.h"

namespace cardea::ca {

/// Success when the certificate is for the request's key, subject and alternative names, and valid as it was asked for:
/// from now at the latest (a day of clock skew is allowed), not longer than wanted by more than a day, and not over
/// yet. data_invalid says in words what differs. Subject and names of the CSR are not compared where the request does
/// not state them: then the CA decides.
Status match_certificate(const manager::IssuanceRequest& request, ByteView certificate, std::chrono::sys_seconds now);

}  // namespace cardea::ca
