#include "base/trace_line.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace cardea;

namespace {

std::string* written = nullptr;

void write(std::string_view line) noexcept {
  written->append(line) += '\n';
}

}  // namespace

BOOST_AUTO_TEST_CASE(lines_go_where_the_trace_is_and_nowhere_without_one) {
  std::string lines;
  written = &lines;
  BOOST_TEST(!trace_is_on());
  trace_line("before");
  set_trace_sink(write);
  BOOST_TEST(trace_is_on());
  trace_line("while it is on");
  set_trace_sink(nullptr);
  trace_line("after");
  BOOST_TEST(!trace_is_on());
  BOOST_TEST(lines == "while it is on\n");
  written = nullptr;
}
