// Which mechanism signs with a key, shared by `sign`, `verify` and `cert request`.
#pragma once

#include <memory>
#include <string>

#include "cli/p11.h"
#include "crypto/hash.h"
#include "cryptoki/parameters.h"

namespace cardea::cli {

/// What the command line said.
struct SigningOptions {
  std::string mechanism;  ///< --mechanism; empty: by key type
  std::string digest;     ///< --digest; empty: by key type and size
  bool pss = false;       ///< --pss
};

/// The signature algorithm as X.509 names it.
enum class SignatureScheme { rsa_pkcs1, rsa_pss, ecdsa, eddsa, post_quantum, mac, other };

struct SigningPlan {
  Mechanism mechanism;
  SignatureScheme scheme = SignatureScheme::other;
  Hash hash = Hash::none;   ///< of the signature; none where the algorithm has its own
  bool multi_part = false;  ///< the mechanism takes its input piece by piece
  bool hash_here = false;   ///< the token signs only digests, so the input is hashed by this program
};

/// arguments_bad, mechanism_invalid in words.
Result<SigningPlan> plan_signature(const Session& session, CK_OBJECT_HANDLE key, const SigningOptions& options);

/// Signs by the plan; ECDSA signatures as the token gives them (r and s side by side, PKCS#11 3.2, 6.3.1).
Result<Bytes> sign_by_plan(const Session& session, CK_OBJECT_HANDLE key, const SigningPlan& plan, const Input& input);
Status verify_by_plan(const Session& session, CK_OBJECT_HANDLE key, const SigningPlan& plan, const Input& input,
                      ByteView signature);

/// RSA-OAEP with this digest for hash and mask (RFC 8017, 7.1); empty: SHA-256.
Result<Mechanism> oaep_mechanism(const std::string& digest);

}  // namespace cardea::cli
