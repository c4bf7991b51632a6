#include "mechanism/rsa.h"

#include "crypto/rsa_components.h"
#include "mechanism/signature_operation.h"

namespace cardea {
namespace {

// CKM_RSA_PKCS_KEY_PAIR_GEN (PKCS#11 3.2, 6.1.4).
class RsaKeyPairGen final : public Mechanism {
 public:
  RsaKeyPairGen() : Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN, {min_bits, max_bits, CKF_GENERATE_KEY_PAIR}) {}

  CK_KEY_TYPE generated_key_type() const noexcept override { return CKK_RSA; }

  Result<GeneratedPair> generate_key_pair(Parameter parameter, const AttributeSet& public_template,
                                          const AttributeSet&) const override {
    CARDEA_TRY(parameter.expect_none());
    const auto bits = public_template.get_ulong(CKA_MODULUS_BITS);
    if (!bits) return Code::template_incomplete;
    if (*bits < min_bits || *bits > max_bits) return Code::key_size_range;
    constexpr std::array<Byte, 3> usual_exponent{1, 0, 1};
    const ByteView exponent = public_template.get(CKA_PUBLIC_EXPONENT).value_or(ByteView());
    CARDEA_TRY(check_exponent(exponent));
    CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key,
                  crypto::AsymmetricKey::generate_rsa(*bits, exponent.empty() ? ByteView(usual_exponent) : exponent));
    return describe_pair(*key, AttributeSet());
  }

 private:
  static constexpr CK_ULONG min_bits = 2048;
  static constexpr CK_ULONG max_bits = 4096;

  // FIPS 186-5, A.1.1: odd and above 2^16. 3 and 17 stand below that and are still asked for; beyond 64 bits OpenSSL
  // would not verify with moduli over 3072 bits.
  static Status check_exponent(ByteView exponent) {
    if (exponent.empty()) return {};
    const std::size_t bits = crypto::bit_length(exponent);
    constexpr std::size_t longest = 64;
    if (bits < 2 || bits > longest || (exponent.back() & 1u) == 0) return Code::template_inconsistent;
    return {};
  }
};

}  // namespace

Hash hash_of_mgf(CK_RSA_PKCS_MGF_TYPE mgf) noexcept {
  switch (mgf) {
    case CKG_MGF1_SHA1:
      return Hash::sha1;
    case CKG_MGF1_SHA224:
      return Hash::sha224;
    case CKG_MGF1_SHA256:
      return Hash::sha256;
    case CKG_MGF1_SHA384:
      return Hash::sha384;
    case CKG_MGF1_SHA512:
      return Hash::sha512;
    case CKG_MGF1_SHA3_224:
      return Hash::sha3_224;
    case CKG_MGF1_SHA3_256:
      return Hash::sha3_256;
    case CKG_MGF1_SHA3_384:
      return Hash::sha3_384;
    case CKG_MGF1_SHA3_512:
      return Hash::sha3_512;
    default:
      return Hash::none;
  }
}

void register_rsa(MechanismRegistry& registry) {
  registry.emplace<RsaKeyPairGen>();
  register_rsa_signatures(registry);
  register_rsa_ciphers(registry);
}

}  // namespace cardea
