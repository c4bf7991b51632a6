#include "cli/key_types.h"

#include <boost/test/unit_test.hpp>

#include "cli/objects.h"

namespace cardea::cli {

BOOST_AUTO_TEST_SUITE(key_types_and_usages)

BOOST_AUTO_TEST_CASE(every_word_is_found_in_any_case) {
  for (const KeyType& type : key_types()) {
    const auto found = find_key_type(type.word);
    BOOST_REQUIRE_MESSAGE(found.ok(), type.word);
    BOOST_TEST(found->word == type.word);
    BOOST_TEST(parse_usage(type.usage).ok(), type.word);
  }
  BOOST_TEST(find_key_type("EC:p-256")->word == "ec:P-256");
  BOOST_TEST((find_key_type("rsa:1024").code() == Code::arguments_bad));
  BOOST_TEST((find_key_type("").code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(usages_are_words_joined_by_commas) {
  const auto parsed = parse_usage("sign, decrypt");
  BOOST_REQUIRE(parsed.ok());
  BOOST_TEST(parsed->size() == 2U);
  BOOST_TEST((parse_usage("sign,fly").code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(hexadecimal_with_and_without_colons) {
  BOOST_TEST(to_hex(*parse_hex("01:AB:2f", "--id")) == "01ab2f");
  BOOST_TEST(to_hex(*parse_hex("00", "--id")) == "00");
  for (const std::string_view bad : {"", ":", "1", "zz", "0x01", "01 02"}) {
    BOOST_TEST((parse_hex(bad, "--id").code() == Code::arguments_bad), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
