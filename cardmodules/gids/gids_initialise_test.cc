// Blank cards become what other tools make of them.
#include "gids/virtual_gids.h"

namespace cardea::card::gids {
namespace {

NewCard new_card() {
  Bytes key;
  for (int i = 0; i < 24; ++i) key.push_back(static_cast<Byte>(i % 8 + 1));
  return {Bytes(16, 0x42), Pin(view_of("123456")), SecretBytes(ByteView(key))};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gids_initialise)

BOOST_AUTO_TEST_CASE(a_blank_card_is_laid_out_like_any_other) {
  Rig rig(false);
  BOOST_REQUIRE(rig.administrator->initialise(*rig.transaction, new_card()).ok());
  const auto description = rig.module->describe(*rig.transaction);
  BOOST_REQUIRE(description.ok());
  BOOST_TEST(description->initialized);
  BOOST_TEST(description->serial == "4242424242424242");
  const auto& made = std::get<vcard::GidsState>(rig.card.state().content);
  const vcard::GidsState usual = vcard::new_initialised_gids();
  BOOST_TEST(made.activated);
  BOOST_REQUIRE(made.files.size() == usual.files.size());
  for (const auto& [identifier, file] : usual.files) {
    BOOST_TEST_CONTEXT("file " << identifier) {
      const vcard::GidsFile& other = made.files.at(identifier);
      BOOST_TEST(other.activated);
      BOOST_TEST(other.control_parameters == file.control_parameters);
      BOOST_TEST(same_bytes(other.symmetric_key.view(), file.symmetric_key.view()));
      BOOST_REQUIRE(other.objects.size() == file.objects.size());
      for (const auto& [tag, content] : file.objects) {
        const bool is_card_id = ObjectPlace{identifier, static_cast<std::uint16_t>(tag)} == card_id_place;
        BOOST_TEST(other.objects.at(tag) == (is_card_id ? Bytes(16, 0x42) : content));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_card_is_not_initialised_twice) {
  Rig rig;
  rig.log_in();
  const auto before = rig.module->describe(*rig.transaction)->serial;
  BOOST_TEST((rig.administrator->initialise(*rig.transaction, new_card()).code() == Code::exists));
  BOOST_TEST(rig.module->describe(*rig.transaction)->serial == before);
}

BOOST_AUTO_TEST_CASE(a_closed_card_without_identifier_gets_it_by_its_key_alone) {
  Rig rig;
  std::get<vcard::GidsState>(rig.card.state().content).files.at(card_id_place.file).objects.clear();
  NewCard wrong = new_card();
  wrong.admin_key = SecretBytes(ByteView(Bytes(24, 7)));
  BOOST_TEST((rig.administrator->initialise(*rig.transaction, wrong).code() == Code::pin_incorrect));
  BOOST_REQUIRE(rig.administrator->initialise(*rig.transaction, new_card()).ok());
  BOOST_TEST(rig.module->describe(*rig.transaction)->serial == "4242424242424242");
}

BOOST_AUTO_TEST_CASE(a_number_is_made_up_where_none_is_given) {
  NewCard wanted = new_card();
  wanted.card_id.clear();
  Rig rig(false);
  Rig other(false);
  BOOST_REQUIRE(rig.administrator->initialise(*rig.transaction, wanted).ok());
  BOOST_REQUIRE(other.administrator->initialise(*other.transaction, wanted).ok());
  const std::string serial = rig.module->describe(*rig.transaction)->serial;
  BOOST_TEST(serial.size() == 16U);
  BOOST_TEST(serial != other.module->describe(*other.transaction)->serial);
}

BOOST_AUTO_TEST_CASE(a_key_of_another_size_changes_nothing) {
  NewCard wanted = new_card();
  wanted.admin_key = SecretBytes(ByteView(Bytes(16, 7)));
  Rig rig(false);
  BOOST_TEST((rig.administrator->initialise(*rig.transaction, wanted).code() == Code::key_size_range));
  BOOST_TEST(std::get<vcard::GidsState>(rig.card.state().content).files.empty());
}

BOOST_AUTO_TEST_CASE(a_new_card_takes_keys) {
  Rig rig(false);
  BOOST_REQUIRE(rig.administrator->initialise(*rig.transaction, new_card()).ok());
  BOOST_TEST(!rig.generate(0, crypto::KeyAlgorithm::p256).empty());
  BOOST_TEST(rig.container(0).has_key);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::card::gids
