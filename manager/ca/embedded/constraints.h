// Basic constraints (RFC 5280, 4.2.1.9) of the certificates above a CA.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "x509/certificate_view.h"

namespace cardea::ca {

bool is_ca_certificate(const x509::CertificateView& certificate);

/// Whether one more CA may stand below these certificates, the nearest first: no path length among them is too short
/// for the CAs below it. arguments_bad in words; data_invalid for what is no certificate.
Status check_path_lengths(const std::vector<Bytes>& above);

}  // namespace cardea::ca
