// What each kind of signing key means in PKCS#11: how it is made, recognised, described and used.
#pragma once

#include "domain/key_token.h"
#include "p11client/session.h"

namespace cardea::keys {

/// The mechanism that generates such pairs.
CK_MECHANISM_TYPE generation_mechanism(manager::SigningKeyType type);
/// The mechanism that signs with such keys.
CK_MECHANISM_TYPE signing_mechanism(manager::SigningKeyType type);

/// Makes a pair of that name on the token: private, sensitive, not extractable, for signing only.
Status generate_pair(const p11client::Session& session, const std::string& name, manager::SigningKeyType type);

/// The public side of a pair, read from the handle of its public key. key_type_inconsistent for kinds that are no
/// SigningKeyType.
Result<manager::SigningKey> describe_pair(const p11client::Session& session, const std::string& name,
                                          CK_OBJECT_HANDLE public_key);

/// Signs as KeyToken::sign does. `type` is the key's.
Result<Bytes> sign(const p11client::Session& session, CK_OBJECT_HANDLE private_key, manager::SignatureScheme scheme,
                   ByteView message);

}  // namespace cardea::keys
