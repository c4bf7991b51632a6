// CKM_RSA_AES_KEY_WRAP (PKCS#11 3.2, 6.1.19): a temporary AES key under RSA-OAEP, then the target under that key.
#include "crypto/random.h"
#include "mechanism/rsa.h"
#include "mechanism/signature_operation.h"
#include "mechanism/temporary_aes_key.h"

namespace cardea {
namespace {

struct Parameters {
  std::size_t key_size;  ///< bytes of the temporary key
  OaepParameters oaep;
};

Result<Parameters> parse(Parameter parameter) {
  CARDEA_ASSIGN(const auto* given, parameter.as<CK_RSA_AES_KEY_WRAP_PARAMS>());
  CARDEA_ASSIGN(const std::size_t key_size, temporary_key_size(given->ulAESKeyBits));
  if (given->pOAEPParams == nullptr) return Code::mechanism_param_invalid;
  CARDEA_ASSIGN(OaepParameters oaep, oaep_parameters({given->pOAEPParams, sizeof(CK_RSA_PKCS_OAEP_PARAMS)}));
  return Parameters{key_size, std::move(oaep)};
}

class RsaAesWrap final : public Mechanism {
 public:
  RsaAesWrap() : Mechanism(CKM_RSA_AES_KEY_WRAP, {rsa_usable_min, rsa_usable_max, CKF_WRAP | CKF_UNWRAP}) {}
  bool served_by(Primitives primitives) const noexcept override { return can_decrypt_oaep(primitives); }
  // As for OAEP: the temporary key is ours, and RFC 5649 authenticates what is under it.
  bool wraps_sensitive_keys(Parameter, bool) const noexcept override { return true; }

  Result<Bytes> wrap(const KeyRef& reference, Parameter parameter, ByteView material,
                     std::optional<ByteView> associated_data) const override {
    if (associated_data) return Code::mechanism_invalid;
    CARDEA_ASSIGN(const Parameters parsed, parse(parameter));
    CARDEA_ASSIGN(const auto key, public_key_for(*this, reference, CKK_RSA));
    const OaepParameters& oaep = parsed.oaep;
    const std::size_t size = modulus_size(*key);
    if (2 * crypto::hash_size(oaep.hash) + 2 + parsed.key_size > size) return Code::key_size_range;
    SecretBytes temporary(parsed.key_size);
    CARDEA_TRY(crypto::random_bytes(temporary.mutable_view()));
    Bytes wrapped(size);
    CARDEA_TRY(key->key().encrypt_oaep(oaep.hash, oaep.mgf_hash, oaep.label, temporary.view(), wrapped));
    CARDEA_ASSIGN(const Bytes target, wrap_under(std::move(temporary), material));
    wrapped.insert(wrapped.end(), target.begin(), target.end());
    return wrapped;
  }

  Result<SecretBytes> unwrap(const KeyRef& reference, Parameter parameter, ByteView wrapped,
                             std::optional<ByteView> associated_data) const override {
    if (associated_data) return Code::mechanism_invalid;
    CARDEA_ASSIGN(const Parameters parsed, parse(parameter));
    CARDEA_ASSIGN(const auto key, private_key_for(*this, reference, CKK_RSA));
    const std::size_t size = modulus_size(*key);
    if (wrapped.size() <= size) return Code::encrypted_data_length;
    SecretBytes temporary(size);
    CARDEA_ASSIGN(const std::size_t found,
                  rsa_decrypt_oaep(*key, parsed.oaep, wrapped.first(size), temporary.mutable_view()));
    if (found != parsed.key_size) return Code::encrypted_data_invalid;
    temporary.truncate(found);
    return unwrap_under(std::move(temporary), wrapped.subspan(size));
  }
};

}  // namespace

void register_rsa_aes_wrap(MechanismRegistry& registry) {
  registry.emplace<RsaAesWrap>();
}

}  // namespace cardea
