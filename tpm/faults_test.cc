// What happens to virtual cards when something else goes wrong: kills, damage, other processes, a TPM that goes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "database/sqlite.h"
#include "tpm/test_rig.h"

namespace cardea::tpm {

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

namespace {

/// Changes the PIN from pins[0] to pins[1], once it has said that it is about to; says so again when it is done.
[[noreturn]] void change_pin(Rig& rig, const Pin (&pins)[2], int say) {
  const auto token = rig.open();
  if (!token->login(Role::user, pins[0])) _exit(1);
  const bool told =
      write(say, "1", 1) == 1 && token->change(Role::user, pins[0], pins[1]).ok() && write(say, "2", 1) == 1;
  if (!told) _exit(1);
  for (;;) pause();
}

/// Waits for that word of the child's; false when it has ended instead.
bool hears(int from) {
  char word = 0;
  return read(from, &word, 1) == 1;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_process_killed_while_it_changes_the_pin_leaves_one_that_works, Rig) {
  Pin pins[] = {pin_of("123456"), pin_of("abcdef")};
  std::size_t old_ones = 0, new_ones = 0;
  // The first child is killed when it is done; how long it took tells over what time the kills are spread.
  std::chrono::microseconds took{};
  constexpr int rounds = 16;
  for (int round = 0; round <= rounds; ++round) {
    int ends[2];
    BOOST_REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) change_pin(*this, pins, ends[1]);
    close(ends[1]);
    BOOST_REQUIRE(hears(ends[0]));
    const auto begun = std::chrono::steady_clock::now();
    if (round == 0) {
      BOOST_REQUIRE(hears(ends[0]));
      took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
    } else {
      std::this_thread::sleep_for(took * 3 * round / (2 * rounds));
    }
    kill(child, SIGKILL);
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_REQUIRE_MESSAGE(WIFSIGNALED(status), "the child could not change the PIN");
    close(ends[0]);
    const auto token = open();
    const bool unchanged = token->login(Role::user, pins[0]).ok();
    if (!unchanged) {
      ok(token->login(Role::user, pins[1]));
      std::swap(pins[0], pins[1]);
    }
    ++(unchanged ? old_ones : new_ones);
  }
  BOOST_TEST_MESSAGE("killed before the change: " << old_ones << ", after it: " << new_ones);
  BOOST_TEST(old_ones > 0u);
  BOOST_TEST(new_ones > 0u);
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

}  // namespace cardea::tpm
