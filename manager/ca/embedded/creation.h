// Making embedded CAs: a root, one below another of ours, or one below a root that somebody else runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/clock.h"
#include "domain/key_token.h"
#include "embedded/embedded_ca.h"

namespace cardea::ca {

struct CaCreation {
  std::string name;     ///< of the CA's row; letters, digits, blank, dot, hyphen and underscore, 1 to 40 of them
  std::string subject;  ///< RFC 4514, not empty
  manager::SigningKeyType key_type = manager::SigningKeyType::p256;
  std::optional<manager::SignatureScheme> scheme;  ///< absent: default_scheme
  CaType type = CaType::root;
  std::optional<manager::IsoDuration> validity;  ///< absent: as the profile root-ca, intermediate-ca or issuing-ca says
  PublicUrls urls;
  bool ocsp_signer = true;  ///< delegates OCSP to a key of its own
};

/// A root with its key. arguments_bad in words; mechanism_invalid when the key token has no such keys.
Result<EmbeddedSettings> create_root(EmbeddedParts parts, const CaCreation& wanted);

/// A CA below `parent`, by one of its profiles.
Result<EmbeddedSettings> create_below(EmbeddedParts parts, const CaCreation& wanted, const EmbeddedCa& parent);

/// A CA whose certificate will come from elsewhere: settings without certificate, and with the request for it.
Result<EmbeddedSettings> request_ca(EmbeddedParts parts, const CaCreation& wanted);

/// Puts the certificate in: `chain` has what is above, the root last. arguments_bad when the certificate is not for
/// this CA's key, is no CA's, or the chain does not lead from it to a root by names and signatures.
Result<EmbeddedSettings> complete_ca(EmbeddedParts parts, EmbeddedSettings settings, Bytes certificate,
                                     std::vector<Bytes> chain, bool ocsp_signer);

/// The next certificate of a CA below `parent`: the same key and name, so that what it issued goes on to be verified.
/// As long as the present one unless `validity` says otherwise, and no longer than its profile says. action_prohibited
/// in words when it would end no later than the present one, or the parent issues none.
Result<EmbeddedSettings> renew_certificate(EmbeddedParts parts, EmbeddedSettings settings, const EmbeddedCa& parent,
                                           std::optional<manager::IsoDuration> validity);

/// A new key and certificate for OCSP answers; to be called before the old one's end. The settings have to be stored
/// and the CA opened anew; they name the key before as a former one.
Result<EmbeddedSettings> renew_ocsp_signer(EmbeddedParts parts, EmbeddedSettings settings);

}  // namespace cardea::ca
