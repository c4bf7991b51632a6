#include "cli/key_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exit_status.h"
#include "cli/text.h"
#include "cryptoki/names.h"

namespace cardea::cli {
namespace {

// Object identifiers of the curves, DER: RFC 5480, 2.1.1.1; SEC 2, A.2.1; RFC 8410, 3.
constexpr std::string_view p256 = "06082a8648ce3d030107";
constexpr std::string_view p384 = "06052b81040022";
constexpr std::string_view p521 = "06052b81040023";
constexpr std::string_view secp256k1 = "06052b8104000a";
constexpr std::string_view x25519 = "06032b656e";
constexpr std::string_view x448 = "06032b656f";
constexpr std::string_view ed25519 = "06032b6570";
constexpr std::string_view ed448 = "06032b6571";

constexpr std::string_view rsa_use = "sign,decrypt";
constexpr std::string_view ec_use = "sign,derive";
constexpr std::string_view aes_use = "encrypt,decrypt";

std::string curve_word(const Session& session, CK_OBJECT_HANDLE key, CK_KEY_TYPE type) {
  const auto parameters = session.attribute(key, CKA_EC_PARAMS);
  const std::string hex = parameters ? to_hex(*parameters) : "";
  for (const KeyType& known : key_types()) {
    if (known.type == type && !hex.empty() && known.parameter == hex) return std::string(known.word);
  }
  // PKCS#11 3.2, 6.3.3 also allows a curve's name as a PrintableString; tokens use it for Edwards and Montgomery
  // curves.
  if (parameters && parameters->size() > 2 && parameters->front() == 0x13) {
    const std::string name = printable(text_of(ByteView(*parameters).subspan(2)));
    for (const std::string_view digits : {"25519", "448"}) {
      if (name.ends_with(digits)) return fmt::format("{}{}", type == CKK_EC_MONTGOMERY ? "x" : "ed", digits);
    }
    return name;
  }
  return type == CKK_EC ? "ec" : constant_text(ConstantKind::CKK, type);
}

}  // namespace

const std::vector<KeyType>& key_types() {
  static const auto& table = *new std::vector<KeyType>{
      {"rsa:2048", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, "", 2048, rsa_use},
      {"rsa:3072", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, "", 3072, rsa_use},
      {"rsa:4096", CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, "", 4096, rsa_use},
      {"ec:P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, p256, 0, ec_use},
      {"ec:P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, p384, 0, ec_use},
      {"ec:P-521", CKK_EC, CKM_EC_KEY_PAIR_GEN, p521, 0, ec_use},
      {"ec:secp256k1", CKK_EC, CKM_EC_KEY_PAIR_GEN, secp256k1, 0, ec_use},
      {"ed25519", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, 0, "sign"},
      {"ed448", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, ed448, 0, "sign"},
      {"x25519", CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, x25519, 0, "derive"},
      {"x448", CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, x448, 0, "derive"},
      {"ml-dsa-44", CKK_ML_DSA, CKM_ML_DSA_KEY_PAIR_GEN, "", CKP_ML_DSA_44, "sign"},
      {"ml-dsa-65", CKK_ML_DSA, CKM_ML_DSA_KEY_PAIR_GEN, "", CKP_ML_DSA_65, "sign"},
      {"ml-dsa-87", CKK_ML_DSA, CKM_ML_DSA_KEY_PAIR_GEN, "", CKP_ML_DSA_87, "sign"},
      {"slh-dsa-sha2-128s", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHA2_128S, "sign"},
      {"slh-dsa-shake-128s", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHAKE_128S, "sign"},
      {"slh-dsa-sha2-128f", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHA2_128F, "sign"},
      {"slh-dsa-shake-128f", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHAKE_128F, "sign"},
      {"slh-dsa-sha2-192s", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHA2_192S, "sign"},
      {"slh-dsa-shake-192s", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHAKE_192S, "sign"},
      {"slh-dsa-sha2-192f", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHA2_192F, "sign"},
      {"slh-dsa-shake-192f", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHAKE_192F, "sign"},
      {"slh-dsa-sha2-256s", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHA2_256S, "sign"},
      {"slh-dsa-shake-256s", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHAKE_256S, "sign"},
      {"slh-dsa-sha2-256f", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHA2_256F, "sign"},
      {"slh-dsa-shake-256f", CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, "", CKP_SLH_DSA_SHAKE_256F, "sign"},
      {"ml-kem-512", CKK_ML_KEM, CKM_ML_KEM_KEY_PAIR_GEN, "", CKP_ML_KEM_512, "decapsulate"},
      {"ml-kem-768", CKK_ML_KEM, CKM_ML_KEM_KEY_PAIR_GEN, "", CKP_ML_KEM_768, "decapsulate"},
      {"ml-kem-1024", CKK_ML_KEM, CKM_ML_KEM_KEY_PAIR_GEN, "", CKP_ML_KEM_1024, "decapsulate"},
      {"aes:128", CKK_AES, CKM_AES_KEY_GEN, "", 16, aes_use},
      {"aes:192", CKK_AES, CKM_AES_KEY_GEN, "", 24, aes_use},
      {"aes:256", CKK_AES, CKM_AES_KEY_GEN, "", 32, aes_use},
      {"secret:128", CKK_GENERIC_SECRET, CKM_GENERIC_SECRET_KEY_GEN, "", 16, "sign"},
      {"secret:256", CKK_GENERIC_SECRET, CKM_GENERIC_SECRET_KEY_GEN, "", 32, "sign"},
      {"secret:512", CKK_GENERIC_SECRET, CKM_GENERIC_SECRET_KEY_GEN, "", 64, "sign"},
  };
  return table;
}

Result<KeyType> find_key_type(std::string_view word) {
  std::string known;
  for (const KeyType& type : key_types()) {
    if (lower(type.word) == lower(word)) return type;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", type.word);
  }
  return failure(Code::arguments_bad, fmt::format("There is no key type '{}'. Known are: {}.", printable(word), known));
}

std::string describe_key(const Session& session, CK_OBJECT_HANDLE key) {
  const auto type = session.number(key, CKA_KEY_TYPE);
  if (!type) return "";
  if (*type == CKK_EC || *type == CKK_EC_EDWARDS || *type == CKK_EC_MONTGOMERY) return curve_word(session, key, *type);
  if (*type == CKK_RSA) {
    const auto modulus = session.attribute(key, CKA_MODULUS);
    return modulus ? fmt::format("rsa:{}", modulus->size() * 8) : "rsa";
  }
  std::optional<CK_ULONG> number = session.number(key, CKA_PARAMETER_SET);
  if (*type == CKK_AES || *type == CKK_GENERIC_SECRET) number = session.number(key, CKA_VALUE_LEN);
  for (const KeyType& known : key_types()) {
    if (known.type == *type && number && known.number == *number) return std::string(known.word);
  }
  if (*type == CKK_GENERIC_SECRET && number) return fmt::format("secret:{}", *number * 8);
  return constant_text(ConstantKind::CKK, *type);
}

const std::vector<Usage>& usages() {
  static const auto& table = *new std::vector<Usage>{
      {"sign", CKA_SIGN, CKA_VERIFY},
      {"verify", CKA_VERIFY, CKA_VERIFY},
      {"decrypt", CKA_DECRYPT, CKA_ENCRYPT},
      {"encrypt", CKA_ENCRYPT, CKA_ENCRYPT},
      {"derive", CKA_DERIVE, {}},
      {"unwrap", CKA_UNWRAP, CKA_WRAP},
      {"wrap", CKA_WRAP, CKA_WRAP},
      {"decapsulate", CKA_DECAPSULATE, CKA_ENCAPSULATE},
  };
  return table;
}

Result<std::vector<Usage>> parse_usage(std::string_view text) {
  std::vector<Usage> result;
  for (const std::string& word : split(text, ',')) {
    const auto found = std::ranges::find(usages(), lower(word), &Usage::word);
    if (found == usages().end()) {
      return failure(
          Code::arguments_bad,
          fmt::format("There is no key usage '{}'. Known are: sign, verify, decrypt, encrypt, derive, unwrap, "
                      "wrap, decapsulate.",
                      printable(word)));
    }
    result.push_back(*found);
  }
  return result;
}

std::string describe_usage(const Session& session, CK_OBJECT_HANDLE key) {
  std::string result;
  const auto add = [&](std::string_view word) { result += fmt::format("{}{}", result.empty() ? "" : ",", word); };
  for (const Usage& usage : usages()) {
    if (session.flag(key, usage.attribute)) add(usage.word);
  }
  if (session.flag(key, CKA_ENCAPSULATE)) add("encapsulate");
  return result;
}

}  // namespace cardea::cli
