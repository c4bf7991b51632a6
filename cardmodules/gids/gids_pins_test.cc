// PINs and the administrator's key of a virtual GIDS card.
#include "crypto/symmetric_key.h"
#include "gids/virtual_gids.h"

namespace cardea::card::gids {
namespace {

const auto user_pin_value = [] { return Pin(view_of("123456")); };

SecretBytes initial_admin_key() {
  SecretBytes key(24);
  for (std::size_t i = 0; i < key.size(); ++i) key.data()[i] = static_cast<Byte>(i % 8 + 1);
  return key;
}

BOOST_AUTO_TEST_SUITE(gids_pins)

BOOST_AUTO_TEST_CASE(without_the_pin_nothing_is_done) {
  Rig rig;
  rig.generate(0, crypto::KeyAlgorithm::p256);
  const Container container = rig.container(0);
  BOOST_REQUIRE(rig.module->deauthenticate(*rig.transaction));
  Bytes out(64);
  BOOST_TEST(
      (rig.module->perform(*rig.transaction, container, {.primitive = Primitive::ecdsa_sign}, Bytes(32), out).code() ==
       Code::user_not_logged_in));
  BOOST_TEST(
      (rig.administrator->generate(*rig.transaction, rig.place(1), {.algorithm = crypto::KeyAlgorithm::p256}).code() ==
       Code::user_not_logged_in));
  BOOST_TEST((rig.administrator->delete_key(*rig.transaction, rig.place(0)).code() == Code::user_not_logged_in));
  BOOST_TEST(rig.container(0).public_key == container.public_key);
}

BOOST_AUTO_TEST_CASE(pins_count_and_change) {
  Rig rig;
  const auto fresh = rig.module->pin_state(*rig.transaction, PinRole::user);
  BOOST_REQUIRE(fresh.ok());
  BOOST_TEST((fresh->retries_left == 3));
  BOOST_TEST(fresh->retry_limit == 3);
  const Status wrong = rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("654321")));
  BOOST_REQUIRE(!wrong.ok());
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  BOOST_TEST((rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("123"))).code() == Code::pin_length));
  BOOST_TEST((rig.module->pin_state(*rig.transaction, PinRole::user)->retries_left == 2));
  const CacheCounters before = rig.counters();
  BOOST_REQUIRE(
      rig.module->change_pin(*rig.transaction, PinRole::user, user_pin_value(), Pin(view_of("87654321"))).ok());
  BOOST_TEST(rig.counters().pins == before.pins + 1);
  BOOST_TEST(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("87654321"))).ok());
  BOOST_TEST(
      (rig.module->verify(*rig.transaction, PinRole::admin, user_pin_value()).code() == Code::function_not_supported));
}

BOOST_AUTO_TEST_CASE(a_locked_pin_is_set_anew_by_the_administrator) {
  Rig rig;
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(!rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("0000"))).ok());
  BOOST_TEST((rig.module->verify(*rig.transaction, PinRole::user, user_pin_value()).code() == Code::pin_locked));
  BOOST_TEST(rig.module->pin_state(*rig.transaction, PinRole::user)->locked);
  BOOST_TEST(
      (rig.administrator->set_user_pin(*rig.transaction, Pin(view_of("2468"))).code() == Code::user_not_logged_in));
  BOOST_REQUIRE(rig.administrator->authenticate(*rig.transaction, initial_admin_key()).ok());
  BOOST_REQUIRE(rig.administrator->set_user_pin(*rig.transaction, Pin(view_of("2468"))).ok());
  BOOST_TEST(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("2468"))).ok());
}

BOOST_AUTO_TEST_CASE(the_puk_unblocks_where_there_is_one) {
  Rig rig;
  BOOST_TEST((rig.module->pin_state(*rig.transaction, PinRole::unblock).code() == Code::function_not_supported));
  auto& state = std::get<vcard::GidsState>(rig.card.state().content);
  state.puk.emplace().set(view_of("12345678"));
  const auto tries = rig.module->pin_state(*rig.transaction, PinRole::unblock);
  BOOST_REQUIRE(tries.ok());
  BOOST_TEST((tries->retries_left == 3));
  BOOST_REQUIRE(rig.module->unblock(*rig.transaction, Pin(view_of("12345678")), Pin(view_of("2468"))).ok());
  BOOST_TEST(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("2468"))).ok());
}

BOOST_AUTO_TEST_CASE(a_wrong_administrators_key_is_wrong) {
  Rig rig;
  BOOST_TEST(
      (rig.administrator->authenticate(*rig.transaction, SecretBytes(Bytes(24, 7))).code() == Code::pin_incorrect));
  BOOST_TEST((rig.administrator->authenticate(*rig.transaction, SecretBytes(16)).code() == Code::key_size_range));
}

BOOST_AUTO_TEST_CASE(the_administrators_key_answers_from_elsewhere_and_changes) {
  Rig rig;
  const auto challenge = rig.administrator->challenge(*rig.transaction);
  BOOST_REQUIRE(challenge.ok());
  BOOST_REQUIRE(challenge->size() == 8u);
  const auto key = crypto::SymmetricKey::make(initial_admin_key());
  auto cipher = key->cipher(crypto::Cipher::triple_des_ecb, crypto::Direction::encrypt);
  BOOST_REQUIRE(cipher.ok());
  BOOST_REQUIRE(cipher->start({}).ok());
  Bytes answer(16);
  BOOST_REQUIRE(cipher->update(*challenge, answer).ok());
  answer.resize(8);
  BOOST_REQUIRE(rig.administrator->answer_challenge(*rig.transaction, answer).ok());
  BOOST_TEST((rig.administrator->answer_challenge(*rig.transaction, answer).code() == Code::operation_not_initialized));
  const SecretBytes next(Bytes{9, 8, 7, 6, 5, 4, 3, 2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 9, 8, 7, 6, 5, 4});
  BOOST_REQUIRE(rig.administrator->set_key(*rig.transaction, next).ok());
  BOOST_TEST(!rig.administrator->authenticate(*rig.transaction, initial_admin_key()).ok());
  BOOST_TEST(rig.administrator->authenticate(*rig.transaction, next).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::gids
