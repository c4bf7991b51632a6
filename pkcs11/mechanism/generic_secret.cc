#include "mechanism/generic_secret.h"

#include <algorithm>

#include "crypto/random.h"

namespace cardea {

Result<const SecretKey*> secret_key(const KeyRef& ref, std::initializer_list<CK_KEY_TYPE> types) {
  const auto* const key = dynamic_cast<const SecretKey*>(ref.key.get());
  if (key == nullptr || std::find(types.begin(), types.end(), key->type()) == types.end()) {
    return Code::key_type_inconsistent;
  }
  return key;
}

bool is_protected(const KeyRef& ref) noexcept {
  return ref.object->attributes.get_bool(CKA_SENSITIVE, true) || !ref.object->attributes.get_bool(CKA_EXTRACTABLE);
}

Result<std::size_t> derived_size(const DeriveRequest& request, std::size_t natural) {
  std::size_t size = natural;
  if (request.length) {
    size = *request.length;
    if (size == 0 || size > longest_secret) return Code::key_size_range;
  } else if (request.object_class == CKO_SECRET_KEY) {
    if (request.key_type == CKK_CHACHA20) size = 32;
    if (request.key_type == CKK_AES || request.key_type == CKK_AES_XTS) size = 0;
  }
  if (size == 0) return Code::template_incomplete;
  return size;
}

Result<SecretBytes> RandomKeyGeneration::generate_key(Parameter parameter, const AttributeSet& attributes) const {
  CARDEA_TRY(parameter.expect_none());
  const auto given = attributes.get_ulong(CKA_VALUE_LEN);
  if (!given && sizes_.fixed == 0) return Code::template_incomplete;
  const std::size_t size = given.value_or(sizes_.fixed);
  if (size < sizes_.least || size > sizes_.most || size % sizes_.step != 0) return Code::key_size_range;
  SecretBytes value(size);
  CARDEA_TRY(crypto::random_bytes(value.mutable_view()));
  if (key_type_ == CKK_AES_XTS) {
    // Equal halves would undo the tweak (IEEE 1619, FIPS 140-3 IG C.I); random ones never are unless the generator
    // broke.
    const ByteView whole = value.view();
    if (equal_in_constant_time(whole.first(size / 2), whole.last(size / 2))) return Code::device_error;
  }
  return value;
}

void register_generic_secret(MechanismRegistry& registry) {
  registry.emplace<RandomKeyGeneration>(CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET,
                                        RandomKeyGeneration::Sizes{1, longest_secret});
}

}  // namespace cardea
