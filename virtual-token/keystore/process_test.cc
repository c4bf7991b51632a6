// Many processes and their ends: forks, kills, read-only places, permissions, slots.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>

#include "keystore/schema.h"
#include "keystore/test_home.h"

namespace cardea::keystore {

using namespace test;
namespace fs = std::filesystem;

namespace {

std::set<std::string> keys(const std::vector<TokenSlotPtr>& slots) {
  std::set<std::string> all;
  for (const TokenSlotPtr& slot : slots) all.insert(slot->key());
  return all;
}

bool intact(const Home& home, const std::string& serial) {
  const auto findings = home.open(serial)->check();
  return findings.ok() && findings->empty();
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

/// Gives a home to another user, so that this process (when it is root) can become that user and meet permissions.
constexpr uid_t nobody = 65534;
void give_away(const fs::path& root) {
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    BOOST_REQUIRE(lchown(entry.path().c_str(), nobody, nobody) == 0);
  }
  BOOST_REQUIRE(chown(root.c_str(), nobody, nobody) == 0);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(processes, Home)

BOOST_AUTO_TEST_CASE(a_blank_slot_is_always_offered) {
  const auto source = make_keystore_source(settings());
  const auto before = source->slots();
  BOOST_REQUIRE(before.size() == 1u);
  const TokenPtr token = *before[0]->token();
  BOOST_TEST(!token->describe().initialized);
  BOOST_REQUIRE(token->initializer()->initialize(pin(so_pin), "first").ok());
  const std::string elsewhere = make_token("by another process");
  const auto after = source->slots();
  BOOST_REQUIRE(after.size() == 3u);
  BOOST_TEST(after[0] == before[0]);
  BOOST_TEST((*after[0]->token())->describe().label == "first");
  BOOST_TEST(after[1]->key() == "keystore:" + elsewhere);
  BOOST_TEST(!(*after[2]->token())->describe().initialized);
  BOOST_TEST(source->slots() == after);
  BOOST_REQUIRE(delete_token(settings(), elsewhere).ok());
  BOOST_TEST(after[1]->token().code() == Code::token_absent);
  BOOST_TEST(delete_token(settings(), elsewhere).code() == Code::not_found);
  BOOST_TEST(delete_token(settings(), "../home").code() == Code::not_found);
  const auto restarted = make_keystore_source(settings())->slots();
  BOOST_TEST(restarted.size() == 2u);
  BOOST_TEST(keys(restarted).contains(after[0]->key()));
  settings().keystore.enabled = false;
  BOOST_TEST(make_keystore_source(settings())->slots().empty());
}

BOOST_AUTO_TEST_CASE(a_deleted_token_takes_no_writes) {
  const std::string serial = make_token();
  const auto token = open(serial);
  BOOST_REQUIRE(delete_token(settings(), serial).ok());
  BOOST_TEST(token->create(one(data_object("x", "v"))).code() == Code::device_removed);
}

BOOST_AUTO_TEST_CASE(a_forked_child_uses_nothing_inherited) {
  const std::string serial = make_token();
  const auto parent = open_for_user(serial);
  BOOST_REQUIRE(parent->create(one(data_object("before", "v"))).ok());
  for (int round = 0; round < 20; ++round) {
    const int status = in_child([&] {
      const auto child = KeystoreToken::open(settings(), serial);
      if (!child || !(*child)->login(Role::user, pin(user_pin))) return 1;
      if (!(*child)->create(one(secret_key("child", "value")))) return 2;
      return 0;  // closed by the end of the process only
    });
    BOOST_REQUIRE(status == 0);
    BOOST_REQUIRE(parent->create(one(secret_key("parent", "value"))).ok());
    BOOST_TEST(count(*parent) == 1u + 2u * static_cast<unsigned>(round + 1));
  }
  const int closing = in_child([&] {
    auto child = KeystoreToken::open(settings(), serial);
    if (!child) return 1;
    child->reset();
    return in_child([&] { return KeystoreToken::open(settings(), serial) ? 0 : 2; });
  });
  BOOST_TEST(closing == 0);
  BOOST_REQUIRE(parent->create(one(secret_key("parent", "value"))).ok());
  BOOST_TEST(in_child([&] { return intact(*this, serial) ? 0 : 1; }) == 0);
}

BOOST_AUTO_TEST_CASE(a_child_does_not_keep_the_login_lock_of_its_killed_parent) {
  const std::string serial = make_token();
  int ready[2];
  int end[2];
  BOOST_REQUIRE(pipe(ready) == 0);
  BOOST_REQUIRE(pipe(end) == 0);
  const pid_t parent = fork();
  BOOST_REQUIRE(parent >= 0);
  if (parent == 0) {
    close(end[1]);
    alarm(60);
    const auto lock = LoginLock::take(directory(serial));  // as while a PIN is tried
    char byte = lock ? 'y' : 'n';
    const bool is_child = fork() == 0;
    if (is_child && write(ready[1], &byte, 1) != 1) _exit(1);
    while (!is_child) pause();
    alarm(60);
    while (read(end[0], &byte, 1) < 0) continue;  // until the test has closed its end
    _exit(0);
  }
  close(end[0]);
  char byte = 0;
  BOOST_REQUIRE(read(ready[0], &byte, 1) == 1);
  BOOST_TEST(byte == 'y');
  const int locked = ::open((directory(serial) / lock_name).c_str(), O_RDWR | O_CLOEXEC);
  BOOST_TEST(flock(locked, LOCK_EX | LOCK_NB) != 0);
  close(locked);
  BOOST_REQUIRE(kill(parent, SIGKILL) == 0);
  BOOST_REQUIRE(waitpid(parent, nullptr, 0) == parent);
  BOOST_TEST(open(serial)->login(Role::user, pin(user_pin)).ok());
  for (const int descriptor : {ready[0], ready[1], end[1]}) close(descriptor);
}

BOOST_AUTO_TEST_CASE(a_long_log_left_behind_is_put_away_by_the_next_opener) {
  constexpr std::size_t objects = 20;
  constexpr std::size_t long_log = std::size_t{1} << 20;
  const std::string serial = make_token();
  const fs::path log = database(serial).string() + "-wal";
  const int status = in_child([&]() -> int {
    const auto child = KeystoreToken::open(settings(), serial);
    if (!child) return 1;
    const std::string value(std::size_t{64} << 10, 'x');
    for (std::size_t i = 0; i < objects; ++i) {
      if (!(*child)->create(one(data_object("large", value)))) return 2;
    }
    _exit(0);  // without closing it
  });
  BOOST_REQUIRE(status == 0);
  BOOST_REQUIRE(fs::file_size(log) > long_log);
  {
    auto reader = Connection::open(database(serial), Connection::Mode::read_only);
    BOOST_REQUIRE(reader.ok());
    BOOST_REQUIRE(reader->execute("BEGIN; SELECT count(*) FROM object").ok());
    const auto beside = open(serial);
    BOOST_TEST(count(*beside) == objects);
    BOOST_TEST(fs::file_size(log) > long_log);
    BOOST_REQUIRE(reader->execute("COMMIT").ok());
    BOOST_TEST(count(*open(serial)) == objects);
    BOOST_TEST(fs::file_size(log) == 0u);
  }
  BOOST_TEST(intact(*this, serial));
}

BOOST_AUTO_TEST_CASE(forks_while_threads_write) {
  const std::string serial = make_token();
  const auto token = open(serial);
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    while (!stop) written += token->create(one(data_object("thread", "v"))).ok() ? 1 : 1000000;
  });
  int children = 0;
  for (int i = 0; i < 30; ++i) {
    children += in_child([&] {
      const auto child = KeystoreToken::open(settings(), serial);
      return child && (*child)->create(one(data_object("child", "v"))) ? 0 : 1;
    });
  }
  stop = true;
  writer.join();
  BOOST_TEST(children == 0);
  BOOST_TEST(count(*token) == static_cast<std::size_t>(written) + 30u);
  BOOST_TEST(intact(*this, serial));
}

BOOST_AUTO_TEST_CASE(killed_writers_lose_nothing_that_was_acknowledged) {
  const std::string serial = make_token();
  for (int round = 0; round < 25; ++round) {
    int channel[2];
    BOOST_REQUIRE(pipe(channel) == 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto token = KeystoreToken::open(settings(), serial);
      for (;;) {
        auto created =
            token ? (*token)->create(one(data_object("x", "v"))) : Result<std::vector<ObjectPtr>>(token.error());
        if (!created || write(channel[1], &(*created)[0]->id, sizeof(ObjectId)) < 0) _exit(1);
      }
    }
    close(channel[1]);
    ObjectId last = 0;
    for (int i = 0; i <= round; ++i) BOOST_REQUIRE(read(channel[0], &last, sizeof last) == sizeof last);
    BOOST_REQUIRE(kill(child, SIGKILL) == 0);
    BOOST_REQUIRE(waitpid(child, nullptr, 0) == child);
    while (read(channel[0], &last, sizeof last) == sizeof last) continue;
    close(channel[0]);
    const auto token = open(serial);
    BOOST_TEST(token->object(last).ok());
    BOOST_TEST(intact(*this, serial));
    BOOST_REQUIRE(token->destroy(last).ok());
    BOOST_TEST(open(serial)->object(last).code() == Code::object_handle_invalid);
  }
}

BOOST_AUTO_TEST_CASE(eight_processes_write_at_once) {
  const std::string serial = make_token();
  const auto watcher = open(serial);
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const auto token = KeystoreToken::open(settings(), serial);
      int failures = token ? 0 : 100;
      for (int n = 0; token && n < 20; ++n) {
        const auto created = (*token)->create(one(data_object(std::to_string(i), "v")));
        if (!created || (n % 2 == 0 && !(*token)->destroy((*created)[0]->id))) ++failures;
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
  BOOST_TEST(count(*watcher) == 80u);
  BOOST_TEST(intact(*this, serial));
}

BOOST_AUTO_TEST_CASE(threads_find_while_others_write) {
  const std::string serial = make_token();
  const auto token = open_for_user(serial);
  const ObjectPtr fixed = (*token->create(one(secret_key("fixed", "value"))))[0];
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      AttributeSet match;
      match.set_text(CKA_ID, "fixed");
      for (int n = 0; n < 100; ++n) {
        std::size_t found = 0;
        if (!token->find({.match = match, .include_private = true}, [&](const ObjectPtr&) { ++found; })) ++failures;
        if (found != 1 || !token->key(*fixed)) ++failures;
        if (i != 0) continue;
        const auto created = token->create(one(data_object("x", "v")));
        if (!created || !token->destroy((*created)[0]->id)) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(failures == 0);
}

BOOST_AUTO_TEST_CASE(permissions_are_made_right) {
  const std::string serial = make_token();
  for (const fs::path& path : {this->path(), directory(serial), database(serial), directory(serial) / lock_name}) {
    BOOST_REQUIRE(chmod(path.c_str(), 0777) == 0);
  }
  BOOST_TEST(open(serial)->describe().problems.empty());
  BOOST_TEST(mode_of(path()) == 0700u);
  BOOST_TEST(mode_of(directory(serial)) == 0700u);
  BOOST_TEST(mode_of(database(serial)) == 0600u);
  BOOST_TEST(mode_of(directory(serial) / lock_name) == 0600u);
}

BOOST_AUTO_TEST_CASE(symbolic_links_are_refused) {
  const std::string serial = make_token();
  const fs::path moved = path().parent_path() / "moved";
  fs::rename(directory(serial), moved);
  fs::create_directory_symlink(moved, directory(serial));
  BOOST_TEST(KeystoreToken::open(settings(), serial).code() == Code::permission_denied);
}

BOOST_AUTO_TEST_CASE(the_way_to_the_home_may_lead_through_links) {
  const fs::path link = path().parent_path() / "link to the parent";
  fs::create_directory_symlink(path().parent_path(), link);
  settings().home = link / "home";
  const std::string serial = make_token();
  BOOST_TEST(open(serial)->create(one(data_object("x", "v"))).ok());
}

BOOST_AUTO_TEST_CASE(foreign_directories_are_refused) {
  if (geteuid() != 0) {
    BOOST_TEST_MESSAGE("skipped: only root can give a directory away");
    return;
  }
  const std::string serial = make_token();
  give_away(directory(serial));
  const auto refused = KeystoreToken::open(settings(), serial);
  BOOST_REQUIRE(refused.code() == Code::permission_denied);
  BOOST_TEST(refused.error().detail.find("belongs to another user") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_read_only_home_still_signs) {
  const std::string serial = make_token();
  const ObjectId id = (*open_for_user(serial)->create(one(secret_key("id", "value"))))[0]->id;
  const fs::path root = path().parent_path();
  if (geteuid() == 0) give_away(root);
  BOOST_REQUIRE(chmod(directory(serial).c_str(), 0500) == 0);
  BOOST_REQUIRE(chmod(database(serial).c_str(), 0400) == 0);
  const int status = in_child([&] {
    if (geteuid() == 0 && (setgid(nobody) != 0 || setuid(nobody) != 0)) return 1;
    const auto opened = KeystoreToken::open(settings(), serial);
    if (!opened) return 2;
    KeystoreToken& token = **opened;
    if (!token.describe().write_protected) return 3;
    if (token.login(Role::user, pin("wrong")).code() != Code::pin_incorrect) return 4;
    if (!token.login(Role::user, pin(user_pin))) return 5;
    const auto object = token.object(id);
    if (!object || !token.key(**object)) return 6;
    if (token.create(one(data_object("x", "v"))).code() != Code::token_write_protected) return 7;
    if (token.destroy(id).code() != Code::token_write_protected) return 8;
    if (token.change(Role::user, pin(user_pin), pin("another")).code() != Code::token_write_protected) return 9;
    if (token.initialize(pin(so_pin), "x").code() != Code::token_write_protected) return 10;
    return 0;
  });
  BOOST_TEST(status == 0);
  BOOST_REQUIRE(chmod(directory(serial).c_str(), 0700) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::keystore
