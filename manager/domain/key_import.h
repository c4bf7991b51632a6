// Decryption keys and certificates that somebody else made, taken into the archive (requirement L13).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "domain/model.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// What is to be taken in.
struct KeyImport {
  Id person = 0;         ///< whose it is
  SecretBytes pkcs12;    ///< a file with one key and its certificate (RFC 7292); other certificates in it are not kept
  SecretBytes password;  ///< of the file
  /// Name of a certificate policy, as if its authority had issued the certificate: where its keys may be recovered to,
  /// and which profiles put the certificate on tokens ("use_existing"). Empty: recovered to anything.
  std::string policy;
};
/// What became of it: a row of the archive, and one of a certificate whose authority is none of ours.
struct ImportedKey {
  ArchivedKey key;
  Certificate certificate;
};
/// Needs archive_import over the person. From then on the key is one of the person's former keys, in the order of their
/// certificates' beginnings. arguments_bad in words for a file that cannot be read, a key that does not fit its
/// certificate, and one that does not decrypt; exists when certificate or key are here already.
Result<ImportedKey> import_key(const Ports& ports, const Actor& actor, const KeyImport& wanted);

}  // namespace cardea::manager
