// The main function of every test program. Boost.Test would define it where BOOST_TEST_MODULE stands before its header,
// which the precompiled header of the test programs cannot have.
#include <boost/test/unit_test.hpp>

int main(int argc, char* argv[]) {
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
