// DER from outside: wrapped private keys, points, curves, and keys made of any attributes.
#include "fuzz/input.h"
#include "token/key_material.h"

using namespace cardea;

namespace {

constexpr CK_KEY_TYPE key_types[]{CKK_RSA,    CKK_EC,      CKK_EC_EDWARDS, CKK_EC_MONTGOMERY,
                                  CKK_ML_DSA, CKK_SLH_DSA, CKK_ML_KEM,     CKK_AES};

NewObject object(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type) {
  NewObject made;
  made.attributes.set_ulong(CKA_CLASS, object_class);
  made.attributes.set_ulong(CKA_KEY_TYPE, type);
  return made;
}

// A key that was accepted must also be usable and exportable, or say why not.
void use(const NewObject& made) {
  (void)make_key(made.attributes, made.secrets);
  (void)key_material(made.attributes, made.secrets);
}

void unwrap(fuzz::Input& input) {
  NewObject made = object(CKO_PRIVATE_KEY, input.one_of(key_types));
  const std::vector<CK_BYTE> material = input.bytes(4096);
  if (!set_key_material(made, SecretBytes(ByteView(material)))) return;
  (void)complete_key(made);
  use(made);
}

void public_key(fuzz::Input& input) {
  NewObject made = object(CKO_PUBLIC_KEY, input.one_of(key_types));
  static constexpr CK_ATTRIBUTE_TYPE types[]{CKA_EC_PARAMS, CKA_EC_POINT,      CKA_MODULUS,        CKA_PUBLIC_EXPONENT,
                                             CKA_VALUE,     CKA_PARAMETER_SET, CKA_PUBLIC_KEY_INFO};
  for (CK_ULONG count = input.up_to(5); count > 0; --count) made.attributes.set(input.one_of(types), input.bytes(600));
  if (complete_key(made)) use(made);
  (void)make_key(made.attributes, made.secrets);
}

void private_key(fuzz::Input& input) {
  NewObject made = object(CKO_PRIVATE_KEY, input.one_of(key_types));
  static constexpr CK_ATTRIBUTE_TYPE secret[]{CKA_VALUE,      CKA_PRIVATE_EXPONENT, CKA_PRIME_1,     CKA_PRIME_2,
                                              CKA_EXPONENT_1, CKA_EXPONENT_2,       CKA_COEFFICIENT, CKA_SEED};
  static constexpr CK_ATTRIBUTE_TYPE open[]{CKA_EC_PARAMS, CKA_EC_POINT, CKA_MODULUS, CKA_PUBLIC_EXPONENT,
                                            CKA_PARAMETER_SET};
  for (CK_ULONG count = input.up_to(4); count > 0; --count) made.attributes.set(input.one_of(open), input.bytes(300));
  for (CK_ULONG count = input.up_to(8); count > 0; --count) {
    const std::vector<CK_BYTE> value = input.bytes(300);
    made.secrets.insert_or_assign(input.one_of(secret), SecretBytes(ByteView(value)));
  }
  if (complete_key(made)) use(made);
  (void)make_key(made.attributes, made.secrets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.up_to(2)) {
    case 0:
      unwrap(input);
      break;
    case 1:
      public_key(input);
      break;
    default:
      private_key(input);
  }
  return 0;
}
