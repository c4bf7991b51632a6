// What a request may bring into a certificate: decided by the profile.
#pragma once

#include "base/result.h"
#include "domain/ca_connector.h"
#include "embedded/issuer.h"
#include "embedded/profile.h"
#include "x509/request_reader.h"

namespace cardea::ca {

/// Fills usage, purposes and (unless `names_given`) alternative names of `content` from profile and request.
/// arguments_bad in words when the request wants more than the profile gives, or brings what the profile rejects.
Status apply_request(const CertificateProfile& profile, const x509::CertificateRequest& request, bool names_given,
                     CertificateContent& content);

/// The same for a key that comes without a request.
Status apply_profile(const CertificateProfile& profile, crypto::KeyFamily family, CertificateContent& content);

}  // namespace cardea::ca
