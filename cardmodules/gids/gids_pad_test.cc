// PINs of a virtual GIDS card in a reader with a PIN pad.
#include <boost/test/unit_test.hpp>

#include "card/virtual_card.h"
#include "gids/gids_card.h"
#include "pcsc/memory_channel.h"
#include "pcsc/typing_pad.h"

namespace cardea::card::gids {
namespace {

/// A card that somebody has initialised, recognised and in a transaction.
struct GidsWithPad {
  GidsWithPad() {
    auto begun = CardTransaction::begin(channel);
    BOOST_REQUIRE(begun.ok());
    transaction.emplace(std::move(*begun));
    auto recognition = recognise_gids(*transaction);
    BOOST_REQUIRE(recognition.ok());
    module = std::move(recognition->module);
    BOOST_REQUIRE(module != nullptr);
  }
  Status change(PinRole role = PinRole::user) { return module->change_pin_on_pad(*transaction, pad, role); }
  Status verify(std::string_view pin) { return module->verify(*transaction, PinRole::user, Pin(view_of(pin))); }
  int tries_left() { return module->pin_state(*transaction, PinRole::user)->retries_left.value_or(-1); }

  vcard::VirtualCard card{vcard::CardState{vcard::new_initialised_gids()}};
  std::shared_ptr<MemoryChannel> channel = std::make_shared<MemoryChannel>(
      card.atr(), ApduLimits{}, [this](ByteView command) { return Result<Bytes>(card.exchange(command)); });
  std::optional<CardTransaction> transaction;
  std::unique_ptr<CardModule> module;
  TypingPad reader{[this](ByteView command) { return card.exchange(command); }};
  ReaderPinPad pad = reader.pad();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gids_pad, GidsWithPad)

BOOST_AUTO_TEST_CASE(the_old_pin_is_shown_and_the_new_one_set_alone) {
  reader.typed = {"123456", "a longer PIN", "a longer PIN"};
  const Status changed = change();
  BOOST_TEST_REQUIRE(changed.ok());
  BOOST_TEST(reader.entries == 3);
  BOOST_TEST(reader.change->confirm == 1);
  BOOST_TEST(reader.change->messages == 2);
  BOOST_TEST(reader.change->offset_new == 0);
  BOOST_TEST((reader.change->texts == std::array<Byte, 3>{1, 2, 0}));
  BOOST_TEST((verify("123456").code() == Code::pin_incorrect));
  BOOST_TEST(verify("a longer PIN").ok());
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_at_the_pad_changes_no_pin) {
  reader.typed = {"654321", "777777", "777777"};
  const Status wrong = change();
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == tries_left()));
  BOOST_TEST(reader.entries == 1);
  reader.typed = {"123456", "777777", "777778"};
  BOOST_TEST((change().code() == Code::pin_invalid));
  reader.typed = {"123456", "777"};
  BOOST_TEST((change().code() == Code::pin_length));
  reader.typed = {"123456"};
  BOOST_TEST((change().code() == Code::function_canceled));
  BOOST_TEST(verify("123456").ok());
}

BOOST_AUTO_TEST_CASE(a_pad_that_cannot_change_asks_for_nothing) {
  ReaderPinPad verifying({.verify_pin = TypingPad::features.verify_pin}, [](std::uint32_t, ByteView) -> Result<Bytes> {
    BOOST_ERROR("the reader was asked");
    return Code::device_error;
  });
  BOOST_TEST(
      (module->change_pin_on_pad(*transaction, verifying, PinRole::user).code() == Code::function_not_supported));
  BOOST_TEST((change(PinRole::unblock).code() == Code::function_not_supported));
  BOOST_TEST(reader.entries == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::card::gids
