#include "domain/crl_publisher.h"

#include "base/testing.h"
#include "domain/audit_log.h"
#include "domain/testing/rig.h"
#include "domain/time_seen.h"

namespace cardea::manager {
namespace {

using cardea::testing::must;

// An authority whose CRL is its number; while it signs, others may publish.
class SlowCa : public LocalCa {
 public:
  std::int64_t id() const override { return 1; }
  const Bytes& certificate() const override { return nothing_; }
  const std::vector<Bytes>& chain() const override { return no_chain_; }
  Result<Bytes> make_crl(std::uint64_t number, std::chrono::sys_seconds) override {
    ++made;
    if (meanwhile) meanwhile();
    return to_bytes(view_of(std::to_string(number) + mark));
  }
  std::chrono::seconds crl_lifetime() const override { return std::chrono::hours(24); }
  std::chrono::seconds crl_interval() const override { return std::chrono::hours(12); }
  Result<Bytes> answer_ocsp(ByteView, std::chrono::sys_seconds) override { return error(Code::function_not_supported); }

  std::string mark;
  int made = 0;
  std::function<void()> meanwhile;

 private:
  Bytes nothing_;
  std::vector<Bytes> no_chain_;
};

struct TwoDaemons : testing::Rig {
  SlowCa here, elsewhere;
  Id id = 1;
  TwoDaemons() {
    here.mark = " here";
    elsewhere.mark = " elsewhere";
  }
};

std::string text(const CrlState& crl) {
  return std::string(text_of(crl.der));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(crl_publisher, TwoDaemons)

BOOST_AUTO_TEST_CASE(a_crl_made_now_shows_what_was_revoked_even_when_another_was_faster) {
  here.meanwhile = [&] {
    if (here.made == 1) must(publish_crl(ports, elsewhere, id));
  };
  const CrlState mine = must(publish_crl(ports, here, id));
  // The other's may lack what was revoked here, so ours comes after it.
  BOOST_TEST(text(mine) == "2 here");
  BOOST_TEST(mine.number == 2U);
  BOOST_TEST(text(must(current_crl(ports, here, id))) == "2 here");
}

BOOST_AUTO_TEST_CASE(a_crl_that_is_due_is_made_by_one_of_them) {
  here.meanwhile = [&] { must(publish_crl(ports, elsewhere, id)); };
  BOOST_TEST(text(must(current_crl(ports, here, id))) == "1 elsewhere");
  BOOST_TEST(here.made == 1);
  BOOST_TEST(text(must(current_crl(ports, here, id))) == "1 elsewhere");
  BOOST_TEST(here.made == 1);
  clock.at += here.crl_interval();
  here.meanwhile = nullptr;
  BOOST_TEST(text(must(current_crl(ports, here, id))) == "2 here");
}

BOOST_AUTO_TEST_CASE(numbers_and_times_go_on_in_order_when_the_clock_is_set_back) {
  const Time ahead = clock.at;
  must(watch_clock(ports));
  BOOST_TEST(must(publish_crl(ports, here, id)).number == 1U);
  clock.at -= std::chrono::hours(100);
  const CrlState second = must(publish_crl(ports, here, id));
  BOOST_TEST(second.number == 2U);
  BOOST_TEST((second.this_update == ahead));
  BOOST_TEST((second.next_update == ahead + here.crl_lifetime()));
  BOOST_TEST(must(current_crl(ports, here, id)).number == 2U);
}

BOOST_AUTO_TEST_CASE(a_crl_of_a_time_that_was_wrong_is_followed_by_one_of_the_right_time) {
  const Time right = clock.at;
  clock.at += std::chrono::hours(24 * 365);
  must(watch_clock(ports));
  must(publish_crl(ports, here, id));
  clock.at = right;
  BOOST_TEST(must(watch_clock(ports)).count() == 24 * 365 * 3600);
  BOOST_REQUIRE(accept_clock(ports, manager_actor()).ok());
  BOOST_TEST(must(watch_clock(ports)).count() == 0);
  const CrlState next = must(current_crl(ports, here, id));
  BOOST_TEST(next.number == 2U);
  BOOST_TEST((next.this_update == right));
}

BOOST_AUTO_TEST_CASE(who_is_overtaken_for_ever_is_told) {
  here.meanwhile = [&] { must(publish_crl(ports, elsewhere, id)); };
  BOOST_TEST((publish_crl(ports, here, id).code() == Code::timed_out));
}

BOOST_AUTO_TEST_CASE(what_was_published_is_there_while_it_is_valid) {
  BOOST_TEST((valid_crl(ports, "ca").code() == Code::not_found));
  BOOST_TEST((valid_crl(ports, "nobody").code() == Code::not_found));
  must(publish_crl(ports, here, id));
  clock.at += std::chrono::hours(23);
  BOOST_TEST(text(must(valid_crl(ports, "ca"))) == "1 here");
  clock.at += std::chrono::hours(1);
  BOOST_TEST((valid_crl(ports, "ca").code() == Code::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
