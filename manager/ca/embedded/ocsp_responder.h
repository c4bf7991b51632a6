// OCSP answers (RFC 6960, 4.2), signed afresh for each request.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "domain/key_token.h"
#include "domain/revocation.h"
#include "embedded/issuer.h"

namespace cardea::ca {

/// Whose certificates are answered for, and who signs.
struct ResponderSettings {
  std::int64_t ca = 0;              ///< asked for at the status source
  Bytes ca_name;                    ///< Name, DER
  Bytes ca_key_info;                ///< SubjectPublicKeyInfo
  SigningIdentity signer;           ///< the CA itself, or whom it delegated this to
  Bytes signer_key_info;            ///< SubjectPublicKeyInfo
  Bytes signer_certificate;         ///< goes with the answers; empty when the CA signs itself
  std::chrono::seconds lifetime{};  ///< from thisUpdate to nextUpdate
  std::chrono::sys_seconds cutoff;  ///< archive cutoff (RFC 6960, 4.4.4): the state is known since then
};

class OcspResponder {
 public:
  /// Prepares what is the same in every answer. Errors of hashing.
  static Result<OcspResponder> make(manager::KeyToken& keys, manager::StatusSource& status, ResponderSettings settings);

  /// As LocalCa::answer_ocsp; not_found when the signer's key is not in the key token, so that another may sign.
  Result<Bytes> answer(ByteView request, std::chrono::sys_seconds now) const;

 private:
  /// How requests may name the CA: by one hash function.
  struct IssuerHash {
    Bytes oid;
    Bytes name_hash;
    Bytes key_hash;
  };
  OcspResponder(manager::KeyToken& keys, manager::StatusSource& status, ResponderSettings settings)
      : keys_(&keys), status_(&status), settings_(std::move(settings)) {}
  bool is_ours(ByteView oid, ByteView name_hash, ByteView key_hash) const;

  manager::KeyToken* keys_;
  manager::StatusSource* status_;
  ResponderSettings settings_;
  std::array<IssuerHash, 4> hashes_;
  Bytes responder_id_;
  Bytes algorithm_;
  Bytes cutoff_;
  Bytes certificates_;
};

}  // namespace cardea::ca
