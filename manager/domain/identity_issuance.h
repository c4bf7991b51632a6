// Certificates together with the key that was made for them here, as PKCS#12 (requirement C9).
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "domain/certificates.h"

namespace cardea::manager {

/// To be shown once: the manager keeps neither key (unless the policy archives it) nor password.
struct IssuedIdentity {
  Certificate certificate;
  SecretBytes pkcs12;
  SecretBytes password;
};
/// Makes a key in locked memory (`algorithm`: rsa:2048 …, ec:P-256 …), has it certified (`wanted.csr` is not looked at)
/// and archives it where the policy says so, in the transaction that makes the certificate active; `wanted.person` must
/// be given then. Only an authority of ours does this: another may answer days later, and the key would have to wait
/// for it. Errors as issue_for_csr.
Result<IssuedIdentity> issue_identity(const Ports& ports, const Actor& actor, CsrIssuance wanted,
                                      std::string_view algorithm);

}  // namespace cardea::manager
