#include "card/sample_applet.h"

#include <stdlib.h>

#include <filesystem>

#include "card/card_testing.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

constexpr unsigned ok = 0x9000;

Bytes text(std::string_view value) {
  return to_bytes(view_of(value));
}

struct Sample : TestCard {
  Sample() : TestCard(CardState{new_sample()}) {
    BOOST_REQUIRE(send("00A40400", text("\xf0"
                                        "CARDEASP")) == ok);
    BOOST_TEST(response.size() == 9u);
  }
  void log_in() { BOOST_REQUIRE(send("00200001", text("123456")) == ok); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sample_applet)

BOOST_AUTO_TEST_CASE(files_keep_their_rules) {
  Sample card;
  BOOST_TEST(card.send("00E00100", text("note")) == 0x6982u);
  card.log_in();
  BOOST_TEST(card.send("00E00100", text("note")) == ok);
  BOOST_TEST(card.send("00E00100", text("note")) == 0x6A89u);
  BOOST_TEST(card.send("00E00400", text("other")) == 0x6A80u);
  BOOST_TEST(card.send("00E00200", text("admin")) == 0x6982u);
  BOOST_TEST(card.send("00E00300", text("mscp/mine")) == ok);
  BOOST_TEST(card.send("00D60000", text(std::string_view("note\0hello", 10))) == ok);
  BOOST_TEST(card.send("00D60000", text("note")) == 0x6A80u);
  Bytes large = text(std::string_view("note\0", 5));
  large.resize(40'000);
  BOOST_TEST(card.send("00D60000", large) == 0x6A84u);
  BOOST_TEST(card.send("00CA0001") == ok);
  BOOST_TEST(card.response == text(std::string_view("note\0", 5)));
  BOOST_TEST(card.send("00CA0001", text("mscp")) == ok);
  BOOST_TEST(card.response == text(std::string_view("mine\0", 5)));
  BOOST_TEST(card.send("0020FF00") == ok);
  BOOST_TEST(card.send("00B00000", text("note")) == ok);
  BOOST_TEST(card.response == text("hello"));
  BOOST_TEST(card.send("00B00000", text("mscp/mine")) == 0x6982u);
  BOOST_TEST(card.send("00E40000", text("note")) == 0x6982u);
  card.log_in();
  BOOST_TEST(card.send("00E40000", text("note")) == ok);
  BOOST_TEST(card.send("00B00000", text("note")) == 0x6A82u);
}

BOOST_AUTO_TEST_CASE(pins_count) {
  Sample card;
  BOOST_TEST(card.send("00200001", text("000000")) == 0x63C2u);
  BOOST_TEST(card.send("00200001") == 0x63C2u);
  BOOST_TEST(card.send("00200001", text("000000")) == 0x63C1u);
  BOOST_TEST(card.send("00200001", text("000000")) == 0x63C0u);
  BOOST_TEST(card.send("00200001", text("123456")) == 0x6983u);
  BOOST_TEST(card.send("002C0000", text("\x08"
                                        "12345678"
                                        "2468")) == ok);
  BOOST_TEST(card.send("00200001", text("2468")) == ok);
  BOOST_TEST(card.send("00240001", text("\x04"
                                        "2468"
                                        "12")) == 0x6700u);
  BOOST_TEST(card.send("00240001", text("\x09"
                                        "2468")) == 0x6700u);
  BOOST_TEST(card.send("00240002", text("\x04"
                                        "2468"
                                        "1357")) == 0x6A86u);
  BOOST_TEST(card.send("002C0200", text("1357")) == 0x6982u);
}

BOOST_AUTO_TEST_CASE(the_administrator_proves_the_key) {
  Sample card;
  Bytes key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<Byte>(i);
  BOOST_TEST(card.send("00820000", Bytes(16)) == 0x6985u);
  BOOST_REQUIRE(card.send("00840000") == ok);
  BOOST_TEST(card.send("00820000", Bytes(16)) == 0x63C4u);
  BOOST_REQUIRE(card.send("00840000") == ok);
  const auto answer = encrypt_blocks(BlockCipher::aes256, key, card.response);
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST(card.send("00820000", *answer) == ok);
  BOOST_TEST(card.send("00820000", *answer) == 0x6985u);
  BOOST_TEST(card.send("00FF0000", Bytes(31)) == 0x6700u);
  BOOST_TEST(card.send("00FF0000", Bytes(32, 7)) == ok);
  BOOST_TEST(card.send("00200002", key) == 0x63C4u);
}

BOOST_AUTO_TEST_CASE(keys_are_made_used_and_deleted) {
  Sample card;
  BOOST_TEST(card.send("00470011", Bytes{1}) == 0x6982u);
  card.log_in();
  BOOST_TEST(card.send("00470811", Bytes{1}) == 0x6A81u);
  BOOST_TEST(card.send("004700E1", Bytes{1}) == 0x6A81u);
  BOOST_TEST(card.send("00470011", Bytes{3}) == 0x6A80u);
  BOOST_TEST(card.send("00470011", Bytes{2}) == ok);
  BOOST_TEST(card.send("00CA0005") == ok);
  BOOST_TEST(to_hex(card.response) == "1102");
  BOOST_TEST(card.send("002A8000", Bytes(256)) == 0x6985u);
  BOOST_TEST(card.send("002A9E00", Bytes(32, 1)) == 0x6982u);  // the refused use cost the PIN: it is asked each time
  card.log_in();
  BOOST_TEST(card.send("002A9E00", Bytes(32, 1)) == ok);
  BOOST_TEST(card.send("002A9E00", Bytes(32, 1)) == 0x6982u);
  BOOST_TEST(card.send("00FE0111", Bytes{1, 2, 3}) == 0x6982u);
  card.log_in();
  BOOST_TEST(card.send("00FE0111", Bytes{1, 2, 3}) == 0x6A80u);
  BOOST_TEST(card.send("00E60000") == ok);
  BOOST_TEST(card.send("00E60000") == 0x6A88u);
  BOOST_TEST(card.send("002A9E00", Bytes(32, 1)) == 0x6A88u);
  BOOST_TEST(card.send("00CA0009") == 0x6A86u);
  BOOST_TEST(card.send("00010000") == 0x6D00u);
}

BOOST_AUTO_TEST_CASE(the_state_comes_back_as_it_was) {
  std::string pattern = (std::filesystem::temp_directory_path() / "cardea-card.XXXXXX").string();
  BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const std::filesystem::path folder = pattern;
  SampleState state = new_sample();
  state.pin.left = 1;
  state.files.emplace("mscp/x", SampleFile{SampleAccess::user_reads_and_writes, {1, 2, 3}});
  state.keys.insert_or_assign(Byte{3}, SampleKey{*CardKey::generate(KeyType::p256), 2});
  const Bytes serial = state.serial;
  const Bytes point = state.keys.at(3).key.point();
  BOOST_REQUIRE(write_state(folder / "card", CardState{std::move(state)}).ok());
  const auto read = read_state(folder / "card");
  std::filesystem::remove_all(folder);
  BOOST_REQUIRE(read.ok());
  BOOST_TEST(read->kind() == "sample");
  const auto& again = std::get<SampleState>(read->content);
  BOOST_TEST(again.serial == serial);
  BOOST_TEST(again.pin.left == 1);
  BOOST_TEST(again.files.at("mscp/x").content == (Bytes{1, 2, 3}));
  BOOST_TEST((again.files.at("mscp/x").access == SampleAccess::user_reads_and_writes));
  BOOST_TEST(again.keys.at(3).key.point() == point);
  BOOST_TEST(again.keys.at(3).pin_policy == 2);
}

BOOST_AUTO_TEST_SUITE_END()
