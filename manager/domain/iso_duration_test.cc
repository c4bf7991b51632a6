#include "domain/iso_duration.h"

#include "base/testing.h"

using namespace cardea;
using namespace cardea::manager;
using namespace std::chrono;
using cardea::testing::must;

BOOST_AUTO_TEST_SUITE(iso_duration)

BOOST_AUTO_TEST_CASE(durations_are_read) {
  BOOST_TEST((must(IsoDuration::parse("P1Y6M")) == IsoDuration{18, 0, 0}));
  BOOST_TEST((must(IsoDuration::parse("P2W3D")) == IsoDuration{0, 17, 0}));
  BOOST_TEST((must(IsoDuration::parse("P1DT2H3M4S")) == IsoDuration{0, 1, 7384}));
  BOOST_TEST((must(IsoDuration::parse("PT5M")) == IsoDuration{0, 0, 300}));
}

BOOST_AUTO_TEST_CASE(what_is_none_is_refused) {
  for (const char* text : {"", "P", "PT", "1Y", "P1", "P1M1Y", "P1Y1Y", "P-1D", "P0D", "P1.5D", "P1H", "PT1Y", "P1DT",
                           "P101Y", "P99999999999999999999D", "P9999999999D", "PT9999999999S", " P1D", "P1D "}) {
    BOOST_TEST((IsoDuration::parse(text).code() == Code::arguments_bad), text);
  }
}

BOOST_AUTO_TEST_CASE(months_follow_the_calendar) {
  const sys_seconds january = sys_days{year{2027} / 1 / 31} + 5h;
  BOOST_TEST((must(IsoDuration::parse("P1M")).after(january) == sys_days{year{2027} / 2 / 28} + 5h));
  BOOST_TEST((must(IsoDuration::parse("P1Y1M")).after(january) == sys_days{year{2028} / 2 / 29} + 5h));
  BOOST_TEST((must(IsoDuration::parse("PT20H")).after(january) == sys_days{year{2027} / 2 / 1} + 1h));
  BOOST_TEST((must(IsoDuration::parse("P1Y1D")).about() == 366 * 24h));
}

BOOST_AUTO_TEST_SUITE_END()
