#include "domain/lifecycle.h"

#include <boost/test/unit_test.hpp>

namespace cardea::manager {

BOOST_AUTO_TEST_CASE(every_state_has_its_name_and_back) {
  BOOST_TEST(name(TokenState::retired) == "retired");
  BOOST_TEST(name(RequestState::failed) == "failed");
  BOOST_TEST(name(JobState::undoing) == "undoing");
  BOOST_TEST(name(CertificateState::superseded) == "superseded");
  BOOST_TEST((*state_of<CertificateState>("suspended") == CertificateState::suspended));
  BOOST_TEST((state_of<TokenState>("suspended").code() == Code::data_invalid));
}

BOOST_AUTO_TEST_CASE(what_the_table_allows_happens_and_the_rest_is_refused_by_name) {
  BOOST_TEST((*after(TokenState::stock, "assign") == TokenState::assigned));
  BOOST_TEST((*after(CertificateState::active, "suspend") == CertificateState::suspended));
  const auto refused = after(TokenState::cancelled, "enable");
  BOOST_REQUIRE((refused.code() == Code::action_prohibited));
  BOOST_TEST(refused.error().detail == "a token that is cancelled knows no 'enable'; possible: retire");
  BOOST_TEST((after(CertificateState::revoked, "unsuspend").error().detail ==
              "a certificate that is revoked knows no 'unsuspend'; possible: nothing"));
}

// A transition between states that do not exist would be found only when somebody takes it.
BOOST_AUTO_TEST_CASE(every_transition_is_between_states_of_its_subject) {
#define CARDEA_STATE(subject, state, words)
#define CARDEA_TRANSITION(subject, event, from, to) BOOST_TEST(check_##subject(#event, #from, #to), #event);
  const auto checked = []<class State>(State, const char* event, const char* from, const char* to) {
    const auto begin = state_of<State>(from);
    const auto end = state_of<State>(to);
    const auto reached = begin ? after(*begin, event) : Result<State>(Code::data_invalid);
    return begin && end && reached && *reached == *end;
  };
  const auto check_token = [&](auto... words) { return checked(TokenState{}, words...); };
  const auto check_request = [&](auto... words) { return checked(RequestState{}, words...); };
  const auto check_job = [&](auto... words) { return checked(JobState{}, words...); };
  const auto check_certificate = [&](auto... words) { return checked(CertificateState{}, words...); };
#include "domain/lifecycle.def"
#undef CARDEA_STATE
#undef CARDEA_TRANSITION
}

}  // namespace cardea::manager
