#include "card/card_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "card/card_testing.h"
#include "card/piv_load.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

void write_text(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(card_state)

BOOST_AUTO_TEST_CASE(a_piv_card_comes_back_as_it_was) {
  const Folder folder;
  const auto file = folder.path / "card";
  auto state = new_piv({.list_algorithms = true, .management_cipher = BlockCipher::aes256});
  BOOST_REQUIRE(state.ok());
  state->global_pin.emplace().reset(hex("373737373737ffff"), 5);
  state->pin.left = 1;
  auto key = CardKey::generate(KeyType::p384);
  const Bytes point = key->point();
  state->keys.insert_or_assign(Byte{0x9C},
                               PivKey{std::move(*key), PinPolicy::always, TouchPolicy::cached, KeyOrigin::imported});
  const std::uint32_t serial = state->serial;
  BOOST_REQUIRE(write_state(file, CardState{std::move(*state)}).ok());
  struct stat found {};
  BOOST_REQUIRE(::stat(file.c_str(), &found) == 0);
  BOOST_TEST((found.st_mode & 0777) == 0600);
  const auto read = read_state(file);
  BOOST_REQUIRE(read.ok());
  const auto& piv = std::get<PivState>(read->content);
  BOOST_TEST(piv.serial == serial);
  BOOST_TEST(piv.pin.left == 1);
  BOOST_TEST(piv.global_pin->limit == 5);
  BOOST_TEST(piv.profile.list_algorithms);
  BOOST_TEST((piv.management.cipher == BlockCipher::aes256));
  BOOST_TEST(to_hex(piv.keys.at(0x9C).key.point()) == to_hex(point));
  BOOST_TEST((piv.keys.at(0x9C).touch_policy == TouchPolicy::cached));
  BOOST_TEST(piv.objects.count(0x5FFF01) == 1u);
}

BOOST_AUTO_TEST_CASE(a_gids_card_comes_back_as_it_was) {
  const Folder folder;
  const auto file = folder.path / "card";
  GidsState state = new_initialised_gids();
  state.puk.emplace().reset(view_of("87654321"), 4);
  state.files[0xB081].key.emplace(*CardKey::generate(KeyType::p256));
  const std::string parameters = to_hex(state.files[0xA010].control_parameters);
  BOOST_REQUIRE(write_state(file, CardState{std::move(state)}).ok());
  const auto read = read_state(file);
  BOOST_REQUIRE(read.ok());
  const auto& gids = std::get<GidsState>(read->content);
  BOOST_TEST(gids.activated);
  BOOST_TEST(gids.puk->left == 4);
  BOOST_TEST(to_hex(gids.files.at(0xA010).control_parameters) == parameters);
  BOOST_TEST(gids.files.at(0xB081).key.has_value());
  BOOST_TEST(gids.files.at(0xB080).symmetric_key.size() == 24u);
}

BOOST_AUTO_TEST_CASE(damage_is_named) {
  const Folder folder;
  const auto file = folder.path / "card";
  BOOST_TEST((read_state(file).code() == Code::not_found));
  for (const char* text : {"", "[]", "{}", "{\"version\":1}", "{\"version\":1,\"kind\":\"other\"}",
                           "{\"version\":1,\"kind\":\"piv\",\"serial\":-1}", "{\"version\":1,\"kind\":\"gids\"}"}) {
    write_text(file, text);
    BOOST_TEST((read_state(file).code() == Code::store_corrupt), "text " << text);
  }
  write_text(file, "{\"version\":2,\"kind\":\"piv\"}");
  BOOST_TEST((read_state(file).code() == Code::store_newer));
  BOOST_TEST((write_state(folder.path / "none" / "card", CardState{new_gids()}).code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(a_folder_of_card_objects_is_loaded) {
  const Folder folder;
  write_text(folder.path / "1 - Discovery Object", text_of(hex("7e124f0ba0000003080000100001005f2f024000")));
  write_text(folder.path / "8 - CHUID Object", text_of(hex("3002aabb")));
  write_text(folder.path / "11 - Printed Information", text_of(hex("53030102ff")));
  write_text(folder.path / "3 - ICAM_PIV_Auth_SP_800-73-4.crt",
             "Bag Attributes\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
  write_text(folder.path / "3 - ICAM_PIV_Auth_SP_800-73-4.p12", "not looked at");
  write_text(folder.path / "99 - Something", "not looked at");
  auto state = new_piv({});
  const auto loaded = load_folder(*state, folder.path);
  BOOST_REQUIRE(loaded.ok());
  BOOST_TEST(*loaded == 4);
  BOOST_TEST(to_hex(state->objects[0x7E]) == "4f0ba0000003080000100001005f2f024000");
  BOOST_TEST(to_hex(state->objects[0x5FC102]) == "3002aabb");
  BOOST_TEST(to_hex(state->objects[0x5FC109]) == "0102ff");
  BOOST_TEST(to_hex(state->objects[0x5FC105]) == "70023000710100fe00");
  load_object(*state, 0x7E, hex("7e00"));
  BOOST_TEST(state->objects.count(0x7E) == 0u);
  BOOST_TEST((load_folder(*state, folder.path / "none").code() == Code::not_found));
  BOOST_TEST((load_certificate(*state, 0x9A, view_of("no certificate")).code() == Code::data_invalid));
  BOOST_TEST((load_certificate(*state, 0x9B, hex("3000")).code() == Code::arguments_bad));
  BOOST_TEST((load_key(*state, 0x9B, hex("3000")).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_SUITE_END()
