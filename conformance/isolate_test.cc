#include "conformance/isolate.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>

namespace {
using namespace cardea::conformance;
}

BOOST_AUTO_TEST_SUITE(isolation)

BOOST_AUTO_TEST_CASE(findings_come_through) {
  const auto findings = isolate("chapter", 20, [](const Context::Sink& sink, const Context::Announce&) {
    sink({"chapter/a", Verdict::pass, ""});
    sink({"chapter/b", Verdict::fail, "two\nlines"});
    sink({"chapter/c", Verdict::skip, "absent"});
  });
  BOOST_REQUIRE_EQUAL(findings.size(), 3u);
  BOOST_TEST((findings[0].verdict == Verdict::pass && findings[0].name == "chapter/a"));
  BOOST_TEST((findings[1].verdict == Verdict::fail && findings[1].detail == "two lines"));
  BOOST_TEST((findings[2].verdict == Verdict::skip && findings[2].detail == "absent"));
}

BOOST_AUTO_TEST_CASE(a_crash_is_a_failure_of_the_step_that_had_begun) {
  const auto findings = isolate("chapter", 20, [](const Context::Sink& sink, const Context::Announce& announce) {
    sink({"chapter/a", Verdict::pass, ""});
    announce("chapter/b");
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM);
  });
  BOOST_REQUIRE_EQUAL(findings.size(), 2u);
  BOOST_TEST(findings[1].name == "chapter/b");
  BOOST_TEST((findings[1].verdict == Verdict::fail));
}

BOOST_AUTO_TEST_CASE(an_early_exit_is_a_failure) {
  const auto findings = isolate("chapter", 20, [](const Context::Sink&, const Context::Announce&) { _Exit(0); });
  BOOST_REQUIRE_EQUAL(findings.size(), 1u);
  BOOST_TEST((findings[0].verdict == Verdict::fail && findings[0].name == "chapter"));
}

BOOST_AUTO_TEST_SUITE_END()
