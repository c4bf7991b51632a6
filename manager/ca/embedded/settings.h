// What is kept of an embedded CA: its row's settings in the store (CaRecord::settings).
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "domain/iso_duration.h"
#include "domain/key_token.h"
#include "embedded/issuer.h"
#include "embedded/profile.h"

namespace cardea::ca {

/// Whom the CA delegated the signing of OCSP answers to.
struct OcspSigner {
  std::string key;
  manager::SignatureScheme scheme = manager::SignatureScheme::ecdsa_sha256;
  Bytes certificate;  ///< DER
};

/// The key of an OCSP signer that was replaced.
struct FormerSigner {
  std::string key;
  std::chrono::sys_seconds until;  ///< no answer signed by it is in use after that, so that it can be destroyed
};

struct EmbeddedSettings {
  CaType type = CaType::root;
  std::string key;  ///< name in the key token
  manager::SignatureScheme scheme = manager::SignatureScheme::ecdsa_sha256;
  Bytes certificate;         ///< DER; empty while an external CA has not certified it yet
  Bytes request;             ///< PKCS#10, DER, for the external CA; empty where the certificate comes from ours
  std::vector<Bytes> chain;  ///< DER, the issuer first, the root last; empty for a root
  std::int64_t issuer = 0;   ///< row of the CA of ours that issued the certificate; 0: there is none
  /// When the first certificate of this key began, once it was renewed: since then all that the CA issued is known.
  std::optional<std::chrono::sys_seconds> since;
  PublicUrls urls;
  std::optional<OcspSigner> ocsp;
  std::vector<FormerSigner> former_signers;
  manager::IsoDuration crl_lifetime{0, 7, 0};
  manager::IsoDuration crl_interval{0, 1, 0};
  bool keep_expired = true;  ///< expired certificates stay on CRLs (expiredCertsOnCRL)
  bool answers_ocsp = true;
  manager::IsoDuration ocsp_lifetime{0, 0, 3600};
  bool renews_itself = true;                         ///< below a CA of ours the certificate is renewed in time
  std::optional<manager::IsoDuration> renew_before;  ///< how long before its end; absent: a third of its time
  std::vector<boost::json::object> profiles;         ///< custom ones beside those of the product
};

/// arguments_bad names the member and what is wrong.
Result<EmbeddedSettings> read_settings(const boost::json::object& document);
boost::json::object write_settings(const EmbeddedSettings& settings);
/// The settings with those of `wanted` instead that an administrator may choose and change: crl_lifetime, crl_interval,
/// keep_expired, answers_ocsp, ocsp_lifetime, renews_itself, renew_before, profiles. arguments_bad names the member and
/// what is wrong.
Result<EmbeddedSettings> with_changes(const EmbeddedSettings& settings, const boost::json::object& wanted);

}  // namespace cardea::ca
