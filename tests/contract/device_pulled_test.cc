// Cards that are pulled out of their readers in the middle of the work.
#include "contract/device_rig.h"

namespace cardea::agent {

namespace {

using namespace test;

/// Runs the work with the card pulled at its first command, at its second and so on, until it gets through; after each
/// pull the same work has to succeed. Each time it is another card, with which `prepare` has done what comes before.
template <class Work>
void pull_at_every_command(Work work, const std::function<void(CardRig&)>& prepare = {}) {
  for (std::size_t command = 1;; ++command) {
    BOOST_REQUIRE(command < 300U);
    CardRig card(kind_under_test());
    card.begin();
    if (prepare) prepare(card);
    card.pull_at(command);
    const Status cut = work(card);
    const bool through = cut.ok();
    if (!through) BOOST_TEST(cut.code() == Code::device_removed);
    card.reopen();
    const Status again = work(card);
    BOOST_REQUIRE_MESSAGE(
        again.ok(), "after a pull at command " << command << ": " << (again ? "" : cardea::describe(again.error())));
    if (through) return;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pulled_cards)

BOOST_AUTO_TEST_CASE(card_is_pulled_at_every_command_of_issuing) {
  const std::string kind = kind_under_test();
  if (kind != "piv" && kind != "gids") return;
  pull_at_every_command([](CardRig& card) -> Status {
    CARDEA_TRY(card->describe());
    const auto issue = [&]() -> Status {
      CARDEA_ASSIGN(const Bytes key,
                    card->generate(card.everybody, "authentication", good(parse_key_spec("ec:P-256")), {}));
      CARDEA_TRY(card->sign(card.everybody, "authentication", Hash::none, text_to_sign));
      CARDEA_TRY(card->write_certificate(card.everybody, "authentication", card::certificate_for(key)));
      return {};
    };
    Status done = issue();
    return !done && done.code() == Code::exists ? Status() : done;
  });
}

BOOST_AUTO_TEST_CASE(blank_card_is_pulled_at_every_command_of_its_initialisation) {
  if (kind_under_test() != "gids") return;
  bool through = false;
  for (std::size_t command = 1; !through; ++command) {
    BOOST_REQUIRE(command < 300U);
    CardRig card(vcard::new_gids());
    BOOST_TEST(good(card->describe()).blank);
    BOOST_TEST(good(card->describe()).serial.empty());
    const auto initialise = [&] { return card->initialise(pin_of("123456"), SecretBytes(ByteView(factory_key()))); };
    card.pull_at(command);
    through = initialise().ok();
    card.reopen();
    if (good(card->describe()).blank) good(initialise());
    card.reopen();
    BOOST_TEST_CONTEXT("after a pull at command " << command) {
      const DeviceDescription about = good(card->describe());
      BOOST_TEST(!about.blank);
      BOOST_TEST(about.serial.size() == 16U);
      BOOST_TEST(initialise().code() == Code::exists);
      card.begin();
      good(card->generate(card.everybody, "authentication", good(parse_key_spec("ec:P-256")), {}));
    }
  }
}

BOOST_AUTO_TEST_CASE(card_is_pulled_at_every_command_of_a_renewal_with_a_fresh_key) {
  const std::string kind = kind_under_test();
  if (kind != "piv" && kind != "gids") return;
  const KeySpec spec = good(parse_key_spec("ec:P-256"));
  Bytes replaced;
  const auto issue = [&](CardRig& card, ByteView replace) -> Result<Bytes> {
    CARDEA_ASSIGN(Bytes key, card->generate(card.everybody, "authentication", spec, replace));
    CARDEA_ASSIGN(const KeySignature signature, card->sign(card.everybody, "authentication", Hash::none, text_to_sign));
    BOOST_TEST(verifies(key, signature, text_to_sign));
    CARDEA_TRY(card->write_certificate(card.everybody, "authentication", card::certificate_for(key)));
    return key;
  };
  pull_at_every_command(
      [&](CardRig& card) -> Status {
        const Result<Bytes> fresh = issue(card, replaced);
        // The whole was done before, and nobody has asked for the new key to be replaced.
        return fresh || fresh.code() == Code::exists ? Status() : Status(fresh.error());
      },
      [&](CardRig& card) { replaced = good(crypto::digest(Hash::sha256, good(issue(card, {})))); });
}

BOOST_AUTO_TEST_CASE(card_is_pulled_at_every_command_of_a_chain) {
  if (kind_under_test() != "gids") return;
  const std::vector<Bytes> chain{authority("Issuing"), authority("Root")};
  pull_at_every_command([&](CardRig& card) -> Status {
    CARDEA_TRY(card->write_authorities(card.everybody, chain));
    return {};
  });
}

BOOST_AUTO_TEST_CASE(card_is_pulled_at_every_command_of_a_history) {
  const std::string kind = kind_under_test();
  if (kind != "piv" && kind != "gids") return;
  std::vector<ArchivedKey> keys;
  for (int i = 0; i < 2; ++i) keys.push_back(archived_key());
  pull_at_every_command([&](CardRig& card) -> Status {
    CARDEA_ASSIGN(const HistoryReport report, card->write_history(card.everybody, keys, {}));
    BOOST_TEST(report.written.size() + report.present.size() == keys.size());
    return {};
  });
}

BOOST_AUTO_TEST_CASE(card_is_pulled_at_every_command_of_new_secrets) {
  const std::string kind = kind_under_test();
  if (kind != "piv" && kind != "gids") return;
  pull_at_every_command([](CardRig& card) -> Status {
    const Bytes key(24, 0x3d);
    card.everybody.keys = {factory_key(), key};
    CARDEA_TRY(card->set_admin_key(card.everybody, SecretBytes(ByteView(key))));
    return card->set_first_pin(card.everybody, pin_of(card.everybody.pin));
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::agent
