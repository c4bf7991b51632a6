#include "agent/key_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "crypto/random.h"

namespace cardea::agent {
namespace {

using crypto::KeyAlgorithm;

struct KeyWord {
  std::string_view word;
  KeyAlgorithm algorithm;
  std::size_t bits;
};
constexpr KeyWord key_words[]{{"rsa:2048", KeyAlgorithm::rsa, 2048},     {"rsa:3072", KeyAlgorithm::rsa, 3072},
                              {"rsa:4096", KeyAlgorithm::rsa, 4096},     {"ec:P-256", KeyAlgorithm::p256, 0},
                              {"ec:P-384", KeyAlgorithm::p384, 0},       {"ec:P-521", KeyAlgorithm::p521, 0},
                              {"ed25519", KeyAlgorithm::ed25519, 0},     {"x25519", KeyAlgorithm::x25519, 0},
                              {"ml-dsa-44", KeyAlgorithm::ml_dsa_44, 0}, {"ml-dsa-65", KeyAlgorithm::ml_dsa_65, 0},
                              {"ml-dsa-87", KeyAlgorithm::ml_dsa_87, 0}};

std::string_view hash_word(Hash hash) {
  switch (hash) {
    case Hash::sha256:
      return "sha256";
    case Hash::sha384:
      return "sha384";
    case Hash::sha512:
      return "sha512";
    default:
      return "";
  }
}

Hash strength_of(KeyAlgorithm algorithm) {
  if (algorithm == KeyAlgorithm::p384) return Hash::sha384;
  return algorithm == KeyAlgorithm::p521 ? Hash::sha512 : Hash::sha256;
}

}  // namespace

Result<KeySpec> parse_key_spec(std::string_view word) {
  const auto* const found = std::ranges::find(key_words, word, &KeyWord::word);
  if (found == std::end(key_words)) {
    return error(Code::arguments_bad, fmt::format("there is no kind of key '{}'", word));
  }
  return KeySpec{.algorithm = found->algorithm, .bits = found->bits};
}

Result<SignaturePlan> plan_signature(ByteView public_key, Hash hash) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(public_key));
  SignaturePlan plan;
  plan.algorithm = key->algorithm();
  const std::string_view name = key->facts().name;
  switch (key->facts().family) {
    case crypto::KeyFamily::rsa:
    case crypto::KeyFamily::ec:
      plan.hash = hash == Hash::none ? strength_of(plan.algorithm) : hash;
      if (hash_word(plan.hash).empty()) return error(Code::mechanism_invalid, "the hash is none that is used here");
      plan.mechanism =
          fmt::format("{}-{}", plan.algorithm == KeyAlgorithm::rsa ? "rsa-pkcs1" : "ecdsa", hash_word(plan.hash));
      return plan;
    case crypto::KeyFamily::edwards:
    case crypto::KeyFamily::ml_dsa:
    case crypto::KeyFamily::slh_dsa:
      plan.mechanism.resize(name.size());
      std::ranges::transform(name, plan.mechanism.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
      return plan;
    default:
      return error(Code::key_type_inconsistent, "a key of this kind does not sign");
  }
}

Bytes ecdsa_value(ByteView raw) {
  using crypto::der;
  const std::size_t half = raw.size() / 2;
  return der<Bytes>(crypto::der_sequence,
                    {crypto::der_integer<Bytes>(raw.first(half)), crypto::der_integer<Bytes>(raw.subspan(half))});
}

Result<Bytes> key_digest(ByteView public_key) {
  return crypto::digest(Hash::sha256, public_key);
}

Result<Bytes> public_half(const SecretBytes& pkcs8) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_private_key_info(pkcs8.view()));
  return crypto::subject_public_key_info(*key);
}

Result<Bytes> certified_key(ByteView certificate) {
  CARDEA_ASSIGN(const crypto::CertificateParts parts, crypto::certificate_parts(certificate));
  return to_bytes(parts.key_info);
}

Status allow_replacing(const std::string& container, ByteView public_key, ByteView certificate, ByteView replace) {
  if (certificate.empty()) return {};
  CARDEA_ASSIGN(const Bytes digest, key_digest(public_key));
  if (same_bytes(digest, replace)) return {};
  return error(Code::exists,
               fmt::format("the place '{}' has a key with a certificate, and nobody said that it may go", container));
}

Result<Pin> random_digits(std::size_t count) {
  SecretBytes digits(count);
  constexpr Byte evenly = 250;  // above that the first digits would be more likely
  for (std::size_t i = 0; i < digits.size();) {
    std::array<Byte, 1> byte{};
    CARDEA_TRY(crypto::random_bytes(byte));
    if (byte[0] < evenly) digits.data()[i++] = static_cast<Byte>('0' + byte[0] % 10);
  }
  return Pin(digits.view());
}

}  // namespace cardea::agent
