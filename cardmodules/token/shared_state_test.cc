#include "cards/shared_state.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "cards/fake_card.h"

namespace cardea::card::test {
namespace {

const Bytes identity{1, 2, 3};

/// Whether whoever leaves now would close the card.
bool leaves_as_last(SharedState& state) {
  bool last = false;
  state.leave([&] { last = true; });
  return last;
}

/// A process that is logged in until it is killed.
class OtherProcess {
 public:
  /// `with_child`: it has one, which lives on.
  explicit OtherProcess(const std::filesystem::path& directory, bool with_child = false) {
    std::array<int, 2> ready{};
    std::array<int, 2> end{};
    BOOST_REQUIRE(::pipe(ready.data()) == 0);
    BOOST_REQUIRE(::pipe2(end.data(), O_CLOEXEC) == 0);
    id_ = ::fork();
    BOOST_REQUIRE(id_ >= 0);
    if (id_ == 0) {
      ::close(end[1]);
      ::alarm(60);
      SharedState state(directory, identity);
      state.enter();
      state.line_up();
      char byte = 'r';
      const bool is_child = with_child && ::fork() == 0;
      if (is_child == with_child && ::write(ready[1], &byte, 1) != 1) ::_exit(1);
      // The child lives until the test lets go of the pipe, its parent until it is killed.
      while (!is_child) ::pause();
      ::alarm(60);
      while (::read(end[0], &byte, 1) < 0) continue;
      ::_exit(0);
    }
    ::close(ready[1]);
    ::close(end[0]);
    lets_child_go_ = end[1];
    char byte = 0;
    BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
  }
  ~OtherProcess() {
    kill();
    ::close(lets_child_go_);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  void kill() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
    id_ = 0;
  }

 private:
  pid_t id_ = 0;
  int lets_child_go_ = -1;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(shared_state, Directories)

BOOST_AUTO_TEST_CASE(only_the_last_one_closes) {
  SharedState first(root / "run", identity);
  SharedState second(root / "run", identity);
  SharedState of_another_card(root / "run", Bytes{9});
  first.enter();
  second.enter();
  of_another_card.enter();
  BOOST_TEST(!leaves_as_last(first));
  BOOST_TEST(leaves_as_last(second));
  BOOST_TEST(leaves_as_last(of_another_card));
}

BOOST_AUTO_TEST_CASE(a_killed_process_is_forgotten) {
  SharedState own(root / "run", identity);
  OtherProcess other(root / "run");
  own.enter();
  BOOST_TEST(!leaves_as_last(own));
  other.kill();
  own.enter();
  BOOST_TEST(leaves_as_last(own));
}

BOOST_AUTO_TEST_CASE(a_child_does_not_stay_logged_in_for_its_killed_parent) {
  SharedState own(root / "run", identity);
  OtherProcess other(root / "run", /*with_child=*/true);
  own.enter();
  BOOST_TEST(!leaves_as_last(own));
  other.kill();
  own.enter();
  BOOST_TEST(leaves_as_last(own));
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_ever_in_the_queue) {
  SharedState first(root / "run", identity);
  SharedState second(root / "run", identity);
  first.line_up();
  first.enter();  // the queue is another matter than the login
  second.enter();
  second.line_up();
  second.step_out();
  BOOST_TEST(!leaves_as_last(first));
  first.step_out();
}

BOOST_AUTO_TEST_CASE(a_stamp_tells_of_writes) {
  SharedState first(root / "run", identity);
  SharedState second(root / "run", identity);
  BOOST_TEST(first.stamp() == 0u);
  const std::uint64_t stamp = first.stamp_anew();
  BOOST_TEST(stamp != 0u);
  BOOST_TEST(second.stamp() == stamp);
  BOOST_TEST(second.stamp_anew() != stamp);
}

BOOST_AUTO_TEST_CASE(without_a_directory_one_is_alone) {
  SharedState state("/proc/cardea", identity);
  state.enter();
  BOOST_TEST(state.stamp() == 0u);
  BOOST_TEST(leaves_as_last(state));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::card::test
