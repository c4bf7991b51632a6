#include "cli/client_checks.h"

#include <boost/test/unit_test.hpp>

namespace cardea::cli {

using Values = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(client_checks)

BOOST_AUTO_TEST_CASE(values_of_each_client_s_kind_of_file) {
  BOOST_TEST(line_values("# made by hand\nmodule: /usr/lib/a.so\npriority: 1\n", "module") == Values{"/usr/lib/a.so"},
             boost::test_tools::per_element());
  BOOST_TEST(line_values("library=\nname=NSS\n\nlibrary=/b.so\nname=b\n", "library") == Values{"/b.so"},
             boost::test_tools::per_element());
  BOOST_TEST(line_values("Host *\n  pkcs11provider \"/c d.so\"\r\n#PKCS11Provider /e.so\n", "PKCS11Provider") ==
                 Values{"/c d.so"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_longer_name_is_another_name) {
  BOOST_TEST(line_values("modules: /a.so\nmodule\n", "module").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
