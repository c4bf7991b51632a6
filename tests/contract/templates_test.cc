// Templates that are wrong, each with the code that the standard gives it (PKCS#11 3.2, 4.1.1), and attribute arrays.
#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

constexpr CK_ATTRIBUTE_TYPE vendor_type = CKA_VENDOR_DEFINED | 0x1234;

struct Templates : UserFixture {
  /// C_CreateObject with entries as they stand, repeated types included.
  CK_RV create_raw(std::vector<CK_ATTRIBUTE> entries) const {
    CK_OBJECT_HANDLE object = 0;
    return module->C_CreateObject(s, entries.data(), entries.size(), &object);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(templates, Templates)

BOOST_AUTO_TEST_CASE(incomplete) {
  CONTRACT_RV(create_rv(Template()), CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(create_rv(aes_template({}).without(CKA_CLASS)), CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(create_rv(aes_template({}).without(CKA_KEY_TYPE)), CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(create_rv(aes_template({}).without(CKA_VALUE)), CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(generate_rv(CKM_AES_KEY_GEN, aes_generation({}).without(CKA_VALUE_LEN)), CKR_TEMPLATE_INCOMPLETE);
  const Template rsa_public = object_template(CKO_PUBLIC_KEY).ulong(CKA_KEY_TYPE, CKK_RSA);
  CONTRACT_RV(create_rv(Template(rsa_public).bytes(CKA_MODULUS, counted(256, 0x81))), CKR_TEMPLATE_INCOMPLETE);
  const Template ec_private = object_template(CKO_PRIVATE_KEY).ulong(CKA_KEY_TYPE, CKK_EC);
  CONTRACT_RV(create_rv(Template(ec_private).bytes(CKA_VALUE, counted(32, 1))), CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(create_rv(Template(ec_private).bytes(CKA_EC_PARAMS, p256())), CKR_TEMPLATE_INCOMPLETE);
  Pair none;
  CONTRACT_RV(
      s.generate_pair(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN), Template(), Template(), none.public_key, none.private_key),
      CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(
      s.generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN), Template(), Template(), none.public_key, none.private_key),
      CKR_TEMPLATE_INCOMPLETE);
}

BOOST_AUTO_TEST_CASE(inconsistent) {
  CONTRACT_RV(create_rv(data_template("x").bytes(CKA_MODULUS, {1})), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(create_rv(aes_template({}).bytes(CKA_EC_PARAMS, p256())), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(create_rv(aes_template({}).ulong(CKA_KEY_TYPE, CKK_RSA)), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(generate_rv(CKM_AES_KEY_GEN, aes_generation({}).ulong(CKA_CLASS, CKO_PUBLIC_KEY)),
              CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(generate_rv(CKM_AES_KEY_GEN, aes_generation({}).ulong(CKA_KEY_TYPE, CKK_CHACHA20)),
              CKR_TEMPLATE_INCONSISTENT);
  const CK_OBJECT_HANDLE data = created(data_template("x"));
  CONTRACT_RV(s.set(data, Template().boolean(CKA_ENCRYPT, true)), CKR_TEMPLATE_INCONSISTENT);
}

BOOST_AUTO_TEST_CASE(the_same_attribute_twice) {
  CK_OBJECT_CLASS object_class = CKO_DATA;
  char one[] = "one", two[] = "two";
  const CK_ATTRIBUTE first{CKA_CLASS, &object_class, sizeof(object_class)};
  CONTRACT_RV(create_raw({first, {CKA_LABEL, one, 3}, {CKA_LABEL, two, 3}}), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(create_raw({first, {CKA_LABEL, one, 3}, {CKA_LABEL, one, 3}}), CKR_OK);
  CK_ATTRIBUTE search[] = {{CKA_LABEL, one, 3}, {CKA_LABEL, two, 3}};
  CONTRACT_OK(module->C_FindObjectsInit(s, search, 2));
  CK_OBJECT_HANDLE found = 0;
  CK_ULONG count = 1;
  CONTRACT_RV(module->C_FindObjects(s, &found, 1, &count), CKR_OK);
  BOOST_TEST(count == 0u);
  CONTRACT_OK(module->C_FindObjectsFinal(s));
}

BOOST_AUTO_TEST_CASE(types_that_nobody_knows) {
  CONTRACT_RV(create_rv(data_template("x").bytes(vendor_type, {1})), CKR_ATTRIBUTE_TYPE_INVALID);
  CONTRACT_RV(create_rv(data_template("x").bytes(0x7ffffff0, {1})), CKR_ATTRIBUTE_TYPE_INVALID);
  const CK_OBJECT_HANDLE data = created(data_template("x"));
  CONTRACT_RV(s.set(data, Template().bytes(vendor_type, {1})), CKR_ATTRIBUTE_TYPE_INVALID);
  CONTRACT_RV(s.get(data, vendor_type).rv, CKR_ATTRIBUTE_TYPE_INVALID);
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_RV(s.copy(data, Template().bytes(vendor_type, {1}), copy), CKR_ATTRIBUTE_TYPE_INVALID);
}

BOOST_AUTO_TEST_CASE(values_of_the_wrong_form) {
  CONTRACT_RV(create_rv(data_template("x").bytes(CKA_TOKEN, {})), CKR_ATTRIBUTE_VALUE_INVALID);
  CONTRACT_RV(create_rv(data_template("x").bytes(CKA_TOKEN, {0, 0})), CKR_ATTRIBUTE_VALUE_INVALID);
  CONTRACT_RV(create_rv(data_template("x").bytes(CKA_TOKEN, {2})), CKR_ATTRIBUTE_VALUE_INVALID);
  CONTRACT_RV(create_rv(data_template("x").bytes(CKA_CLASS, {0, 0, 0, 0})), CKR_ATTRIBUTE_VALUE_INVALID);
  CONTRACT_RV(create_rv(aes_template({}).ulong(CKA_KEY_TYPE, CKK_DSA)), CKR_ATTRIBUTE_VALUE_INVALID);
  for (const std::size_t size : {0u, 1u, 15u, 17u, 33u}) {
    CONTRACT_RV(create_rv(aes_template({}).bytes(CKA_VALUE, counted(size))), CKR_ATTRIBUTE_VALUE_INVALID);
  }
  for (const CK_ULONG size : {0ul, 1ul, 15ul, 33ul, ~0ul}) {
    CONTRACT_RV(generate_rv(CKM_AES_KEY_GEN, aes_generation({}).ulong(CKA_VALUE_LEN, size)), CKR_KEY_SIZE_RANGE);
  }
}

BOOST_AUTO_TEST_CASE(key_material_that_is_no_key) {
  const Template ec_public = object_template(CKO_PUBLIC_KEY).ulong(CKA_KEY_TYPE, CKK_EC).bytes(CKA_EC_PARAMS, p256());
  Bytes off_curve = counted(65);
  off_curve[0] = 4;
  BOOST_TEST(create_rv(Template(ec_public).bytes(CKA_EC_POINT, off_curve)) != CKR_OK);
  BOOST_TEST(create_rv(Template(ec_public).bytes(CKA_EC_POINT, {0})) != CKR_OK);
  const Template ec_private = object_template(CKO_PRIVATE_KEY).ulong(CKA_KEY_TYPE, CKK_EC).bytes(CKA_EC_PARAMS, p256());
  BOOST_TEST(create_rv(Template(ec_private).bytes(CKA_VALUE, Bytes(32, 0))) != CKR_OK);
  BOOST_TEST(create_rv(Template(ec_private).bytes(CKA_VALUE, Bytes(32, 0xff))) != CKR_OK);
  BOOST_TEST(create_rv(Template(ec_private).bytes(CKA_EC_PARAMS, {5, 0}).bytes(CKA_VALUE, counted(32, 1))) != CKR_OK);
  const Template rsa_public = object_template(CKO_PUBLIC_KEY).ulong(CKA_KEY_TYPE, CKK_RSA);
  BOOST_TEST(create_rv(Template(rsa_public).bytes(CKA_MODULUS, {0}).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1})) != CKR_OK);
  Pair none;
  for (const CK_ULONG bits : {0ul, 17ul, 1ul << 20, ~0ul}) {
    BOOST_TEST(s.generate_pair(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN),
                               Template().ulong(CKA_MODULUS_BITS, bits).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}),
                               Template(), none.public_key, none.private_key) != CKR_OK,
               "an RSA key of " << bits << " bits");
  }
}

BOOST_AUTO_TEST_CASE(attributes_that_only_the_token_sets) {
  const CK_OBJECT_HANDLE key = created(aes_template({CKA_ENCRYPT}));
  const std::pair<CK_ATTRIBUTE_TYPE, Bytes> fixed[] = {{CKA_TOKEN, {CK_TRUE}},
                                                       {CKA_CLASS, Bytes(8, 0)},
                                                       {CKA_KEY_TYPE, Bytes(8, 0)},
                                                       {CKA_VALUE, counted(16, 1)},
                                                       {CKA_VALUE_LEN, Bytes(8, 0)},
                                                       {CKA_LOCAL, {CK_TRUE}},
                                                       {CKA_KEY_GEN_MECHANISM, Bytes(8, 0)},
                                                       {CKA_ALWAYS_SENSITIVE, {CK_TRUE}},
                                                       {CKA_NEVER_EXTRACTABLE, {CK_TRUE}},
                                                       {CKA_UNIQUE_ID, {1}}};
  for (const auto& [type, value] : fixed) {
    BOOST_TEST_CONTEXT("attribute " << type) {
      CONTRACT_RV(s.set(key, Template().bytes(type, value)), CKR_ATTRIBUTE_READ_ONLY);
    }
  }
  CONTRACT_RV(generate_rv(CKM_AES_KEY_GEN, aes_generation({}).bytes(CKA_VALUE, counted(16))), CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_RV(create_rv(aes_template({}).ulong(CKA_VALUE_LEN, 16)), CKR_ATTRIBUTE_READ_ONLY);
}

BOOST_AUTO_TEST_CASE(a_failed_pair_leaves_no_half) {
  const std::size_t before = s.find(Template()).size();
  Pair none;
  Template private_half;
  private_half.boolean(CKA_TOKEN, true).bytes(vendor_type, {1});
  CONTRACT_RV(
      s.generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN), Template().bytes(CKA_EC_PARAMS, p256()).boolean(CKA_TOKEN, true),
                      private_half, none.public_key, none.private_key),
      CKR_ATTRIBUTE_TYPE_INVALID);
  BOOST_TEST(s.find(Template()).size() == before);
}

BOOST_AUTO_TEST_CASE(unwrap_templates_shape_what_comes_in) {
  const CK_OBJECT_HANDLE target = created(aes_template({CKA_ENCRYPT}));
  const Template shape = Template().boolean(CKA_SENSITIVE, true).boolean(CKA_EXTRACTABLE, false);
  const CK_OBJECT_HANDLE wrapper =
      created(aes_template({CKA_WRAP, CKA_UNWRAP, CKA_DECRYPT}).nested(CKA_UNWRAP_TEMPLATE, shape));
  const Mechanism way(CKM_AES_KEY_WRAP);
  const Bytes wrapped = s.wrap(way, wrapper, target).bytes;
  CK_OBJECT_HANDLE key = 0;
  CONTRACT_OK(s.unwrap(way, wrapper, wrapped, object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES), key));
  BOOST_TEST(s.flag(key, CKA_SENSITIVE));
  BOOST_TEST(!s.flag(key, CKA_EXTRACTABLE, true));
  const Template against = object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_SENSITIVE, false);
  CONTRACT_RV(s.unwrap(way, wrapper, wrapped, against, key), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(s.set(wrapper, Template().nested(CKA_UNWRAP_TEMPLATE, Template())), CKR_ATTRIBUTE_READ_ONLY);
}

BOOST_AUTO_TEST_CASE(wrap_templates_choose_what_goes_out) {
  const CK_OBJECT_HANDLE wrapper =
      created(aes_template({CKA_WRAP}).nested(CKA_WRAP_TEMPLATE, Template().text(CKA_LABEL, "may leave")));
  const Mechanism way(CKM_AES_KEY_WRAP);
  CONTRACT_RV(s.wrap(way, wrapper, created(aes_template({CKA_ENCRYPT}).text(CKA_LABEL, "may leave"))).rv, CKR_OK);
  CONTRACT_RV(s.wrap(way, wrapper, created(aes_template({CKA_ENCRYPT}).text(CKA_LABEL, "stays"))).rv,
              CKR_KEY_HANDLE_INVALID);
}

BOOST_AUTO_TEST_CASE(derive_templates_shape_what_is_derived) {
  const CK_OBJECT_HANDLE base = created(generic_template(counted(32), {CKA_DERIVE})
                                            .nested(CKA_DERIVE_TEMPLATE, Template().boolean(CKA_EXTRACTABLE, false)));
  const Template attributes = object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  CK_OBJECT_HANDLE key = 0;
  CONTRACT_OK(s.derive(Mechanism(CKM_SHA256_KEY_DERIVATION), base, attributes, key));
  BOOST_TEST(!s.flag(key, CKA_EXTRACTABLE, true));
  CONTRACT_RV(
      s.derive(Mechanism(CKM_SHA256_KEY_DERIVATION), base, Template(attributes).boolean(CKA_EXTRACTABLE, true), key),
      CKR_TEMPLATE_INCONSISTENT);
}

BOOST_AUTO_TEST_CASE(encapsulation_templates_shape_the_shared_secret) {
  if (!has(CKM_ML_KEM, CKF_ENCAPSULATE | CKF_DECAPSULATE)) {
    BOOST_TEST_MESSAGE("SKIPPED: the token has no ML-KEM");
    return;
  }
  const Template closed = Template().boolean(CKA_SENSITIVE, true);
  const Pair both = pair(CKM_ML_KEM_KEY_PAIR_GEN,
                         Template().ulong(CKA_PARAMETER_SET, CKP_ML_KEM_768).nested(CKA_ENCAPSULATE_TEMPLATE, closed),
                         Template().nested(CKA_DECAPSULATE_TEMPLATE, closed));
  Template attributes = object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).ulong(CKA_VALUE_LEN, 32);
  Template against = Template(attributes).boolean(CKA_SENSITIVE, false);
  Mechanism kem(CKM_ML_KEM);
  Bytes ciphertext(1088);
  CK_ULONG size = ciphertext.size();
  CK_OBJECT_HANDLE ours = 0, theirs = 0;
  CONTRACT_OK(module->C_EncapsulateKey(s, kem, both.public_key, attributes.data(), attributes.size(), ciphertext.data(),
                                       &size, &ours));
  CONTRACT_OK(module->C_DecapsulateKey(s, kem, both.private_key, attributes.data(), attributes.size(),
                                       ciphertext.data(), size, &theirs));
  BOOST_TEST(s.flag(ours, CKA_SENSITIVE));
  BOOST_TEST(s.flag(theirs, CKA_SENSITIVE));
  CONTRACT_RV(module->C_EncapsulateKey(s, kem, both.public_key, against.data(), against.size(), ciphertext.data(),
                                       &size, &ours),
              CKR_KEY_HANDLE_INVALID);
  CONTRACT_RV(module->C_DecapsulateKey(s, kem, both.private_key, against.data(), against.size(), ciphertext.data(),
                                       size, &theirs),
              CKR_TEMPLATE_INCONSISTENT);
}

BOOST_AUTO_TEST_CASE(attribute_arrays_are_read_back_in_three_steps) {
  const CK_OBJECT_HANDLE key =
      created(aes_template({CKA_WRAP})
                  .nested(CKA_WRAP_TEMPLATE, Template().text(CKA_LABEL, "inner").boolean(CKA_SENSITIVE, true)));
  CK_ATTRIBUTE outer{CKA_WRAP_TEMPLATE, nullptr, 0};
  CONTRACT_OK(module->C_GetAttributeValue(s, key, &outer, 1));
  BOOST_REQUIRE_EQUAL(outer.ulValueLen, 2 * sizeof(CK_ATTRIBUTE));
  CK_ATTRIBUTE inner[2] = {{CK_UNAVAILABLE_INFORMATION, nullptr, 0}, {CK_UNAVAILABLE_INFORMATION, nullptr, 0}};
  outer.pValue = inner;
  CONTRACT_OK(module->C_GetAttributeValue(s, key, &outer, 1));
  Bytes values[2];
  for (int i = 0; i < 2; ++i) {
    values[i].resize(inner[i].ulValueLen);
    inner[i].pValue = values[i].data();
  }
  CONTRACT_OK(module->C_GetAttributeValue(s, key, &outer, 1));
  const int label = inner[0].type == CKA_LABEL ? 0 : 1;
  BOOST_TEST(inner[label].type == CKA_LABEL);
  BOOST_TEST(values[label] == bytes_of("inner"));
  BOOST_TEST(inner[1 - label].type == CKA_SENSITIVE);
  CONTRACT_RV(create_rv(aes_template({}).nested(CKA_WRAP_TEMPLATE, Template().nested(CKA_WRAP_TEMPLATE, Template()))),
              CKR_TEMPLATE_INCONSISTENT);
}

BOOST_AUTO_TEST_SUITE_END()
