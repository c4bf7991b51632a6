// Tokens that are sealed to a machine: what opens them, what does not, and what is left when something fails midway.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <fstream>
#include <iterator>

#include "keystore/recovery_code.h"
#include "keystore/test_home.h"

namespace cardea::keystore {

using namespace test;
namespace fs = std::filesystem;

namespace {

/// A machine that seals: its number hides a secret and tells its blobs from those of others. Faults are as set.
class FakeSealer final : public Sealer {
 public:
  explicit FakeSealer(Byte machine) : machine_(machine) {}

  Result<Bytes> seal(std::string_view, const SecretBytes& secret) override {
    ++asked;
    if (absent) return error(Code::device_error, "there is no such machine");
    Bytes blob{machine_};
    for (const Byte byte : secret.view()) blob.push_back(static_cast<Byte>(byte ^ machine_));
    if (forgetful) blob.back() ^= 1;
    return blob;
  }
  Result<SecretBytes> unseal(std::string_view, ByteView blob) override {
    ++asked;
    if (absent) return error(Code::device_error, "there is no such machine");
    if (blob.size() != sealable_size + 1 || blob[0] != machine_) return error(Code::device_error, "another machine");
    SecretBytes secret(blob.subspan(1));
    for (std::size_t i = 0; i < secret.size(); ++i) secret.data()[i] ^= machine_;
    return secret;
  }

  std::atomic<int> asked{0};
  bool absent = false;
  bool forgetful = false;

 private:
  const Byte machine_;
};

struct Machines : Home {
  std::shared_ptr<KeystoreToken> on(const std::shared_ptr<FakeSealer>& machine) const {
    auto token = KeystoreToken::open(settings(), serial, machine);
    if (!token) throw std::runtime_error(describe(token.error()));
    return *token;
  }
  Pin seal() const {
    auto code = on(here)->seal(Role::user, pin(user_pin));
    if (!code) throw std::runtime_error(describe(code.error()));
    return std::move(*code);
  }
  int tries_left(Role role = Role::user) const { return pin_state(settings(), serial, role)->retries_left.value(); }
  bool opens(const std::shared_ptr<FakeSealer>& machine, std::string_view text = user_pin) const {
    return on(machine)->login(Role::user, pin(text)).ok();
  }

  std::shared_ptr<FakeSealer> here = std::make_shared<FakeSealer>(Byte{0x5a});
  std::shared_ptr<FakeSealer> elsewhere = std::make_shared<FakeSealer>(Byte{0xa5});
  std::string serial = make_token();
};

Bytes content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool holds(const Bytes& where, ByteView what) {
  return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}

/// The wrapped key of a PIN as it stands in the file.
Bytes wrapped(const Home& home, const std::string& serial, Role role) {
  auto file = StoreFile::open(home.directory(serial));
  return (*file->unlock_method(role))->wrapped.sealed;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(seals, Machines)

BOOST_AUTO_TEST_CASE(a_sealed_token_works_on_its_machine_as_before) {
  const auto before = open_for_user(serial);
  const auto key = (*before->create(one(secret_key("id", "value"))))[0];
  BOOST_TEST(!*before->sealed());
  seal();
  BOOST_TEST(*before->sealed());
  BOOST_TEST(before->secrets(*key).ok());  // who is logged in stays so
  const auto token = on(here);
  BOOST_TEST(token->login(Role::user, pin("wrong")).error().retries_left.value() == 9);
  BOOST_TEST(token->authenticate_again(pin(user_pin)).code() == Code::user_not_logged_in);
  BOOST_REQUIRE(token->login(Role::user, pin(user_pin)).ok());
  BOOST_TEST(tries_left() == 10);
  BOOST_TEST(token->authenticate_again(pin(user_pin)).ok());
  BOOST_TEST(text_of(token->secrets(*key)->at(CKA_VALUE).view()) == "value");
  BOOST_TEST(token->check_seal().ok());
  BOOST_TEST(check_keystore(settings(), here).findings.empty());
}

BOOST_AUTO_TEST_CASE(a_token_without_a_seal_asks_its_machine_nothing) {
  const auto token = on(here);
  BOOST_REQUIRE(token->login(Role::user, pin(user_pin)).ok());
  BOOST_REQUIRE(token->change(Role::user, pin(user_pin), pin("another")).ok());
  token->logout();
  BOOST_REQUIRE(token->login(Role::security_officer, pin(so_pin)).ok());
  BOOST_REQUIRE(token->set_user_pin(pin(user_pin)).ok());
  BOOST_TEST(token->check_seal().ok());
  BOOST_TEST(here->asked == 0);
}

BOOST_AUTO_TEST_CASE(a_copy_on_another_machine_does_not_open_and_burns_no_try) {
  seal();
  for (const Role role : {Role::user, Role::security_officer}) {
    const Pin right = pin(role == Role::user ? user_pin : so_pin);
    const Status refused = on(elsewhere)->login(role, right);
    BOOST_TEST(refused.code() == Code::device_error);
    BOOST_TEST(refused.error().detail == "another machine");
    BOOST_TEST(open(serial)->login(role, right).code() == Code::device_error);  // without any sealer
    BOOST_TEST(tries_left(role) == 10);
  }
  BOOST_TEST(on(elsewhere)->change(Role::user, pin(user_pin), pin("another")).code() == Code::device_error);
  BOOST_TEST(on(elsewhere)->initialize(pin(so_pin), "again").code() == Code::device_error);
  BOOST_TEST(on(elsewhere)->unseal(Role::user, pin(user_pin)).code() == Code::device_error);
  BOOST_TEST(tries_left() == 10);
  // It is there all the same, and says why.
  BOOST_TEST(on(elsewhere)->describe().label == "test");
  const auto report = check_keystore(settings(), elsewhere);
  BOOST_REQUIRE(report.findings.size() == 1u);
  BOOST_TEST(report.findings[0].sentence.find("another machine") != std::string::npos);
  BOOST_TEST(report.findings[0].next_step.find("--recovery-code") != std::string::npos);
  BOOST_TEST(opens(here));
}

BOOST_AUTO_TEST_CASE(the_machine_alone_opens_nothing_either) {
  seal();
  BOOST_TEST(on(here)->login(Role::user, pin("wrong")).code() == Code::pin_incorrect);
  BOOST_TEST(on(here)->unseal(Role::user, pin("wrong")).code() == Code::pin_incorrect);
  BOOST_TEST(on(here)->unseal(Role::security_officer, pin(user_pin)).code() == Code::pin_incorrect);
  BOOST_TEST(tries_left() == 8);
  BOOST_TEST(*open(serial)->sealed());
}

BOOST_AUTO_TEST_CASE(pins_change_and_lock_and_unlock_under_a_seal) {
  settings().keystore.retry_limit = 2;
  serial = make_token();
  seal();
  const auto token = on(here);
  BOOST_REQUIRE(token->change(Role::user, pin(user_pin), pin("another")).ok());
  BOOST_REQUIRE(token->change(Role::security_officer, pin(so_pin), pin("other-so")).ok());
  BOOST_TEST(!opens(elsewhere, "another"));
  BOOST_TEST(opens(here, "another"));
  for (int i = 0; i < 2; ++i) BOOST_TEST(token->login(Role::user, pin("wrong")).code() == Code::pin_incorrect);
  BOOST_TEST(token->login(Role::user, pin("another")).code() == Code::pin_locked);
  BOOST_REQUIRE(token->login(Role::security_officer, pin("other-so")).ok());
  BOOST_REQUIRE(token->set_user_pin(pin("third-pin")).ok());
  BOOST_TEST(!opens(elsewhere, "third-pin"));
  BOOST_TEST(opens(here, "third-pin"));
  BOOST_REQUIRE(on(here)->unseal(Role::security_officer, pin("other-so")).ok());
  BOOST_TEST(open(serial)->login(Role::user, pin("third-pin")).ok());
}

BOOST_AUTO_TEST_CASE(an_officer_who_was_logged_in_before_sets_a_pin_under_the_seal) {
  const auto officer = on(here);
  BOOST_REQUIRE(officer->login(Role::security_officer, pin(so_pin)).ok());
  seal();
  BOOST_REQUIRE(officer->set_user_pin(pin("another")).ok());
  BOOST_TEST(!opens(elsewhere, "another"));
  BOOST_TEST(opens(here, "another"));
}

BOOST_AUTO_TEST_CASE(a_token_without_a_user_pin_can_be_sealed_by_its_officer) {
  serial = *random_serial();
  {
    KeystoreToken fresh(settings(), serial);
    BOOST_REQUIRE(fresh.initialize(pin(so_pin), "officer").ok());
  }
  BOOST_REQUIRE(on(here)->seal(Role::security_officer, pin(so_pin)).ok());
  const auto token = on(here);
  BOOST_TEST(token->login(Role::user, pin(user_pin)).code() == Code::user_pin_not_initialized);
  BOOST_REQUIRE(token->login(Role::security_officer, pin(so_pin)).ok());
  BOOST_REQUIRE(token->set_user_pin(pin(user_pin)).ok());
  BOOST_TEST(!opens(elsewhere));
  BOOST_TEST(opens(here));
}

BOOST_AUTO_TEST_CASE(the_recovery_code_takes_the_seal_off_anywhere) {
  const Pin code = seal();
  const std::string text(text_of(code.view()));
  BOOST_TEST(text.size() == 39u);
  Pin wrong = *new_recovery_code();
  const auto token = on(elsewhere);
  BOOST_TEST(token->unseal_with_code(wrong).code() == Code::pin_incorrect);
  BOOST_TEST(token->unseal_with_code(pin("1234")).code() == Code::pin_invalid);
  BOOST_TEST(token->unseal_with_code(pin(text + "0")).code() == Code::pin_invalid);
  BOOST_TEST(token->unseal_with_code(pin(std::string(39, 'g'))).code() == Code::pin_invalid);
  BOOST_TEST(tries_left() == 10);
  // As people type it.
  std::string typed;
  for (const char c : text) typed += c == '-' ? ' ' : static_cast<char>(std::toupper(c));
  BOOST_REQUIRE(open(serial)->unseal_with_code(pin(typed)).ok());
  BOOST_TEST(!*token->sealed());
  BOOST_TEST(token->login(Role::user, pin("wrong")).code() == Code::pin_incorrect);  // a code is no PIN
  BOOST_TEST(opens(elsewhere));
  BOOST_TEST(token->unseal_with_code(code).code() == Code::not_found);
  // To be sealed to the new machine, with a new code.
  const auto again = on(elsewhere)->seal(Role::user, pin(user_pin));
  BOOST_REQUIRE(again.ok());
  BOOST_TEST(!opens(here));
  BOOST_TEST(on(here)->unseal_with_code(code).code() == Code::pin_incorrect);
  BOOST_TEST(on(here)->unseal_with_code(*again).ok());
}

BOOST_AUTO_TEST_CASE(sealing_twice_and_unsealing_twice_is_refused) {
  seal();
  BOOST_TEST(on(here)->seal(Role::user, pin(user_pin)).code() == Code::exists);
  BOOST_REQUIRE(on(here)->unseal(Role::user, pin(user_pin)).ok());
  BOOST_TEST(on(here)->unseal(Role::user, pin(user_pin)).code() == Code::not_found);
  BOOST_TEST(open(serial)->seal(Role::user, pin(user_pin)).code() == Code::function_not_supported);
  BOOST_TEST(on(here)->seal(Role::user, pin("wrong")).code() == Code::pin_incorrect);
  BOOST_TEST(!*open(serial)->sealed());
}

BOOST_AUTO_TEST_CASE(a_machine_that_fails_leaves_the_token_as_it_was) {
  here->absent = true;
  BOOST_TEST(on(here)->seal(Role::user, pin(user_pin)).code() == Code::device_error);
  here->absent = false;
  here->forgetful = true;
  BOOST_TEST(on(here)->seal(Role::user, pin(user_pin)).code() == Code::device_error);
  here->forgetful = false;
  BOOST_TEST(!*open(serial)->sealed());
  BOOST_TEST(open(serial)->login(Role::user, pin(user_pin)).ok());
  seal();
  here->absent = true;
  BOOST_TEST(on(here)->login(Role::user, pin(user_pin)).code() == Code::device_error);
  BOOST_TEST(tries_left() == 10);
  here->absent = false;
  BOOST_TEST(opens(here));
}

// What a thief would try PINs on offline.
BOOST_AUTO_TEST_CASE(the_file_keeps_nothing_that_opens_with_a_pin_alone) {
  const Bytes user = wrapped(*this, serial, Role::user), officer = wrapped(*this, serial, Role::security_officer);
  BOOST_REQUIRE(holds(content(database(serial)), user));
  seal();
  for (const auto& entry : fs::directory_iterator(directory(serial))) {
    BOOST_TEST(!holds(content(entry.path()), user));
    BOOST_TEST(!holds(content(entry.path()), officer));
  }
  BOOST_REQUIRE(on(here)->unseal(Role::user, pin(user_pin)).ok());
  BOOST_TEST(holds(content(database(serial)), user));
}

BOOST_AUTO_TEST_CASE(an_older_program_finds_a_sealed_store_too_new) {
  const auto version = [&] {
    // Bytes 60 to 63 of the file are what PRAGMA user_version sets (SQLite, database file format, 1.3).
    const Bytes head = content(database(serial));
    return int{head.at(63)};
  };
  BOOST_TEST(version() == 1);
  const Pin code = seal();
  BOOST_TEST(version() == 2);
  BOOST_REQUIRE(open(serial)->unseal_with_code(code).ok());
  BOOST_TEST(version() == 1);
  // And a token that is made new is not sealed any more.
  seal();
  BOOST_REQUIRE(on(here)->initialize(pin(so_pin), "new").ok());
  BOOST_TEST(!*open(serial)->sealed());
  BOOST_TEST(open(serial)->login(Role::security_officer, pin(so_pin)).ok());
}

BOOST_AUTO_TEST_CASE(rows_that_were_changed_are_damage_and_no_wrong_pin) {
  seal();
  const auto edited = [&](const std::string& sql) {
    run_sql(database(serial), "CREATE TABLE kept AS SELECT * FROM unlock_method; " + sql);
    const Status refused = on(here)->login(Role::user, pin(user_pin));
    run_sql(database(serial),
            "DELETE FROM unlock_method; INSERT INTO unlock_method SELECT * FROM kept; DROP TABLE kept");
    return refused.code();
  };
  BOOST_TEST(edited("UPDATE unlock_method SET sealed = zeroblob(60) WHERE role = 1") == Code::store_corrupt);
  BOOST_TEST(edited("UPDATE unlock_method SET sealed = (SELECT sealed FROM unlock_method WHERE role = 2)"
                    " WHERE role = 1") == Code::store_corrupt);
  BOOST_TEST(edited("DELETE FROM unlock_method WHERE kind = 3") == Code::store_corrupt);
  BOOST_TEST(edited("DELETE FROM unlock_method WHERE role = 0") == Code::store_corrupt);
  BOOST_TEST(edited("UPDATE unlock_method SET kind = 1 WHERE role = 1") == Code::pin_incorrect);
  BOOST_TEST(opens(here));
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_written_opens_and_stays_sealed) {
  seal();
  if (geteuid() == 0) {
    // File modes do not bind the superuser: as somebody else.
    BOOST_REQUIRE(chmod(path().parent_path().c_str(), 0755) == 0);
    for (const auto& entry : fs::recursive_directory_iterator(path())) {
      BOOST_REQUIRE(chown(entry.path().c_str(), 65534, 65534) == 0);
    }
    BOOST_REQUIRE(chown(path().c_str(), 65534, 65534) == 0);
  }
  for (const auto& entry : fs::directory_iterator(directory(serial))) fs::permissions(entry.path(), fs::perms(0400));
  fs::permissions(directory(serial), fs::perms(0500));
  const int outcome = in_child([&] {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 1;
    if (!opens(here)) return 2;
    if (opens(elsewhere)) return 3;
    if (on(here)->unseal(Role::user, pin(user_pin)).code() != Code::token_write_protected) return 4;
    return 0;
  });
  BOOST_TEST(outcome == 0);
  fs::permissions(directory(serial), fs::perms(0700));
}

BOOST_AUTO_TEST_CASE(processes_log_in_while_another_seals_and_unseals) {
  std::array<pid_t, 3> children{};
  for (pid_t& child : children) {
    child = fork();
    if (child != 0) continue;
    int failures = 0;
    for (int round = 0; round < 30; ++round) {
      const auto token = KeystoreToken::open(settings(), serial, here);
      if (!token || !(*token)->login(Role::user, pin(user_pin))) ++failures;
    }
    _exit(failures);
  }
  for (int round = 0; round < 10; ++round) {
    seal();
    BOOST_REQUIRE(on(here)->unseal(Role::security_officer, pin(so_pin)).ok());
  }
  for (const pid_t child : children) {
    int status = -1;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
  }
  BOOST_TEST(tries_left() == 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::keystore
