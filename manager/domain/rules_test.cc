// Profiles, certificate policies, rights, one-time codes and requests.
#include <boost/test/unit_test.hpp>

#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::parsed;
using testing::Rig;

std::string mistake_in_profile(std::string_view document) {
  auto read = read_profile(parsed(document));
  return read ? "" : read.error().detail;
}

BOOST_AUTO_TEST_SUITE(rules)

BOOST_AUTO_TEST_CASE(the_profiles_of_the_product_are_right) {
  BOOST_TEST(example_profiles().size() == 4U);
  for (const auto& example : example_profiles()) {
    auto read = read_profile(parsed(example.document));
    BOOST_TEST_CONTEXT(example.name) BOOST_TEST(read.ok());
  }
}

BOOST_AUTO_TEST_CASE(a_profile_s_mistakes_are_all_named_with_their_places) {
  const std::string mistakes = mistake_in_profile(R"({
    "device_kinds": ["piv", "abacus"],
    "certificates": [{"container": "authentication", "policy": "a", "archived": true, "algorithm": "rsa:512"},
                     {"container": "authentication", "policy": "b"},
                     {"container": "encryption", "source": "use_existing", "archived": false, "policy": "c"}],
    "pin_policy": {"min_length": 9, "max_length": 8},
    "code": {"length": "3-99"},
    "self_service": ["recover"],
    "devices_per_person": -1,
    "surprise": 1})");
  for (const char* place : {"/device_kinds:", "/certificates/0/archived:", "/certificates/0/algorithm:",
                            "/certificates/1/container:", "/certificates/2/source:", "/pin_policy/min_length:",
                            "/code/length:", "/self_service:", "/devices_per_person:", "/surprise:"})
    BOOST_TEST_CONTEXT(place) BOOST_TEST((mistakes.find(place) != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_profile_with_an_unknown_policy_is_refused_when_saved) {
  Rig rig;
  Profile profile;
  profile.name = "other";
  profile.document =
      parsed(R"({"device_kinds": ["piv"], "certificates": [{"container": "authentication", "policy": "nowhere"}]})");
  auto saved = save_profile(rig.ports, rig.admin, profile);
  BOOST_REQUIRE(!saved.ok());
  BOOST_TEST(saved.error().detail == "/certificates/0/policy: there is no certificate policy called 'nowhere'");
}

BOOST_AUTO_TEST_CASE(mappings_that_cannot_work_are_refused_in_words) {
  const auto mistake = [](std::string_view document) {
    auto read = read_policy(parsed(document));
    return read ? std::string() : read.error().detail;
  };
  BOOST_TEST((mistake(R"({"subject": [{"type": "CN", "from": "person.shoe_size"}]})")
                  .find("/subject/0/from: 'person.shoe_size' is no source") == 0));
  BOOST_TEST(mistake(R"({"subject": [{"type": "C", "from": "=Germany"}]})") ==
             "/subject/0/from: the fixed value of C is no country code of two letters");
  BOOST_TEST((
      mistake(R"({"subject": [{"type": "XX", "from": "person.name"}]})").find("/subject/0/type: must be one of") == 0));
  BOOST_TEST((mistake(R"({})").find("/subject: is missing") == 0));
  BOOST_TEST((mistake(R"({"alternative_names": [{"type": "pigeon", "from": "person.name"}]})")
                  .find("/alternative_names/0/type") == 0));
}

BOOST_AUTO_TEST_CASE(attributes_are_mapped_and_escaped) {
  const auto rules = *read_policy(parsed(R"({
    "subject": [{"type": "C", "from": "=DE"}, {"type": "OU", "from": "person.department", "optional": true},
                {"type": "CN", "from": "person.display_name"}, {"type": "serialNumber", "from": "token.serial", "optional": true}],
    "alternative_names": [{"type": "upn", "from": "person.upn"}]})"));
  Person person;
  person.name = "bob";
  person.display_name = "Bob, \"the\" Builder";
  person.attributes["upn"] = "bob@example.org";
  Token token;
  token.serial = "77";
  const auto mapped = *map_attributes(rules, person, &token);
  BOOST_TEST(mapped.subject == R"(serialNumber=77,CN=Bob\, \"the\" Builder,C=DE)");
  BOOST_TEST(mapped.alternative_names.at(0).value == "bob@example.org");
  person.attributes["upn"] = "no address";
  BOOST_TEST(map_attributes(rules, person, &token).error().detail ==
             "the certificate attribute upn comes from person.upn, and 'no address' is no address name@domain");
  person.attributes.clear();
  BOOST_TEST(map_attributes(rules, person, nullptr).error().detail ==
             "the certificate attribute upn comes from person.upn, which is empty for bob");
}

BOOST_AUTO_TEST_CASE(a_policy_s_wishes_for_archive_validation_and_storage_are_met) {
  Rig rig;
  CertificatePolicy strict = rig.memory.state.policies_rows.begin()->second;
  strict.id = 0;
  strict.name = "strict";
  strict.document["archive_keys"] = true;
  strict.document["requires_validation"] = true;
  strict.document["certificate_storage"] = "hardware";
  BOOST_REQUIRE(save_policy(rig.ports, rig.admin, strict).ok());
  Profile profile;
  profile.name = "strict";
  profile.document =
      parsed(R"({"device_kinds": ["keystore"], "certificates": [{"container": "encryption", "policy": "strict"}]})");
  auto refused = save_profile(rig.ports, rig.admin, profile);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.error().detail ==
             "/certificates/0/archived: the certificate policy 'strict' wants its keys archived");
  profile.document["certificates"].as_array()[0].as_object()["archived"] = true;
  BOOST_REQUIRE(save_profile(rig.ports, rig.admin, profile).ok());
  NewRequest wanted;
  wanted.kind = "issue";
  wanted.person = rig.person.id;
  wanted.profile = "strict";
  const Request request = *create_request(rig.ports, rig.admin, wanted);
  BOOST_TEST((request.state == RequestState::pending));
  BOOST_REQUIRE(approve_request(rig.ports, rig.officer("one", {"elevated"}), request.id, "").ok());
  FakeToken keystore;
  keystore.kind = "keystore";
  const AgentSession session = rig.collect(request);
  const NextStep end = rig.work(session.job, keystore);
  BOOST_TEST((end.state == NextStep::State::failed));
  BOOST_TEST((end.text.find("does not let its certificates onto software keystores") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(rights_reach_as_far_as_their_scope) {
  Rig rig;
  Person other;
  other.name = "bob";
  other.department = "baking";
  other = *save_person(rig.ports, rig.admin, other);
  Operator row;
  row.name = "head";
  row.roles = {"normal"};
  row.scope = "department";
  row.department = "archery";
  BOOST_REQUIRE(rig.memory
                    .read([&](Transaction& store) -> Status {
                      const Actor head = *operator_actor(store, row);
                      BOOST_TEST(may(head, Right::person_write, rig.person));
                      BOOST_TEST(!may(head, Right::person_write, other));
                      BOOST_TEST(!may(head, Right::ca_write));
                      BOOST_TEST((require(head, Right::person_write, other).code() == Code::permission_denied));
                      const Actor narrowed = *operator_actor(store, row, {"person_read"});
                      BOOST_TEST(!may(narrowed, Right::person_write));
                      BOOST_TEST(may(narrowed, Right::person_read, rig.person));
                      row.enabled = false;
                      BOOST_TEST(!operator_actor(store, row).ok());
                      return {};
                    })
                    .ok());
  const Actor alice = person_actor(rig.person);
  BOOST_TEST(may(alice, Right::person_read, rig.person));
  BOOST_TEST(!may(alice, Right::person_read, other));
}

BOOST_AUTO_TEST_CASE(nobody_gives_rights_that_one_does_not_have) {
  Rig rig;
  BOOST_REQUIRE(rig.memory
                    .transact([](Transaction& store) {
                      return save_role(store, {"clerk", "all", {"operator_write", "operator_read", "person_read"}});
                    })
                    .ok());
  const Actor clerk = rig.officer("clara", {"clerk"});
  Operator wish;
  wish.name = "mallory";
  wish.roles = {"system_administrator"};
  BOOST_TEST((save_operator(rig.ports, clerk, wish).code() == Code::permission_denied));
  wish.roles = {"clerk"};
  BOOST_TEST(save_operator(rig.ports, clerk, wish).ok());
  Operator chief;
  chief.name = "chief";
  chief.roles = {"system_administrator"};
  chief = *save_operator(rig.ports, rig.admin, chief);
  chief.enabled = false;
  BOOST_TEST((save_operator(rig.ports, clerk, chief).code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(access_tokens_expire_and_are_narrowed) {
  Rig rig;
  const Actor admin = rig.officer("root", {"system_administrator"});
  auto made = make_access_token(rig.ports, rig.admin, *admin.operator_id, "ci", {"certificate_issue"},
                                rig.clock.at + std::chrono::hours(1));
  BOOST_REQUIRE(made.ok());
  auto actor = actor_of_access_token(rig.ports, made->text.view());
  BOOST_REQUIRE(actor.ok());
  BOOST_TEST(may(*actor, Right::certificate_issue));
  BOOST_TEST(!may(*actor, Right::person_read));
  rig.clock.at += std::chrono::hours(2);
  BOOST_TEST((actor_of_access_token(rig.ports, made->text.view()).code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(approvals_need_other_people) {
  Rig rig(
      R"({"device_kinds": ["piv"], "approvals": 1, "certificates": [{"container": "authentication", "policy": "authentication"}]})");
  const Actor asker = rig.officer("ann", {"elevated"});
  const Actor approver = rig.officer("bea", {"elevated"});
  NewRequest wanted;
  wanted.kind = "issue";
  wanted.person = rig.person.id;
  wanted.profile = "staff";
  const Request request = *create_request(rig.ports, asker, wanted);
  BOOST_TEST((request.state == RequestState::pending));
  BOOST_TEST((make_code(rig.ports, asker, request.id).code() == Code::action_prohibited));
  BOOST_TEST((approve_request(rig.ports, asker, request.id, "").code() == Code::permission_denied));
  BOOST_TEST((approve_request(rig.ports, approver, request.id, "fine")->state == RequestState::approved));
}

BOOST_AUTO_TEST_CASE(a_recovery_takes_two_others_and_is_told_in_the_audit_log) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const Actor asker = rig.officer("ann", {"key_recovery"});
  const Actor one = rig.officer("bea", {"key_recovery"});
  const Actor two = rig.officer("cat", {"key_recovery"});
  NewRequest wanted;
  wanted.kind = "recover";
  wanted.person = rig.person.id;
  wanted.parameters = {{"to", "pkcs12"}, {"keys", "all"}};
  const Request request = *create_request(rig.ports, asker, wanted);
  BOOST_TEST((approve_request(rig.ports, asker, request.id, "").code() == Code::permission_denied));
  BOOST_TEST((approve_request(rig.ports, one, request.id, "")->state == RequestState::pending));
  BOOST_TEST((approve_request(rig.ports, one, request.id, "").code() == Code::action_prohibited));
  BOOST_TEST((recover_as_pkcs12(rig.ports, asker, request.id).code() == Code::action_prohibited));
  BOOST_TEST((approve_request(rig.ports, two, request.id, "")->state == RequestState::approved));
  const std::size_t reads = rig.memory.state.events.size();
  // The authority of this test signs nothing, so its certificate cannot be packed; what counts is that the archive
  // opened.
  auto recovered = recover_as_pkcs12(rig.ports, asker, request.id);
  BOOST_REQUIRE_MESSAGE(recovered.ok(), (recovered ? "" : describe(recovered.error())));
  BOOST_TEST(recovered->identities.size() == 1U);
  BOOST_TEST(rig.memory.state.events.size() > reads);
  BOOST_TEST((recover_as_pkcs12(rig.ports, asker, request.id).code() == Code::action_prohibited));
}

BOOST_AUTO_TEST_CASE(an_archived_row_that_was_changed_does_not_open) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  ArchivedKey key = rig.memory.state.archived_keys_rows.begin()->second;
  const auto opens = [&](const ArchivedKey& row) {
    bool open = false;
    BOOST_REQUIRE(rig.memory
                      .transact([&](Transaction& store) -> Status {
                        open = read_archived_key(store, rig.keys, row, rig.admin, rig.clock.at, "test").ok();
                        return {};
                      })
                      .ok());
    return open;
  };
  BOOST_TEST(opens(key));
  ArchivedKey other = key;
  ++other.person;
  BOOST_TEST(!opens(other));
  other = key;
  other.policy = "signature";
  BOOST_TEST(!opens(other));
  other = key;
  other.sealed_key.back() ^= 1;
  BOOST_TEST(!opens(other));
}

BOOST_AUTO_TEST_CASE(codes_are_counted_locked_used_and_expire) {
  Rig rig;
  const Request request = rig.ask("issue");
  auto code = make_code(rig.ports, rig.admin, request.id);
  BOOST_REQUIRE(code.ok());
  std::string text(text_of(code->text.view()));
  std::string wrong = text;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  for (int left = 4; left > 0; --left) {
    auto refused = open_agent_session(rig.ports, wrong, "", "host");
    BOOST_REQUIRE(!refused.ok());
    BOOST_TEST((refused.code() == Code::pin_incorrect));
    BOOST_TEST(refused.error().retries_left.value_or(-1) == left);
  }
  BOOST_TEST((open_agent_session(rig.ports, wrong, "", "host").code() == Code::pin_locked));
  BOOST_TEST((open_agent_session(rig.ports, text, "", "host").code() == Code::pin_locked));
  auto fresh = make_code(rig.ports, rig.admin, request.id);
  std::string spaced = " " + std::string(text_of(fresh->text.view())) + " ";
  spaced.insert(spaced.size() - 3, "  ");
  auto session = open_agent_session(rig.ports, spaced, "", "host");
  BOOST_REQUIRE_MESSAGE(session.ok(), (session ? "" : session.error().detail));
  BOOST_TEST(session->text == "Issue 'staff' to Alice Archer");
  // In use by another: only with the secret, or after the lease.
  BOOST_TEST((open_agent_session(rig.ports, spaced, "", "other").code() == Code::session_exists));
  auto resumed = open_agent_session(rig.ports, spaced, text_of(session->secret.view()), "host");
  BOOST_REQUIRE(resumed.ok());
  BOOST_TEST(!job_of_session(rig.ports, session->job, text_of(session->secret.view())).ok());
  BOOST_TEST(job_of_session(rig.ports, session->job, text_of(resumed->secret.view())).ok());
  rig.clock.at += std::chrono::minutes(16);
  BOOST_TEST(open_agent_session(rig.ports, spaced, "", "other").ok());
  rig.clock.at += std::chrono::hours(80);
  BOOST_TEST((open_agent_session(rig.ports, spaced, "", "other").code() == Code::pin_expired));
  BOOST_TEST((open_agent_session(rig.ports, "999-1234", "", "host").code() == Code::pin_incorrect));
  BOOST_TEST((open_agent_session(rig.ports, "junk", "", "host").code() == Code::arguments_bad));
}

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
