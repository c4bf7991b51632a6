#include "cli/signing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/exit_status.h"
#include "cli/key_types.h"
#include "cli/text.h"
#include "crypto/digest.h"
#include "cryptoki/names.h"

namespace cardea::cli {
namespace {

// One hash and the mechanisms that sign with it.
struct Digest {
  std::string_view word;
  Hash hash;
  CK_MECHANISM_TYPE mechanism;
  CK_RSA_PKCS_MGF_TYPE mgf;
  CK_MECHANISM_TYPE rsa;
  CK_MECHANISM_TYPE pss;
  CK_MECHANISM_TYPE ecdsa;
  CK_MECHANISM_TYPE hmac;
};

constexpr std::array<Digest, 9> digests{{
    {"sha1", Hash::sha1, CKM_SHA_1, CKG_MGF1_SHA1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_ECDSA_SHA1,
     CKM_SHA_1_HMAC},
    {"sha224", Hash::sha224, CKM_SHA224, CKG_MGF1_SHA224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS,
     CKM_ECDSA_SHA224, CKM_SHA224_HMAC},
    {"sha256", Hash::sha256, CKM_SHA256, CKG_MGF1_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS,
     CKM_ECDSA_SHA256, CKM_SHA256_HMAC},
    {"sha384", Hash::sha384, CKM_SHA384, CKG_MGF1_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS,
     CKM_ECDSA_SHA384, CKM_SHA384_HMAC},
    {"sha512", Hash::sha512, CKM_SHA512, CKG_MGF1_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
     CKM_ECDSA_SHA512, CKM_SHA512_HMAC},
    {"sha3-224", Hash::sha3_224, CKM_SHA3_224, CKG_MGF1_SHA3_224, CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_224, CKM_SHA3_224_HMAC},
    {"sha3-256", Hash::sha3_256, CKM_SHA3_256, CKG_MGF1_SHA3_256, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_256, CKM_SHA3_256_HMAC},
    {"sha3-384", Hash::sha3_384, CKM_SHA3_384, CKG_MGF1_SHA3_384, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_384, CKM_SHA3_384_HMAC},
    {"sha3-512", Hash::sha3_512, CKM_SHA3_512, CKG_MGF1_SHA3_512, CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS,
     CKM_ECDSA_SHA3_512, CKM_SHA3_512_HMAC},
}};

Result<Digest> find_digest(std::string_view word) {
  std::string plain = lower(word);
  if (plain.starts_with("sha-")) plain.erase(3, 1);
  const auto found = std::ranges::find(digests, plain, &Digest::word);
  if (found != digests.end()) return *found;
  return failure(Code::arguments_bad,
                 fmt::format("There is no digest '{}'. Known are: sha1, sha224, sha256, sha384, sha512, "
                             "sha3-224, sha3-256, sha3-384, sha3-512.",
                             printable(word)));
}

// A hash as strong as the curve (FIPS 186-5, 6.1.1).
std::string_view default_digest(const Session& session, CK_OBJECT_HANDLE key) {
  const std::string type = describe_key(session, key);
  if (type == "ec:P-384") return "sha384";
  if (type == "ec:P-521") return "sha512";
  return "sha256";
}

template <class Parameter>
ByteView bytes_of(const Parameter& parameter) {
  return {reinterpret_cast<const Byte*>(&parameter), sizeof parameter};
}

Mechanism pss_mechanism(const Digest& digest, CK_MECHANISM_TYPE type) {
  // Salt as long as the hash, which every verifier takes (RFC 8017, 9.1).
  const CK_RSA_PKCS_PSS_PARAMS parameters{digest.mechanism, digest.mgf, crypto::hash_size(digest.hash)};
  return Mechanism(type, bytes_of(parameters));
}

bool signs(const Session& session, CK_MECHANISM_TYPE mechanism) {
  return (session.module().mechanism_flags(session.token().slot, mechanism) & CKF_SIGN) != 0;
}

Result<SigningPlan> plan_by_key(const Session& session, CK_OBJECT_HANDLE key, const SigningOptions& options) {
  CARDEA_ASSIGN(const Digest digest,
                find_digest(options.digest.empty() ? default_digest(session, key) : options.digest));
  switch (session.number(key, CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION)) {
    case CKK_RSA:
      if (options.pss) {
        return SigningPlan{pss_mechanism(digest, digest.pss), SignatureScheme::rsa_pss, digest.hash, true};
      }
      return SigningPlan{Mechanism(digest.rsa), SignatureScheme::rsa_pkcs1, digest.hash, true};
    case CKK_EC:
      if (signs(session, digest.ecdsa)) {
        return SigningPlan{Mechanism(digest.ecdsa), SignatureScheme::ecdsa, digest.hash, true};
      }
      return SigningPlan{Mechanism(CKM_ECDSA), SignatureScheme::ecdsa, digest.hash, false, true};
    case CKK_EC_EDWARDS: {
      // Ed448 has a context in every form, so its parameter is not optional (PKCS#11 3.2, 6.3.16).
      const CK_EDDSA_PARAMS pure{CK_FALSE, 0, nullptr};
      const bool ed448 = describe_key(session, key) == "ed448";
      return SigningPlan{ed448 ? Mechanism(CKM_EDDSA, bytes_of(pure)) : Mechanism(CKM_EDDSA), SignatureScheme::eddsa};
    }
    case CKK_ML_DSA:
      return SigningPlan{Mechanism(CKM_ML_DSA), SignatureScheme::post_quantum};
    case CKK_SLH_DSA:
      return SigningPlan{Mechanism(CKM_SLH_DSA), SignatureScheme::post_quantum};
    case CKK_AES:
      return SigningPlan{Mechanism(CKM_AES_CMAC), SignatureScheme::mac, Hash::none, true};
    case CKK_GENERIC_SECRET:
      return SigningPlan{Mechanism(digest.hmac), SignatureScheme::mac, digest.hash, true};
    default:
      return failure(
          Code::key_type_inconsistent,
          fmt::format("A key of type {} does not sign by itself. Name a mechanism with --mechanism if the token "
                      "has one for it.",
                      describe_key(session, key)));
  }
}

// --mechanism by name. PSS gets its parameter from --digest; the others are taken without one.
Result<SigningPlan> plan_by_name(const SigningOptions& options) {
  const auto type = constant_value(ConstantKind::CKM, options.mechanism);
  if (!type) {
    return failure(Code::arguments_bad,
                   fmt::format("There is no mechanism '{}'. `cardea token show` lists what the token "
                               "has, for example CKM_SHA256_RSA_PKCS.",
                               printable(options.mechanism)));
  }
  for (const Digest& digest : digests) {
    if (*type == digest.pss)
      return SigningPlan{pss_mechanism(digest, *type), SignatureScheme::rsa_pss, digest.hash, true};
    if (*type == digest.rsa) return SigningPlan{Mechanism(*type), SignatureScheme::rsa_pkcs1, digest.hash, true};
    if (*type == digest.ecdsa) return SigningPlan{Mechanism(*type), SignatureScheme::ecdsa, digest.hash, true};
    if (*type == digest.hmac) return SigningPlan{Mechanism(*type), SignatureScheme::mac, digest.hash, true};
  }
  if (*type == CKM_RSA_PKCS_PSS) {
    CARDEA_ASSIGN(const Digest digest, find_digest(options.digest.empty() ? "sha256" : options.digest));
    return SigningPlan{pss_mechanism(digest, *type), SignatureScheme::other};
  }
  return SigningPlan{Mechanism(*type), *type == CKM_ECDSA ? SignatureScheme::ecdsa : SignatureScheme::other};
}

Result<Bytes> hash_input(Hash hash, const Input& input) {
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(hash));
  while (true) {
    CARDEA_ASSIGN(const ByteView part, input());
    if (part.empty()) break;
    CARDEA_TRY(digest.update(part));
  }
  Bytes value(digest.size());
  CARDEA_TRY(digest.finish(value));
  return value;
}

// What was said and would be left out: somebody would rely on a digest or padding that is not there.
Status check_all_is_used(const Session& session, CK_OBJECT_HANDLE key, const SigningOptions& options,
                         const SigningPlan& plan) {
  const bool named = !options.mechanism.empty();
  const std::string what = named ? options.mechanism : "A key of type " + describe_key(session, key);
  if (options.pss && plan.mechanism.type() != CKM_RSA_PKCS_PSS && plan.scheme != SignatureScheme::rsa_pss)
    return failure(Code::arguments_bad, fmt::format("{} does not sign with RSA-PSS. Leave --pss out.", what));
  if (options.digest.empty() || plan.mechanism.type() == CKM_RSA_PKCS_PSS) return {};
  CARDEA_ASSIGN(const Digest digest, find_digest(options.digest));
  if (plan.hash == digest.hash) return {};
  return failure(Code::arguments_bad, fmt::format("{} does not sign with the digest {}. Leave --digest out{}.", what,
                                                  digest.word, named ? ", or --mechanism" : ""));
}

}  // namespace

Result<SigningPlan> plan_signature(const Session& session, CK_OBJECT_HANDLE key, const SigningOptions& options) {
  CARDEA_ASSIGN(SigningPlan plan,
                options.mechanism.empty() ? plan_by_key(session, key, options) : plan_by_name(options));
  CARDEA_TRY(check_all_is_used(session, key, options, plan));
  return plan;
}

Result<Bytes> sign_by_plan(const Session& session, CK_OBJECT_HANDLE key, const SigningPlan& plan, const Input& input) {
  if (!plan.hash_here) return session.sign(plan.mechanism, key, input, plan.multi_part);
  CARDEA_ASSIGN(const Bytes digest, hash_input(plan.hash, input));
  return session.sign(plan.mechanism, key, input_of(digest), false);
}

Status verify_by_plan(const Session& session, CK_OBJECT_HANDLE key, const SigningPlan& plan, const Input& input,
                      ByteView signature) {
  if (!plan.hash_here) return session.verify(plan.mechanism, key, input, signature, plan.multi_part);
  CARDEA_ASSIGN(const Bytes digest, hash_input(plan.hash, input));
  return session.verify(plan.mechanism, key, input_of(digest), signature, false);
}

Result<Mechanism> oaep_mechanism(const std::string& word) {
  CARDEA_ASSIGN(const Digest digest, find_digest(word.empty() ? "sha256" : word));
  const CK_RSA_PKCS_OAEP_PARAMS parameters{digest.mechanism, digest.mgf, CKZ_DATA_SPECIFIED, nullptr, 0};
  return Mechanism(CKM_RSA_PKCS_OAEP, bytes_of(parameters));
}

}  // namespace cardea::cli
