// What only cards in readers do.
#include "contract/device_rig.h"

namespace cardea::agent {

using namespace test;

BOOST_AUTO_TEST_SUITE(cards)

BOOST_AUTO_TEST_CASE(description_tells_what_is_the_factorys) {
  if (kind_under_test() != "piv") return;
  CardRig card("piv");
  const DeviceDescription fresh = good(card->describe());
  BOOST_TEST(fresh.factory.admin_key.value_or(false));
  BOOST_TEST(fresh.factory.puk.value_or(false));
  BOOST_TEST(fresh.factory.user_pin.value_or(false));
  BOOST_TEST(fresh.admin_algorithm == "aes192");
  BOOST_TEST(fresh.attests);
  BOOST_TEST(fresh.free_history == 20U);
  card.begin();
  Bytes key(24, 0x77);
  good(card->set_admin_key(card.everybody, SecretBytes(ByteView(key))));
  good(card->set_puk(card.everybody, pin_of("90817263")));
  const DeviceDescription issued = good(card->describe());
  BOOST_TEST(!issued.factory.admin_key.value_or(true));
  BOOST_TEST(!issued.factory.puk.value_or(true));
  BOOST_TEST(!issued.factory.user_pin.value_or(true));
}

BOOST_AUTO_TEST_CASE(attested_key_comes_with_the_attesting_certificate) {
  if (kind_under_test() != "piv") return;
  CardRig card("piv");
  card.begin();
  const Bytes key = good(card->generate(card.everybody, "authentication", good(parse_key_spec("ec:P-256")), {}));
  const Bytes nonce(32, 0x11);
  const std::vector<Bytes> chain = good(card->attest(card.everybody, "authentication", nonce)).certificates;
  BOOST_REQUIRE(chain.size() == 2U);
  BOOST_TEST(good(certified_key(chain[0])) == key);
}

BOOST_AUTO_TEST_CASE(card_uuid_is_renewed) {
  if (kind_under_test() != "piv") return;
  CardRig card("piv");
  const std::string before = good(card->describe()).serial;
  good(card->write_object(card.everybody, "chuid", {}));
  card.reopen();
  BOOST_TEST(good(card->describe()).serial != before);
}

BOOST_AUTO_TEST_CASE(card_uuid_is_made_where_a_maker_left_it_out) {
  if (kind_under_test() != "piv") return;
  BOOST_TEST(!good(CardRig("piv")->describe()).lacks_card_uuid);
  constexpr std::uint32_t chuid = 0x5fc102;
  vcard::PivState state = good(vcard::new_piv({}));
  state.objects.erase(chuid);
  CardRig card(std::move(state), "Yubikey");
  const DeviceDescription bare = good(card->describe());
  BOOST_TEST(bare.lacks_card_uuid);
  good(card->write_object(card.everybody, "chuid", {}));
  card.reopen();
  const DeviceDescription numbered = good(card->describe());
  BOOST_TEST(!numbered.lacks_card_uuid);
  BOOST_TEST(numbered.serial == bare.serial);
  // As it is asked for again after a report that was lost.
  good(card->write_object(card.everybody, "chuid", {}));
  BOOST_TEST(!good(card->describe()).lacks_card_uuid);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_named) {
  const std::string kind = kind_under_test();
  if (kind != "piv" && kind != "gids") return;
  CardRig card(kind);
  card.begin();
  const std::size_t room = good(card->describe()).free_history;
  std::vector<ArchivedKey> keys;
  for (std::size_t i = 0; i < room + 2; ++i) keys.push_back(archived_key());
  const HistoryReport report = good(card->write_history(card.everybody, keys, {}));
  BOOST_TEST(report.written.size() == room);
  BOOST_TEST(report.left_out == (std::vector<std::size_t>{room, room + 1}), boost::test_tools::per_element());
  BOOST_TEST(good(card->describe()).free_history == 0U);
}

BOOST_AUTO_TEST_CASE(newest_key_stands_lowest_and_the_key_history_counts) {
  if (kind_under_test() != "piv") return;
  CardRig card("piv");
  card.begin();
  std::vector<ArchivedKey> keys;
  for (int i = 0; i < 3; ++i) keys.push_back(archived_key());
  good(card->write_history(card.everybody, keys, {}));
  const DeviceDescription about = good(card->describe());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const DeviceContainer* const held = container_of(about, "retired-" + std::to_string(i + 1));
    BOOST_REQUIRE(held != nullptr);
    BOOST_TEST(held->certificate == keys[i].certificate);
  }
  BOOST_TEST(about.free_history == 17U);
}

BOOST_AUTO_TEST_CASE(twenty_keys_take_few_commands) {
  if (kind_under_test() != "piv") return;
  CardRig card("piv");
  card.begin();
  std::vector<ArchivedKey> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(archived_key());
  const std::size_t before = card.channel->exchanges();
  good(card->write_history(card.everybody, keys, {}));
  const std::size_t commands = card.channel->exchanges() - before;
  BOOST_TEST_MESSAGE("a history of 20 keys onto a new PIV card: " << commands << " commands");
  // A question, the key and its certificate for each; the rest is spent once.
  BOOST_TEST(commands <= 80U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::agent
