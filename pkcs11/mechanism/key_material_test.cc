// token/key_material.h with keys that the mechanisms generated.
#include "token/key_material.h"

#include "crypto/key_algorithm.h"
#include "mechanism/asymmetric_test_keys.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

Pair ec_pair() {
  AttributeSet attributes;
  attributes.set(CKA_EC_PARAMS, view_of(crypto::facts_of(crypto::KeyAlgorithm::p256).oid));
  return generate(CKM_EC_KEY_PAIR_GEN, attributes);
}

NewObject empty_private(CK_KEY_TYPE type) {
  NewObject object;
  object.attributes.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  object.attributes.set_ulong(CKA_KEY_TYPE, type);
  return object;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_material_of_pairs)

BOOST_AUTO_TEST_CASE(a_private_key_survives_wrapping) {
  for (const bool rsa : {true, false}) {
    const Pair own = rsa ? Pair() : ec_pair();
    const Pair& pair = rsa ? rsa_pair() : own;
    const NewObject& original = pair.private_object;
    NewObject unwrapped = empty_private(rsa ? CKK_RSA : CKK_EC);
    BOOST_REQUIRE(set_key_material(unwrapped, must(key_material(original.attributes, original.secrets))).ok());
    BOOST_REQUIRE(unwrapped.secrets.size() == original.secrets.size());
    for (const auto& [type, value] : original.secrets)
      BOOST_TEST(same_bytes(unwrapped.secrets.at(type).view(), value.view()));
    BOOST_TEST(
        same_bytes(*unwrapped.attributes.get(CKA_PUBLIC_KEY_INFO), *original.attributes.get(CKA_PUBLIC_KEY_INFO)));

    NewObject other_type = empty_private(rsa ? CKK_EC : CKK_RSA);
    const Status refused = set_key_material(other_type, must(key_material(original.attributes, original.secrets)));
    BOOST_TEST((!refused.ok() && refused.code() == Code::wrapped_key_invalid));
  }
}

BOOST_AUTO_TEST_CASE(an_rsa_key_is_completed_and_contradictions_are_refused) {
  const NewObject& original = rsa_pair().private_object;
  const auto imported = [&] {
    NewObject object = empty_private(CKK_RSA);
    object.attributes.set(CKA_MODULUS, *original.attributes.get(CKA_MODULUS));
    object.attributes.set(CKA_PUBLIC_EXPONENT, *original.attributes.get(CKA_PUBLIC_EXPONENT));
    object.secrets.emplace(CKA_PRIVATE_EXPONENT, original.secrets.at(CKA_PRIVATE_EXPONENT).copy());
    return object;
  };
  NewObject object = imported();
  BOOST_REQUIRE(complete_key(object).ok());
  for (const CK_ATTRIBUTE_TYPE type : {CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT})
    BOOST_TEST(object.secrets.contains(type));

  NewObject wrong = imported();
  wrong.secrets.emplace(CKA_PRIME_1, original.secrets.at(CKA_PRIME_1).copy());
  wrong.secrets.emplace(CKA_PRIME_2, original.secrets.at(CKA_PRIME_1).copy());
  BOOST_TEST((complete_key(wrong).code() == Code::attribute_value_invalid));
  NewObject foreign_info = imported();
  foreign_info.attributes.set(CKA_PUBLIC_KEY_INFO, view_of("another key's"));
  BOOST_TEST((complete_key(foreign_info).code() == Code::attribute_value_invalid));
}

BOOST_AUTO_TEST_CASE(a_raw_point_is_kept_as_an_octet_string) {
  const Pair pair = ec_pair();
  const Bytes kept = to_bytes(*pair.public_key.object->attributes.get(CKA_EC_POINT));
  NewObject object{pair.public_key.object->attributes, {}};
  object.attributes.set(CKA_EC_POINT, ByteView(kept).subspan(2));
  BOOST_REQUIRE(complete_key(object).ok());
  BOOST_TEST(same_bytes(*object.attributes.get(CKA_EC_POINT), kept));
  object.attributes.set(CKA_EC_POINT, ByteView(kept).subspan(3));
  BOOST_TEST((complete_key(object).code() == Code::attribute_value_invalid));
  object.attributes.erase(CKA_EC_POINT);
  BOOST_TEST((complete_key(object).code() == Code::template_incomplete));
}

BOOST_AUTO_TEST_SUITE_END()
