#include <array>

#include "crypto/symmetric_key.h"
#include "pcsc/typing_pad.h"
#include "piv/piv_card.h"
#include "piv/virtual_piv.h"

namespace cardea::card::piv {
namespace {

BOOST_AUTO_TEST_SUITE(piv_pins)

BOOST_AUTO_TEST_CASE(a_wrong_pin_counts_and_asking_does_not) {
  VirtualPiv card;
  for (int i = 0; i < 5; ++i) {
    const PinState state = good(card->pin_state(card.transaction(), PinRole::user));
    BOOST_TEST((state.retries_left == 3));
    BOOST_TEST(!state.locked);
  }
  const Status wrong = card->verify(card.transaction(), PinRole::user, pin_of("000000"));
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  card.log_in();
  card.restart();
  BOOST_TEST((good(card->pin_state(card.transaction(), PinRole::user)).retries_left == 3));
}

BOOST_AUTO_TEST_CASE(pins_of_a_wrong_length_never_reach_the_card) {
  VirtualPiv card;
  for (const std::string_view pin : {"", "123", "123456789"}) {
    BOOST_TEST(card.count([&] {
      BOOST_TEST((card->verify(card.transaction(), PinRole::user, pin_of(pin)).code() == Code::pin_length));
    }) == 0u);
  }
  const Status change = card->change_pin(card.transaction(), PinRole::user, pin_of("123456"), pin_of("12345"));
  BOOST_TEST((change.code() == Code::pin_length));
}

BOOST_AUTO_TEST_CASE(change_lock_and_unblock) {
  VirtualPiv card;
  good(card->change_pin(card.transaction(), PinRole::user, pin_of("123456"), pin_of("654321")));
  good(card->change_pin(card.transaction(), PinRole::unblock, pin_of("12345678"), pin_of("87654321")));
  card.log_in("654321");
  card.restart();
  for (int i = 0; i < 3; ++i) BOOST_TEST(!card->verify(card.transaction(), PinRole::user, pin_of("111111")).ok());
  BOOST_TEST((card->verify(card.transaction(), PinRole::user, pin_of("654321")).code() == Code::pin_locked));
  BOOST_TEST(good(card->pin_state(card.transaction(), PinRole::user)).locked);
  const Status wrong = card->unblock(card.transaction(), pin_of("12345678"), pin_of("123456"));
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  good(card->unblock(card.transaction(), pin_of("87654321"), pin_of("222222")));
  card.log_in("222222");
}

BOOST_AUTO_TEST_CASE(a_puk_is_confirmed_and_stays_what_it_is) {
  VirtualPiv card;
  good(card->confirm_puk(card.transaction(), pin_of("12345678")));
  const Status wrong = card->confirm_puk(card.transaction(), pin_of("87654321"));
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  BOOST_TEST(card.count([&] {
    for (const std::string_view no_puk : {"", "12345", "010203040506070801020304050607080102030405060708"}) {
      BOOST_TEST((card->confirm_puk(card.transaction(), pin_of(no_puk)).code() == Code::function_not_supported));
    }
  }) == 0u);
  good(card->unblock(card.transaction(), pin_of("12345678"), pin_of("222222")));
  card.log_in("222222");
}

BOOST_AUTO_TEST_CASE(the_global_pin_serves_where_the_card_says_so) {
  VirtualPiv without;
  BOOST_TEST((without->verify(without.transaction(), PinRole::global, pin_of("123456")).code() ==
              Code::function_not_supported));
  vcard::PivState state = good(vcard::new_piv({}));
  state.global_pin.emplace();
  state.global_pin->reset(view_of("999999\xff\xff"), 5);
  constexpr std::uint32_t discovery = 0x7e;
  state.objects[discovery] =
      Bytes{0x4f, 0x0b, 0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00, 0x5f, 0x2f, 0x02, 0x60, 0x20};
  VirtualPiv card(std::move(state));
  BOOST_TEST((good(card->pin_state(card.transaction(), PinRole::user)).retries_left == 5));
  card.log_in("999999");
}

BOOST_AUTO_TEST_CASE(the_puk_tells_its_state_by_metadata) {
  VirtualPiv card;
  const PinState state = good(card->pin_state(card.transaction(), PinRole::unblock));
  BOOST_TEST((state.retries_left == 3));
  BOOST_TEST(state.retry_limit == 3);
  BOOST_TEST(state.to_be_changed);
  BOOST_TEST(
      (card->verify(card.transaction(), PinRole::unblock, pin_of("12345678")).code() == Code::function_not_supported));
  VirtualPiv standard(vcard::PivProfile{.vendor_extensions = false});
  BOOST_TEST(!good(standard->pin_state(standard.transaction(), PinRole::unblock)).retries_left.has_value());
}

BOOST_AUTO_TEST_CASE(closing_the_security_status) {
  VirtualPiv card;
  card.log_in();
  BOOST_TEST(card->deauthenticate(card.transaction()));
  BOOST_TEST((good(card->pin_state(card.transaction(), PinRole::user)).retries_left == 3));
  card.authenticate();
  BOOST_TEST(!card->deauthenticate(card.transaction()));
}

BOOST_AUTO_TEST_CASE(management_keys_of_every_kind) {
  for (const vcard::BlockCipher cipher :
       {vcard::BlockCipher::des3, vcard::BlockCipher::aes128, vcard::BlockCipher::aes192, vcard::BlockCipher::aes256}) {
    for (const bool extensions : {true, false}) {
      vcard::PivState state = good(vcard::new_piv({.vendor_extensions = extensions, .management_cipher = cipher}));
      const SecretBytes key = state.management.value.copy();
      VirtualPiv card(std::move(state));
      good(card.administrator().authenticate(card.transaction(), key));
      SecretBytes wrong = key.copy();
      wrong.data()[0] ^= 0x10;
      card.restart();
      const Status refused = card.administrator().authenticate(card.transaction(), wrong);
      BOOST_TEST((refused.code() == Code::pin_incorrect));
      BOOST_TEST((card.administrator().authenticate(card.transaction(), SecretBytes(std::size_t{7})).code() ==
                  Code::key_size_range));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_challenge_is_answered_elsewhere) {
  VirtualPiv card;
  const Bytes challenge = good(card.administrator().challenge(card.transaction()));
  const auto key = crypto::SymmetricKey::make(card.administrator().factory_key());
  crypto::CipherContext cipher = good(key->cipher(crypto::Cipher::aes_ecb, crypto::Direction::encrypt));
  good(cipher.start({}));
  Bytes answer(32);
  answer.resize(good(cipher.update(challenge, answer)));
  good(card.administrator().answer_challenge(card.transaction(), answer));
  BOOST_TEST(
      (card.administrator().answer_challenge(card.transaction(), answer).code() == Code::operation_not_initialized));
  card.generate(key_authentication, crypto::KeyAlgorithm::p256);
  good(card.administrator().challenge(card.transaction()));
  answer[0] ^= 1;
  BOOST_TEST((card.administrator().answer_challenge(card.transaction(), answer).code() == Code::pin_incorrect));
}

BOOST_AUTO_TEST_CASE(a_new_management_key_replaces_the_old) {
  for (const std::size_t size : {16u, 24u, 32u}) {
    VirtualPiv card;
    card.authenticate();
    SecretBytes fresh(size);
    for (std::size_t i = 0; i < size; ++i) fresh.data()[i] = static_cast<Byte>(0xa0 + i);
    good(card.administrator().set_key(card.transaction(), fresh));
    card.restart();
    BOOST_TEST(!card.administrator().authenticate(card.transaction(), card.administrator().factory_key()).ok());
    good(card.administrator().authenticate(card.transaction(), fresh));
  }
}

BOOST_AUTO_TEST_CASE(reset_makes_the_card_new) {
  VirtualPiv card;
  card.authenticate();
  card.generate(key_authentication, crypto::KeyAlgorithm::p256);
  good(card->change_pin(card.transaction(), PinRole::user, pin_of("123456"), pin_of("654321")));
  good(card.administrator().reset(card.transaction()));
  card.restart();
  card.log_in();
  BOOST_TEST(!card.container(key_authentication).has_value());
}

BOOST_AUTO_TEST_CASE(the_number_of_tries_is_set) {
  VirtualPiv card;
  card.authenticate();
  card.log_in();
  good(card.administrator().set_tries(card.transaction(), 7, 4));
  card.restart();
  BOOST_TEST((good(card->pin_state(card.transaction(), PinRole::user)).retries_left == 7));
  BOOST_TEST((good(card->pin_state(card.transaction(), PinRole::unblock)).retries_left == 4));
  BOOST_TEST((card.administrator().set_tries(card.transaction(), 0, 4).code() == Code::arguments_bad));
  BOOST_TEST((card.administrator().set_tries(card.transaction(), 4, 256).code() == Code::arguments_bad));
}

/// The card in a reader with a PIN pad.
struct PivWithPad : VirtualPiv {
  Status verify() { return operator->()->verify_on_pad(transaction(), pad, PinRole::user); }
  Status change(PinRole role = PinRole::user) { return operator->()->change_pin_on_pad(transaction(), pad, role); }
  int tries_left() { return good(operator->()->pin_state(transaction(), PinRole::user)).retries_left.value_or(-1); }

  TypingPad reader{[this](ByteView command) { return exchange(command); }};
  ReaderPinPad pad = reader.pad();
};

BOOST_AUTO_TEST_CASE(a_pin_is_verified_on_the_readers_pad) {
  PivWithPad card;
  card.reader.typed = {"654321", "123456", "123"};
  const Status refused = card.verify();
  BOOST_TEST((refused.code() == Code::pin_incorrect));
  BOOST_TEST((refused.error().retries_left == 2));
  good(card.verify());
  BOOST_TEST((card.verify().code() == Code::pin_length));
  card.restart();
  BOOST_TEST(card.tries_left() == 3);
}

BOOST_AUTO_TEST_CASE(a_pin_is_changed_on_the_readers_pad) {
  PivWithPad card;
  card.reader.typed = {"123456", "76543210", "76543210"};
  good(card.change());
  BOOST_TEST(card.reader.entries == 3);
  BOOST_TEST(card.reader.change->offset_old == 0);
  BOOST_TEST(card.reader.change->offset_new == 8);
  BOOST_TEST(card.reader.change->confirm == 3);
  BOOST_TEST(card.reader.change->messages == 3);
  BOOST_TEST((card.reader.change->texts == std::array<Byte, 3>{0, 1, 2}));
  card.restart();
  card.log_in("76543210");
  card.reader.typed = {"12345678", "87654321", "87654321"};
  good(card.change(PinRole::unblock));
  good(card->unblock(card.transaction(), pin_of("87654321"), pin_of("222222")));
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_at_the_pad_changes_no_pin_and_burns_no_try) {
  PivWithPad card;
  card.reader.typed = {"123456", "12345"};
  BOOST_TEST((card.change().code() == Code::pin_length));
  card.reader.typed = {"123456", "765432", "765433"};
  BOOST_TEST((card.change().code() == Code::pin_invalid));
  card.reader.typed = {"123456"};
  BOOST_TEST((card.change().code() == Code::function_canceled));
  card.reader.cancels = true;
  BOOST_TEST((card.change().code() == Code::function_canceled));
  card.reader.cancels = false;
  BOOST_TEST(card.tries_left() == 3);
  // But a wrong PIN is one also when it is typed there.
  card.reader.typed = {"111111", "765432", "765432"};
  const Status wrong = card.change();
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  card.restart();
  card.log_in();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::piv
