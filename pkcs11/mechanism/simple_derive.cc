// Derivations that only put bytes together (PKCS#11 3.2, "Miscellaneous simple key derivation mechanisms").
//
// From a protected base key none of them may make a shorter key: what is left of the base could be found by trying, and
// the rest afterwards.
#include <algorithm>

#include "mechanism/generic_secret.h"

namespace cardea {
namespace {

Result<const SecretKey*> any_secret_key(const KeyRef& ref) {
  const auto* const key = dynamic_cast<const SecretKey*>(ref.key.get());
  if (key == nullptr) return Code::key_type_inconsistent;
  return key;
}

Result<ByteView> string_data(Parameter parameter) {
  CARDEA_ASSIGN(const CK_KEY_DERIVATION_STRING_DATA* const given, parameter.as<CK_KEY_DERIVATION_STRING_DATA>());
  CARDEA_ASSIGN(const ByteView data, parameter_bytes(given->pData, given->ulLen));
  if (data.size() > longest_secret) return Code::mechanism_param_invalid;
  return data;
}

/// The first bytes of `whole`, as many as asked for. `least`: fewer would give a protected key away.
Result<DerivedValue> leading(SecretBytes whole, const DeriveRequest& request, std::size_t least) {
  CARDEA_ASSIGN(const std::size_t size, derived_size(request, whole.size()));
  if (size > whole.size()) return Code::template_inconsistent;
  if (size < least) return error(Code::template_inconsistent, "a protected key may not be cut");
  if (whole.size() > longest_secret) return Code::key_size_range;
  whole.truncate(size);
  return DerivedValue(std::move(whole));
}

SecretBytes joined(ByteView a, ByteView b) {
  SecretBytes both(a.size() + b.size());
  std::copy(a.begin(), a.end(), both.data());
  std::copy(b.begin(), b.end(), both.data() + a.size());
  return both;
}

class ConcatenateBaseAndKey final : public Mechanism {
 public:
  ConcatenateBaseAndKey() : Mechanism(CKM_CONCATENATE_BASE_AND_KEY, {1, longest_secret, CKF_DERIVE}) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost& host) const override {
    CARDEA_ASSIGN(const CK_OBJECT_HANDLE* const handle, parameter.as<CK_OBJECT_HANDLE>());
    CARDEA_ASSIGN(const SecretKey* const first, any_secret_key(base));
    CARDEA_ASSIGN(const KeyRef other, host.source_key(*handle));
    CARDEA_ASSIGN(const SecretKey* const second, any_secret_key(other));
    std::size_t least = is_protected(base) ? first->size() : 0;
    if (is_protected(other)) least = first->size() + second->size();
    return leading(joined(first->value(), second->value()), request, least);
  }
};

class ConcatenateWithData final : public Mechanism {
 public:
  explicit ConcatenateWithData(bool data_first)
      : Mechanism(data_first ? CKM_CONCATENATE_DATA_AND_BASE : CKM_CONCATENATE_BASE_AND_DATA,
                  {1, longest_secret, CKF_DERIVE}),
        data_first_(data_first) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost&) const override {
    CARDEA_ASSIGN(const ByteView data, string_data(parameter));
    CARDEA_ASSIGN(const SecretKey* const key, any_secret_key(base));
    const std::size_t least = !is_protected(base) ? 0 : key->size() + (data_first_ ? data.size() : 0);
    SecretBytes whole = data_first_ ? joined(data, key->value()) : joined(key->value(), data);
    return leading(std::move(whole), request, least);
  }

 private:
  bool data_first_;
};

class XorBaseAndData final : public Mechanism {
 public:
  XorBaseAndData() : Mechanism(CKM_XOR_BASE_AND_DATA, {1, longest_secret, CKF_DERIVE}) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost&) const override {
    CARDEA_ASSIGN(const ByteView data, string_data(parameter));
    CARDEA_ASSIGN(const SecretKey* const key, any_secret_key(base));
    SecretBytes whole(std::min(data.size(), key->size()));
    for (std::size_t i = 0; i < whole.size(); ++i) whole.data()[i] = data[i] ^ key->value()[i];
    return leading(std::move(whole), request, is_protected(base) ? key->size() : 0);
  }
};

}  // namespace

void register_simple_derive(MechanismRegistry& registry) {
  registry.emplace<ConcatenateBaseAndKey>();
  registry.emplace<ConcatenateWithData>(false);
  registry.emplace<ConcatenateWithData>(true);
  registry.emplace<XorBaseAndData>();
}

}  // namespace cardea
