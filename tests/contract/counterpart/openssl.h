// OpenSSL's own keys as the counterpart of a token's: what one side makes the other must take.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>

#include "contract/p11.h"

namespace cardea::counterpart {

using p11::Bytes;

struct PkeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;

/// Whether this OpenSSL has the algorithm, by its name there ("ML-DSA-44", "ED25519").
bool available(const std::string& algorithm);

/// A new key pair; throws std::runtime_error, as everything here does, when OpenSSL refuses.
Pkey generate(const std::string& algorithm);

/// An octet string parameter of a key: "pub", "priv", "seed".
Bytes octets(const Pkey& key, const char* parameter);

/// SubjectPublicKeyInfo and PrivateKeyInfo (PKCS#8), both in DER and in both directions.
Pkey read_public(const Bytes& info);
Pkey read_private(const Bytes& info);
Bytes public_info(const Pkey& key);
Bytes private_info(const Pkey& key);

/// How a message is signed beyond the default of its key.
struct Scheme {
  Bytes context = {};
  bool deterministic = false;
  bool raw = false;           ///< the message is M' of FIPS 204, 5.4 or FIPS 205, 10.2
  std::string instance = {};  ///< of RFC 8032: "Ed25519ctx" and so on; empty: the plain one
};
Bytes sign(const Pkey& key, const Bytes& message, const Scheme& scheme = {});
bool verify(const Pkey& key, const Bytes& message, const Bytes& signature, const Scheme& scheme = {});

struct Encapsulation {
  Bytes ciphertext;
  Bytes secret;
};
Encapsulation encapsulate(const Pkey& key);
Bytes decapsulate(const Pkey& key, const Bytes& ciphertext);

/// A certificate in DER over a public key, by an issuer that exists for it alone.
Bytes certificate(const Pkey& subject_key);

/// What X25519 agrees on (RFC 7748, 6.1).
Bytes agree(const Pkey& key, const Pkey& peer);

/// A digest by its name, and AES-256 key wrap with padding (RFC 5649).
Bytes digest(const std::string& name, const Bytes& data);
Bytes wrap(const Bytes& key, const Bytes& data);
Bytes unwrap(const Bytes& key, const Bytes& wrapped);

}  // namespace cardea::counterpart
