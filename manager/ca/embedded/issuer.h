// Puts certificates together and has them signed. All that is the same for every certificate of a CA is prepared once;
// OpenSSL's X509 interface takes longer for the public key alone than this for everything.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "domain/ca_connector.h"
#include "domain/key_token.h"
#include "embedded/profile.h"

namespace cardea::ca {

/// Where relying parties find what a CA publishes; empty texts are left out.
struct PublicUrls {
  std::string crl;
  std::string ocsp;
  std::string issuer;  ///< the CA's certificate
};

/// Who signs, and as whom.
struct SigningIdentity {
  std::string key;  ///< name in the key token
  manager::SignatureScheme scheme = manager::SignatureScheme::ecdsa_sha256;
  Bytes name;            ///< issuer: Name, DER
  Bytes key_identifier;  ///< for the authority key identifier
};

/// What one certificate is about. Views are only looked at during the call.
struct CertificateContent {
  ByteView subject;   ///< Name, DER
  ByteView key_info;  ///< SubjectPublicKeyInfo, DER
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::uint32_t usage = 0;
  std::vector<Bytes> extended_key_usage;
  std::vector<manager::AlternativeName> alternative_names;
  manager::StatedExtensions stated;
};

class Issuer {
 public:
  Issuer(manager::KeyToken& keys, SigningIdentity identity, PublicUrls urls);

  /// A signed certificate with a random serial number of 128 bits, DER. arguments_bad for names that cannot be encoded;
  /// errors of the key token.
  Result<Bytes> issue(const CertificateProfile& profile, const CertificateContent& content) const;

  const SigningIdentity& identity() const { return identity_; }

 private:
  Result<Bytes> extensions(const CertificateProfile& profile, const CertificateContent& content) const;

  manager::KeyToken& keys_;
  SigningIdentity identity_;
  Bytes algorithm_;      ///< AlgorithmIdentifier
  Bytes authority_key_;  ///< whole extension
  Bytes publication_;    ///< whole extensions: CRL distribution point, authority information access
};

/// A certification request for a key of the token (PKCS#10), DER: how an external CA is asked for a CA certificate.
Result<Bytes> make_request(manager::KeyToken& keys, const SigningIdentity& identity, ByteView key_info);

}  // namespace cardea::ca
