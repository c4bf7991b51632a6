#include "esapi/quiet_tss2.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>
#include <vector>

namespace cardea::tpm {

BOOST_AUTO_TEST_CASE(tss2_is_silenced_without_touching_what_others_read) {
  const char* const given = std::getenv("TSS2_LOG");
  const std::string before_the_test = given == nullptr ? "" : given;
  unsetenv("TSS2_LOG");
  setenv("CARDEA_TEST_VARIABLE", "of the host", 1);  // from here on the array is one that setenv would free
  char** const before = environ;
  std::vector<char*> variables;
  for (char** each = before; *each != nullptr; ++each) variables.push_back(*each);
  quiet_tss2();
  BOOST_TEST((environ != before));
  BOOST_REQUIRE(std::getenv("TSS2_LOG") != nullptr);
  BOOST_TEST(std::string(std::getenv("TSS2_LOG")) == "all+NONE");
  BOOST_TEST(std::string(std::getenv("CARDEA_TEST_VARIABLE")) == "of the host");
  for (std::size_t i = 0; i < variables.size(); ++i) {
    BOOST_TEST((before[i] == variables[i]));
    BOOST_TEST((environ[i] == variables[i]));
  }
  BOOST_TEST((before[variables.size()] == nullptr));

  char** const after = environ;
  quiet_tss2();
  BOOST_TEST((environ == after));
  setenv("TSS2_LOG", "esys+TRACE", 1);
  quiet_tss2();
  BOOST_TEST(std::string(std::getenv("TSS2_LOG")) == "esys+TRACE");
  unsetenv("CARDEA_TEST_VARIABLE");
  if (given == nullptr) {
    unsetenv("TSS2_LOG");
  } else {
    setenv("TSS2_LOG", before_the_test.c_str(), 1);
  }
}

}  // namespace cardea::tpm
