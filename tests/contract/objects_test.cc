// Objects of every class: create, copy, destroy, size, read, change, find, and who sees them (PKCS#11 3.2, 4 and 5.7).
#include <algorithm>

#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

/// A certificate as far as a token looks into one: the module stores what it is given.
Template certificate_template(bool token = false) {
  return object_template(CKO_CERTIFICATE, token)
      .ulong(CKA_CERTIFICATE_TYPE, CKC_X_509)
      .bytes(CKA_SUBJECT, from_hex("300d310b3009060355040a0c0241"))
      .bytes(CKA_ISSUER, from_hex("300d310b3009060355040a0c0242"))
      .bytes(CKA_SERIAL_NUMBER, from_hex("020105"))
      .bytes(CKA_ID, {1, 2, 3})
      .bytes(CKA_VALUE, counted(300));
}

Template rsa_public_template() {
  Bytes modulus = counted(256, 0x81);
  modulus.back() |= 1;
  return object_template(CKO_PUBLIC_KEY)
      .ulong(CKA_KEY_TYPE, CKK_RSA)
      .bytes(CKA_MODULUS, modulus)
      .bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1});
}

struct Objects : UserFixture {
  /// Every object whose label this is, as any session sees it.
  std::vector<CK_OBJECT_HANDLE> labelled(const Session& where, std::string_view label) const {
    Template search;
    return where.find(search.text(CKA_LABEL, label));
  }
  /// Keys on the token: what every kind of token keeps.
  static Pair token_pair(const Session& where) {
    Pair out;
    CONTRACT_OK(where.generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN),
                                    Template().bytes(CKA_EC_PARAMS, p256()).boolean(CKA_TOKEN, true),
                                    Template().boolean(CKA_TOKEN, true), out.public_key, out.private_key));
    return out;
  }
  std::string label_of(CK_OBJECT_HANDLE object) const {
    const Bytes label = s.get(object, CKA_LABEL).bytes;
    return {label.begin(), label.end()};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(objects, Objects)

BOOST_AUTO_TEST_CASE(data_objects_keep_what_they_are_given) {
  for (const bool token : places()) {
    const CK_OBJECT_HANDLE object = created(
        data_template("note", token).text(CKA_APPLICATION, "contract").bytes(CKA_OBJECT_ID, from_hex("06032b656e")));
    BOOST_TEST(s.number(object, CKA_CLASS) == CKO_DATA);
    BOOST_TEST(s.flag(object, CKA_TOKEN) == token);
    BOOST_TEST(s.get(object, CKA_VALUE).bytes == bytes_of("content of note"));
    BOOST_TEST(s.get(object, CKA_APPLICATION).bytes == bytes_of("contract"));
    BOOST_TEST(s.get(object, CKA_OBJECT_ID).bytes == from_hex("06032b656e"));
    CONTRACT_RV(s.destroy(object), CKR_OK);
    CONTRACT_RV(s.get(object, CKA_VALUE).rv, CKR_OBJECT_HANDLE_INVALID);
    CONTRACT_RV(s.destroy(object), CKR_OBJECT_HANDLE_INVALID);
  }
}

BOOST_AUTO_TEST_CASE(certificates_have_their_defaults_and_check_value) {
  const CK_OBJECT_HANDLE object = created(certificate_template(on_token()));
  BOOST_TEST(s.number(object, CKA_CERTIFICATE_CATEGORY) == CK_CERTIFICATE_CATEGORY_UNSPECIFIED);
  BOOST_TEST(!s.flag(object, CKA_TRUSTED, true));
  BOOST_TEST(!s.flag(object, CKA_PRIVATE, true));
  // 4.6.3: the first three bytes of the SHA-1 of CKA_VALUE.
  const Bytes digest = s.digest(Mechanism(CKM_SHA_1), counted(300)).bytes;
  BOOST_TEST(s.get(object, CKA_CHECK_VALUE).bytes == Bytes(digest.begin(), digest.begin() + 3));
  CONTRACT_RV(create_rv(certificate_template().without(CKA_VALUE)), CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(create_rv(certificate_template().without(CKA_SUBJECT)), CKR_TEMPLATE_INCOMPLETE);
  CONTRACT_RV(create_rv(certificate_template().bytes(CKA_CHECK_VALUE, {1, 2, 3})), CKR_ATTRIBUTE_VALUE_INVALID);
  CONTRACT_RV(create_rv(certificate_template().ulong(CKA_CERTIFICATE_TYPE, CKC_WTLS)), CKR_ATTRIBUTE_VALUE_INVALID);
  // By URL (4.6.3, footnotes): the value may be empty when both hashes stand there.
  Template by_url = certificate_template().bytes(CKA_VALUE, {}).text(CKA_URL, "http://pki.example/1.cer");
  CONTRACT_RV(create_rv(by_url), CKR_TEMPLATE_INCOMPLETE);
  by_url.bytes(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, counted(20)).bytes(CKA_HASH_OF_ISSUER_PUBLIC_KEY, counted(20));
  CONTRACT_RV(create_rv(by_url), CKR_OK);
}

BOOST_AUTO_TEST_CASE(keys_of_every_class_can_be_created) {
  const CK_OBJECT_HANDLE secret = created(aes_template({CKA_ENCRYPT}));
  BOOST_TEST(s.number(secret, CKA_VALUE_LEN) == 16u);
  BOOST_TEST(s.get(secret, CKA_VALUE).bytes == counted(16));
  const CK_OBJECT_HANDLE public_key = created(rsa_public_template());
  BOOST_TEST(s.number(public_key, CKA_MODULUS_BITS) == 2048u);
  const Pair source = pair(CKM_EC_KEY_PAIR_GEN, Template().bytes(CKA_EC_PARAMS, p256()),
                           Template().boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true));
  const Bytes value = s.get(source.private_key, CKA_VALUE).bytes;
  BOOST_REQUIRE_EQUAL(value.size(), 32u);
  const CK_OBJECT_HANDLE twin = created(object_template(CKO_PRIVATE_KEY)
                                            .ulong(CKA_KEY_TYPE, CKK_EC)
                                            .bytes(CKA_EC_PARAMS, p256())
                                            .bytes(CKA_VALUE, value)
                                            .boolean(CKA_SIGN, true));
  const Bytes hash = counted(32);
  const Output signature = s.sign(Mechanism(CKM_ECDSA), twin, hash);
  CONTRACT_RV(signature.rv, CKR_OK);
  CONTRACT_RV(s.verify(Mechanism(CKM_ECDSA), source.public_key, hash, signature.bytes), CKR_OK);
}

BOOST_AUTO_TEST_CASE(profiles_mechanisms_and_the_clock_show_and_stay) {
  Template profiles, mechanisms, clock;
  const auto shown = s.find(profiles.ulong(CKA_CLASS, CKO_PROFILE));
  std::vector<CK_ULONG> ids;
  for (const CK_OBJECT_HANDLE profile : shown) ids.push_back(s.number(profile, CKA_PROFILE_ID));
  for (const CK_PROFILE_ID wanted :
       {CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER, CKP_AUTHENTICATION_TOKEN, CKP_PUBLIC_CERTIFICATES_TOKEN}) {
    BOOST_TEST(std::count(ids.begin(), ids.end(), wanted) == 1, "profile " << wanted);
  }
  BOOST_TEST(s.find(mechanisms.ulong(CKA_CLASS, CKO_MECHANISM)).size() == module.mechanisms(slot).size());
  const auto clocks = s.find(clock.ulong(CKA_CLASS, CKO_HW_FEATURE).ulong(CKA_HW_FEATURE_TYPE, CKH_CLOCK));
  BOOST_REQUIRE_EQUAL(clocks.size(), 1u);
  BOOST_TEST(s.get(clocks[0], CKA_VALUE).bytes.size() == 16u);  // YYYYMMDDhhmmss00
  for (const CK_OBJECT_HANDLE object : {shown.at(0), clocks[0]}) {
    CONTRACT_RV(s.destroy(object), CKR_ACTION_PROHIBITED);
    CONTRACT_RV(s.set(object, Template().text(CKA_LABEL, "mine")), CKR_ACTION_PROHIBITED);
    CK_OBJECT_HANDLE copy = 0;
    CONTRACT_RV(s.copy(object, Template(), copy), CKR_ACTION_PROHIBITED);
  }
  for (const CK_OBJECT_CLASS made : {CKO_PROFILE, CKO_MECHANISM, CKO_HW_FEATURE, CKO_VENDOR_DEFINED}) {
    CONTRACT_RV(create_rv(object_template(made)), CKR_ATTRIBUTE_VALUE_INVALID);
  }
  // A client that lists a token is shown neither (4.3.1: only when the class is asked for).
  for (const CK_OBJECT_HANDLE object : s.find(Template())) {
    BOOST_TEST(s.number(object, CKA_CLASS) != CKO_HW_FEATURE);
    BOOST_TEST(s.number(object, CKA_CLASS) != CKO_MECHANISM);
  }
}

BOOST_AUTO_TEST_CASE(a_copy_with_no_template_is_a_second_object) {
  const CK_OBJECT_HANDLE original = created(aes_template({CKA_ENCRYPT}).text(CKA_LABEL, "first"));
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_OK(module->C_CopyObject(s, original, nullptr, 0, &copy));
  BOOST_TEST(copy != original);
  BOOST_TEST(label_of(copy) == "first");
  BOOST_TEST(s.get(copy, CKA_UNIQUE_ID).bytes != s.get(original, CKA_UNIQUE_ID).bytes);
  const Mechanism ecb(CKM_AES_ECB);
  BOOST_TEST(s.encrypt(ecb, copy, counted(16)).bytes == s.encrypt(ecb, original, counted(16)).bytes);
  CONTRACT_OK(s.destroy(original));
  CONTRACT_RV(s.encrypt(ecb, copy, counted(16)).rv, CKR_OK);
}

BOOST_AUTO_TEST_CASE(copies_move_between_session_and_token, *precondition(keeps_any_object)) {
  const CK_OBJECT_HANDLE original = created(data_template("wanderer"));
  CK_OBJECT_HANDLE stored = 0, back = 0;
  CONTRACT_OK(s.copy(original, Template().boolean(CKA_TOKEN, true), stored));
  BOOST_TEST(s.flag(stored, CKA_TOKEN));
  CONTRACT_OK(s.copy(stored, Template().boolean(CKA_TOKEN, false).text(CKA_LABEL, "returned"), back));
  BOOST_TEST(!s.flag(back, CKA_TOKEN, true));
  BOOST_TEST(s.get(back, CKA_VALUE).bytes == bytes_of("content of wanderer"));
  const auto readable = open(false);
  CK_OBJECT_HANDLE refused = 0;
  CONTRACT_RV(readable->copy(original, Template().boolean(CKA_TOKEN, true), refused), CKR_SESSION_READ_ONLY);
  CONTRACT_RV(readable->destroy(stored), CKR_SESSION_READ_ONLY);
  CONTRACT_RV(readable->set(stored, Template().text(CKA_LABEL, "x")), CKR_SESSION_READ_ONLY);
}

BOOST_AUTO_TEST_CASE(sizes_are_told) {
  CK_ULONG small = 0, large = 0;
  CONTRACT_OK(module->C_GetObjectSize(s, created(data_template("small")), &small));
  CONTRACT_OK(module->C_GetObjectSize(s, created(data_template("large").bytes(CKA_VALUE, counted(5000))), &large));
  BOOST_TEST(small > 0u);
  BOOST_TEST(large >= small + 4900);
  CONTRACT_RV(module->C_GetObjectSize(s, 0x7fffff, &small), CKR_OBJECT_HANDLE_INVALID);
}

BOOST_AUTO_TEST_CASE(one_call_reads_all_it_can) {
  const CK_OBJECT_HANDLE key = created(aes_template({CKA_ENCRYPT}).boolean(CKA_SENSITIVE, true));
  CK_BYTE label[8], value[16];
  CK_ULONG bits = 0, length = 0;
  CK_ATTRIBUTE wanted[] = {{CKA_LABEL, label, sizeof(label)},
                           {CKA_VALUE, value, sizeof(value)},
                           {CKA_MODULUS_BITS, &bits, sizeof(bits)},
                           {CKA_VALUE_LEN, &length, sizeof(length)}};
  const CK_RV rv = module->C_GetAttributeValue(s, key, wanted, 4);
  BOOST_TEST((rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID));
  BOOST_TEST(wanted[0].ulValueLen == 0u);
  BOOST_TEST(wanted[1].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  BOOST_TEST(wanted[2].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  BOOST_TEST(length == 16u);
}

BOOST_AUTO_TEST_CASE(a_short_buffer_gets_no_byte) {
  const CK_OBJECT_HANDLE object = created(data_template("brief"));
  CK_BYTE room[4] = {0xee, 0xee, 0xee, 0xee};
  CK_ATTRIBUTE wanted{CKA_VALUE, room, 3};
  CONTRACT_RV(module->C_GetAttributeValue(s, object, &wanted, 1), CKR_BUFFER_TOO_SMALL);
  BOOST_TEST(wanted.ulValueLen == CK_UNAVAILABLE_INFORMATION);
  for (const CK_BYTE byte : room) BOOST_TEST(byte == 0xee);
}

BOOST_AUTO_TEST_CASE(changes_are_made_all_or_none) {
  const CK_OBJECT_HANDLE object = created(data_template("before", on_token()));
  CONTRACT_RV(s.set(object, Template().text(CKA_LABEL, "after").bytes(CKA_VALUE, {1})), CKR_OK);
  BOOST_TEST(label_of(object) == "after");
  CONTRACT_RV(s.set(object, Template().text(CKA_LABEL, "third").boolean(CKA_TOKEN, false)), CKR_ATTRIBUTE_READ_ONLY);
  BOOST_TEST(label_of(object) == "after");
}

BOOST_AUTO_TEST_CASE(search_by_each_form_of_attribute) {
  const CK_OBJECT_HANDLE key = created(aes_template({CKA_ENCRYPT}, on_token())
                                           .text(CKA_LABEL, "searched")
                                           .bytes(CKA_ID, {9, 8, 7})
                                           .text(CKA_START_DATE, "20260101"));
  created(aes_template({CKA_DECRYPT}, on_token()).text(CKA_LABEL, "other").bytes(CKA_ID, {9, 8}));
  const auto only = [&](const Template& search) {
    const auto found = s.find(search);
    return found.size() == 1 && found[0] == key;
  };
  BOOST_TEST(only(Template().text(CKA_LABEL, "searched")));
  BOOST_TEST(only(Template().bytes(CKA_ID, {9, 8, 7})));
  BOOST_TEST(only(Template().ulong(CKA_CLASS, CKO_SECRET_KEY).text(CKA_START_DATE, "20260101")));
  BOOST_TEST(only(Template()
                      .boolean(CKA_ENCRYPT, true)
                      .ulong(CKA_KEY_TYPE, CKK_AES)
                      .boolean(CKA_TOKEN, on_token())
                      .text(CKA_LABEL, "searched")));
  BOOST_TEST(only(Template().bytes(CKA_UNIQUE_ID, s.get(key, CKA_UNIQUE_ID).bytes)));
  BOOST_TEST(s.find(Template().text(CKA_LABEL, "search")).empty());
  BOOST_TEST(s.find(Template().text(CKA_LABEL, "searched").bytes(CKA_ID, {9, 8})).empty());
  // Values that nobody may read confirm no guesses, and unknown types match nothing.
  BOOST_TEST(s.find(Template().ulong(CKA_VENDOR_DEFINED | 77, 1)).empty());
  CONTRACT_RV(module->C_FindObjectsInit(s, Template().bytes(CKA_CLASS, {1}).data(), 1), CKR_ATTRIBUTE_VALUE_INVALID);
}

BOOST_AUTO_TEST_CASE(a_search_comes_in_pieces_and_is_one_at_a_time) {
  for (int i = 0; i < 7; ++i) created(data_template("piece", on_token() && i % 2 == 0));
  Template search;
  search.text(CKA_LABEL, "piece");
  CONTRACT_OK(module->C_FindObjectsInit(s, search.data(), search.size()));
  CONTRACT_RV(module->C_FindObjectsInit(s, search.data(), search.size()), CKR_OPERATION_ACTIVE);
  std::vector<CK_OBJECT_HANDLE> all;
  CK_OBJECT_HANDLE chunk[3];
  CK_ULONG count = 0;
  CONTRACT_RV(module->C_FindObjects(s, chunk, 0, &count), CKR_OK);
  BOOST_TEST(count == 0u);
  for (const CK_ULONG expected : {3u, 3u, 1u, 0u}) {
    CONTRACT_OK(module->C_FindObjects(s, chunk, 3, &count));
    BOOST_TEST(count == expected);
    all.insert(all.end(), chunk, chunk + count);
  }
  std::sort(all.begin(), all.end());
  BOOST_TEST((std::unique(all.begin(), all.end()) == all.end()));
  CONTRACT_OK(module->C_FindObjectsFinal(s));
  CONTRACT_RV(module->C_FindObjectsFinal(s), CKR_OPERATION_NOT_INITIALIZED);
}

BOOST_AUTO_TEST_CASE(private_objects_come_and_go_with_the_login) {
  const CK_OBJECT_HANDLE token_object = created(data_template("hidden", on_token(), true));
  const CK_OBJECT_HANDLE session_object = created(data_template("hidden", false, true));
  const CK_OBJECT_HANDLE open_object = created(data_template("open", on_token(), false));
  BOOST_TEST(labelled(s, "hidden").size() == 2u);
  CONTRACT_OK(s.logout());
  BOOST_TEST(labelled(s, "hidden").empty());
  BOOST_TEST(labelled(s, "open").size() == 1u);
  CONTRACT_RV(s.get(token_object, CKA_LABEL).rv, CKR_OBJECT_HANDLE_INVALID);
  CONTRACT_RV(s.get(session_object, CKA_LABEL).rv, CKR_OBJECT_HANDLE_INVALID);
  CONTRACT_RV(s.get(open_object, CKA_LABEL).rv, CKR_OK);
  CONTRACT_RV(create_rv(data_template("late", false, true)), CKR_USER_NOT_LOGGED_IN);
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_RV(s.copy(open_object, Template().boolean(CKA_PRIVATE, true), copy), CKR_USER_NOT_LOGGED_IN);
  CONTRACT_RV(s.set(open_object, Template().text(CKA_LABEL, "open")), CKR_OK);
  CONTRACT_OK(s.login(kind->user_pin()));
  // 5.6.10: private session objects do not come back.
  BOOST_TEST(labelled(s, "hidden").size() == (on_token() ? 1u : 0u));
  CONTRACT_OK(s.logout());
  CONTRACT_OK(s.login(kind->so_pin(), CKU_SO));
  BOOST_TEST(labelled(s, "hidden").empty());
  CONTRACT_RV(create_rv(data_template("officer's", on_token(), true)),
              kind->officer_makes_keys() ? CKR_OK : CKR_USER_NOT_LOGGED_IN);
}

BOOST_AUTO_TEST_CASE(session_objects_live_as_long_as_their_session) {
  CK_OBJECT_HANDLE object = 0;
  Pair stored;
  {
    const auto owner = open();
    CONTRACT_OK(owner->create(data_template("short-lived"), object));
    stored = token_pair(*owner);
    BOOST_TEST(labelled(s, "short-lived").size() == 1u);
    CONTRACT_RV(s.get(object, CKA_VALUE).rv, CKR_OK);
    CONTRACT_RV(s.set(object, Template().text(CKA_APPLICATION, "a neighbour's")), CKR_OK);
  }
  BOOST_TEST(labelled(s, "short-lived").empty());
  CONTRACT_RV(s.get(object, CKA_VALUE).rv, CKR_OBJECT_HANDLE_INVALID);
  CONTRACT_RV(s.get(stored.public_key, CKA_EC_POINT).rv, CKR_OK);
  CONTRACT_RV(s.sign(Mechanism(CKM_ECDSA), stored.private_key, counted(32)).rv, CKR_OK);
}

BOOST_AUTO_TEST_CASE(token_objects_outlive_the_module) {
  const Pair kept = token_pair(s);
  const Bytes point = s.get(kept.public_key, CKA_EC_POINT).bytes, id = s.get(kept.private_key, CKA_UNIQUE_ID).bytes;
  CONTRACT_OK(module->C_Finalize(nullptr));
  CONTRACT_OK(module.initialize());
  const auto again = user();
  const auto keys = again->find(Template().ulong(CKA_CLASS, CKO_PRIVATE_KEY));
  const auto points = again->find(Template().ulong(CKA_CLASS, CKO_PUBLIC_KEY).bytes(CKA_EC_POINT, point));
  BOOST_REQUIRE_EQUAL(keys.size(), 1u);
  BOOST_REQUIRE_EQUAL(points.size(), 1u);
  BOOST_TEST(again->get(keys[0], CKA_UNIQUE_ID).bytes == id);
  const Output signature = again->sign(Mechanism(CKM_ECDSA), keys[0], counted(32));
  CONTRACT_OK(signature.rv);
  CONTRACT_RV(again->verify(Mechanism(CKM_ECDSA), points[0], counted(32), signature.bytes), CKR_OK);
}

BOOST_AUTO_TEST_SUITE_END()
