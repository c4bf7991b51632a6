#include "domain/key_token.h"

#include "domain/words.h"

namespace cardea::manager {
namespace {

constexpr std::array<std::string_view, signing_key_type_count> type_words{"rsa-2048",
                                                                          "rsa-3072",
                                                                          "rsa-4096",
                                                                          "p-256",
                                                                          "p-384",
                                                                          "p-521",
                                                                          "ml-dsa-44",
                                                                          "ml-dsa-65",
                                                                          "ml-dsa-87",
                                                                          "slh-dsa-sha2-128s",
                                                                          "slh-dsa-shake-128s",
                                                                          "slh-dsa-sha2-128f",
                                                                          "slh-dsa-shake-128f",
                                                                          "slh-dsa-sha2-192s",
                                                                          "slh-dsa-shake-192s",
                                                                          "slh-dsa-sha2-192f",
                                                                          "slh-dsa-shake-192f",
                                                                          "slh-dsa-sha2-256s",
                                                                          "slh-dsa-shake-256s",
                                                                          "slh-dsa-sha2-256f",
                                                                          "slh-dsa-shake-256f"};

constexpr std::array<std::string_view, signature_scheme_count> scheme_words{
    "rsa-pkcs1-sha256",   "rsa-pkcs1-sha384",   "rsa-pkcs1-sha512",   "rsa-pss-sha256",     "rsa-pss-sha384",
    "rsa-pss-sha512",     "ecdsa-sha256",       "ecdsa-sha384",       "ecdsa-sha512",       "ml-dsa-44",
    "ml-dsa-65",          "ml-dsa-87",          "slh-dsa-sha2-128s",  "slh-dsa-shake-128s", "slh-dsa-sha2-128f",
    "slh-dsa-shake-128f", "slh-dsa-sha2-192s",  "slh-dsa-shake-192s", "slh-dsa-sha2-192f",  "slh-dsa-shake-192f",
    "slh-dsa-sha2-256s",  "slh-dsa-shake-256s", "slh-dsa-sha2-256f",  "slh-dsa-shake-256f"};

}  // namespace

std::string_view word(SigningKeyType type) {
  return type_words[static_cast<std::size_t>(type)];
}

Result<SigningKeyType> signing_key_type(std::string_view word) {
  return value_of_word<SigningKeyType>(type_words, word, "type of signing key");
}

std::string_view word(SignatureScheme scheme) {
  return scheme_words[static_cast<std::size_t>(scheme)];
}

Result<SignatureScheme> signature_scheme(std::string_view word) {
  return value_of_word<SignatureScheme>(scheme_words, word, "signature scheme");
}

SignatureScheme default_scheme(SigningKeyType type, bool prefer_pss) {
  using enum SigningKeyType;
  switch (type) {
    case rsa_2048:
      return prefer_pss ? SignatureScheme::rsa_pss_sha256 : SignatureScheme::rsa_pkcs1_sha256;
    case rsa_3072:
    case rsa_4096:
      return prefer_pss ? SignatureScheme::rsa_pss_sha384 : SignatureScheme::rsa_pkcs1_sha384;
    case p256:
      return SignatureScheme::ecdsa_sha256;
    case p384:
      return SignatureScheme::ecdsa_sha384;
    case p521:
      return SignatureScheme::ecdsa_sha512;
    default:
      return static_cast<SignatureScheme>(static_cast<int>(SignatureScheme::ml_dsa_44) + static_cast<int>(type) -
                                          static_cast<int>(ml_dsa_44));
  }
}

bool fits(SigningKeyType type, SignatureScheme scheme) {
  if (type <= SigningKeyType::rsa_4096) return scheme <= SignatureScheme::rsa_pss_sha512;
  if (type <= SigningKeyType::p521) {
    return scheme >= SignatureScheme::ecdsa_sha256 && scheme <= SignatureScheme::ecdsa_sha512;
  }
  return scheme == default_scheme(type);
}

}  // namespace cardea::manager
