#include <sys/uio.h>
#include <unistd.h>

#include <optional>

#include "crypto/kdf.h"
#include "mechanism/generic_secret.h"

namespace cardea {
namespace {

/// Keeps one call within about a minute; common advice for PBKDF2 is below a million.
constexpr CK_ULONG most_iterations = 50'000'000;
constexpr std::size_t longest_password = 65536;
constexpr std::size_t longest_salt = 65536;

Hash hash_of(CK_PKCS5_PBKD2_PSEUDO_RANDOM_FUNCTION_TYPE function) noexcept {
  switch (function) {
    case CKP_PKCS5_PBKD2_HMAC_SHA1:
      return Hash::sha1;
    case CKP_PKCS5_PBKD2_HMAC_SHA224:
      return Hash::sha224;
    case CKP_PKCS5_PBKD2_HMAC_SHA256:
      return Hash::sha256;
    case CKP_PKCS5_PBKD2_HMAC_SHA384:
      return Hash::sha384;
    case CKP_PKCS5_PBKD2_HMAC_SHA512:
      return Hash::sha512;
    case CKP_PKCS5_PBKD2_HMAC_SHA512_224:
      return Hash::sha512_224;
    case CKP_PKCS5_PBKD2_HMAC_SHA512_256:
      return Hash::sha512_256;
    default:
      return Hash::none;
  }
}

/// The number at that address; absent when nothing can be read there. The kernel looks, because the address may as well
/// be a length that makes no sense.
std::optional<CK_ULONG> number_at(CK_ULONG address) {
  CK_ULONG number = 0;
  iovec to{&number, sizeof(number)};
  iovec from{reinterpret_cast<void*>(address), sizeof(number)};
  if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != sizeof(number)) return {};
  return number;
}

class Pbkdf2 final : public Mechanism {
 public:
  Pbkdf2() : Mechanism(CKM_PKCS5_PBKD2, {1, longest_secret, CKF_GENERATE}) {}

  // The template names the key type; nothing is implied (PKCS#11 3.2, "PKCS #5 PBKD2 key generation").
  CK_KEY_TYPE generated_key_type() const noexcept override { return CK_UNAVAILABLE_INFORMATION; }

  Result<SecretBytes> generate_key(Parameter parameter, const AttributeSet& attributes) const override {
    CARDEA_ASSIGN(const CK_PKCS5_PBKD2_PARAMS2 given, parse(parameter));
    const Hash hash = hash_of(given.prf);
    if (hash == Hash::none || given.ulPrfDataLen != 0 || given.saltSource != CKZ_SALT_SPECIFIED ||
        given.iterations == 0 || given.iterations > most_iterations) {
      return Code::mechanism_param_invalid;
    }
    CARDEA_ASSIGN(const ByteView salt, parameter_bytes(given.pSaltSourceData, given.ulSaltSourceDataLen));
    CARDEA_ASSIGN(const ByteView password, parameter_bytes(given.pPassword, given.ulPasswordLen));
    if (salt.size() > longest_salt || password.size() > longest_password) return Code::mechanism_param_invalid;
    DeriveRequest request;
    request.key_type = attributes.get_ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
    if (const auto length = attributes.get_ulong(CKA_VALUE_LEN)) request.length = *length;
    CARDEA_ASSIGN(const std::size_t size, derived_size(request, 0));
    return crypto::pbkdf2(hash, password, salt, given.iterations, size);
  }

 private:
  /// The structure of PKCS#11 2.40 was published with a pointer to the password's length. It is as long as its
  /// successor, so a value that cannot be a length tells it.
  static Result<CK_PKCS5_PBKD2_PARAMS2> parse(Parameter parameter) {
    CARDEA_ASSIGN(const CK_PKCS5_PBKD2_PARAMS2* const given, parameter.as<CK_PKCS5_PBKD2_PARAMS2>());
    CK_PKCS5_PBKD2_PARAMS2 result = *given;
    static_assert(sizeof(CK_PKCS5_PBKD2_PARAMS) == sizeof(CK_PKCS5_PBKD2_PARAMS2));
    if (result.ulPasswordLen > longest_password) {
      const auto pointed = number_at(result.ulPasswordLen);
      if (!pointed) return Code::mechanism_param_invalid;
      result.ulPasswordLen = *pointed;
    }
    return result;
  }
};

}  // namespace

void register_pbkdf2(MechanismRegistry& registry) {
  registry.emplace<Pbkdf2>();
}

}  // namespace cardea
