// The archive of decryption keys, and their recovery (requirements K1 to K5).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "domain/certificate_policy.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// A new decryption key in locked memory, not stored anywhere yet.
struct FreshKey {
  SecretBytes pkcs8;  ///< DER
  Bytes spki;         ///< DER
};
/// `algorithm` is rsa:2048 … or ec:P-256 …; arguments_bad.
Result<FreshKey> generate_decryption_key(std::string_view algorithm);

/// A certificate request (PKCS#10, DER) without a person's name, signed by the key: proof of possession for authorities
/// that get the names apart from it. wrapped_key_invalid.
Result<Bytes> request_for_key(const SecretBytes& pkcs8);

/// Seals a key under a fresh data key, which the key token's archive key wraps; both are bound to person, policy and
/// public key. The row is not stored yet.
Result<ArchivedKey> seal_for_archive(KeyToken& keys, Id person, std::string_view policy, const FreshKey& key, Time now);
/// Opens what was sealed; computes only. encrypted_data_invalid when the row was changed. Every read of a key is an
/// audit event: whoever calls this writes record_key_read before anything of the key leaves the manager.
Result<SecretBytes> open_archived_key(KeyToken& keys, const ArchivedKey& key);
/// The audit event `key_read`.
Status record_key_read(Transaction& store, const ArchivedKey& key, const Actor& actor, Time now, std::string_view why);

/// Where an archived key may be recovered to (K3), by its policy; to anything when it is under none.
Result<KeyStorage> recovery_storage(Transaction& store, const ArchivedKey& key);

/// The person's archived keys, newest first, at most `depth`.
Result<std::vector<ArchivedKey>> key_history(Transaction& store, Id person, std::size_t depth);

/// A recovered identity, to be shown once.
struct RecoveredIdentity {
  std::string name;
  SecretBytes pkcs12;
  SecretBytes password;
};
/// What a recovery gives. `left_out` names the keys that their policy does not let into software.
struct RecoveredKeys {
  std::vector<RecoveredIdentity> identities;
  std::vector<std::string> left_out;
};
/// Recovered keys as PKCS#12, one a key, for an approved recovery request whose parameters say "pkcs12"; completes the
/// request. What takes long is done before the transaction that records the reading and completes the request, so no
/// other writer waits for it. permission_denied; action_prohibited, also when the person's keys or their policies
/// changed meanwhile: nothing was shown then, and the request stands.
Result<RecoveredKeys> recover_as_pkcs12(const Ports& ports, const Actor& actor, Id request);

}  // namespace cardea::manager
