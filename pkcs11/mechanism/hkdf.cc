#include "crypto/kdf.h"
#include "mechanism/digest.h"
#include "mechanism/generic_secret.h"

namespace cardea {
namespace {

/// HKDF (RFC 5869) to a key (CKM_HKDF_DERIVE) or to a data object (CKM_HKDF_DATA).
class Hkdf final : public Mechanism {
 public:
  explicit Hkdf(bool data)
      : Mechanism(data ? CKM_HKDF_DATA : CKM_HKDF_DERIVE, {1, longest_secret, CKF_DERIVE}), data_(data) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost& host) const override {
    CARDEA_ASSIGN(const CK_HKDF_PARAMS* const given, parameter.as<CK_HKDF_PARAMS>());
    const Hash hash = hash_of_digest(given->prfHashMechanism);
    if (hash == Hash::none || (!given->bExtract && !given->bExpand)) return Code::mechanism_param_invalid;
    CARDEA_TRY(check_kind(base, request));
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(base, {CKK_HKDF, CKK_GENERIC_SECRET}));
    const std::size_t hash_size = crypto::hash_size(hash);
    CARDEA_ASSIGN(const std::size_t size, derived_size(request, hash_size));

    SecretBytes extracted;
    ByteView pseudo_random_key = key->value();
    if (given->bExtract) {
      CARDEA_ASSIGN(extracted, extract(hash, *given, key->value(), host));
      pseudo_random_key = extracted.view();
    }
    if (!given->bExpand) {
      if (size != hash_size) return Code::template_inconsistent;
      return DerivedValue(std::move(extracted));
    }
    CARDEA_ASSIGN(const ByteView info, parameter_bytes(given->pInfo, given->ulInfoLen));
    CARDEA_ASSIGN(SecretBytes expanded, crypto::hkdf_expand(hash, pseudo_random_key, info, size));
    return DerivedValue(std::move(expanded));
  }

 private:
  /// CKM_HKDF_DATA with a protected key would answer in clear what CKM_HKDF_DERIVE makes a sensitive key of.
  Status check_kind(const KeyRef& base, const DeriveRequest& request) const {
    if ((request.object_class == CKO_DATA) != data_) return Code::template_inconsistent;
    if (data_ && is_protected(base)) return Code::key_function_not_permitted;
    return {};
  }

  Result<SecretBytes> extract(Hash hash, const CK_HKDF_PARAMS& given, ByteView key, DeriveHost& host) const {
    switch (given.ulSaltType) {
      case CKF_HKDF_SALT_NULL:
        return crypto::hkdf_extract(hash, {}, key);
      case CKF_HKDF_SALT_DATA: {
        CARDEA_ASSIGN(const ByteView salt, parameter_bytes(given.pSalt, given.ulSaltLen));
        return crypto::hkdf_extract(hash, salt, key);
      }
      case CKF_HKDF_SALT_KEY: {
        CARDEA_ASSIGN(const KeyRef source, host.source_key(given.hSaltKey));
        if (data_ && is_protected(source)) return Code::key_function_not_permitted;
        const auto* const salt = dynamic_cast<const SecretKey*>(source.key.get());
        if (salt == nullptr) return Code::key_type_inconsistent;
        return crypto::hkdf_extract(hash, salt->value(), key);
      }
      default:
        return Code::mechanism_param_invalid;
    }
  }

  bool data_;
};

}  // namespace

void register_hkdf(MechanismRegistry& registry) {
  registry.emplace<Hkdf>(false);
  registry.emplace<Hkdf>(true);
  registry.emplace<RandomKeyGeneration>(CKM_HKDF_KEY_GEN, CKK_HKDF, RandomKeyGeneration::Sizes{1, longest_secret});
}

}  // namespace cardea
