// Which tokens a credential may go onto, by its profile and by whose they are.
#include <boost/test/unit_test.hpp>

#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::parsed;
using testing::Rig;

BOOST_AUTO_TEST_SUITE(device_rules)

BOOST_AUTO_TEST_CASE(devices_are_limited_and_stock_is_known) {
  Rig rig(R"({"device_kinds": ["piv"], "registered_stock_only": true, "devices_per_person": 1,
              "certificates": [{"container": "authentication", "policy": "authentication"}]})");
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const NextStep refused = rig.work(session.job, card);
  BOOST_TEST((refused.state == NextStep::State::failed));
  BOOST_TEST((refused.text.find("not registered as stock") != std::string::npos));
  Token stock;
  stock.kind = "piv";
  stock.serial = card.serial;
  BOOST_REQUIRE(register_token(rig.ports, rig.admin, stock).ok());
  rig.issue(card);
  NewRequest second;
  second.kind = "issue";
  second.person = rig.person.id;
  second.profile = "staff";
  auto more = create_request(rig.ports, rig.admin, second);
  BOOST_TEST((more.code() == Code::action_prohibited));
}

BOOST_AUTO_TEST_CASE(a_blank_card_is_nobodys_own_device_and_stays_as_it_is) {
  Rig rig(R"({"device_kinds": ["gids"], "own_devices_only": true, "self_service": ["issue"], "devices_per_person": 0,
              "certificates": [{"container": "authentication", "policy": "authentication"}]})");
  NewRequest wanted;
  wanted.kind = "issue";
  wanted.person = rig.person.id;
  wanted.profile = "staff";
  FakeToken card;
  card.kind = "gids";
  card.blank = true;
  const auto asked = create_request(rig.ports, person_actor(rig.person), wanted);
  BOOST_REQUIRE_MESSAGE(asked.ok(), (asked ? "" : asked.error().detail));
  const NextStep refused = rig.work(rig.collect(*asked).job, card);
  BOOST_TEST((refused.state == NextStep::State::failed));
  BOOST_TEST((refused.text.find("the card is blank, so it is not registered to alice") != std::string::npos));
  BOOST_TEST(card.blank);
  const auto by_officer = create_request(rig.ports, rig.officer("ann", {"elevated"}), wanted);
  BOOST_REQUIRE_MESSAGE(by_officer.ok(), (by_officer ? "" : by_officer.error().detail));
  BOOST_TEST((rig.work(rig.collect(*by_officer).job, card).state == NextStep::State::completed));
  BOOST_TEST(!card.blank);
}

BOOST_AUTO_TEST_CASE(what_people_ask_for_themselves_goes_onto_their_own_devices) {
  Rig rig(R"({"device_kinds": ["piv"], "own_devices_only": true, "self_service": ["issue"], "devices_per_person": 0,
              "certificates": [{"container": "authentication", "policy": "authentication"}]})");
  const Actor alice = person_actor(rig.person);
  const auto collect = [&](const Actor& asker, FakeToken& card) {
    NewRequest wanted;
    wanted.kind = "issue";
    wanted.person = rig.person.id;
    wanted.profile = "staff";
    const auto request = create_request(rig.ports, asker, wanted);
    BOOST_REQUIRE_MESSAGE(request.ok(), (request ? "" : request.error().detail));
    return rig.work(rig.collect(*request).job, card);
  };
  const auto state_of = [&](const FakeToken& card) {
    for (const Token& token : rig.all(&Transaction::tokens))
      if (token.serial == card.serial) return token;
    return Token();
  };
  FakeToken unknown;
  const NextStep refused = collect(alice, unknown);
  BOOST_TEST((refused.state == NextStep::State::failed));
  BOOST_TEST((refused.text.find("the piv token 1001 is not registered to alice") != std::string::npos));
  BOOST_TEST(state_of(unknown).id == 0);

  Token stock;
  stock.kind = "piv";
  stock.serial = "2002";
  BOOST_REQUIRE(register_token(rig.ports, rig.admin, stock).ok());
  FakeToken from_stock;
  from_stock.serial = "2002";
  BOOST_TEST((collect(alice, from_stock).state == NextStep::State::failed));
  BOOST_TEST((state_of(from_stock).state == TokenState::stock));

  stock.serial = "3003";
  stock.person = rig.person.id + 1000;
  BOOST_TEST((register_token(rig.ports, rig.admin, stock).code() == Code::arguments_bad));
  stock.person = rig.person.id;
  const auto registered = register_token(rig.ports, rig.admin, stock);
  BOOST_REQUIRE(registered.ok());
  BOOST_TEST((registered->state == TokenState::assigned));
  FakeToken own;
  own.serial = "3003";
  // A job that is taken back leaves the token its person's.
  rig.authorities.ca->reject = true;
  BOOST_TEST((collect(alice, own).state == NextStep::State::failed));
  BOOST_TEST((state_of(own).state == TokenState::assigned));
  BOOST_TEST((state_of(own).person == rig.person.id));
  rig.authorities.ca->reject = false;
  const NextStep done = collect(alice, own);
  BOOST_TEST_REQUIRE((done.state == NextStep::State::completed), done.text);

  // An operator who acts for oneself is a person as well; one who acts for others decides.
  Operator herself;
  herself.name = "alice herself";
  herself.roles = {"person"};
  herself.scope = "own";
  herself.person = rig.person.id;
  herself = *save_operator(rig.ports, rig.admin, herself);
  std::optional<Actor> as_operator;
  BOOST_REQUIRE(rig.memory
                    .read([&](Transaction& store) -> Status {
                      CARDEA_ASSIGN(as_operator, operator_actor(store, herself));
                      return {};
                    })
                    .ok());
  BOOST_TEST((collect(*as_operator, from_stock).state == NextStep::State::failed));
  const NextStep by_officer = collect(rig.officer("ann", {"elevated"}), from_stock);
  BOOST_TEST_REQUIRE((by_officer.state == NextStep::State::completed), by_officer.text);
}

BOOST_AUTO_TEST_CASE(tokens_that_are_made_at_issuance_are_nobody_s_before) {
  const auto read = read_profile(parsed(R"({"device_kinds": ["piv", "tpm"], "own_devices_only": true,
      "certificates": [{"container": "authentication", "policy": "a"}]})"));
  BOOST_REQUIRE(!read.ok());
  BOOST_TEST((read.error().detail.find("/own_devices_only: a token of kind tpm is made when it is issued") !=
              std::string::npos));
  Rig rig;
  Token made;
  made.kind = "keystore";
  made.serial = "1";
  made.person = rig.person.id;
  BOOST_TEST((register_token(rig.ports, rig.admin, made).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(people_help_themselves_where_the_profile_lets_them) {
  Rig rig(R"({"device_kinds": ["piv"], "self_service": ["unblock"],
              "certificates": [{"container": "authentication", "policy": "authentication"}]})");
  FakeToken card;
  rig.issue(card);
  const Actor alice = person_actor(rig.person);
  NewRequest wanted;
  wanted.kind = "unblock";
  wanted.person = rig.person.id;
  wanted.token = rig.only_token().id;
  BOOST_TEST(create_request(rig.ports, alice, wanted).ok());
  wanted.kind = "cancel";
  BOOST_TEST((create_request(rig.ports, alice, wanted).code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(an_unarchived_decryption_key_is_not_destroyed_by_mistake) {
  Rig rig(R"({"device_kinds": ["piv"], "certificates": [{"container": "encryption", "policy": "encryption"}]})");
  FakeToken card;
  rig.issue(card);
  NewRequest wanted;
  wanted.kind = "retire";
  wanted.person = rig.person.id;
  wanted.token = rig.only_token().id;
  auto refused = create_request(rig.ports, rig.admin, wanted);
  BOOST_TEST((refused.code() == Code::action_prohibited));
  BOOST_TEST((refused.error().detail.find("destroy_unarchived") != std::string::npos));
  wanted.parameters = {{"destroy_unarchived", true}};
  BOOST_TEST(create_request(rig.ports, rig.admin, wanted).ok());
}
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
