// Certificates asked for outside of jobs whose outcome is not known yet: the manager was cut off between the authority
// and the record, the authority did not answer, or it decides later. Nobody else asks for them again.
#pragma once

#include <string_view>

#include "base/result.h"
#include "domain/ca_connector.h"
#include "domain/ports.h"

namespace cardea::manager {

/// Member of the wish of a certificate whose key was made here and has not reached whoever asked: nobody will ever have
/// that key, so what the authority issued is revoked.
inline constexpr std::string_view not_handed_over = "not_handed_over";

/// What an authority is asked for, as it stands in Certificate::wish while the answer is not known.
json::object wish_document(const IssuanceRequest& request);
/// The way back; `certificate` is the row's number, which makes the request's identifier. store_corrupt.
Result<IssuanceRequest> wished_request(const json::object& document, Id certificate);

/// Asks authorities again what became of such certificates, by their retry schedules (C3) and daily after those: a
/// certificate that exists is recorded, or revoked when it is not what was asked for. Those that somebody may be
/// waiting for at this moment are left alone. An authority that does not answer is asked once a call. Answers how many
/// were settled.
Result<std::size_t> resume_issuances(const Ports& ports, std::size_t limit);

}  // namespace cardea::manager
