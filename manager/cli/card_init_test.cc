// `cardea card init` with blank virtual cards.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "base/testing_folder.h"
#include "card/virtual_card.h"
#include "cli/context.h"
#include "pcsc/memory_channel.h"

namespace cardea::cli {
namespace {

struct BlankCard {
  Status init(const std::string& key, const std::string& pin) {
    Options preset;
    preset.card_recorded = channel;
    return run_inside({"card", "init", "--new-admin-key-file", file("key", key), "--new-pin-file", file("pin", pin)},
                      preset);
  }
  std::string file(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = folder.path / name;
    std::ofstream(path) << content << '\n';
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }
  const vcard::GidsState& state() { return std::get<vcard::GidsState>(card.state().content); }

  cardea::testing::Folder folder;
  vcard::VirtualCard card{vcard::CardState{vcard::new_gids()}};
  std::shared_ptr<card::MemoryChannel> channel = std::make_shared<card::MemoryChannel>(
      card.atr(), card::ApduLimits{}, [this](ByteView command) { return Result<Bytes>(card.exchange(command)); });
  const std::string key = "0f0e0d0c0b0a09080706050403020100f0e0d0c0b0a09080";
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(card_init, BlankCard)

BOOST_AUTO_TEST_CASE(a_blank_card_is_laid_out_once) {
  BOOST_TEST(init(key, "654321").ok());
  BOOST_TEST(state().activated);
  BOOST_TEST((init(key, "654321").code() == Code::exists));
}

BOOST_AUTO_TEST_CASE(a_key_or_pin_that_does_not_fit_changes_nothing) {
  BOOST_TEST((init("0102", "654321").code() == Code::key_size_range));
  BOOST_TEST((init(key, "123").code() == Code::pin_length));
  BOOST_TEST(!state().activated);
  BOOST_TEST(state().files.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
