#include "base/base64.h"

#include <boost/test/unit_test.hpp>

namespace cardea {

BOOST_AUTO_TEST_CASE(base64_is_that_of_the_standard) {
  // RFC 4648, 10
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    BOOST_TEST(to_base64(view_of(plain)) == encoded);
    Bytes back;
    BOOST_TEST(from_base64(encoded, back));
    BOOST_TEST(text_of(back) == plain);
  }
  Bytes back;
  for (const std::string_view wrong : {"Zg", "Zg=", "Zh==", "Zm9v\n", "Zm9=v", "====", "Z", "Zm8-"}) {
    BOOST_TEST(!from_base64(wrong, back), wrong);
  }
}

}  // namespace cardea
