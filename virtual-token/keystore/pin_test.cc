// The life of a PIN: set, tried, counted, locked, unlocked, changed; and initialisation.
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "keystore/test_home.h"

namespace cardea::keystore {

using namespace test;
namespace fs = std::filesystem;

BOOST_FIXTURE_TEST_SUITE(pins, Home)

BOOST_AUTO_TEST_CASE(blank_token_becomes_a_token) {
  KeystoreToken token(settings(), "00112233445566aa");
  BOOST_TEST(!token.describe().initialized);
  BOOST_TEST(token.login(Role::user, pin(user_pin)).code() == Code::token_not_recognized);
  BOOST_TEST(token.initialize(pin("abc"), "short").code() == Code::pin_length);
  BOOST_REQUIRE(token.initialize(pin(so_pin), "label").ok());
  const TokenDescription description = token.describe();
  BOOST_TEST(description.initialized);
  BOOST_TEST(description.label == "label");
  BOOST_TEST(description.serial == "00112233445566aa");
  BOOST_TEST(!description.user_pin.initialized);
  BOOST_TEST(description.so_pin.initialized);
  BOOST_TEST(description.problems.empty());
  BOOST_TEST(token.login(Role::user, pin(user_pin)).code() == Code::user_pin_not_initialized);
  BOOST_TEST(token.set_user_pin(pin(user_pin)).code() == Code::user_not_logged_in);
}

BOOST_AUTO_TEST_CASE(wrong_pins_are_counted_and_the_right_one_resets) {
  settings().keystore.retry_limit = 3;
  const auto token = open(make_token());
  for (int round = 0; round < 4; ++round) {
    const Status first = token->login(Role::user, pin("wrong"));
    BOOST_TEST(first.code() == Code::pin_incorrect);
    BOOST_TEST(first.error().retries_left.value() == 2);
    BOOST_TEST(token->login(Role::user, pin("wronger")).error().retries_left.value() == 1);
    BOOST_TEST(token->describe().user_pin.retries_left.value() == 1);
    BOOST_REQUIRE(token->login(Role::user, pin(user_pin)).ok());
    BOOST_TEST(token->describe().user_pin.retries_left.value() == 3);
  }
}

BOOST_AUTO_TEST_CASE(the_limit_locks_and_the_so_unlocks) {
  settings().keystore.retry_limit = 2;
  const std::string serial = make_token();
  const auto token = open(serial);
  BOOST_TEST(token->login(Role::user, pin("wrong")).code() == Code::pin_incorrect);
  BOOST_TEST(token->login(Role::user, pin("wrong")).error().retries_left.value() == 0);
  BOOST_TEST(token->login(Role::user, pin(user_pin)).code() == Code::pin_locked);
  BOOST_TEST(token->describe().user_pin.locked);
  BOOST_TEST(open(serial)->login(Role::user, pin(user_pin)).code() == Code::pin_locked);
  BOOST_REQUIRE(token->login(Role::security_officer, pin(so_pin)).ok());
  BOOST_TEST(token->set_user_pin(pin("a")).code() == Code::pin_length);
  BOOST_REQUIRE(token->set_user_pin(pin("new-user-pin")).ok());
  token->logout();
  BOOST_TEST(!token->describe().user_pin.locked);
  BOOST_TEST(token->login(Role::user, pin(user_pin)).code() == Code::pin_incorrect);
  BOOST_TEST(token->login(Role::user, pin("new-user-pin")).ok());
}

BOOST_AUTO_TEST_CASE(keys_survive_every_change_of_a_pin) {
  const std::string serial = make_token();
  const auto token = open_for_user(serial);
  const auto key = (*token->create(one(secret_key("id", "the value of the key"))))[0];
  BOOST_TEST(token->change(Role::user, pin("wrong"), pin("another")).code() == Code::pin_incorrect);
  BOOST_TEST(token->change(Role::user, pin(user_pin), pin("abc")).code() == Code::pin_length);
  BOOST_REQUIRE(token->change(Role::user, pin(user_pin), pin("another")).ok());
  BOOST_REQUIRE(token->change(Role::security_officer, pin(so_pin), pin("other-so")).ok());
  token->logout();
  BOOST_TEST(token->secrets(*key).code() == Code::user_not_logged_in);
  BOOST_TEST(token->login(Role::security_officer, pin(so_pin)).code() == Code::pin_incorrect);
  BOOST_REQUIRE(token->login(Role::security_officer, pin("other-so")).ok());
  BOOST_TEST(token->secrets(*key).code() == Code::user_not_logged_in);
  BOOST_REQUIRE(token->set_user_pin(pin("third-pin")).ok());
  token->logout();
  BOOST_REQUIRE(token->login(Role::user, pin("third-pin")).ok());
  const auto secrets = token->secrets(*key);
  BOOST_REQUIRE(secrets.ok());
  BOOST_TEST(text_of(secrets->at(CKA_VALUE).view()) == "the value of the key");
}

BOOST_AUTO_TEST_CASE(no_limit_means_no_lock) {
  settings().keystore.retry_limit = 0;
  const auto token = open(make_token());
  for (int i = 0; i < 12; ++i) {
    const Status wrong = token->login(Role::user, pin("wrong"));
    BOOST_TEST(wrong.code() == Code::pin_incorrect);
    BOOST_TEST(!wrong.error().retries_left.has_value());
  }
  BOOST_TEST(token->login(Role::user, pin(user_pin)).ok());
}

BOOST_AUTO_TEST_CASE(a_damaged_description_of_a_pin_is_refused) {
  const std::string serial = make_token();
  for (const std::string column : {"memory_kib", "iterations", "lanes", "retry_limit"}) {
    for (const std::string number : {"-1", "4294967297", "9223372036854775807", "-9223372036854775808"}) {
      run_sql(database(serial), "CREATE TABLE kept AS SELECT " + column +
                                    " AS number FROM unlock_method WHERE role = 1;"
                                    "UPDATE unlock_method SET " +
                                    column + " = " + number + " WHERE role = 1");
      const auto token = open(serial);
      BOOST_TEST(token->login(Role::user, pin(user_pin)).code() == Code::store_corrupt);
      BOOST_TEST(!token->describe().problems.empty());
      BOOST_TEST(token->login(Role::security_officer, pin(so_pin)).ok());
      run_sql(database(serial), "UPDATE unlock_method SET " + column +
                                    " = (SELECT number FROM kept) WHERE role = 1;"
                                    "DROP TABLE kept");
      BOOST_TEST(open(serial)->login(Role::user, pin(user_pin)).ok());
    }
  }
}

BOOST_AUTO_TEST_CASE(counting_starts_anew_where_its_file_is_missing_or_damaged) {
  const std::string serial = make_token();
  const fs::path tries = directory(serial) / tries_name;
  const auto count_one = [&](int left) {
    BOOST_TEST(open(serial)->login(Role::user, pin("wrong")).error().retries_left.value() == left);
    BOOST_TEST(open(serial)->describe().user_pin.retries_left.value() == left);
  };
  count_one(9);
  count_one(8);
  fs::remove(tries);
  count_one(9);
  fs::resize_file(tries, 3);
  count_one(9);
  std::ofstream(tries, std::ios::binary) << std::string(16, '\xff');
  count_one(9);
  BOOST_TEST(open(serial)->login(Role::user, pin(user_pin)).ok());
  BOOST_TEST(open(serial)->describe().so_pin.retries_left.value() == 10);
}

BOOST_AUTO_TEST_CASE(a_login_writes_nothing_to_the_database) {
  const std::string serial = make_token();
  const fs::path log = database(serial).string() + "-wal";
  const pid_t child = fork();
  if (child == 0) {
    const auto token = KeystoreToken::open(settings(), serial);
    const bool right =
        token && !(*token)->login(Role::user, pin("wrong")) && (*token)->login(Role::user, pin(user_pin)).ok();
    _exit(right ? 0 : 1);  // without closing it
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
  BOOST_TEST((!fs::exists(log) || fs::file_size(log) == 0));
}

BOOST_AUTO_TEST_CASE(authenticating_again_counts_too) {
  const auto token = open(make_token());
  BOOST_TEST(token->authenticate_again(pin(user_pin)).code() == Code::user_not_logged_in);
  BOOST_REQUIRE(token->login(Role::user, pin(user_pin)).ok());
  BOOST_TEST(token->authenticate_again(pin("wrong")).error().retries_left.value() == 9);
  BOOST_TEST(token->authenticate_again(pin(user_pin)).ok());
  BOOST_TEST(token->describe().user_pin.retries_left.value() == 10);
}

BOOST_AUTO_TEST_CASE(five_processes_log_in_at_once) {
  settings().keystore.retry_limit = 2;  // five tries that added up would lock it
  const std::string serial = make_token();
  std::vector<pid_t> children;
  for (int i = 0; i < 5; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      int failures = 0;
      for (int round = 0; round < 10; ++round) {
        const auto token = KeystoreToken::open(settings(), serial);
        if (!token || !(*token)->login(Role::user, pin(user_pin))) ++failures;
      }
      _exit(failures);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
  }
  BOOST_TEST(open(serial)->describe().user_pin.retries_left.value() == 2);
}

BOOST_AUTO_TEST_CASE(initialising_again_empties_the_token) {
  const std::string serial = make_token();
  const auto other = open_for_user(serial);
  const auto token = open(serial);
  const ObjectId old_id = (*other->create(one(secret_key("id", "value"))))[0]->id;
  BOOST_TEST(count(*token) == 1u);
  BOOST_TEST(token->initialize(pin("wrong-so"), "again").error().retries_left.value() == 9);
  BOOST_TEST(count(*token) == 1u);
  BOOST_REQUIRE(token->initialize(pin(so_pin), "again").ok());
  BOOST_TEST(token->describe().label == "again");
  BOOST_TEST(!token->describe().user_pin.initialized);
  BOOST_TEST(count(*token) == 0u);
  BOOST_TEST(count(*other) == 0u);
  // Who was logged in before holds a master key that is void.
  BOOST_TEST(other->create(one(secret_key("id", "value"))).code() == Code::user_not_logged_in);
  BOOST_TEST(token->login(Role::user, pin(user_pin)).code() == Code::user_pin_not_initialized);
  BOOST_REQUIRE(token->login(Role::security_officer, pin(so_pin)).ok());
  BOOST_REQUIRE(token->set_user_pin(pin("fresh-pin")).ok());
  BOOST_REQUIRE(other->login(Role::user, pin("fresh-pin")).ok());
  const auto created = other->create(one(secret_key("id", "value")));
  BOOST_REQUIRE(created.ok());
  BOOST_TEST((*created)[0]->id > old_id);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::keystore
