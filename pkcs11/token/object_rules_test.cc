#include "token/object_rules.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "token/rules_test_support.h"
#include "token/wrap_policy.h"

namespace cardea {
namespace {

#define CHECK_CODE(expression, expected)                     \
  do {                                                       \
    const auto result = (expression);                        \
    BOOST_TEST_REQUIRE(!result.ok());                        \
    BOOST_TEST(name(result.code()) == name(Code::expected)); \
  } while (false)

template <class T>
T taken(Result<T> result) {
  BOOST_TEST_REQUIRE(result.ok(), (result.ok() ? std::string{} : describe(result.error())));
  return std::move(*result);
}

Result<NewObject> created(const TemplateOf& attributes, const Actor& actor = the_user) {
  CARDEA_ASSIGN(NewObject object, new_object(Origin::create, attributes.get(), AttributeSet{}, actor));
  CARDEA_TRY(finish_key(object, Origin::create, KeyFacts{}));
  return object;
}

Object stored(NewObject object) {
  return Object{1, std::move(object.attributes)};
}

TemplateOf data_template() {
  TemplateOf result;
  result.number(CKA_CLASS, CKO_DATA);
  return result;
}

TemplateOf certificate_template() {
  TemplateOf result;
  result.number(CKA_CLASS, CKO_CERTIFICATE).number(CKA_CERTIFICATE_TYPE, CKC_X_509).text(CKA_SUBJECT, "subject");
  return result;
}

TemplateOf aes_with_value() {
  TemplateOf result = aes_template();
  result.bytes(CKA_VALUE, key_value().view());
  return result;
}

BOOST_AUTO_TEST_CASE(data_objects_are_public_by_default_and_have_all_attributes) {
  TemplateOf attributes = data_template();
  attributes.text(CKA_VALUE, "content");
  const NewObject object = taken(created(attributes, nobody));
  BOOST_TEST(!object.attributes.get_bool(CKA_PRIVATE));
  BOOST_TEST(!object.attributes.get_bool(CKA_TOKEN));
  BOOST_TEST(object.attributes.get_bool(CKA_MODIFIABLE));
  BOOST_TEST(object.attributes.get_bool(CKA_COPYABLE));
  BOOST_TEST(object.attributes.get_bool(CKA_DESTROYABLE));
  BOOST_TEST(object.attributes.get(CKA_APPLICATION).value().empty());
  BOOST_TEST(text_of(object.attributes.get(CKA_VALUE).value()) == "content");
  BOOST_TEST(object.attributes.get(CKA_UNIQUE_ID).value().size() == 36U);
}

BOOST_AUTO_TEST_CASE(the_value_of_a_private_data_object_is_a_secret_its_owner_may_read) {
  TemplateOf attributes = data_template();
  attributes.flag(CKA_PRIVATE, true).text(CKA_VALUE, "content");
  NewObject object = taken(created(attributes));
  BOOST_TEST(!object.attributes.has(CKA_VALUE));
  BOOST_TEST(text_of(object.secrets.at(CKA_VALUE).view()) == "content");
  BOOST_TEST((visibility(stored(std::move(object)), CKA_VALUE) == Visibility::secret));
}

BOOST_AUTO_TEST_CASE(a_private_data_object_without_value_has_an_empty_one) {
  const NewObject object = taken(created(std::move(data_template().flag(CKA_PRIVATE, true))));
  BOOST_TEST(object.secrets.at(CKA_VALUE).empty());
}

BOOST_AUTO_TEST_CASE(unique_ids_differ_and_cannot_be_chosen) {
  const NewObject one = taken(created(data_template()));
  const NewObject two = taken(created(data_template()));
  BOOST_TEST(!same_bytes(*one.attributes.get(CKA_UNIQUE_ID), *two.attributes.get(CKA_UNIQUE_ID)));
  CHECK_CODE(created(std::move(data_template().text(CKA_UNIQUE_ID, "mine"))), attribute_read_only);
}

BOOST_AUTO_TEST_CASE(templates_that_are_wrong_are_refused_in_the_standards_words) {
  CHECK_CODE(created(TemplateOf{}), template_incomplete);
  CHECK_CODE(created(std::move(TemplateOf{}.number(CKA_CLASS, CKO_PROFILE))), attribute_value_invalid);
  CHECK_CODE(created(std::move(TemplateOf{}.number(CKA_CLASS, 0x7777))), attribute_value_invalid);
  CHECK_CODE(created(std::move(TemplateOf{}.text(CKA_CLASS, "x"))), attribute_value_invalid);
  CHECK_CODE(created(std::move(data_template().text(CKA_VENDOR_DEFINED | 5, "x"))), attribute_type_invalid);
  CHECK_CODE(created(std::move(data_template().number(CKA_CARDEA_EVER, 0))), attribute_type_invalid);
  CHECK_CODE(created(std::move(data_template().flag(CKA_SIGN, true))), template_inconsistent);
  CHECK_CODE(created(std::move(data_template().bytes(CKA_TOKEN, Bytes{2}))), attribute_value_invalid);
  CHECK_CODE(created(std::move(data_template().bytes(CKA_TOKEN, Bytes{1, 0}))), attribute_value_invalid);
  CHECK_CODE(created(std::move(data_template().text(CKA_LABEL, "a").text(CKA_LABEL, "b"))), template_inconsistent);
  BOOST_TEST(created(std::move(data_template().text(CKA_LABEL, "a").text(CKA_LABEL, "a"))).ok());
  CHECK_CODE(created(key_template(CKO_SECRET_KEY, CKK_RSA)), template_inconsistent);
  CHECK_CODE(created(key_template(CKO_PUBLIC_KEY, CKK_AES)), template_inconsistent);
  CHECK_CODE(created(key_template(CKO_SECRET_KEY, 0x7777)), attribute_value_invalid);
  CHECK_CODE(created(aes_template()), template_incomplete);
  CHECK_CODE(created(std::move(aes_template().bytes(CKA_VALUE, Bytes(17)))), attribute_value_invalid);
  CHECK_CODE(created(std::move(aes_with_value().number(CKA_VALUE_LEN, 32))), attribute_read_only);
  CHECK_CODE(created(std::move(aes_with_value().flag(CKA_LOCAL, true))), attribute_read_only);
  CHECK_CODE(created(std::move(aes_with_value().flag(CKA_ALWAYS_SENSITIVE, true))), attribute_read_only);
  CHECK_CODE(created(std::move(aes_with_value().bytes(CKA_MODULUS, Bytes{1}))), template_inconsistent);
}

BOOST_AUTO_TEST_CASE(rights_of_sessions_and_users_hold) {
  CHECK_CODE(created(std::move(data_template().flag(CKA_TOKEN, true)), Actor{}), session_read_only);
  CHECK_CODE(created(std::move(data_template().flag(CKA_PRIVATE, true)), nobody), user_not_logged_in);
  CHECK_CODE(created(std::move(data_template().flag(CKA_PRIVATE, true)), the_so), user_not_logged_in);
  BOOST_TEST(created(std::move(data_template().flag(CKA_PRIVATE, true)), Actor{.token_login_required = false}).ok());
  CHECK_CODE(created(aes_with_value(), nobody), user_not_logged_in);
}

BOOST_AUTO_TEST_CASE(only_the_security_officer_trusts) {
  CHECK_CODE(created(std::move(aes_with_value().flag(CKA_TRUSTED, true))), attribute_read_only);
  BOOST_TEST(created(std::move(aes_with_value().flag(CKA_TRUSTED, false))).ok());
  BOOST_TEST(created(std::move(aes_with_value().flag(CKA_TRUSTED, true).flag(CKA_PRIVATE, false)), the_so).ok());
}

BOOST_AUTO_TEST_CASE(dates_are_checked) {
  const auto with_date = [](std::string_view date) {
    return created(std::move(aes_with_value().text(CKA_START_DATE, date)));
  };
  BOOST_TEST(with_date("20260229").ok());
  BOOST_TEST(with_date("").ok());
  CHECK_CODE(with_date("20261301"), attribute_value_invalid);
  CHECK_CODE(with_date("20260100"), attribute_value_invalid);
  CHECK_CODE(with_date("2026010"), attribute_value_invalid);
  CHECK_CODE(with_date("2026 101"), attribute_value_invalid);
}

BOOST_AUTO_TEST_CASE(certificates_need_a_value_or_a_url_with_hashes) {
  CHECK_CODE(created(certificate_template()), template_incomplete);
  CHECK_CODE(created(std::move(certificate_template().text(CKA_VALUE, ""))), template_incomplete);
  CHECK_CODE(created(std::move(certificate_template().text(CKA_VALUE, "").text(CKA_URL, "http://x"))),
             template_incomplete);
  BOOST_TEST(created(std::move(certificate_template()
                                   .text(CKA_VALUE, "")
                                   .text(CKA_URL, "http://x")
                                   .text(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "s")
                                   .text(CKA_HASH_OF_ISSUER_PUBLIC_KEY, "i")))
                 .ok());
  const NewObject object = taken(created(std::move(certificate_template().text(CKA_VALUE, "abc")), nobody));
  BOOST_TEST(!object.attributes.get_bool(CKA_PRIVATE));
  BOOST_TEST(object.attributes.get_ulong(CKA_CERTIFICATE_CATEGORY).value() == CK_CERTIFICATE_CATEGORY_UNSPECIFIED);
  // SHA-1("abc") begins a9993e (FIPS 180-4 example).
  BOOST_TEST(to_hex(object.attributes.get(CKA_CHECK_VALUE).value()) == "a9993e");
  CHECK_CODE(created(std::move(certificate_template().text(CKA_VALUE, "abc").number(CKA_CERTIFICATE_CATEGORY, 4))),
             attribute_value_invalid);
  CHECK_CODE(created(std::move(TemplateOf{}
                                   .number(CKA_CLASS, CKO_CERTIFICATE)
                                   .number(CKA_CERTIFICATE_TYPE, CKC_WTLS)
                                   .text(CKA_SUBJECT, "s")
                                   .text(CKA_VALUE, "v"))),
             attribute_value_invalid);
}

BOOST_AUTO_TEST_CASE(check_values_are_computed_compared_and_may_be_left_out) {
  TemplateOf attributes = aes_template();
  attributes.bytes(CKA_VALUE, Bytes(16));
  // AES-128 of a zero block under a zero key: 66e94bd4… (NIST SP 800-38D, test case 1, hash subkey).
  BOOST_TEST(to_hex(taken(created(attributes)).attributes.get(CKA_CHECK_VALUE).value()) == "66e94b");
  BOOST_TEST(created(attributes.bytes(CKA_CHECK_VALUE, Bytes{0x66, 0xe9, 0x4b})).ok());
  TemplateOf wrong = aes_template();
  CHECK_CODE(created(wrong.bytes(CKA_VALUE, Bytes(16)).bytes(CKA_CHECK_VALUE, Bytes{1, 2, 3})),
             attribute_value_invalid);
  TemplateOf without = aes_template();
  const NewObject silent = taken(created(without.bytes(CKA_VALUE, Bytes(16)).bytes(CKA_CHECK_VALUE, {})));
  BOOST_TEST(silent.attributes.get(CKA_CHECK_VALUE).value().empty());
  TemplateOf secret = key_template(CKO_SECRET_KEY, CKK_GENERIC_SECRET);
  BOOST_TEST(to_hex(taken(created(secret.text(CKA_VALUE, "abc"))).attributes.get(CKA_CHECK_VALUE).value()) == "a9993e");
}

struct Shadow {
  bool sensitive, extractable, always_sensitive, never_extractable;
  bool operator==(const Shadow&) const = default;
};

Shadow shadow_of(const NewObject& object) {
  return {object.attributes.get_bool(CKA_SENSITIVE), object.attributes.get_bool(CKA_EXTRACTABLE),
          object.attributes.get_bool(CKA_ALWAYS_SENSITIVE), object.attributes.get_bool(CKA_NEVER_EXTRACTABLE)};
}

BOOST_AUTO_TEST_CASE(secret_keys_are_readable_unless_asked_otherwise_and_keep_their_history) {
  const auto length = [] { return std::move(aes_template().number(CKA_VALUE_LEN, 32)); };
  BOOST_TEST((shadow_of(taken(generated(length()))) == Shadow{false, true, false, false}));
  BOOST_TEST(
      (shadow_of(taken(generated(std::move(length().flag(CKA_SENSITIVE, true))))) == Shadow{true, false, true, true}));
  BOOST_TEST((shadow_of(taken(generated(std::move(length().flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, true))))) ==
              Shadow{true, true, true, false}));
  BOOST_TEST((shadow_of(taken(created(std::move(aes_with_value().flag(CKA_SENSITIVE, true))))) ==
              Shadow{true, false, false, false}));
  const NewObject key = taken(generated(length()));
  BOOST_TEST(key.attributes.get_bool(CKA_LOCAL));
  BOOST_TEST(key.attributes.get_ulong(CKA_KEY_GEN_MECHANISM).value() == CKM_AES_KEY_GEN);
  BOOST_TEST(key.attributes.get_ulong(CKA_VALUE_LEN).value() == 32U);
  CHECK_CODE(generated(aes_template()), template_incomplete);
}

BOOST_AUTO_TEST_CASE(generated_private_keys_are_sensitive_private_and_stay) {
  const NewObject key = taken(new_object(Origin::generate, key_template(CKO_PRIVATE_KEY, CKK_RSA).get(), {}, the_user));
  BOOST_TEST(key.attributes.get_bool(CKA_PRIVATE));
  BOOST_TEST(key.attributes.get_bool(CKA_SENSITIVE));
  BOOST_TEST(!key.attributes.get_bool(CKA_EXTRACTABLE));
  CHECK_CODE(
      new_object(
          Origin::generate,
          key_template(CKO_PRIVATE_KEY, CKK_RSA).flag(CKA_ALWAYS_AUTHENTICATE, true).flag(CKA_PRIVATE, false).get(), {},
          the_user),
      template_inconsistent);
  const NewObject pub = taken(new_object(
      Origin::generate, key_template(CKO_PUBLIC_KEY, CKK_RSA).number(CKA_MODULUS_BITS, 2048).get(), {}, nobody));
  BOOST_TEST(!pub.attributes.get_bool(CKA_PRIVATE));
  CHECK_CODE(new_object(Origin::generate, key_template(CKO_PUBLIC_KEY, CKK_RSA).get(), {}, the_user),
             template_incomplete);
}

struct UseCase {
  CK_OBJECT_CLASS object_class;
  CK_KEY_TYPE type;
  CK_ATTRIBUTE_TYPE granted;  ///< CKA_CLASS: the template is silent
  std::vector<CK_ATTRIBUTE_TYPE> expected;
};

BOOST_AUTO_TEST_CASE(uses_follow_the_key_type_and_what_the_template_grants) {
  const std::vector<UseCase> cases{
      {CKO_PRIVATE_KEY, CKK_RSA, CKA_CLASS, {CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER, CKA_UNWRAP}},
      {CKO_PRIVATE_KEY, CKK_RSA, CKA_SIGN, {CKA_SIGN, CKA_SIGN_RECOVER}},
      {CKO_PRIVATE_KEY, CKK_RSA, CKA_DECRYPT, {CKA_DECRYPT, CKA_UNWRAP}},
      {CKO_PRIVATE_KEY, CKK_EC, CKA_CLASS, {CKA_SIGN, CKA_DERIVE}},
      {CKO_PRIVATE_KEY, CKK_EC, CKA_SIGN, {CKA_SIGN}},
      {CKO_PRIVATE_KEY, CKK_EC_EDWARDS, CKA_CLASS, {CKA_SIGN}},
      {CKO_PRIVATE_KEY, CKK_EC_MONTGOMERY, CKA_CLASS, {CKA_DERIVE}},
      {CKO_PRIVATE_KEY, CKK_ML_DSA, CKA_CLASS, {CKA_SIGN}},
      {CKO_PRIVATE_KEY, CKK_ML_KEM, CKA_CLASS, {CKA_DECAPSULATE}},
      {CKO_SECRET_KEY, CKK_AES, CKA_CLASS, {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY}},
      {CKO_SECRET_KEY, CKK_AES, CKA_WRAP, {CKA_WRAP, CKA_UNWRAP}},
      {CKO_SECRET_KEY, CKK_AES, CKA_ENCRYPT, {CKA_ENCRYPT, CKA_DECRYPT}},
      {CKO_SECRET_KEY, CKK_GENERIC_SECRET, CKA_CLASS, {CKA_SIGN, CKA_VERIFY, CKA_DERIVE}},
      {CKO_SECRET_KEY, CKK_SHA256_HMAC, CKA_CLASS, {CKA_SIGN, CKA_VERIFY}},
      {CKO_SECRET_KEY, CKK_HKDF, CKA_CLASS, {CKA_DERIVE}}};
  constexpr std::array uses{CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP,         CKA_UNWRAP,     CKA_SIGN,
                            CKA_VERIFY,  CKA_DERIVE,  CKA_SIGN_RECOVER, CKA_DECAPSULATE};
  for (const UseCase& each : cases) {
    TemplateOf attributes = key_template(each.object_class, each.type);
    if (each.granted != CKA_CLASS) attributes.flag(each.granted, true);
    const Origin origin = each.object_class == CKO_PRIVATE_KEY ? Origin::unwrap : Origin::derive;
    const NewObject key = taken(new_object(origin, attributes.get(), {}, the_user));
    for (const CK_ATTRIBUTE_TYPE use : uses) {
      const bool expected = std::ranges::find(each.expected, use) != each.expected.end();
      BOOST_TEST(key.attributes.get_bool(use) == expected,
                 "type " << each.type << " granted " << each.granted << " use " << use);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_preset_binds_the_template) {
  AttributeSet preset;
  preset.set_ulong(CKA_CLASS, CKO_SECRET_KEY);
  preset.set_ulong(CKA_KEY_TYPE, CKK_AES);
  preset.set_bool(CKA_SENSITIVE, true);
  const NewObject key = taken(new_object(Origin::unwrap, {}, preset, the_user));
  BOOST_TEST(key.attributes.get_bool(CKA_SENSITIVE));
  CHECK_CODE(new_object(Origin::unwrap, TemplateOf{}.flag(CKA_SENSITIVE, false).get(), preset, the_user),
             template_inconsistent);
  CHECK_CODE(new_object(Origin::unwrap, TemplateOf{}.number(CKA_KEY_TYPE, CKK_CHACHA20).get(), preset, the_user),
             template_inconsistent);
  preset.set_bool(CKA_TRUSTED, true);
  CHECK_CODE(new_object(Origin::unwrap, {}, preset, the_user), template_inconsistent);
}

BOOST_AUTO_TEST_CASE(changes_go_one_way) {
  Object key = stored(taken(generated(std::move(aes_template().number(CKA_VALUE_LEN, 32)))));
  key.attributes = taken(changed_attributes(key, TemplateOf{}.flag(CKA_SENSITIVE, true).get(), the_user));
  CHECK_CODE(changed_attributes(key, TemplateOf{}.flag(CKA_SENSITIVE, false).get(), the_user), attribute_read_only);
  BOOST_TEST(!key.attributes.get_bool(CKA_ALWAYS_SENSITIVE));
  key.attributes = taken(changed_attributes(key, TemplateOf{}.flag(CKA_EXTRACTABLE, false).get(), the_user));
  CHECK_CODE(changed_attributes(key, TemplateOf{}.flag(CKA_EXTRACTABLE, true).get(), the_user), attribute_read_only);
  BOOST_TEST(!key.attributes.get_bool(CKA_NEVER_EXTRACTABLE));
  key.attributes = taken(changed_attributes(key, TemplateOf{}.flag(CKA_WRAP_WITH_TRUSTED, true).get(), the_user));
  CHECK_CODE(changed_attributes(key, TemplateOf{}.flag(CKA_WRAP_WITH_TRUSTED, false).get(), the_user),
             attribute_read_only);
  key.attributes = taken(changed_attributes(key, TemplateOf{}.flag(CKA_COPYABLE, false).get(), the_user));
  CHECK_CODE(changed_attributes(key, TemplateOf{}.flag(CKA_COPYABLE, true).get(), the_user), attribute_read_only);
  CHECK_CODE(copied_attributes(key, {}, the_user), action_prohibited);
}

BOOST_AUTO_TEST_CASE(what_is_fixed_cannot_be_changed) {
  const Object key = stored(taken(generated(std::move(aes_template().number(CKA_VALUE_LEN, 32)))));
  CHECK_CODE(changed_attributes(key, TemplateOf{}.number(CKA_CLASS, CKO_DATA).get(), the_user), attribute_read_only);
  CHECK_CODE(changed_attributes(key, TemplateOf{}.flag(CKA_TOKEN, true).get(), the_user), attribute_read_only);
  CHECK_CODE(changed_attributes(key, TemplateOf{}.flag(CKA_LOCAL, false).get(), the_user), attribute_read_only);
  CHECK_CODE(changed_attributes(key, TemplateOf{}.text(CKA_VALUE, "x").get(), the_user), attribute_read_only);
  CHECK_CODE(changed_attributes(key, TemplateOf{}.text(CKA_UNIQUE_ID, "x").get(), the_user), attribute_read_only);
  CHECK_CODE(changed_attributes(key, TemplateOf{}.text(CKA_CHECK_VALUE, "x").get(), the_user), attribute_read_only);
  CHECK_CODE(changed_attributes(key, TemplateOf{}.number(CKA_CARDEA_EVER, 0).get(), the_user), attribute_type_invalid);
  CHECK_CODE(changed_attributes(key, TemplateOf{}.text(CKA_URL, "x").get(), the_user), template_inconsistent);
  BOOST_TEST(changed_attributes(key, TemplateOf{}.bytes(CKA_CHECK_VALUE, {}).get(), the_user).ok());
  BOOST_TEST(changed_attributes(key, TemplateOf{}.text(CKA_LABEL, "x").get(), the_user).ok());
  CHECK_CODE(changed_attributes(key, TemplateOf{}.text(CKA_LABEL, "x").get(), nobody), user_not_logged_in);
}

BOOST_AUTO_TEST_CASE(what_is_not_modifiable_or_trusted_stays) {
  const Object fixed = stored(taken(created(std::move(data_template().flag(CKA_MODIFIABLE, false)))));
  CHECK_CODE(changed_attributes(fixed, TemplateOf{}.text(CKA_LABEL, "x").get(), the_user), action_prohibited);
  const Object trusted =
      stored(taken(created(std::move(certificate_template().text(CKA_VALUE, "v").flag(CKA_TRUSTED, true)), the_so)));
  CHECK_CODE(changed_attributes(trusted, TemplateOf{}.text(CKA_LABEL, "x").get(), the_user), attribute_read_only);
  BOOST_TEST(changed_attributes(trusted, TemplateOf{}.flag(CKA_TRUSTED, false).get(), the_so).ok());
}

BOOST_AUTO_TEST_CASE(copies_may_change_more_but_lower_nothing) {
  TemplateOf attributes = aes_template();
  attributes.number(CKA_VALUE_LEN, 32).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, true);
  const Object key = stored(taken(generated(attributes)));
  const AttributeSet same = taken(copied_attributes(key, {}, the_user));
  BOOST_TEST(same.get_bool(CKA_LOCAL));
  BOOST_TEST(same.get_bool(CKA_ALWAYS_SENSITIVE));
  BOOST_TEST(!same_bytes(*same.get(CKA_UNIQUE_ID), *key.attributes.get(CKA_UNIQUE_ID)));
  TemplateOf changes;
  changes.flag(CKA_TOKEN, true).flag(CKA_MODIFIABLE, false).flag(CKA_DESTROYABLE, false).number(CKA_KEY_TYPE, CKK_AES);
  const AttributeSet copy = taken(copied_attributes(key, changes.get(), the_user));
  BOOST_TEST(copy.get_bool(CKA_TOKEN));
  BOOST_TEST(!copy.get_bool(CKA_MODIFIABLE));
  CHECK_CODE(may_destroy(Object{1, copy}, the_user), action_prohibited);
  CHECK_CODE(copied_attributes(key, changes.get(), Actor{.user = true}), session_read_only);
  CHECK_CODE(copied_attributes(key, TemplateOf{}.flag(CKA_PRIVATE, false).get(), the_user), template_inconsistent);
  CHECK_CODE(copied_attributes(key, TemplateOf{}.flag(CKA_SENSITIVE, false).get(), the_user), attribute_read_only);
  CHECK_CODE(copied_attributes(key, TemplateOf{}.number(CKA_KEY_TYPE, CKK_CHACHA20).get(), the_user),
             attribute_read_only);
}

BOOST_AUTO_TEST_CASE(the_private_copy_of_public_data_hides_its_value) {
  const Object open = stored(taken(created(std::move(data_template().text(CKA_VALUE, "content")))));
  NewObject copy{taken(copied_attributes(open, TemplateOf{}.flag(CKA_PRIVATE, true).get(), the_user)), {}};
  settle_secrets(copy);
  BOOST_TEST(!copy.attributes.has(CKA_VALUE));
  BOOST_TEST(text_of(copy.secrets.at(CKA_VALUE).view()) == "content");
}

BOOST_AUTO_TEST_CASE(values_show_only_when_readable) {
  const auto with = [](bool sensitive, bool extractable) {
    return stored(
        taken(created(std::move(aes_with_value().flag(CKA_SENSITIVE, sensitive).flag(CKA_EXTRACTABLE, extractable)))));
  };
  BOOST_TEST((visibility(with(false, true), CKA_VALUE) == Visibility::secret));
  BOOST_TEST((visibility(with(true, true), CKA_VALUE) == Visibility::sensitive));
  BOOST_TEST((visibility(with(false, false), CKA_VALUE) == Visibility::sensitive));
  const Object key = with(false, true);
  BOOST_TEST((visibility(key, CKA_LABEL) == Visibility::shown));
  BOOST_TEST((visibility(key, CKA_CARDEA_EVER) == Visibility::absent));
  BOOST_TEST((visibility(key, CKA_MODULUS) == Visibility::absent));
  BOOST_TEST((visibility(key, CKA_WRAP_TEMPLATE) == Visibility::absent));
}

BOOST_AUTO_TEST_CASE(searches_go_by_form) {
  const Object key = stored(taken(created(std::move(aes_with_value().text(CKA_LABEL, "k")))));
  const auto finds = [&](const TemplateOf& wanted) {
    return matches(key, Query{taken(search_template(wanted.get())), true});
  };
  BOOST_TEST(finds(TemplateOf{}));
  BOOST_TEST(finds(std::move(aes_template().text(CKA_LABEL, "k").flag(CKA_TOKEN, false))));
  BOOST_TEST(!finds(std::move(TemplateOf{}.text(CKA_LABEL, "other"))));
  BOOST_TEST(!finds(std::move(TemplateOf{}.text(CKA_LABEL, "k").text(CKA_LABEL, "other"))));
  BOOST_TEST(!finds(std::move(TemplateOf{}.bytes(CKA_VALUE, key_value().view()))));
  BOOST_TEST(!finds(std::move(TemplateOf{}.number(CKA_CARDEA_EVER, *key.attributes.get_ulong(CKA_CARDEA_EVER)))));
  BOOST_TEST(!finds(std::move(TemplateOf{}.text(CKA_VENDOR_DEFINED | 1, "x"))));
  CHECK_CODE(search_template(TemplateOf{}.text(CKA_CLASS, "x").get()), attribute_value_invalid);
}

BOOST_AUTO_TEST_CASE(nested_templates_are_copied_and_checked) {
  TemplateOf inner;
  inner.flag(CKA_SENSITIVE, true).number(CKA_KEY_TYPE, CKK_AES);
  const NewObject key = taken(created(std::move(aes_with_value().nested(CKA_UNWRAP_TEMPLATE, inner))));
  const AttributeSet nested = taken(AttributeSet::parse(key.attributes.get(CKA_UNWRAP_TEMPLATE).value()));
  BOOST_TEST(nested.get_bool(CKA_SENSITIVE));
  BOOST_TEST(nested.get_ulong(CKA_KEY_TYPE).value() == CKK_AES);
  CHECK_CODE(created(std::move(aes_with_value().text(CKA_UNWRAP_TEMPLATE, "x"))), attribute_value_invalid);
  TemplateOf deeper;
  deeper.nested(CKA_WRAP_TEMPLATE, inner);
  CHECK_CODE(created(std::move(aes_with_value().nested(CKA_WRAP_TEMPLATE, deeper))), template_inconsistent);
  TemplateOf unknown;
  unknown.text(CKA_VENDOR_DEFINED | 1, "x");
  CHECK_CODE(created(std::move(aes_with_value().nested(CKA_WRAP_TEMPLATE, unknown))), attribute_type_invalid);
  const CK_ATTRIBUTE dangling{CKA_LABEL, nullptr, 5};
  CHECK_CODE(nested_template({reinterpret_cast<const Byte*>(&dangling), sizeof dangling}), attribute_value_invalid);
}

}  // namespace
}  // namespace cardea
