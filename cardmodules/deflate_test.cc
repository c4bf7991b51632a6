#include "cardmodules/deflate.h"

#include <boost/test/unit_test.hpp>

namespace cardea::card {
namespace {

BOOST_AUTO_TEST_SUITE(deflate)

BOOST_AUTO_TEST_CASE(both_wrappings_come_back) {
  Bytes plain(5000);
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<Byte>(i % 7);
  for (const Wrapping wrapping : {Wrapping::gzip, Wrapping::zlib}) {
    const Result<Bytes> compressed = deflate_bytes(plain, wrapping);
    BOOST_REQUIRE(compressed.ok());
    BOOST_TEST(compressed->size() < 200u);
    const Result<Bytes> again = inflate_bytes(*compressed, plain.size());
    BOOST_REQUIRE(again.ok());
    BOOST_TEST(*again == plain);
    BOOST_TEST((inflate_bytes(*compressed, plain.size() - 1).code() == Code::data_invalid));
  }
}

BOOST_AUTO_TEST_CASE(damage_is_refused) {
  const Bytes plain(100, 'x');
  const Result<Bytes> compressed = deflate_bytes(plain, Wrapping::gzip);
  BOOST_REQUIRE(compressed.ok());
  for (std::size_t size = 0; size < compressed->size(); ++size) {
    BOOST_TEST(!inflate_bytes(ByteView(*compressed).first(size), 1000).ok());
  }
  Bytes longer = *compressed;
  longer.push_back(0);
  BOOST_TEST(!inflate_bytes(longer, 1000).ok());
}

BOOST_AUTO_TEST_CASE(a_bomb_stops_at_the_limit) {
  const Result<Bytes> bomb = deflate_bytes(Bytes(4'000'000), Wrapping::gzip);
  BOOST_REQUIRE(bomb.ok());
  BOOST_TEST((inflate_bytes(*bomb, 65536).code() == Code::data_invalid));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card
