// Layouts as Windows' minidriver writes them: the bytes of an initialised card and of its first key.
#include "gids/layout.h"

#include <boost/test/unit_test.hpp>

namespace cardea::card::gids {
namespace {

Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
}

// Directory mscp; cardid, cardapps and cardcf in the root; mscp/cmapfile.
Bytes fresh_master_file() {
  return hex(
      "01"
      "6d7363700000000000000000000000000000000000000000"
      "00a00000"
      "0000000000000000006361726469640000000000"
      "20df0000"
      "12a00000"
      "0000000000000000006361726461707073000000"
      "21df0000"
      "10a00000"
      "0000000000000000006361726463660000000000"
      "22df0000"
      "10a00000"
      "6d73637000000000"
      "00636d617066696c65000000"
      "23df0000"
      "10a00000");
}

BOOST_AUTO_TEST_SUITE(layout)

BOOST_AUTO_TEST_CASE(a_fresh_master_file_is_read) {
  const auto entries = parse_master_file(fresh_master_file());
  BOOST_REQUIRE(entries.ok());
  BOOST_REQUIRE(entries->size() == 5u);
  BOOST_TEST(entries->front().directory == "mscp");
  BOOST_TEST(entries->front().name.empty());
  const DirectoryEntry* card_id = find_entry(*entries, "", "cardid");
  BOOST_REQUIRE(card_id != nullptr);
  BOOST_TEST((card_id->place == card_id_place));
  const DirectoryEntry* counters = find_entry(*entries, "", "cardcf");
  BOOST_REQUIRE(counters != nullptr);
  BOOST_TEST((counters->place == cache_file_place));
  const DirectoryEntry* map = find_entry(*entries, "mscp", "CMapFile");
  BOOST_REQUIRE(map != nullptr);
  BOOST_TEST((map->place == ObjectPlace{user_file, 0xdf23}));
  BOOST_TEST((find_entry(*entries, "", "cmapfile") == nullptr));
}

BOOST_AUTO_TEST_CASE(an_entry_goes_in_and_out_without_touching_others) {
  const Bytes before = fresh_master_file();
  const auto entries = parse_master_file(before);
  BOOST_REQUIRE(entries.ok());
  const auto place = free_place(*entries, user_file);
  BOOST_REQUIRE(place.has_value());
  BOOST_TEST((*place == ObjectPlace{user_file, 0xdf24}));
  const Bytes with = with_entry(before, {"mscp", "kxc00", *place});
  BOOST_TEST(with.size() == before.size() + 28);
  BOOST_TEST(to_hex(ByteView(with).last(28)) ==
             "6d73637000000000006b78633030000000000000"
             "24df0000"
             "10a00000");
  const auto more = parse_master_file(with);
  BOOST_REQUIRE(more.ok());
  BOOST_TEST((find_entry(*more, "mscp", "kxc00") != nullptr));
  BOOST_TEST(without_entry(with, *place) == before);
}

BOOST_AUTO_TEST_CASE(a_full_file_has_no_free_place) {
  std::vector<DirectoryEntry> entries;
  for (std::uint16_t object = 0xdf20; object < 0xdf80; ++object) entries.push_back({"mscp", "x", {user_file, object}});
  BOOST_TEST(!free_place(entries, user_file).has_value());
  BOOST_TEST(free_place(entries, private_file).has_value());
}

BOOST_AUTO_TEST_CASE(odd_master_files) {
  BOOST_TEST((parse_master_file({}).code() == Code::data_invalid));
  BOOST_TEST((parse_master_file(hex("02")).code() == Code::data_invalid));
  const auto empty = parse_master_file(hex("01"));
  BOOST_REQUIRE(empty.ok());
  BOOST_TEST(empty->empty());
  Bytes cut = fresh_master_file();
  cut.pop_back();
  const auto four = parse_master_file(cut);
  BOOST_REQUIRE(four.ok());
  BOOST_TEST(four->size() == 4u);
  // Names that fill their field have no terminator; they end with it.
  Bytes full(1 + 28, 'n');
  full[0] = 1;
  const auto unterminated = parse_master_file(full);
  BOOST_REQUIRE(unterminated.ok());
  BOOST_TEST(unterminated->front().name == "nnnnnnnnn");
}

BOOST_AUTO_TEST_CASE(the_key_map_of_windows) {
  // What Windows writes for the first RSA-2048 key exchange key.
  const Bytes one = with_key_record({}, 0, {true, 7, true, 0x81}, 1);
  BOOST_TEST(to_hex(one) ==
             "01"
             "01000000"
             "07"
             "9a"
             "81b0"
             "ffff"
             "0000");
  const Bytes two = with_key_record(one, 1, {true, 0x0c, false, 0x82}, 2);
  BOOST_TEST(to_hex(ByteView(two).last(12)) ==
             "01000000"
             "0c"
             "9c"
             "82b0"
             "ffff"
             "0000");
  const Bytes gone = with_key_record(two, 0, {}, 2);
  BOOST_TEST(to_hex(ByteView(gone).subspan(1, 12)) ==
             "00000000"
             "00"
             "00"
             "ffff"
             "ffff"
             "0000");
  BOOST_TEST(with_key_record({}, 3, {true, 7, true, 0x84}, 1).size() == 1u + 4 * 12);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::gids
