// Profiles, certificate policies, rights, one-time codes and requests.
#include <boost/test/unit_test.hpp>

#include "domain/audit_log.h"
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
    BOOST_TEST_CONTEXT(example.name) BOOST_TEST(read.ok(), (read ? "" : read.error().detail));
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

BOOST_AUTO_TEST_CASE(what_the_agent_would_refuse_of_a_pin_policy_is_refused_in_a_profile) {
  for (const auto& [policy, place] :
       {std::pair(R"({"required": ["upper"], "allowed": ["digits"]})", "/pin_policy/required: asks for characters"),
        std::pair(R"({"max_sequence": 1})", "/pin_policy/max_sequence: must be 0 or at least 2"),
        std::pair(R"({"a/b": 1})", "/pin_policy/a~1b: is no part of a PIN policy")}) {
    std::string document(Rig::standard_profile);
    document.insert(document.rfind('}'), std::string(R"(, "pin_policy": )") + policy);
    const std::string mistakes = mistake_in_profile(document);
    BOOST_TEST_CONTEXT(mistakes) BOOST_TEST((mistakes.find(place) == 0U));
  }
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

BOOST_AUTO_TEST_CASE(a_person_has_an_address_or_none) {
  Rig rig;
  for (const char* const right : {"", "bob@example.org"}) {
    Person person;
    person.name = "bob" + std::string(right);
    person.email = right;
    BOOST_TEST(save_person(rig.ports, rig.admin, person).ok());
  }
  for (const char* const wrong : {"x", "@example.org", "bob@", "bob @example.org"}) {
    Person person;
    person.name = "carl";
    person.email = wrong;
    const auto saved = save_person(rig.ports, rig.admin, person);
    BOOST_REQUIRE(!saved.ok());
    BOOST_TEST(saved.error().detail.find("/email") != std::string::npos);
  }
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
  const auto script =
      make_access_token(rig.ports, rig.admin, chief.id, "nightly", {}, rig.clock.at + std::chrono::days(1));
  BOOST_REQUIRE(script.ok());
  BOOST_TEST((remove_access_token(rig.ports, clerk, script->token.id).code() == Code::permission_denied));
  BOOST_TEST(actor_of_access_token(rig.ports, script->text.view()).ok());
  BOOST_TEST(remove_access_token(rig.ports, rig.admin, script->token.id).ok());
  BOOST_TEST(!actor_of_access_token(rig.ports, script->text.view()).ok());
  chief.enabled = false;
  BOOST_TEST((save_operator(rig.ports, clerk, chief).code() == Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(nobody_writes_a_role_that_reaches_further_than_oneself) {
  Rig rig;
  const std::vector<std::string> rights = {"operator_write", "person_read"};
  BOOST_REQUIRE(save_role(rig.ports, rig.admin, {"head", "department", rights}).ok());
  BOOST_TEST(rig.memory.state.events.back().action == "role_saved");
  BOOST_REQUIRE(save_role(rig.ports, rig.admin, {"chief", "all", rights}).ok());
  const Actor head = rig.officer("hanna", {"head"});
  const auto code = [&](const CustomRole& role) { return save_role(rig.ports, head, role).code(); };
  BOOST_TEST((code({"desk", "department", {"token_read"}}) == Code::permission_denied));
  BOOST_TEST((code({"desk", "all", rights}) == Code::permission_denied));
  // One's own role would grow with oneself in it, and others' would shrink.
  BOOST_TEST((code({"head", "all", rights}) == Code::permission_denied));
  BOOST_TEST((code({"chief", "own", rights}) == Code::permission_denied));
  BOOST_TEST((code({"desk", "department", {"no_such_right"}}) == Code::arguments_bad));
  BOOST_TEST(save_role(rig.ports, head, {"desk", "department", rights}).ok());
  BOOST_TEST((save_role(rig.ports, rig.officer("nora", {"normal"}), {"desk", "own", {"person_read"}}).code() ==
              Code::permission_denied));
}

BOOST_AUTO_TEST_CASE(a_department_s_rights_reach_neither_the_audit_log_nor_others_tokens) {
  Rig rig;
  BOOST_REQUIRE(save_role(rig.ports, rig.admin, {"baker", "department", {"audit_read", "token_write"}}).ok());
  const Actor baker = rig.officer("bert", {"baker"});
  BOOST_TEST((verify_audit_log(rig.ports, baker).code() == Code::permission_denied));
  BOOST_TEST((export_audit_log(rig.ports, baker, 1, [](std::string_view) { return Status(); }).code() ==
              Code::permission_denied));
  BOOST_TEST(verify_audit_log(rig.ports, rig.officer("aude", {"auditor"})).ok());

  FakeToken card;
  rig.issue(card);
  rig.work(rig.collect(rig.ask("retire", rig.only_token().id)).job, card);
  BOOST_REQUIRE((rig.only_token().state == TokenState::retired));
  BOOST_TEST((restock_token(rig.ports, baker, rig.only_token().id).code() == Code::permission_denied));
  BOOST_TEST((rig.only_token().state == TokenState::retired));
  BOOST_TEST(restock_token(rig.ports, rig.admin, rig.only_token().id).ok());
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
  const auto opens = [&](const ArchivedKey& row) { return open_archived_key(rig.keys, row).ok(); };
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
  BOOST_TEST(resumed->token_serial.empty());
  testing::FakeToken token;
  rig.work(resumed->job, token, 2);
  rig.clock.at += std::chrono::minutes(16);
  // Who takes it over is told which token it was begun with.
  const auto other = open_agent_session(rig.ports, spaced, "", "other");
  BOOST_REQUIRE(other.ok());
  BOOST_TEST(other->token_kind == token.kind);
  BOOST_TEST(other->token_serial == token.serial);
  rig.clock.at += std::chrono::hours(80);
  BOOST_TEST((open_agent_session(rig.ports, spaced, "", "other").code() == Code::pin_expired));
  BOOST_TEST((open_agent_session(rig.ports, "999-1234", "", "host").code() == Code::pin_incorrect));
  BOOST_TEST((open_agent_session(rig.ports, "junk", "", "host").code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(a_session_that_was_left_alone_ends) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  const std::string secret(text_of(session.secret.view()));
  const auto good = [&] { return job_of_session(rig.ports, session.job, secret); };
  const auto day = std::chrono::hours(24);
  const auto moment = std::chrono::seconds(1);
  BOOST_REQUIRE(next_step(rig.ports, session.job, std::nullopt).ok());
  rig.clock.at += day - moment;
  BOOST_TEST(good().ok());
  // Whoever is heard of goes on.
  BOOST_REQUIRE(next_step(rig.ports, session.job, std::nullopt).ok());
  rig.clock.at += day - moment;
  BOOST_TEST(good().ok());
  rig.clock.at += moment;
  BOOST_TEST((good().code() == Code::permission_denied));
  BOOST_TEST((job_of_session(rig.ports, session.job, secret, 2 * day).ok()));

  // A new code opens the job again; the agent asks while an authority takes its time, and learns the end.
  const Id request = rig.memory.state.jobs_rows.at(session.job).request;
  const auto code = make_code(rig.ports, rig.admin, request);
  BOOST_REQUIRE(code.ok());
  const auto again = open_agent_session(rig.ports, text_of(code->text.view()), secret, "host");
  BOOST_REQUIRE_MESSAGE(again.ok(), (again ? "" : again.error().detail));
  BOOST_TEST(!good().ok());
  const auto goes_on = [&] { return job_of_session(rig.ports, again->job, text_of(again->secret.view())).ok(); };
  rig.authorities.ca->pending = 1;
  NextStep next;
  // In the first of two rounds a step is done, in the second it is reported.
  for (int step = 0; step < 100 && !rig.memory.state.jobs_rows.at(again->job).next_attempt; ++step)
    next = rig.work(again->job, card, 2);
  BOOST_REQUIRE((next.state == NextStep::State::waiting));
  rig.clock.at += 3 * day;
  BOOST_TEST(goes_on());
  next = rig.work(again->job, card);
  BOOST_REQUIRE_MESSAGE(next.state == NextStep::State::completed, next.text);
  rig.clock.at += 3 * day;
  BOOST_TEST(goes_on());
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_revives_no_code_and_takes_new_ones) {
  Rig rig;
  const Request request = rig.ask("issue");
  const auto old = make_code(rig.ports, rig.admin, request.id);
  const std::string text(text_of(old->text.view()));
  const Time before = rig.clock.at;
  rig.clock.at += std::chrono::hours(24 * 10);
  BOOST_TEST((open_agent_session(rig.ports, text, "", "other").code() == Code::pin_expired));
  rig.clock.at = before;
  BOOST_TEST((open_agent_session(rig.ports, text, "", "other").code() == Code::pin_expired));
  const auto fresh = make_code(rig.ports, rig.admin, request.id);
  BOOST_TEST(open_agent_session(rig.ports, text_of(fresh->text.view()), "", "other").ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
