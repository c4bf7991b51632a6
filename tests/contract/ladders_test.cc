// CKA_SENSITIVE and CKA_EXTRACTABLE go one way, and CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE tell where a key has
// been, however it came to be (PKCS#11 3.2, 4.7.3, 4.9, 4.10 and 5.18).
#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

/// The four flags of a key as one word, e.g. "S-A-": sensitive, extractable, always sensitive, never extractable.
struct Ladders : UserFixture {
  std::string state(CK_OBJECT_HANDLE key) const {
    std::string out;
    const std::pair<CK_ATTRIBUTE_TYPE, char> flags[] = {
        {CKA_SENSITIVE, 'S'}, {CKA_EXTRACTABLE, 'E'}, {CKA_ALWAYS_SENSITIVE, 'A'}, {CKA_NEVER_EXTRACTABLE, 'N'}};
    for (const auto& [type, letter] : flags) {
      const Output value = s.get(key, type);
      out += !value.ok() ? '?' : value.bytes == Bytes{CK_TRUE} ? letter : '-';
    }
    return out;
  }
  static Template with(Template attributes, bool sensitive, bool extractable) {
    return attributes.boolean(CKA_SENSITIVE, sensitive).boolean(CKA_EXTRACTABLE, extractable);
  }
  CK_OBJECT_HANDLE base(bool sensitive, bool extractable) const {
    Template attributes;
    attributes.ulong(CKA_VALUE_LEN, 32).boolean(CKA_TOKEN, false).boolean(CKA_DERIVE, true);
    return generated(CKM_GENERIC_SECRET_KEY_GEN, with(attributes, sensitive, extractable));
  }
  CK_RV hash_derive(CK_OBJECT_HANDLE from, const Template& attributes, CK_OBJECT_HANDLE& key) const {
    return s.derive(Mechanism(CKM_SHA256_KEY_DERIVATION), from, attributes, key);
  }
};

struct Way {
  bool sensitive;
  bool extractable;
  const char* generated;
  const char* created;
};
constexpr Way ways[] = {{false, true, "-E--", "-E--"},
                        {false, false, "---N", "----"},
                        {true, true, "SEA-", "SE--"},
                        {true, false, "S-AN", "S---"}};

Template derived_template() {
  return object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).ulong(CKA_VALUE_LEN, 32);
}
Template unwrapped_template() {
  return object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ladders, Ladders)

BOOST_AUTO_TEST_CASE(generated_and_created_keys) {
  for (const Way& way : ways) {
    for (const bool token : places()) {
      const Template attributes = aes_generation({CKA_ENCRYPT}).boolean(CKA_TOKEN, token);
      BOOST_TEST(state(generated(CKM_AES_KEY_GEN, with(attributes, way.sensitive, way.extractable))) == way.generated);
      BOOST_TEST(state(created(with(aes_template({CKA_ENCRYPT}, token), way.sensitive, way.extractable))) ==
                 way.created);
    }
    Template public_half, private_half;
    public_half.bytes(CKA_EC_PARAMS, p256());
    const Pair both = pair(CKM_EC_KEY_PAIR_GEN, public_half, with(private_half, way.sensitive, way.extractable));
    BOOST_TEST(state(both.private_key) == way.generated);
    BOOST_TEST(state(both.public_key) == "????");
  }
}

BOOST_AUTO_TEST_CASE(values_show_only_at_the_bottom) {
  for (const Way& way : ways) {
    const CK_OBJECT_HANDLE key = created(with(aes_template({CKA_ENCRYPT}), way.sensitive, way.extractable));
    const Output value = s.get(key, CKA_VALUE);
    if (!way.sensitive && way.extractable) {
      BOOST_TEST(value.bytes == counted(16));
    } else {
      CONTRACT_RV(value.rv, CKR_ATTRIBUTE_SENSITIVE);
    }
  }
}

BOOST_AUTO_TEST_CASE(up_and_never_down) {
  for (const bool token : places()) {
    const CK_OBJECT_HANDLE key = created(with(aes_template({CKA_ENCRYPT}, token), false, true));
    CONTRACT_RV(s.set(key, Template().boolean(CKA_SENSITIVE, false)), CKR_OK);
    CONTRACT_RV(s.set(key, Template().boolean(CKA_SENSITIVE, true)), CKR_OK);
    CONTRACT_RV(s.set(key, Template().boolean(CKA_SENSITIVE, false)), CKR_ATTRIBUTE_READ_ONLY);
    CONTRACT_RV(s.get(key, CKA_VALUE).rv, CKR_ATTRIBUTE_SENSITIVE);
    CONTRACT_RV(s.set(key, Template().boolean(CKA_EXTRACTABLE, false)), CKR_OK);
    CONTRACT_RV(s.set(key, Template().boolean(CKA_EXTRACTABLE, true)), CKR_ATTRIBUTE_READ_ONLY);
    BOOST_TEST(state(key) == "S---");
    CONTRACT_RV(s.set(key, Template().boolean(CKA_ALWAYS_SENSITIVE, true)), CKR_ATTRIBUTE_READ_ONLY);
    CONTRACT_RV(s.set(key, Template().boolean(CKA_NEVER_EXTRACTABLE, true)), CKR_ATTRIBUTE_READ_ONLY);
  }
  for (const CK_ATTRIBUTE_TYPE shadow : {CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE}) {
    CONTRACT_RV(create_rv(aes_template({CKA_ENCRYPT}).boolean(shadow, true)), CKR_ATTRIBUTE_READ_ONLY);
    CONTRACT_RV(generate_rv(CKM_AES_KEY_GEN, aes_generation({CKA_ENCRYPT}).boolean(shadow, true)),
                CKR_ATTRIBUTE_READ_ONLY);
  }
}

BOOST_AUTO_TEST_CASE(the_shadow_remembers_what_a_change_hides) {
  const CK_OBJECT_HANDLE key = generated(CKM_AES_KEY_GEN, with(aes_generation({CKA_ENCRYPT}), false, true));
  CONTRACT_OK(s.set(key, Template().boolean(CKA_SENSITIVE, true).boolean(CKA_EXTRACTABLE, false)));
  BOOST_TEST(state(key) == "S---");
}

BOOST_AUTO_TEST_CASE(copies_climb_and_keep_the_shadows) {
  const CK_OBJECT_HANDLE top = generated(CKM_AES_KEY_GEN, with(aes_generation({CKA_ENCRYPT}), true, true));
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_OK(s.copy(top, Template().boolean(CKA_EXTRACTABLE, false), copy));
  BOOST_TEST(state(copy) == "S-A-");
  CONTRACT_RV(s.copy(top, Template().boolean(CKA_SENSITIVE, false), copy), CKR_ATTRIBUTE_READ_ONLY);
  const CK_OBJECT_HANDLE low = generated(CKM_AES_KEY_GEN, with(aes_generation({CKA_ENCRYPT}), false, true));
  CONTRACT_OK(s.copy(low, Template().boolean(CKA_SENSITIVE, true), copy));
  BOOST_TEST(state(copy) == "SE--");
  CONTRACT_RV(s.get(copy, CKA_VALUE).rv, CKR_ATTRIBUTE_SENSITIVE);
  CONTRACT_OK(s.copy(top, Template(), copy));
  BOOST_TEST(state(copy) == "SEA-");
}

BOOST_AUTO_TEST_CASE(derived_keys_inherit) {
  CK_OBJECT_HANDLE key = 0;
  CONTRACT_OK(hash_derive(base(true, false), derived_template(), key));
  BOOST_TEST(state(key) == "S-AN");
  CONTRACT_OK(hash_derive(base(true, true), derived_template(), key));
  BOOST_TEST(state(key) == "SEA-");
  CONTRACT_OK(hash_derive(base(true, true), derived_template().boolean(CKA_EXTRACTABLE, false), key));
  BOOST_TEST(state(key) == "S-A-");
  CONTRACT_RV(hash_derive(base(true, true), derived_template().boolean(CKA_SENSITIVE, false), key),
              CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(hash_derive(base(true, false), derived_template().boolean(CKA_EXTRACTABLE, true), key),
              CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_OK(hash_derive(base(false, true), derived_template().boolean(CKA_SENSITIVE, true), key));
  BOOST_TEST(state(key).substr(0, 1) == "S");
  BOOST_TEST(!s.flag(key, CKA_ALWAYS_SENSITIVE, true));
  BOOST_TEST(!s.flag(key, CKA_LOCAL, true));
}

BOOST_AUTO_TEST_CASE(unwrapped_keys_have_been_outside) {
  const CK_OBJECT_HANDLE wrapper = created(aes_template({CKA_WRAP, CKA_UNWRAP, CKA_DECRYPT}));
  const CK_OBJECT_HANDLE target = created(aes_template({CKA_ENCRYPT}).boolean(CKA_SENSITIVE, false));
  const Mechanism way(CKM_AES_KEY_WRAP);
  const Bytes wrapped = s.wrap(way, wrapper, target).bytes;
  BOOST_REQUIRE_EQUAL(wrapped.size(), 24u);
  CK_OBJECT_HANDLE key = 0;
  CONTRACT_OK(s.unwrap(way, wrapper, wrapped, unwrapped_template(), key));
  BOOST_TEST(state(key) == "-E--");
  BOOST_TEST(s.get(key, CKA_VALUE).bytes == counted(16));
  CONTRACT_OK(s.unwrap(way, wrapper, wrapped, with(unwrapped_template(), true, false), key));
  BOOST_TEST(state(key) == "S---");
  BOOST_TEST(!s.flag(key, CKA_LOCAL, true));
  CONTRACT_RV(s.unwrap(way, wrapper, wrapped, unwrapped_template().boolean(CKA_ALWAYS_SENSITIVE, true), key),
              CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_RV(s.unwrap(way, wrapper, wrapped, unwrapped_template().bytes(CKA_VALUE, counted(16)), key),
              CKR_ATTRIBUTE_READ_ONLY);
}

BOOST_AUTO_TEST_CASE(what_is_not_extractable_is_not_wrapped) {
  const CK_OBJECT_HANDLE wrapper = created(aes_template({CKA_WRAP}));
  const CK_OBJECT_HANDLE inside = created(with(aes_template({CKA_ENCRYPT}), false, false));
  for (const CK_MECHANISM_TYPE type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_KWP}) {
    CONTRACT_RV(s.wrap(Mechanism(type), wrapper, inside).rv, CKR_KEY_UNEXTRACTABLE);
  }
}

BOOST_AUTO_TEST_CASE(private_keys_are_closed_unless_asked) {
  BOOST_TEST(state(ec(CKM_EC_KEY_PAIR_GEN, p256(), {CKA_VERIFY}, {CKA_SIGN}).private_key) == "S-AN");
  const Pair both = rsa({CKA_VERIFY}, {CKA_SIGN});
  for (const CK_ATTRIBUTE_TYPE part : {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_COEFFICIENT}) {
    CONTRACT_RV(s.get(both.private_key, part).rv, CKR_ATTRIBUTE_SENSITIVE);
  }
  BOOST_TEST(s.get(both.private_key, CKA_MODULUS).bytes == s.get(both.public_key, CKA_MODULUS).bytes);
}

BOOST_AUTO_TEST_CASE(encapsulated_secrets_have_been_shared) {
  if (!has(CKM_ML_KEM, CKF_ENCAPSULATE | CKF_DECAPSULATE)) {
    BOOST_TEST_MESSAGE("SKIPPED: the token has no ML-KEM");
    return;
  }
  Template public_half, private_half, attributes = unwrapped_template().ulong(CKA_VALUE_LEN, 32);
  public_half.ulong(CKA_PARAMETER_SET, CKP_ML_KEM_768).boolean(CKA_ENCAPSULATE, true);
  private_half.boolean(CKA_DECAPSULATE, true);
  const Pair both = pair(CKM_ML_KEM_KEY_PAIR_GEN, public_half, private_half);
  Mechanism kem(CKM_ML_KEM);
  CK_OBJECT_HANDLE ours = 0, theirs = 0;
  const Output ciphertext = fetch([&](CK_BYTE* out, CK_ULONG* size) {
    return module->C_EncapsulateKey(s, kem, both.public_key, attributes.data(), attributes.size(), out, size, &ours);
  });
  CONTRACT_RV(ciphertext.rv, CKR_OK);
  CONTRACT_RV(module->C_DecapsulateKey(s, kem, both.private_key, attributes.data(), attributes.size(),
                                       in(ciphertext.bytes), length(ciphertext.bytes), &theirs),
              CKR_OK);
  BOOST_TEST(s.get(ours, CKA_VALUE).bytes == s.get(theirs, CKA_VALUE).bytes);
  for (const CK_OBJECT_HANDLE key : {ours, theirs}) {
    BOOST_TEST(state(key) == "-E--");
    BOOST_TEST(!s.flag(key, CKA_LOCAL, true));
  }
}

BOOST_AUTO_TEST_SUITE_END()
