#include "base/process_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>

namespace cardea {
namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cardea-file-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path path;
};

std::unique_ptr<ProcessFile> open_in(const Folder& folder) {
  return std::make_unique<ProcessFile>(folder.path / "lock", O_RDWR | O_CREAT, 0600);
}

bool take(const ProcessFile& file) {
  return flock(file.number(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(process_file, Folder)

BOOST_AUTO_TEST_CASE(a_child_neither_keeps_nor_releases_the_lock) {
  auto held = open_in(*this);
  auto before = open_in(*this);
  auto after = open_in(*this);
  before.reset();
  BOOST_REQUIRE(take(*held));
  std::array<int, 2> ready{};
  BOOST_REQUIRE(pipe(ready.data()) == 0);
  const pid_t child = fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);
    const bool lost = held->number() < 0 && after->number() < 0;
    held.reset();
    const ProcessFile own(path / "own", O_RDWR | O_CREAT, 0600);
    const char byte = lost && own.number() >= 0 ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char answer = 0;
  BOOST_REQUIRE(read(ready[0], &answer, 1) == 1);
  BOOST_TEST(answer == 'y');
  BOOST_TEST(!take(*after));
  held.reset();  // closed, not unlocked
  BOOST_TEST(take(*after));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_says_why) {
  const ProcessFile missing(path / "no such folder" / "file", O_RDWR | O_CREAT, 0600);
  BOOST_TEST(errno == ENOENT);
  BOOST_TEST(missing.number() < 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea
