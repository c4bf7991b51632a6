#include "tpm/tpm_token.h"

#include <sys/stat.h>

#include "database/sqlite.h"
#include "swtpm/tpm_filter.h"
#include "token/key_attributes.h"
#include "tpm/test_rig.h"

namespace cardea::tpm {

BOOST_FIXTURE_TEST_CASE(a_new_card_describes_itself, Rig) {
  const TokenDescription description = open()->describe();
  BOOST_TEST(description.label == "laptop");
  BOOST_TEST(description.serial == serial);
  BOOST_TEST(description.user_pin.initialized);
  BOOST_TEST(description.user_pin.retries_left.value_or(-1) == 3);
  BOOST_TEST(description.problems.empty());
  BOOST_TEST(list_cards(state_directory(settings)).size() == 1u);
  struct stat status {};
  BOOST_REQUIRE(stat(file().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777u) == 0600u);
}

BOOST_FIXTURE_TEST_CASE(services_share_a_directory_that_is_set_for_them, Rig) {
  settings.tpm.state_directory = swtpm.folder() / "shared";
  BOOST_REQUIRE(mkdir(settings.tpm.state_directory.c_str(), 0700) == 0);
  BOOST_REQUIRE(chmod(settings.tpm.state_directory.c_str(), 02770) == 0);
  serial = make_card("service");
  struct stat status {};
  BOOST_REQUIRE(stat(file().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777u) == 0660u);
  BOOST_REQUIRE(stat(file().parent_path().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777u) == 02770u);
  ok(open()->login(Role::user, pin_of("123456")));
  // Nobody else may write there, shared or not.
  BOOST_REQUIRE(chmod(settings.tpm.state_directory.c_str(), 02777) == 0);
  const auto refused = TpmToken::open(settings, serial, std::make_shared<Tpm>(settings.tpm));
  BOOST_TEST(code_of(refused) == "permission_denied");
}

BOOST_FIXTURE_TEST_CASE(a_puk_is_no_key, Rig) {
  Tpm tpm(settings.tpm);
  const NewCard card{"x", pin_of("123456"), pin_of(admin_key), SecretBytes(Bytes(32, 1))};
  BOOST_TEST(code_of(create_card(settings, tpm, card)) == "pin_invalid");
  const NewCard no_key{"x", pin_of("123456"), pin_of("87654321"), SecretBytes(Bytes(16, 1))};
  BOOST_TEST(code_of(create_card(settings, tpm, no_key)) == "pin_length");
  BOOST_TEST(list_cards(state_directory(settings)).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(pins_open_and_the_tpm_counts_wrong_ones, Rig) {
  const auto token = open();
  const auto wrong = token->login(Role::user, pin_of("000000"));
  BOOST_TEST(code_of(wrong) == "pin_incorrect");
  BOOST_TEST(wrong.error().retries_left.value_or(-1) == 2);
  ok(token->login(Role::user, pin_of("123456")));
  BOOST_TEST(token->describe().user_pin.retries_left.value_or(-1) == 3);
  BOOST_TEST(code_of(token->authenticate_again(pin_of("000000"))) == "pin_incorrect");
  BOOST_TEST(code_of(token->login(Role::security_officer, pin_of("000000"))) == "pin_incorrect");
  BOOST_TEST(code_of(token->login(Role::user, pin_of("999999"))) == "pin_incorrect");
  BOOST_TEST(code_of(token->login(Role::user, pin_of("123456"))) == "pin_locked");
  const TokenDescription description = token->describe();
  BOOST_TEST(description.user_pin.locked);
  BOOST_REQUIRE(description.problems.size() == 1u);
  BOOST_TEST(description.problems[0].find("1000 seconds") != std::string::npos);
  // The administrator's key does not count as guessing, and a right one ends the lock-out.
  ok(token->login(Role::security_officer, pin_of(admin_key)));
  BOOST_TEST(!token->describe().user_pin.locked);
  ok(token->login(Role::user, pin_of("123456")));
}

BOOST_FIXTURE_TEST_CASE(keys_made_elsewhere_are_imported_and_never_copied, Rig) {
  const auto token = open();
  ok(token->login(Role::user, pin_of("123456")));
  const auto key = ok(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  const auto private_half = [&](bool with_value) {
    std::vector<NewObject> objects(1);
    objects[0].attributes.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
    objects[0].attributes.set_ulong(CKA_KEY_TYPE, CKK_EC);
    for (const CK_ATTRIBUTE_TYPE yes : {CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN}) {
      objects[0].attributes.set_bool(yes, true);
    }
    ok(describe_private(*key, objects[0].attributes, objects[0].secrets));
    if (!with_value) objects[0].secrets.clear();
    return objects;
  };
  const ObjectPtr made = ok(token->create(private_half(true)))[0];
  ok(key->ecdsa_verify(digest, ok(sign(ok(token->key(*made)), digest))));
  BOOST_TEST(!made->attributes.get_bool(CKA_COPYABLE, true));
  BOOST_TEST(code_of(token->create(private_half(false))) == "template_incomplete");
  token->logout();
  BOOST_TEST(code_of(token->create(private_half(true))) == "user_not_logged_in");
}

BOOST_FIXTURE_TEST_CASE(keys_sign_and_are_found_by_the_next_process, Rig) {
  Bytes signature;
  {
    const auto token = open();
    BOOST_TEST(code_of(token->generate(CKM_EC_KEY_PAIR_GEN, half(CKO_PUBLIC_KEY, CKK_EC),
                                       half(CKO_PRIVATE_KEY, CKK_EC))) == "user_not_logged_in");
    ok(token->login(Role::user, pin_of("123456")));
    const auto pair = generate(*token, CKM_EC_KEY_PAIR_GEN);
    BOOST_REQUIRE(pair.size() == 2u);
    BOOST_TEST(pair[1]->attributes.get_bool(CKA_SENSITIVE));
    BOOST_TEST(pair[1]->attributes.get_bool(CKA_ALWAYS_SENSITIVE));
    BOOST_TEST(pair[1]->attributes.get_bool(CKA_NEVER_EXTRACTABLE));
    BOOST_TEST(pair[1]->attributes.get_bool(CKA_LOCAL));
    ok(public_key_of(*pair[0])->ecdsa_verify(digest, ok(sign(ok(token->key(*pair[1])), digest))));
    BOOST_TEST(ok(token->secrets(*pair[1])).empty());
  }
  const auto token = open();
  std::vector<ObjectPtr> found;
  Query query{.match = {}, .include_private = true};
  query.match.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  ok(token->find(query, [&](const ObjectPtr& object) { found.push_back(object); }));
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(code_of(token->key(*found[0])) == "user_not_logged_in");
  ok(token->login(Role::user, pin_of("123456")));
  const KeyPtr key = ok(token->key(*found[0]));
  ok(public_key_of(*found[0])->ecdsa_verify(digest, ok(sign(key, digest))));
  token->logout();
  BOOST_TEST(code_of(sign(key, digest)) == "user_not_logged_in");
  ok(token->login(Role::user, pin_of("123456")));
  ok(sign(key, digest));
  ok(token->destroy(found[0]->id));
  BOOST_TEST(code_of(token->object(found[0]->id)) == "object_handle_invalid");
}

BOOST_FIXTURE_TEST_CASE(a_new_process_signs_after_eight_commands, Rig) {
  ObjectPtr private_key;
  {
    const auto token = open();
    ok(token->login(Role::user, pin_of("123456")));
    private_key = generate(*token, CKM_EC_KEY_PAIR_GEN)[1];
  }
  const std::size_t before = swtpm.commands();
  const auto token = open();
  token->describe();
  ok(token->login(Role::user, pin_of("123456")));
  const KeyPtr key = ok(token->key(*private_key));
  ok(sign(key, digest));
  // The ninth, after the signature, takes the storage key out of the TPM.
  BOOST_TEST(swtpm.commands() - before == 9u);
  for (int i = 0; i < 20; ++i) ok(sign(key, digest));
  BOOST_TEST(swtpm.commands() - before == 29u);
}

BOOST_FIXTURE_TEST_CASE(the_bus_is_protected_where_that_is_asked_for, Rig) {
  settings.tpm.protect_bus = true;
  const auto token = open();
  ok(token->login(Role::user, pin_of("123456")));
  const auto pair = generate(*token, CKM_EC_KEY_PAIR_GEN);
  const KeyPtr key = ok(token->key(*pair[1]));
  ok(sign(key, digest));
  const std::size_t before = swtpm.commands();
  ok(public_key_of(*pair[0])->ecdsa_verify(digest, ok(sign(key, digest))));
  BOOST_TEST(swtpm.commands() - before == 2u);
}

BOOST_FIXTURE_TEST_CASE(pins_change_in_one_step, Rig) {
  const auto token = open();
  BOOST_TEST(code_of(token->change(Role::user, pin_of("123456"), pin_of("123"))) == "pin_length");
  BOOST_TEST(code_of(token->change(Role::user, pin_of("999999"), pin_of("654321"))) == "pin_incorrect");
  ok(token->login(Role::user, pin_of("123456")));
  const auto pair = generate(*token, CKM_EC_KEY_PAIR_GEN);
  ok(token->change(Role::user, pin_of("123456"), pin_of("654321")));
  ok(sign(ok(token->key(*pair[1])), digest));
  BOOST_TEST(code_of(token->login(Role::user, pin_of("123456"))) == "pin_incorrect");
  ok(token->login(Role::user, pin_of("654321")));
  ok(sign(ok(token->key(*pair[1])), digest));
}

BOOST_FIXTURE_TEST_CASE(a_card_keeps_the_pin_lengths_that_it_was_made_with, Rig) {
  settings.tpm.min_pin_length = 6;
  settings.tpm.max_pin_length = 8;
  const std::string strict = make_card("strict");
  settings.tpm.min_pin_length = 1;
  settings.tpm.max_pin_length = 255;
  const auto token = open(strict);
  BOOST_TEST(token->describe().min_pin_length == 6u);
  BOOST_TEST(token->describe().max_pin_length == 8u);
  for (const char* const wrong : {"12345", "123456789"}) {
    const Status refused = token->change(Role::user, pin_of("123456"), pin_of(wrong));
    BOOST_TEST(code_of(refused) == "pin_length");
    BOOST_TEST(describe(refused.error()).find("from 6 to 8 bytes") != std::string::npos);
    BOOST_TEST(code_of(token->change(Role::security_officer, pin_of("87654321"), pin_of(wrong))) == "pin_length");
  }
  ok(token->change(Role::user, pin_of("123456"), pin_of("12345678")));
  ok(token->login(Role::user, pin_of("12345678")));
  // A card of an older version goes by the settings.
  {
    auto connection = ok(database::Connection::open(state_directory(settings) / strict / "card.sqlite",
                                                    database::Connection::Mode::read_write));
    ok(connection.execute("DROP TABLE fact; UPDATE card SET change = change + 1"));
  }
  BOOST_TEST(open(strict)->describe().min_pin_length == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_card_that_does_not_know_its_tpm_finds_out_once, Rig) {
  {
    const auto token = open();
    ok(token->login(Role::user, pin_of("123456")));
    generate(*token, CKM_RSA_PKCS_KEY_PAIR_GEN);
  }
  {
    auto connection = ok(database::Connection::open(file(), database::Connection::Mode::read_write));
    ok(connection.execute("DROP TABLE fact; UPDATE card SET change = change + 1"));
  }
  const RawRsaFilter filter(swtpm);
  Settings odd = settings;
  odd.tpm.tcti = filter.tcti();
  for (int round = 0; round < 2; ++round) {
    const auto token = ok(TpmToken::open(odd, serial, std::make_shared<Tpm>(odd.tpm)));
    ok(token->login(Role::user, pin_of("123456")));
    ObjectPtr found;
    Query query{.match = {}, .include_private = true};
    query.match.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
    ok(token->find(query, [&](const ObjectPtr& object) { found = object; }));
    const KeyPtr key = ok(token->key(*found));
    const auto& private_key = dynamic_cast<const PrivateKey&>(*key);
    BOOST_TEST(!private_key.can(Primitive::rsa_raw));
    BOOST_TEST(private_key.can(Primitive::rsa_pkcs1_sign));
    Bytes signature(256);
    const PrimitiveRequest request{.primitive = Primitive::rsa_pkcs1_sign};
    BOOST_TEST(ok(private_key.perform(request, digest_info(Hash::sha256, digest), signature)) == 256u);
    ok(public_key_of(*found)->verify_pkcs1(digest_info(Hash::sha256, digest), signature));
    BOOST_TEST(filter.refused() == 1);
  }
}

BOOST_FIXTURE_TEST_CASE(puk_and_administrator_set_the_pin_anew, Rig) {
  ObjectPtr private_key;
  {
    const auto token = open();
    BOOST_TEST(code_of(token->set_user_pin(pin_of("111111"))) == "user_not_logged_in");
    ok(token->login(Role::user, pin_of("123456")));
    private_key = generate(*token, CKM_EC_KEY_PAIR_GEN)[1];
    BOOST_TEST(code_of(token->set_user_pin(pin_of("111111"))) == "user_not_logged_in");
    token->logout();
    ok(token->login(Role::security_officer, pin_of("87654321")));
    BOOST_TEST(code_of(token->key(*private_key)) == "user_not_logged_in");
    ok(token->set_user_pin(pin_of("111111")));
    token->logout();
    ok(token->login(Role::user, pin_of("111111")));
    ok(sign(ok(token->key(*private_key)), digest));
  }
  const auto token = open();
  ok(token->change(Role::security_officer, pin_of("87654321"), pin_of("new puk")));
  const std::string new_key(64, 'b');
  BOOST_TEST(code_of(token->change(Role::security_officer, pin_of(admin_key), pin_of("text"))) == "pin_invalid");
  ok(token->change(Role::security_officer, pin_of(admin_key), pin_of(new_key)));
  BOOST_TEST(code_of(token->login(Role::security_officer, pin_of(admin_key))) == "pin_incorrect");
  ok(token->login(Role::security_officer, pin_of("new puk")));
  token->logout();
  ok(token->login(Role::security_officer, pin_of(new_key)));
  ok(token->set_user_pin(pin_of("222222")));
  token->logout();
  ok(token->login(Role::user, pin_of("222222")));
  ok(sign(ok(token->key(*private_key)), digest));
}

BOOST_FIXTURE_TEST_CASE(data_objects_are_kept_and_private_ones_sealed, Rig) {
  const auto token = open();
  AttributeSet attributes;
  attributes.set_ulong(CKA_CLASS, CKO_DATA);
  attributes.set_bool(CKA_TOKEN, true);
  attributes.set_bool(CKA_PRIVATE, true);
  const auto secret_object = [&] {
    std::vector<NewObject> objects(1);
    objects[0].attributes = attributes;
    objects[0].secrets.emplace(CKA_VALUE, SecretBytes(view_of("the content")));
    return objects;
  };
  BOOST_TEST(code_of(token->create(secret_object())) == "user_not_logged_in");
  ok(token->login(Role::user, pin_of("123456")));
  const ObjectPtr made = ok(token->create(secret_object()))[0];
  const SecretAttributes secrets = ok(token->secrets(*made));
  BOOST_TEST(text_of(secrets.at(CKA_VALUE).view()) == "the content");
  attributes.set_text(CKA_LABEL, "renamed");
  ok(token->replace(made->id, attributes));
  BOOST_TEST(text_of(ok(token->secrets(*made)).at(CKA_VALUE).view()) == "the content");
  token->logout();
  BOOST_TEST(code_of(token->secrets(*made)) == "user_not_logged_in");
  attributes.set_ulong(CKA_CLASS, CKO_SECRET_KEY);
  BOOST_TEST(code_of(token->create(secret_object())) == "template_inconsistent");
}

BOOST_FIXTURE_TEST_CASE(what_the_tpm_lacks_is_refused, Rig) {
  const auto token = open();
  ok(token->login(Role::user, pin_of("123456")));
  AttributeSet public_half = half(CKO_PUBLIC_KEY, CKK_RSA);
  public_half.set_ulong(CKA_MODULUS_BITS, 1024);
  BOOST_TEST(code_of(token->generate(CKM_RSA_PKCS_KEY_PAIR_GEN, public_half, half(CKO_PRIVATE_KEY, CKK_RSA))) ==
             "key_size_range");
  public_half.set_ulong(CKA_MODULUS_BITS, 2048);
  public_half.set(CKA_PUBLIC_EXPONENT, Bytes{3});
  BOOST_TEST(code_of(token->generate(CKM_RSA_PKCS_KEY_PAIR_GEN, public_half, half(CKO_PRIVATE_KEY, CKK_RSA))) ==
             "attribute_value_invalid");
  AttributeSet private_half = half(CKO_PRIVATE_KEY, CKK_EC);
  private_half.set_bool(CKA_EXTRACTABLE, true);
  BOOST_TEST(code_of(token->generate(CKM_EC_KEY_PAIR_GEN, half(CKO_PUBLIC_KEY, CKK_EC), private_half)) ==
             "template_inconsistent");
}

}  // namespace cardea::tpm
