// Certificate requests (PKCS#10, RFC 2986) for keys that only a token can sign with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cardea::x509 {

/// What the request asks for. Texts as on the command line.
struct RequestSpec {
  std::string subject;                     ///< RFC 4514; may be empty when there is an alternative name
  std::vector<std::string> alt_names;      ///< "dns:", "email:", "ip:", "uri:" or "upn:" and the value
  std::vector<std::string> key_usage;      ///< names of RFC 5280, 4.2.1.3, e.g. "digitalSignature"
  std::vector<std::string> ext_key_usage;  ///< "clientAuth", "emailProtection", "smartcardLogin" … or an OID
};

/// The algorithm of the request's signature.
enum class Scheme { rsa_pkcs1, rsa_pss, ecdsa, eddsa, post_quantum };

/// Signs bytes and answers the signature as X.509 carries it (ECDSA: DER).
using Signer = std::function<Result<Bytes>(ByteView to_be_signed)>;

/// The signed request, DER, verified against its own public key. `key_info` is the SubjectPublicKeyInfo. arguments_bad
/// says which part of the spec is not understood; mechanism_invalid when this OpenSSL does not know the algorithm;
/// signature_invalid when what the signer gave does not verify; the signer's own errors as they are.
Result<Bytes> make_request(const RequestSpec& spec, ByteView key_info, Scheme scheme, Hash hash, const Signer& signer);

}  // namespace cardea::x509
