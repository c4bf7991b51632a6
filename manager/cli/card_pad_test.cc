// `cardea card pin change` with a virtual PIV card in a reader that has a PIN pad.
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "card/virtual_card.h"
#include "cli/context.h"
#include "pcsc/memory_channel.h"
#include "pcsc/typing_pad.h"

namespace cardea::cli {
namespace {

struct ReaderWithPad {
  ReaderWithPad() {
    channel->attach(pad);
    std::string pattern = (std::filesystem::temp_directory_path() / "cardea-pad-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
  }
  ~ReaderWithPad() { std::filesystem::remove_all(folder); }
  ReaderWithPad(const ReaderWithPad&) = delete;
  ReaderWithPad& operator=(const ReaderWithPad&) = delete;

  /// The name of a file with this PIN.
  std::string file(const std::string& pin) const {
    std::filesystem::path path = folder / pin;
    std::ofstream(path) << pin << '\n';
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }
  Status run(std::vector<std::string> words) {
    words.insert(words.begin(), "card");
    Options preset;
    preset.card_recorded = channel;
    return run_inside(words, preset);
  }

  vcard::VirtualCard card{vcard::CardState{*vcard::new_piv({})}};
  std::shared_ptr<card::MemoryChannel> channel = std::make_shared<card::MemoryChannel>(
      card.atr(), card::ApduLimits{}, [this](ByteView command) { return Result<Bytes>(card.exchange(command)); });
  card::TypingPad reader{[this](ByteView command) { return card.exchange(command); }};
  card::ReaderPinPad pad = reader.pad();
  std::filesystem::path folder;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(card_pad, ReaderWithPad)

BOOST_AUTO_TEST_CASE(the_pin_is_changed_at_the_reader) {
  reader.typed = {"123456", "654321", "654321"};
  BOOST_TEST(run({"pin", "change"}).ok());
  reader.typed = {"654321", "222222", "222222"};
  BOOST_TEST(run({"pin", "change"}).ok());
  reader.typed = {"12345678", "87654321", "87654321"};
  BOOST_TEST(run({"puk", "change"}).ok());
  BOOST_TEST(reader.entries == 9);
}

BOOST_AUTO_TEST_CASE(failures_at_the_reader_are_told_in_words) {
  reader.typed = {"111111", "654321", "654321"};
  const Status wrong = run({"pin", "change"});
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  reader.typed = {"123456", "654321", "654322"};
  const Status different = run({"pin", "change"});
  BOOST_TEST((different.code() == Code::pin_invalid));
  BOOST_TEST(different.error().detail.find("not repeated") != std::string::npos);
  reader.cancels = true;
  const Status cancelled = run({"pin", "change"});
  BOOST_TEST((cancelled.code() == Code::function_canceled));
  BOOST_TEST(cancelled.error().detail.find("cancelled on the reader") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_pin_in_a_file_is_not_asked_for_at_the_reader) {
  const std::string old_pin = file("123456");
  const std::string new_pin = file("654321");
  BOOST_TEST(run({"pin", "change", "--pin-file", old_pin, "--new-pin-file", new_pin}).ok());
  BOOST_TEST(reader.entries == 0);
  reader.typed = {"654321", "222222", "222222"};
  BOOST_TEST(run({"pin", "change"}).ok());
}

BOOST_AUTO_TEST_CASE(the_last_try_is_not_used_without_a_yes) {
  for (const char* wrong : {"111111", "222222"}) {
    reader.typed = {wrong, "654321", "654321"};
    BOOST_TEST((run({"pin", "change"}).code() == Code::pin_incorrect));
  }
  const int before = reader.entries;
  const pid_t child = fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    setsid();  // nobody's terminal is asked
    const bool refused = run({"pin", "change"}).code() == Code::pin_incorrect;
    _exit(refused && reader.entries == before ? 0 : 1);
  }
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
