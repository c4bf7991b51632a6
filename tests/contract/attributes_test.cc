// What attributes mean: the flags that every object has, dates, identity, origin and allowed mechanisms (PKCS#11 3.2,
// 4.2, 4.4 and 4.7).
#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

/// CKA_ALLOWED_MECHANISMS as an array of native numbers.
Bytes mechanism_list(std::initializer_list<CK_MECHANISM_TYPE> types) {
  Bytes out(types.size() * sizeof(CK_MECHANISM_TYPE));
  std::memcpy(out.data(), std::data(types), out.size());
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(attributes, UserFixture)

BOOST_AUTO_TEST_CASE(defaults_of_every_object) {
  const CK_OBJECT_HANDLE data = created(object_template(CKO_DATA).without(CKA_TOKEN));
  BOOST_TEST(!s.flag(data, CKA_TOKEN, true));
  for (const CK_ATTRIBUTE_TYPE type : {CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE}) BOOST_TEST(s.flag(data, type));
  BOOST_TEST(s.get(data, CKA_LABEL).ok());
  BOOST_TEST(s.flag(created(aes_template({CKA_ENCRYPT})), CKA_PRIVATE));
}

BOOST_AUTO_TEST_CASE(what_is_not_modifiable_stays) {
  for (const bool token : places()) {
    const CK_OBJECT_HANDLE fixed = created(data_template("fixed", token).boolean(CKA_MODIFIABLE, false));
    CONTRACT_RV(s.set(fixed, Template().text(CKA_LABEL, "moved")), CKR_ACTION_PROHIBITED);
    CONTRACT_RV(s.set(fixed, Template().boolean(CKA_MODIFIABLE, true)), CKR_ACTION_PROHIBITED);
    CK_OBJECT_HANDLE copy = 0;
    CONTRACT_OK(s.copy(fixed, Template().boolean(CKA_MODIFIABLE, true).text(CKA_LABEL, "moved"), copy));
    CONTRACT_RV(s.set(copy, Template().text(CKA_LABEL, "again")), CKR_OK);
    CONTRACT_RV(s.destroy(fixed), CKR_OK);
  }
  const CK_OBJECT_HANDLE open = created(data_template("open"));
  CONTRACT_RV(s.set(open, Template().boolean(CKA_MODIFIABLE, false)), CKR_ATTRIBUTE_READ_ONLY);
}

BOOST_AUTO_TEST_CASE(what_is_not_copyable_has_no_copies_and_never_gets_any) {
  const CK_OBJECT_HANDLE single = created(data_template("single").boolean(CKA_COPYABLE, false));
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_RV(s.copy(single, Template(), copy), CKR_ACTION_PROHIBITED);
  CONTRACT_RV(s.set(single, Template().boolean(CKA_COPYABLE, true)), CKR_ATTRIBUTE_READ_ONLY);
  const CK_OBJECT_HANDLE plural = created(data_template("plural"));
  CONTRACT_RV(s.set(plural, Template().boolean(CKA_COPYABLE, false)), CKR_OK);
  CONTRACT_RV(s.copy(plural, Template(), copy), CKR_ACTION_PROHIBITED);
}

BOOST_AUTO_TEST_CASE(what_is_not_destroyable_stays) {
  const CK_OBJECT_HANDLE lasting = created(data_template("lasting", on_token()).boolean(CKA_DESTROYABLE, false));
  CONTRACT_RV(s.destroy(lasting), CKR_ACTION_PROHIBITED);
  BOOST_TEST(s.get(lasting, CKA_VALUE).ok());
  CONTRACT_RV(s.set(lasting, Template().boolean(CKA_DESTROYABLE, true)), CKR_ATTRIBUTE_READ_ONLY);
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_OK(s.copy(lasting, Template().boolean(CKA_DESTROYABLE, true), copy));
  CONTRACT_RV(s.destroy(copy), CKR_OK);
}

BOOST_AUTO_TEST_CASE(privacy_only_grows) {
  const CK_OBJECT_HANDLE open = created(data_template("open"));
  CONTRACT_RV(s.set(open, Template().boolean(CKA_PRIVATE, true)), CKR_ATTRIBUTE_READ_ONLY);
  CK_OBJECT_HANDLE closed = 0, refused = 0;
  CONTRACT_OK(s.copy(open, Template().boolean(CKA_PRIVATE, true), closed));
  BOOST_TEST(s.get(closed, CKA_VALUE).bytes == s.get(open, CKA_VALUE).bytes);
  CONTRACT_RV(s.copy(closed, Template().boolean(CKA_PRIVATE, false), refused), CKR_TEMPLATE_INCONSISTENT);
}

BOOST_AUTO_TEST_CASE(unique_ids_are_the_token_s_to_give) {
  const CK_OBJECT_HANDLE one = created(data_template("one", on_token())),
                         two = created(data_template("two", on_token()));
  const Bytes id = s.get(one, CKA_UNIQUE_ID).bytes;
  BOOST_TEST(!id.empty());
  BOOST_TEST(id != s.get(two, CKA_UNIQUE_ID).bytes);
  CONTRACT_RV(s.set(one, Template().text(CKA_UNIQUE_ID, "mine")), CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_RV(create_rv(data_template("three").text(CKA_UNIQUE_ID, "mine")), CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_OK(s.set(one, Template().text(CKA_LABEL, "renamed")));
  BOOST_TEST(s.get(one, CKA_UNIQUE_ID).bytes == id);
}

BOOST_AUTO_TEST_CASE(dates_are_stored_and_checked) {
  const Template dated = aes_template({CKA_ENCRYPT}).text(CKA_START_DATE, "20260228").text(CKA_END_DATE, "20361231");
  const CK_OBJECT_HANDLE key = created(dated);
  BOOST_TEST(s.get(key, CKA_START_DATE).bytes == bytes_of("20260228"));
  BOOST_TEST(s.get(key, CKA_END_DATE).bytes == bytes_of("20361231"));
  CONTRACT_RV(s.set(key, Template().text(CKA_END_DATE, "")), CKR_OK);
  BOOST_TEST(s.get(key, CKA_END_DATE).bytes.empty());
  for (const char* wrong : {"2026022", "202602281", "2026-2-2", "20261301", "20260100", "        "}) {
    CONTRACT_RV(create_rv(aes_template({CKA_ENCRYPT}).text(CKA_START_DATE, wrong)), CKR_ATTRIBUTE_VALUE_INVALID);
    CONTRACT_RV(s.set(key, Template().text(CKA_START_DATE, wrong)), CKR_ATTRIBUTE_VALUE_INVALID);
  }
  // 4.7: dates restrict nothing.
  const CK_OBJECT_HANDLE expired = created(aes_template({CKA_ENCRYPT}).text(CKA_END_DATE, "19990101"));
  CONTRACT_RV(s.encrypt(Mechanism(CKM_AES_ECB), expired, counted(16)).rv, CKR_OK);
}

BOOST_AUTO_TEST_CASE(origin_is_told_and_cannot_be_claimed) {
  const CK_OBJECT_HANDLE made = generated(CKM_AES_KEY_GEN, aes_generation({CKA_ENCRYPT}));
  BOOST_TEST(s.flag(made, CKA_LOCAL));
  BOOST_TEST(s.number(made, CKA_KEY_GEN_MECHANISM) == CKM_AES_KEY_GEN);
  const CK_OBJECT_HANDLE brought = created(aes_template({CKA_ENCRYPT}));
  BOOST_TEST(!s.flag(brought, CKA_LOCAL, true));
  BOOST_TEST(s.number(brought, CKA_KEY_GEN_MECHANISM) == CK_UNAVAILABLE_INFORMATION);
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_OK(s.copy(made, Template(), copy));
  BOOST_TEST(s.flag(copy, CKA_LOCAL));
  BOOST_TEST(s.number(copy, CKA_KEY_GEN_MECHANISM) == CKM_AES_KEY_GEN);
  CONTRACT_RV(create_rv(aes_template({CKA_ENCRYPT}).boolean(CKA_LOCAL, true)), CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_RV(create_rv(aes_template({CKA_ENCRYPT}).ulong(CKA_KEY_GEN_MECHANISM, CKM_AES_KEY_GEN)),
              CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_RV(s.set(brought, Template().boolean(CKA_LOCAL, true)), CKR_ATTRIBUTE_READ_ONLY);
  const Pair both = ec(CKM_EC_KEY_PAIR_GEN, p256(), {CKA_VERIFY}, {CKA_SIGN});
  for (const CK_OBJECT_HANDLE half : {both.public_key, both.private_key}) {
    BOOST_TEST(s.flag(half, CKA_LOCAL));
    BOOST_TEST(s.number(half, CKA_KEY_GEN_MECHANISM) == CKM_EC_KEY_PAIR_GEN);
  }
}

BOOST_AUTO_TEST_CASE(allowed_mechanisms_bind_every_use) {
  const CK_OBJECT_HANDLE key =
      created(aes_template({CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP})
                  .bytes(CKA_ALLOWED_MECHANISMS, mechanism_list({CKM_AES_CBC, CKM_AES_KEY_WRAP})));
  const CK_OBJECT_HANDLE target = created(aes_template({CKA_ENCRYPT}));
  CONTRACT_RV(s.encrypt(Mechanism(CKM_AES_CBC, counted(16)), key, counted(32)).rv, CKR_OK);
  CONTRACT_RV(s.encrypt(Mechanism(CKM_AES_ECB), key, counted(32)).rv, CKR_MECHANISM_INVALID);
  CONTRACT_RV(s.decrypt(Mechanism(CKM_AES_ECB), key, counted(32)).rv, CKR_MECHANISM_INVALID);
  CONTRACT_RV(s.wrap(Mechanism(CKM_AES_KEY_WRAP_KWP), key, target).rv, CKR_MECHANISM_INVALID);
  const Output wrapped = s.wrap(Mechanism(CKM_AES_KEY_WRAP), key, target);
  CONTRACT_RV(wrapped.rv, CKR_OK);
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_RV(s.copy(key, Template().bytes(CKA_ALLOWED_MECHANISMS, mechanism_list({CKM_AES_ECB})), copy),
              CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_OK(s.copy(key, Template(), copy));
  CONTRACT_RV(s.encrypt(Mechanism(CKM_AES_ECB), copy, counted(32)).rv, CKR_MECHANISM_INVALID);
  BOOST_TEST(s.get(key, CKA_ALLOWED_MECHANISMS).bytes == mechanism_list({CKM_AES_CBC, CKM_AES_KEY_WRAP}));
  CONTRACT_RV(create_rv(aes_template({CKA_ENCRYPT}).bytes(CKA_ALLOWED_MECHANISMS, {1, 2, 3})),
              CKR_ATTRIBUTE_VALUE_INVALID);
}

BOOST_AUTO_TEST_CASE(both_halves_tell_the_public_key) {
  for (const Pair& both : {rsa({CKA_VERIFY}, {CKA_SIGN}), ec(CKM_EC_KEY_PAIR_GEN, p256(), {CKA_VERIFY}, {CKA_SIGN})}) {
    const Bytes info = s.get(both.public_key, CKA_PUBLIC_KEY_INFO).bytes;
    BOOST_REQUIRE(!info.empty());
    BOOST_TEST(info.front() == 0x30);  // SubjectPublicKeyInfo is a SEQUENCE
    BOOST_TEST(s.get(both.private_key, CKA_PUBLIC_KEY_INFO).bytes == info);
    CONTRACT_RV(s.set(both.private_key, Template().bytes(CKA_PUBLIC_KEY_INFO, info)), CKR_ATTRIBUTE_READ_ONLY);
  }
}

BOOST_AUTO_TEST_CASE(uses_that_a_key_lacks_are_refused) {
  const CK_OBJECT_HANDLE key = created(
      aes_template({CKA_ENCRYPT}).boolean(CKA_DECRYPT, false).boolean(CKA_SIGN, false).boolean(CKA_WRAP, false));
  CONTRACT_RV(s.decrypt(Mechanism(CKM_AES_ECB), key, counted(16)).rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
  CONTRACT_RV(s.sign(Mechanism(CKM_AES_CMAC), key, counted(16)).rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
  CONTRACT_RV(s.wrap(Mechanism(CKM_AES_KEY_WRAP), key, created(aes_template({}))).rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
  const Pair both = rsa({CKA_VERIFY}, {CKA_SIGN});
  CONTRACT_RV(s.encrypt(Mechanism(CKM_RSA_PKCS), both.public_key, counted(16)).rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
  CONTRACT_RV(s.decrypt(Mechanism(CKM_RSA_PKCS), both.private_key, counted(256)).rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
}

BOOST_AUTO_TEST_CASE(check_values_are_right_or_refused) {
  const CK_OBJECT_HANDLE key = created(aes_template({CKA_ENCRYPT}));
  // 4.10: the first three bytes of an encrypted block of zeros.
  const Bytes block = s.encrypt(Mechanism(CKM_AES_ECB), key, Bytes(16, 0)).bytes;
  const Bytes right(block.begin(), block.begin() + 3);
  BOOST_TEST(s.get(key, CKA_CHECK_VALUE).bytes == right);
  CONTRACT_RV(create_rv(aes_template({CKA_ENCRYPT}).bytes(CKA_CHECK_VALUE, right)), CKR_OK);
  CONTRACT_RV(create_rv(aes_template({CKA_ENCRYPT}).bytes(CKA_CHECK_VALUE, {1, 2, 3})), CKR_ATTRIBUTE_VALUE_INVALID);
  const CK_OBJECT_HANDLE silent = created(aes_template({CKA_ENCRYPT}).bytes(CKA_CHECK_VALUE, {}));
  BOOST_TEST(s.get(silent, CKA_CHECK_VALUE).bytes.empty());
}

BOOST_AUTO_TEST_CASE(always_authenticate_asks_before_each_signature) {
  const Pair both = pair(CKM_EC_KEY_PAIR_GEN, Template().bytes(CKA_EC_PARAMS, p256()),
                         Template().boolean(CKA_ALWAYS_AUTHENTICATE, true).boolean(CKA_PRIVATE, true));
  const Mechanism ecdsa(CKM_ECDSA);
  CONTRACT_RV(s.login(kind->user_pin(), CKU_CONTEXT_SPECIFIC), CKR_OPERATION_NOT_INITIALIZED);
  for (int round = 0; round < 2; ++round) {
    CONTRACT_RV(s.sign(ecdsa, both.private_key, counted(32)).rv, CKR_USER_NOT_LOGGED_IN);
    CONTRACT_OK(module->C_SignInit(s, Mechanism(CKM_ECDSA), both.private_key));
    CONTRACT_OK(s.login(kind->user_pin(), CKU_CONTEXT_SPECIFIC));
    CK_BYTE hash[32] = {}, signature[64];
    CK_ULONG size = sizeof(signature);
    CONTRACT_RV(module->C_Sign(s, hash, sizeof(hash), signature, &size), CKR_OK);
  }
  CONTRACT_RV(create_rv(object_template(CKO_PRIVATE_KEY)
                            .ulong(CKA_KEY_TYPE, CKK_EC)
                            .bytes(CKA_EC_PARAMS, p256())
                            .bytes(CKA_VALUE, counted(32, 1))
                            .boolean(CKA_PRIVATE, false)
                            .boolean(CKA_ALWAYS_AUTHENTICATE, true)),
              CKR_TEMPLATE_INCONSISTENT);
}

BOOST_AUTO_TEST_SUITE_END()
