#include <string_view>

#include "fuzz/arguments.h"

namespace cardea::fuzz {

namespace {

// Every attribute type of the standard.
const std::vector<CK_ULONG>& attribute_types() {
  static const auto* const types = [] {
    auto* const list = new std::vector<CK_ULONG>;
#define CARDEA_CK(prefix, name, value) \
  if (std::string_view(#prefix) == "CKA") list->push_back(value);
#include "cryptoki/constants.def"
#undef CARDEA_CK
    return list;
  }();
  return *types;
}

constexpr CK_ULONG common_types[]{CKA_CLASS,    CKA_TOKEN,     CKA_PRIVATE,       CKA_LABEL,      CKA_VALUE,
                                  CKA_KEY_TYPE, CKA_ID,        CKA_SENSITIVE,     CKA_ENCRYPT,    CKA_DECRYPT,
                                  CKA_WRAP,     CKA_UNWRAP,    CKA_SIGN,          CKA_VERIFY,     CKA_DERIVE,
                                  CKA_MODULUS,  CKA_EC_PARAMS, CKA_EC_POINT,      CKA_VALUE_LEN,  CKA_EXTRACTABLE,
                                  CKA_LOCAL,    CKA_TRUSTED,   CKA_CHECK_VALUE,   CKA_START_DATE, CKA_MODULUS_BITS,
                                  CKA_PRIME_1,  CKA_COPYABLE,  CKA_WRAP_TEMPLATE, CKA_MODIFIABLE, CKA_PRIVATE_EXPONENT};

// Whether the standard says that the value is a list of CK_ATTRIBUTE.
bool holds_attributes(CK_ATTRIBUTE_TYPE type) {
  return type == CKA_ENCAPSULATE_TEMPLATE || type == CKA_DECAPSULATE_TEMPLATE ||
         ((type & CKF_ARRAY_ATTRIBUTE) != 0 && type != CKA_ALLOWED_MECHANISMS);
}

CK_ATTRIBUTE attribute(Input& input, Memory& memory, int depth);

std::vector<CK_ATTRIBUTE> attributes(Input& input, Memory& memory, int depth) {
  std::vector<CK_ATTRIBUTE> list;
  for (CK_ULONG count = input.up_to(12); count > 0 && input.more(); --count) {
    list.push_back(attribute(input, memory, depth));
  }
  return list;
}

CK_ATTRIBUTE attribute(Input& input, Memory& memory, int depth) {
  const CK_ATTRIBUTE_TYPE type =
      input.chance() ? input.one_of(common_types) : (input.rarely() ? input.number() : input.one_of(attribute_types()));
  switch (input.up_to(5)) {
    case 0:
      return {type, memory.copy(std::vector<CK_BYTE>{static_cast<CK_BYTE>(input.up_to(2))}), 1};
    case 1: {
      const CK_ULONG value = input.number();
      return {type, memory.copy(value), sizeof value};
    }
    case 2:
      // An attribute array: only types that hold one may be given a list of pointers.
      if (depth < 3 && holds_attributes(type)) {
        const std::vector<CK_ATTRIBUTE> nested = attributes(input, memory, depth + 1);
        return {type, memory.array(nested), nested.size() * sizeof(CK_ATTRIBUTE)};
      }
      return {type, nullptr, 0};
    default: {
      const Span value = span(input, memory, 96);
      // Plain bytes for an array attribute would be read as pointers, which only a caller with a fault of its own does.
      if (holds_attributes(type) && value.size >= sizeof(CK_ATTRIBUTE)) return {type, nullptr, 0};
      return {type, value.data, value.size};
    }
  }
}

}  // namespace

Template make_template(Input& input, Memory& memory, CK_ULONG object_class, CK_ULONG key_type) {
  if (input.rarely(64)) return {nullptr, input.number()};
  std::vector<CK_ATTRIBUTE> list;
  if (object_class != CK_UNAVAILABLE_INFORMATION) {
    list.push_back({CKA_CLASS, memory.copy(object_class), sizeof object_class});
  }
  if (key_type != CK_UNAVAILABLE_INFORMATION) list.push_back({CKA_KEY_TYPE, memory.copy(key_type), sizeof key_type});
  const std::vector<CK_ATTRIBUTE> rest = attributes(input, memory, 0);
  list.insert(list.end(), rest.begin(), rest.end());
  return {memory.array(list), list.size()};
}

}  // namespace cardea::fuzz
