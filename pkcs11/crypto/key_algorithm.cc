#include "crypto/key_algorithm.h"

#include <openssl/core_dispatch.h>
#include <openssl/objects.h>

#include <array>

#include "crypto/key_der.h"
#include "crypto/library.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {
namespace {

using std::string_view_literals::operator""sv;
using Family = KeyFamily;

// NIST's arc for signature algorithms is 2.16.840.1.101.3.4.3, for KEMs 2.16.840.1.101.3.4.4.
#define CARDEA_SIGNATURE_OID(last) "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03" last ""sv
#define CARDEA_KEM_OID(last) "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04" last ""sv

constexpr std::array<KeyAlgorithmFacts, key_algorithm_count> table{{
    {Family::rsa, "RSA", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv, "", 0, 0, 0, 0, 0},
    {Family::ec, "P-256", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, "secp256r1", 256, 65, 32, 0, 64},
    {Family::ec, "P-384", "\x06\x05\x2b\x81\x04\x00\x22"sv, "secp384r1", 384, 97, 48, 0, 96},
    {Family::ec, "P-521", "\x06\x05\x2b\x81\x04\x00\x23"sv, "secp521r1", 521, 133, 66, 0, 132},
    {Family::ec, "secp256k1", "\x06\x05\x2b\x81\x04\x00\x0a"sv, "secp256k1", 256, 65, 32, 0, 64},
    {Family::edwards, "ED25519", "\x06\x03\x2b\x65\x70"sv, "edwards25519", 255, 32, 32, 0, 64},
    {Family::edwards, "ED448", "\x06\x03\x2b\x65\x71"sv, "edwards448", 448, 57, 57, 0, 114},
    {Family::montgomery, "X25519", "\x06\x03\x2b\x65\x6e"sv, "curve25519", 255, 32, 32, 0, 32},
    {Family::montgomery, "X448", "\x06\x03\x2b\x65\x6f"sv, "curve448", 448, 56, 56, 0, 56},
    {Family::ml_dsa, "ML-DSA-44", CARDEA_SIGNATURE_OID("\x11"), "", 1312, 1312, 2560, 32, 2420},
    {Family::ml_dsa, "ML-DSA-65", CARDEA_SIGNATURE_OID("\x12"), "", 1952, 1952, 4032, 32, 3309},
    {Family::ml_dsa, "ML-DSA-87", CARDEA_SIGNATURE_OID("\x13"), "", 2592, 2592, 4896, 32, 4627},
    {Family::slh_dsa, "SLH-DSA-SHA2-128s", CARDEA_SIGNATURE_OID("\x14"), "", 32, 32, 64, 0, 7856},
    {Family::slh_dsa, "SLH-DSA-SHAKE-128s", CARDEA_SIGNATURE_OID("\x1a"), "", 32, 32, 64, 0, 7856},
    {Family::slh_dsa, "SLH-DSA-SHA2-128f", CARDEA_SIGNATURE_OID("\x15"), "", 32, 32, 64, 0, 17088},
    {Family::slh_dsa, "SLH-DSA-SHAKE-128f", CARDEA_SIGNATURE_OID("\x1b"), "", 32, 32, 64, 0, 17088},
    {Family::slh_dsa, "SLH-DSA-SHA2-192s", CARDEA_SIGNATURE_OID("\x16"), "", 48, 48, 96, 0, 16224},
    {Family::slh_dsa, "SLH-DSA-SHAKE-192s", CARDEA_SIGNATURE_OID("\x1c"), "", 48, 48, 96, 0, 16224},
    {Family::slh_dsa, "SLH-DSA-SHA2-192f", CARDEA_SIGNATURE_OID("\x17"), "", 48, 48, 96, 0, 35664},
    {Family::slh_dsa, "SLH-DSA-SHAKE-192f", CARDEA_SIGNATURE_OID("\x1d"), "", 48, 48, 96, 0, 35664},
    {Family::slh_dsa, "SLH-DSA-SHA2-256s", CARDEA_SIGNATURE_OID("\x18"), "", 64, 64, 128, 0, 29792},
    {Family::slh_dsa, "SLH-DSA-SHAKE-256s", CARDEA_SIGNATURE_OID("\x1e"), "", 64, 64, 128, 0, 29792},
    {Family::slh_dsa, "SLH-DSA-SHA2-256f", CARDEA_SIGNATURE_OID("\x19"), "", 64, 64, 128, 0, 49856},
    {Family::slh_dsa, "SLH-DSA-SHAKE-256f", CARDEA_SIGNATURE_OID("\x1f"), "", 64, 64, 128, 0, 49856},
    {Family::ml_kem, "ML-KEM-512", CARDEA_KEM_OID("\x01"), "", 800, 800, 1632, 64, 768},
    {Family::ml_kem, "ML-KEM-768", CARDEA_KEM_OID("\x02"), "", 1184, 1184, 2400, 64, 1088},
    {Family::ml_kem, "ML-KEM-1024", CARDEA_KEM_OID("\x03"), "", 1568, 1568, 3168, 64, 1568},
}};

// Further names under which callers know our curves: ANSI X9.62's and NIST's, and the identifiers that OpenPGP cards
// and older PKCS#11 software use for the 25519 curves.
struct Alias {
  KeyAlgorithm algorithm;
  std::string_view name;
};
constexpr std::array<Alias, 7> name_aliases{{{KeyAlgorithm::p256, "prime256v1"},
                                             {KeyAlgorithm::p256, "P-256"},
                                             {KeyAlgorithm::p384, "P-384"},
                                             {KeyAlgorithm::p521, "P-521"},
                                             {KeyAlgorithm::ed25519, "Ed25519"},
                                             {KeyAlgorithm::x25519, "X25519"},
                                             {KeyAlgorithm::x448, "X448"}}};
constexpr std::array<Alias, 2> oid_aliases{{
    {KeyAlgorithm::ed25519, "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01"sv},
    {KeyAlgorithm::x25519, "\x06\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01"sv},
}};

std::optional<KeyAlgorithm> by_curve_name(KeyFamily family, std::string_view name) noexcept {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].family == family && !name.empty() && table[i].curve_name == name) return static_cast<KeyAlgorithm>(i);
  }
  for (const Alias& alias : name_aliases) {
    if (facts_of(alias.algorithm).family == family && alias.name == name) return alias.algorithm;
  }
  return std::nullopt;
}

// ANSI X9.62 ECParameters: OpenSSL compares them with the curves it has names for.
std::optional<KeyAlgorithm> by_explicit_parameters(ByteView parameters, CurveProblem& problem) {
  constexpr std::size_t longest = 1024;  // those of P-521 with a seed take less than 500 bytes
  if (parameters.size() > longest) return std::nullopt;
  const Byte* position = parameters.data();
  const CurvePtr group(d2i_ECPKParameters(nullptr, &position, static_cast<long>(parameters.size())));
  std::optional<KeyAlgorithm> found;
  if (group && position == parameters.data() + parameters.size()) {
    problem = CurveProblem::unknown;
    switch (EC_GROUP_check_named_curve(group.get(), 0, nullptr)) {
      case NID_X9_62_prime256v1:
        found = KeyAlgorithm::p256;
        break;
      case NID_secp384r1:
        found = KeyAlgorithm::p384;
        break;
      case NID_secp521r1:
        found = KeyAlgorithm::p521;
        break;
      case NID_secp256k1:
        found = KeyAlgorithm::secp256k1;
        break;
      default:
        break;
    }
  }
  return found;
}

}  // namespace

const KeyAlgorithmFacts& facts_of(KeyAlgorithm algorithm) noexcept {
  return table[static_cast<std::size_t>(algorithm)];
}

bool available(KeyAlgorithm algorithm) {
  const KeyAlgorithmFacts& facts = facts_of(algorithm);
  return provided(OSSL_OP_KEYMGMT, facts.family == KeyFamily::ec ? "EC" : facts.name) != nullptr;
}

std::optional<KeyAlgorithm> algorithm_by_oid(KeyFamily family, ByteView oid) noexcept {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].family == family && same_bytes(view_of(table[i].oid), oid)) return static_cast<KeyAlgorithm>(i);
  }
  for (const Alias& alias : oid_aliases) {
    if (facts_of(alias.algorithm).family == family && same_bytes(view_of(alias.name), oid)) return alias.algorithm;
  }
  return std::nullopt;
}

std::optional<KeyAlgorithm> curve_of_parameters(KeyFamily family, ByteView parameters, CurveProblem& problem) {
  problem = CurveProblem::malformed;
  DerReader reader(parameters);
  if (const auto oid = reader.take(der_oid); oid && reader.at_end()) {
    problem = CurveProblem::unknown;
    return algorithm_by_oid(family, parameters);
  }
  reader = DerReader(parameters);
  if (const auto name = reader.take(der_printable_string); name && reader.at_end()) {
    problem = CurveProblem::unknown;
    return by_curve_name(family, text_of(*name));
  }
  reader = DerReader(parameters);
  if (family == KeyFamily::ec && reader.take(der_sequence) && reader.at_end())
    return by_explicit_parameters(parameters, problem);
  return std::nullopt;
}

}  // namespace cardea::crypto
