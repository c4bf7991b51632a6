// Layouts as Windows writes them: the container map and counters of a card with one key.
#include "cardmodules/minidriver_files.h"

#include <boost/test/unit_test.hpp>

namespace cardea::card {
namespace {

Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
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

BOOST_AUTO_TEST_SUITE(minidriver_files)

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

BOOST_AUTO_TEST_CASE(random_names_are_guids) {
  const auto one = random_container_name();
  const auto other = random_container_name();
  BOOST_REQUIRE((one.ok() && other.ok()));
  BOOST_TEST(one->size() == 36u);
  BOOST_TEST((*one)[14] == '4');
  BOOST_TEST(*one != *other);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card
