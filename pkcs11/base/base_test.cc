#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/guarded.h"
#include "base/process_root.h"
#include "base/result.h"
#include "base/secret.h"

namespace cardea {

BOOST_AUTO_TEST_SUITE(base)

BOOST_AUTO_TEST_CASE(hexadecimal_goes_both_ways) {
  const Bytes bytes{0x00, 0x7f, 0xff};
  BOOST_TEST(to_hex(bytes) == "007fff");
  Bytes back;
  BOOST_TEST(from_hex("007FfF", back));
  BOOST_TEST(back == bytes);
  BOOST_TEST(!from_hex("0", back));
  BOOST_TEST(!from_hex("0g", back));
}

Result<int> half(int number) {
  if (number % 2 != 0) return Code::data_invalid;
  return number / 2;
}

Result<int> quarter(int number) {
  CARDEA_ASSIGN(const int once, half(number));
  CARDEA_ASSIGN(const int twice, half(once));
  return twice;
}

BOOST_AUTO_TEST_CASE(a_result_is_a_value_or_says_why_not) {
  BOOST_TEST(*quarter(8) == 2);
  const Result<int> failed = quarter(6);
  BOOST_TEST(!failed.ok());
  BOOST_TEST((failed.code() == Code::data_invalid));
  Error wrong_pin = error(Code::pin_incorrect, "token \"a\"");
  wrong_pin.retries_left = 2;
  BOOST_TEST(describe(wrong_pin) == "the PIN is wrong: token \"a\" (tries left: 2)");
}

BOOST_AUTO_TEST_CASE(an_error_remembers_the_line_that_made_it) {
  const unsigned line = __LINE__ + 1;
  const Error made = error(Code::arguments_bad);
  BOOST_TEST(made.where.line == line);
  BOOST_TEST(std::string_view(made.where.file).ends_with("base_test.cc"));
  const auto fail = []() -> Result<int> { return Code::arguments_bad; };
  BOOST_TEST(fail().error().where.line == line + 3);
}

BOOST_AUTO_TEST_CASE(every_code_has_a_name_and_words) {
#define CARDEA_ERROR(code, text)         \
  BOOST_TEST(name(Code::code) == #code); \
  BOOST_TEST(!words(Code::code).empty());
#include "base/errors.def"
#undef CARDEA_ERROR
}

BOOST_AUTO_TEST_CASE(secrets_move_and_leave_nothing_behind) {
  SecretBytes first(view_of("correct horse"));
  const Byte* const place = first.data();
  SecretBytes second = std::move(first);
  BOOST_TEST(first.empty());
  BOOST_TEST(text_of(second.view()) == "correct horse");
  second.truncate(7);
  BOOST_TEST(text_of(second.view()) == "correct");
  // What was cut off is gone already while the memory is still ours.
  BOOST_TEST(place[8] == 0);
  const SecretBytes copy = second.copy();
  second.clear();
  BOOST_TEST(text_of(copy.view()) == "correct");
}

BOOST_AUTO_TEST_CASE(released_secret_memory_is_wiped_before_it_is_used_again) {
  for (const std::size_t size : {1, 32, 33, 1000, 4096, 4097, 100000}) {
    { SecretBytes secret(Bytes(size, 0xa5)); }
    const SecretBytes fresh(size);
    BOOST_TEST((fresh.view().size() == size));
    for (const Byte byte : fresh.view()) BOOST_REQUIRE(byte == 0);
  }
}

BOOST_AUTO_TEST_CASE(secrets_of_many_threads_do_not_mix) {
  std::vector<std::thread> threads;
  std::atomic<int> mixed{0};
  for (Byte mark = 1; mark <= 8; ++mark) {
    threads.emplace_back([mark, &mixed] {
      for (int round = 0; round < 2000; ++round) {
        SecretBytes secret(Bytes(1 + round % 200, mark));
        for (const Byte byte : secret.view()) mixed += byte != mark;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(mixed == 0);
}

BOOST_AUTO_TEST_CASE(constant_time_comparison_compares) {
  BOOST_TEST(equal_in_constant_time(view_of("abc"), view_of("abc")));
  BOOST_TEST(!equal_in_constant_time(view_of("abc"), view_of("abd")));
  BOOST_TEST(!equal_in_constant_time(view_of("abc"), view_of("ab")));
}

struct Counter {
  int value = 0;
};

BOOST_AUTO_TEST_CASE(a_forked_child_sees_no_root_of_its_parent) {
  process_singleton<Counter>(Root::stores).value = 42;
  SecretBytes inherited(view_of("parent"));
  const pid_t child = fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    const bool clean = process_singleton<Counter>(Root::stores).value == 0;
    const bool secrets_work = SecretBytes(view_of("child")).size() == 5;
    _exit(clean && secrets_work ? 0 : 1);
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
  BOOST_TEST(process_singleton<Counter>(Root::stores).value == 42);
}

BOOST_AUTO_TEST_CASE(guarded_state_is_reached_under_its_lock_only) {
  SharedGuarded<std::vector<int>> numbers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) numbers.with([&](auto& list) { list.push_back(j); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(numbers.read([](const auto& list) { return list.size(); }) == 4000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea
