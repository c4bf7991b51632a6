#include "tpm/tpm_token.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <thread>

#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "database/sqlite.h"
#include "swtpm/swtpm.h"
#include "token/key_attributes.h"
#include "token/object_rules.h"
#include "tpm/directories.h"

namespace cardea::tpm {
namespace {

template <class T>
T ok(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}
void ok(const Status& status) {
  if (!status) throw std::runtime_error(describe(status.error()));
}
template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "success" : name(result.code());
}

Pin pin_of(std::string_view text) {
  return Pin(view_of(text));
}

const std::string admin_key(64, 'a');

struct Rig {
  Rig() {
    settings.home = swtpm.folder() / "home";
    settings.tpm.tcti = swtpm.tcti();
    serial = make_card("laptop");
  }
  std::string make_card(const std::string& label) {
    NewCard card{label, pin_of("123456"), pin_of("87654321"), SecretBytes(Bytes(32, 0xaa))};
    Tpm tpm(settings.tpm);
    return ok(create_card(settings, tpm, card));
  }
  /// As a new process would open it.
  std::shared_ptr<TpmToken> open() { return open(serial); }
  std::shared_ptr<TpmToken> open(const std::string& which) {
    return ok(TpmToken::open(settings, which, std::make_shared<Tpm>(settings.tpm)));
  }
  std::filesystem::path file() const { return state_directory(settings) / serial / "card.sqlite"; }

  Swtpm swtpm;
  Settings settings;
  std::string serial;
};

AttributeSet half(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type) {
  const CK_BBOOL yes = CK_TRUE;
  const std::vector<CK_ATTRIBUTE> attributes{{CKA_TOKEN, const_cast<CK_BBOOL*>(&yes), 1}};
  AttributeSet preset;
  preset.set_ulong(CKA_CLASS, object_class);
  preset.set_ulong(CKA_KEY_TYPE, type);
  if (object_class == CKO_PUBLIC_KEY && type == CKK_RSA) preset.set_ulong(CKA_MODULUS_BITS, 2048);
  if (object_class == CKO_PUBLIC_KEY && type == CKK_EC) {
    Bytes curve;
    BOOST_REQUIRE(from_hex("06082a8648ce3d030107", curve));
    preset.set(CKA_EC_PARAMS, curve);
  }
  const Actor actor{.read_write = true, .user = true, .security_officer = false, .token_login_required = true};
  return ok(new_object(Origin::generate, attributes, preset, actor)).attributes;
}

std::vector<ObjectPtr> generate(TpmToken& token, CK_MECHANISM_TYPE mechanism) {
  const CK_KEY_TYPE type = mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN ? CKK_RSA : CKK_EC;
  return ok(token.generate(mechanism, half(CKO_PUBLIC_KEY, type), half(CKO_PRIVATE_KEY, type)));
}

crypto::AsymmetricKeyPtr public_key_of(const Object& object) {
  return ok(crypto::from_subject_public_key_info(*object.attributes.get(CKA_PUBLIC_KEY_INFO)));
}

Result<Bytes> sign(const KeyPtr& key, ByteView digest) {
  const auto& private_key = dynamic_cast<const PrivateKey&>(*key);
  const PrimitiveRequest request{.primitive = Primitive::ecdsa_sign};
  Bytes signature(private_key.output_size(request));
  CARDEA_TRY(private_key.perform(request, digest, signature));
  return signature;
}

const Bytes digest(32, 0x5a);

}  // namespace

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

BOOST_FIXTURE_TEST_CASE(an_edited_row_does_not_open, Rig) {
  const auto token = open();
  ok(token->login(Role::user, pin_of("123456")));
  const ObjectPtr one = generate(*token, CKM_EC_KEY_PAIR_GEN)[1];
  const ObjectPtr other = generate(*token, CKM_EC_KEY_PAIR_GEN)[1];
  {
    auto connection = ok(database::Connection::open(file(), database::Connection::Mode::read_write));
    const std::string swap =
        "UPDATE object SET attributes = (SELECT attributes FROM object WHERE id = " + std::to_string(other->id) +
        ") WHERE id = " + std::to_string(one->id) + "; UPDATE card SET change = change + 1";
    ok(connection.execute(swap.c_str()));
  }
  BOOST_TEST(code_of(token->key(*ok(token->object(one->id)))) == "store_corrupt");
  ok(sign(ok(token->key(*ok(token->object(other->id)))), digest));
}

BOOST_FIXTURE_TEST_CASE(a_process_killed_while_it_changes_the_pin_leaves_one_that_works, Rig) {
  const Pin pins[] = {pin_of("123456"), pin_of("abcdef")};
  for (int round = 1; round <= 12; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      const auto token = open();
      std::size_t present = token->login(Role::user, pins[0]).ok() ? 0 : 1;
      for (;; present = 1 - present) {
        if (!token->change(Role::user, pins[present], pins[1 - present])) _exit(1);
      }
    }
    usleep(static_cast<useconds_t>(round * 3000));
    kill(child, SIGKILL);
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_REQUIRE_MESSAGE(WIFSIGNALED(status), "the child could not change the PIN");
    const auto token = open();
    const bool first = token->login(Role::user, pins[0]).ok();
    if (!first) ok(token->login(Role::user, pins[1]));
  }
}

BOOST_FIXTURE_TEST_CASE(a_damaged_file_is_refused_or_read, Rig) {
  {
    const auto token = open();
    ok(token->login(Role::user, pin_of("123456")));
    generate(*token, CKM_EC_KEY_PAIR_GEN);
  }
  Bytes whole(std::filesystem::file_size(file()));
  const auto put = [&](const Bytes& bytes) {
    std::ofstream(file(), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  std::ifstream(file(), std::ios::binary)
      .read(reinterpret_cast<char*>(whole.data()), static_cast<std::streamsize>(whole.size()));
  const auto tpm = std::make_shared<Tpm>(settings.tpm);
  std::size_t refused = 0;
  for (std::size_t place = 0; place < whole.size(); place += 61) {
    Bytes damaged = whole;
    damaged[place] ^= 0xff;
    put(damaged);
    const auto token = TpmToken::open(settings, serial, tpm);
    if (!token) {
      ++refused;
      continue;
    }
    // Whatever is there may be looked at.
    static_cast<void>((*token)
                          ->find({.match = {}, .include_private = true},
                                 [&](const ObjectPtr& object) { static_cast<void>((*token)->key(*object).ok()); })
                          .ok());
  }
  BOOST_TEST(refused > 0u);
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    put(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    static_cast<void>(TpmToken::open(settings, serial, tpm).ok());
  }
  put(whole);
  ok(ok(TpmToken::open(settings, serial, tpm))->login(Role::user, pin_of("123456")));
}

BOOST_FIXTURE_TEST_CASE(a_newer_state_is_refused_in_words, Rig) {
  {
    auto connection = ok(database::Connection::open(file(), database::Connection::Mode::read_write));
    ok(connection.execute("PRAGMA user_version = 7"));
  }
  const auto refused = TpmToken::open(settings, serial, std::make_shared<Tpm>(settings.tpm));
  BOOST_TEST(code_of(refused) == "store_newer");
  BOOST_TEST(describe(refused.error()).find("version 7") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(other_processes_see_changes, Rig) {
  const auto one = open();
  const auto other = open();
  const std::uint64_t before = other->generation();
  ok(one->login(Role::user, pin_of("123456")));
  const auto pair = generate(*one, CKM_EC_KEY_PAIR_GEN);
  BOOST_TEST(other->generation() != before);
  ok(other->object(pair[0]->id));
  ok(one->destroy(pair[0]->id));
  BOOST_TEST(code_of(other->object(pair[0]->id)) == "object_handle_invalid");
}

BOOST_FIXTURE_TEST_CASE(a_tpm_that_was_restarted_is_used_again, Rig) {
  const auto token = open();
  ok(token->login(Role::user, pin_of("123456")));
  const auto pair = generate(*token, CKM_EC_KEY_PAIR_GEN);
  const KeyPtr key = ok(token->key(*pair[1]));
  ok(sign(key, digest));
  swtpm.stop();
  BOOST_TEST(code_of(sign(key, digest)) != "success");
  swtpm.start();
  ok(sign(key, digest));
  swtpm.stop();
  swtpm.start();
  ok(sign(key, digest));
}

BOOST_FIXTURE_TEST_CASE(a_cleared_tpm_is_told_in_words, Rig) {
  swtpm.stop();
  swtpm.start(/*cleared=*/true);
  const auto token = open();
  const Status refused = token->login(Role::user, pin_of("123456"));
  BOOST_TEST(code_of(refused) == "device_error");
  BOOST_TEST(describe(refused.error()).find("cleared or replaced") != std::string::npos);
  BOOST_REQUIRE(token->describe().problems.size() == 1u);
  BOOST_TEST(token->describe().problems[0].find("cleared or replaced") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(more_keys_than_the_tpm_has_room_for, Rig) {
  const std::string second = make_card("second");
  const auto tpm = std::make_shared<Tpm>(settings.tpm);
  std::vector<KeyPtr> keys;
  std::vector<std::shared_ptr<TpmToken>> tokens;
  for (const std::string& each : {serial, second}) {
    tokens.push_back(ok(TpmToken::open(settings, each, tpm)));
    ok(tokens.back()->login(Role::user, pin_of("123456")));
    for (int i = 0; i < 3; ++i)
      keys.push_back(ok(tokens.back()->key(*generate(*tokens.back(), CKM_EC_KEY_PAIR_GEN)[1])));
  }
  for (int round = 0; round < 3; ++round) {
    for (const KeyPtr& key : keys) ok(sign(key, digest));
  }
}

BOOST_FIXTURE_TEST_CASE(threads_take_turns, Rig) {
  const auto token = open();
  ok(token->login(Role::user, pin_of("123456")));
  const KeyPtr key = ok(token->key(*generate(*token, CKM_EC_KEY_PAIR_GEN)[1]));
  std::atomic<int> made{0};
  const auto work = [&] {
    for (int i = 0; i < 50; ++i) made += sign(key, digest) ? 1 : 0;
  };
  std::thread one(work), two(work), three(work);
  one.join();
  two.join();
  three.join();
  BOOST_TEST(made == 150);
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
