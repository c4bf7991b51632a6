// Layouts as Windows' minidriver writes them: the bytes of an initialised card and of its first container.
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

// "257f0362-2ee7-44f5-9885-36fa490f30c1": valid, default, RSA-2048 for key exchange.
Bytes first_container() {
  Bytes map;
  for (const char c : std::string_view("257f0362-2ee7-44f5-9885-36fa490f30c1")) {
    map.push_back(static_cast<Byte>(c));
    map.push_back(0);
  }
  map.resize(80);
  for (const Byte b : {3, 0, 0, 0, 0, 8}) map.push_back(b);
  return map;
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

BOOST_AUTO_TEST_CASE(a_container_map_comes_back_byte_by_byte) {
  const Bytes map = first_container();
  const auto records = parse_container_map(map);
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_TEST(records[0].label() == "257f0362-2ee7-44f5-9885-36fa490f30c1");
  BOOST_TEST(records[0].has_key());
  BOOST_TEST(records[0].exchanges());
  BOOST_TEST(records[0].bits() == 2048u);
  BOOST_TEST((records[0].flags & container_default) != 0);
  BOOST_TEST(container_map(records) == map);
}

BOOST_AUTO_TEST_CASE(containers_without_one_key_have_none) {
  ContainerRecord record;
  record.exchange_bits = 2048;
  BOOST_TEST(!record.has_key());
  record.flags = container_valid;
  BOOST_TEST(record.has_key());
  record.signature_bits = 2048;
  BOOST_TEST(!record.has_key());
}

BOOST_AUTO_TEST_CASE(labels_are_unicode) {
  ContainerRecord record;
  record.set_label("Schlüssel 鍵 \xf0\x9f\x94\x91");
  BOOST_TEST(record.label() == "Schlüssel 鍵 \xf0\x9f\x94\x91");
  record.set_label(std::string(100, 'x'));
  BOOST_TEST(record.label() == std::string(39, 'x'));
  record.set_label("\xff\xc3");
  BOOST_TEST(record.label() == "\xef\xbf\xbd\xef\xbf\xbd");
  record.name.fill(0xd8);  // high surrogates all along
  BOOST_TEST(record.label().substr(0, 3) == "\xef\xbf\xbd");
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

BOOST_AUTO_TEST_CASE(cache_counters) {
  const auto counters = parse_cache_file(hex("000001000300"));
  BOOST_REQUIRE(counters.ok());
  BOOST_TEST(counters->containers == 1u);
  BOOST_TEST(counters->files == 3u);
  CacheCounters next = *counters;
  next.files = 0xffff;
  ++next.files;
  BOOST_TEST(to_hex(cache_file(next)) == "000001000000");
  BOOST_TEST(!parse_cache_file(hex("0000010003")).ok());
}

BOOST_AUTO_TEST_CASE(files_are_wrapped_as_windows_does) {
  const Bytes plain(3000, 'c');
  const auto wrapped = wrap_file(plain);
  BOOST_REQUIRE(wrapped.ok());
  BOOST_TEST(to_hex(ByteView(*wrapped).first(4)) == "0100b80b");
  const auto again = unwrap_file(*wrapped);
  BOOST_REQUIRE(again.ok());
  BOOST_TEST(*again == plain);
  BOOST_TEST((wrap_file(Bytes(0x10000)).code() == Code::data_length));
}

BOOST_AUTO_TEST_CASE(lying_lengths_are_refused) {
  auto wrapped = wrap_file(Bytes(3000, 'c'));
  BOOST_REQUIRE(wrapped.ok());
  (*wrapped)[2] = 0xb7;
  BOOST_TEST((unwrap_file(*wrapped).code() == Code::data_invalid));
  (*wrapped)[2] = 0xb9;
  BOOST_TEST((unwrap_file(*wrapped).code() == Code::data_invalid));
  BOOST_TEST((unwrap_file(hex("01000010")).code() == Code::data_invalid));
}

BOOST_AUTO_TEST_CASE(plain_files_stay_as_they_are) {
  for (const std::string_view content : {"", "01", "3082", "30820123456789"}) {
    const auto unwrapped = unwrap_file(hex(content));
    BOOST_REQUIRE(unwrapped.ok());
    BOOST_TEST(to_hex(*unwrapped) == content);
  }
}

BOOST_AUTO_TEST_CASE(certificates_are_named_by_container) {
  BOOST_TEST(certificate_name(0, true) == "kxc00");
  BOOST_TEST(certificate_name(10, false) == "ksc0A");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::gids
