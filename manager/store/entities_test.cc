// Every member of every entity comes back as it went in; names, numbers and hashes find their rows.
#include <boost/json/serialize.hpp>

#include "store/testing.h"

namespace cardea::manager::store {
namespace {

Bytes some(Byte first, std::size_t size = 32) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<Byte>(first + i * 7);
  return out;
}

Person alice() {
  Person person = person_named("Älice.Archer");
  person.display_name = "Alice Archer";
  person.email = "alice@example.org";
  person.department = "R&D";
  person.attributes = {{"upn", "alice@corp.example"}, {"employee_id", "7"}};
  person.enabled = false;
  person.created = at(1'700'000'000);
  person.updated = at(1'700'000'001);
  return person;
}

struct Cast : TestStore {
  Id person = add(alice());
  Id profile =
      add(Profile{.name = "staff", .version = 3, .document = {{"keys", 2}}, .created = at(1), .updated = at(2)});
  Id ca =
      add(CaRecord{.name = "Issuing", .connector = "embedded", .retry_schedule = "15;60", .settings = {{"days", 1}}});
  Id token = add(Token{.kind = "piv", .serial = "ABC123", .label = "card"});
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(entities, Cast)

BOOST_AUTO_TEST_CASE(people) {
  const Person found = read<Person>([&](Transaction& t) { return t.person_by_name("äLICE.aRCHER"); });
  const Person wanted = alice();
  BOOST_TEST(found.id == person);
  BOOST_TEST(found.name == wanted.name);
  BOOST_TEST(found.display_name == wanted.display_name);
  BOOST_TEST(found.email == wanted.email);
  BOOST_TEST(found.department == wanted.department);
  BOOST_TEST((found.attributes == wanted.attributes));
  BOOST_TEST(!found.enabled);
  BOOST_TEST((found.created == wanted.created));
  BOOST_TEST((found.updated == wanted.updated));
}

BOOST_AUTO_TEST_CASE(tokens) {
  Token in{.kind = "gids", .serial = "00ff", .label = "L", .model = "M", .location = "safe 2"};
  in.state = TokenState::disabled;
  in.person = person;
  in.profile = profile;
  in.card_type = "vendor";
  in.secret_version = 4'000'000'000U;
  in.puk_version = 5;
  in.registered_stock = true;
  in.facts = {{"containers", {1, 2}}};
  in.attestation = {{"root", "x"}};
  in.pin = {{"must_change", true}};
  const Id id = add(in);
  const Token out = read<Token>([&](Transaction& t) { return t.token_by_serial("gids", "00FF"); });
  BOOST_TEST(out.id == id);
  BOOST_TEST((out.state == TokenState::disabled));
  BOOST_TEST(*out.person == person);
  BOOST_TEST(*out.profile == profile);
  BOOST_TEST(out.location == "safe 2");
  BOOST_TEST(out.model == "M");
  BOOST_TEST(out.card_type == "vendor");
  BOOST_TEST(out.secret_version == 4'000'000'000U);
  BOOST_TEST(out.puk_version == 5U);
  BOOST_TEST(out.registered_stock);
  BOOST_TEST((out.facts == in.facts));
  BOOST_TEST((out.attestation == in.attestation));
  BOOST_TEST((out.pin == in.pin));
  Status missing = store->read([](Transaction& t) -> Status {
    auto none = t.token_by_serial("tpm", "00ff");
    return none ? Status() : none.error();
  });
  BOOST_TEST((missing.code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(profiles_authorities_and_policies) {
  const Profile staff = read<Profile>([](Transaction& t) { return t.profile_by_name("STAFF"); });
  BOOST_TEST(staff.version == 3U);
  BOOST_TEST(staff.enabled);
  BOOST_TEST(json::serialize(staff.document) == R"({"keys":2})");
  const CaRecord issuing = read<CaRecord>([](Transaction& t) { return t.ca_by_name("issuing"); });
  BOOST_TEST(issuing.id == ca);
  BOOST_TEST(issuing.connector == "embedded");
  BOOST_TEST(issuing.retry_schedule == "15;60");
  add(CertificatePolicy{.ca = ca, .name = "Logon", .ca_profile = "smartcard", .document = {{"days", 365}}});
  const CertificatePolicy logon = read<CertificatePolicy>([](Transaction& t) { return t.policy_by_name("logon"); });
  BOOST_TEST(logon.ca == ca);
  BOOST_TEST(logon.ca_profile == "smartcard");
  BOOST_TEST(json::serialize(logon.document) == R"({"days":365})");
}

BOOST_AUTO_TEST_CASE(requests_and_jobs) {
  Request request{
      .kind = "issue", .state = RequestState::approved, .person = person, .profile = profile, .token = token};
  request.approvals = {{1, at(5), "fine"}, {2, at(6), ""}};
  request.approvals_needed = 2;
  request.reason = "lost";
  request.parameters = {{"twin", true}};
  request.code_check = some(9);
  request.code_expires = at(99);
  request.code_attempts = 3;
  request.id = add(request);
  Job job{.request = request.id, .kind = "issue", .state = JobState::waiting, .token = token};
  job.steps = {{.index = 0,
                .kind = "inspect_token",
                .state = StepState::done,
                .result = {{"serial", "1"}},
                .attempts = 2,
                .started = at(1),
                .finished = at(2)},
               {.index = 1,
                .kind = "set_pin",
                .state = StepState::undone,
                .parameters = {{"mode", "chosen"}},
                .problem = "the card was pulled"}};
  job.waits_for = "the agent";
  job.ca_attempts = 4;
  job.claimed_by = "d1";
  job.claimed_until = at(50);
  job.agent_check = some(1);
  const Id id = add(job);
  const auto by_code = read<std::optional<Request>>([&](Transaction& t) { return t.request_by_code(some(9)); });
  BOOST_REQUIRE(by_code.has_value());
  BOOST_TEST(by_code->id == request.id);
  BOOST_TEST(by_code->approvals.size() == 2U);
  BOOST_TEST(by_code->approvals[0].comment == "fine");
  BOOST_TEST((by_code->approvals[1].at == at(6)));
  BOOST_TEST((by_code->code_expires == at(99)));
  BOOST_TEST(by_code->code_attempts == 3U);
  BOOST_TEST((by_code->state == RequestState::approved));
  BOOST_TEST(!by_code->requested_by.has_value());
  BOOST_TEST(!read<std::optional<Request>>([](Transaction& t) { return t.request_by_code({}); }).has_value());
  const Job out = read<Job>([&](Transaction& t) { return t.job(id); });
  BOOST_REQUIRE(out.steps.size() == 2U);
  BOOST_TEST((out.steps[0].state == StepState::done));
  BOOST_TEST((out.steps[0].finished == at(2)));
  BOOST_TEST((out.steps[0].result == job.steps[0].result));
  BOOST_TEST((out.steps[1].state == StepState::undone));
  BOOST_TEST(out.steps[1].problem == "the card was pulled");
  BOOST_TEST(!out.steps[1].started.has_value());
  BOOST_TEST(out.waits_for == "the agent");
  BOOST_TEST((out.agent_check == some(1)));
  BOOST_TEST((out.claimed_until == at(50)));
}

BOOST_AUTO_TEST_CASE(certificates_and_archived_keys) {
  Certificate in{
      .state = CertificateState::active, .ca = ca, .policy = "Logon", .serial = "7f01", .subject = "CN=Alice"};
  in.person = person;
  in.token = token;
  in.container = "encryption";
  in.der = some(0, 900);  // zero bytes among them
  in.public_key_hash = some(3);
  in.reference = "ca-17";
  in.attestation = {{"device", "piv:1"}};
  in.not_before = at(10);
  in.not_after = at(20);
  in.invalid_since = at(15);
  const Id id = add(in);
  ArchivedKey key{.person = person, .policy = "Mail", .certificate = id, .public_key_hash = some(3)};
  key.public_key = some(4, 91);
  key.archive_key = "archive:1";
  key.wrapped_data_key = some(5, 40);
  key.sealed_key = some(6, 1200);
  key.id = add(key);
  const Certificate out = read<Certificate>([&](Transaction& t) { return t.certificate_by_serial(ca, "7f01"); });
  BOOST_TEST(out.id == id);
  BOOST_TEST((out.der == in.der));
  BOOST_TEST((out.public_key_hash == in.public_key_hash));
  BOOST_TEST(out.reference == "ca-17");
  BOOST_TEST((out.attestation == in.attestation));
  BOOST_TEST(out.container == "encryption");
  BOOST_TEST((out.not_after == at(20)));
  BOOST_TEST((out.invalid_since == at(15)));
  BOOST_TEST(!out.revoked_at.has_value());
  const auto archived =
      read<std::optional<ArchivedKey>>([&](Transaction& t) { return t.archived_key_by_public_key(some(3)); });
  BOOST_REQUIRE(archived.has_value());
  BOOST_TEST((archived->sealed_key == key.sealed_key));
  BOOST_TEST((archived->wrapped_data_key == key.wrapped_data_key));
  BOOST_TEST((archived->public_key == key.public_key));
  BOOST_TEST(archived->archive_key == "archive:1");
  BOOST_TEST(*archived->certificate == id);
}

BOOST_AUTO_TEST_CASE(operators_and_their_tokens) {
  Operator in{.name = "Root", .person = person, .roles = {"auditor", "ca_owner"}, .scope = "all"};
  in.certificates = {"AA01", "bb02"};
  in.id = add(in);
  const Operator out = read<Operator>([](Transaction& t) { return t.operator_by_certificate("aa01"); });
  BOOST_TEST(out.id == in.id);
  BOOST_TEST((out.roles == in.roles));
  must(store->transact([&](Transaction& t) -> Status {
    CARDEA_ASSIGN(Operator changed, t.operator_by_name("root"));
    changed.certificates = {"bb02"};
    return t.update(changed);
  }));
  const Status gone = store->read([](Transaction& t) -> Status {
    auto none = t.operator_by_certificate("aa01");
    return none ? Status() : none.error();
  });
  BOOST_TEST((gone.code() == Code::not_found));
  const Id access = add(
      AccessToken{.operator_id = in.id, .name = "ci", .hash = some(8), .rights = {"person_read"}, .expires = at(77)});
  const AccessToken token_out = read<AccessToken>([](Transaction& t) { return t.access_token_by_hash(some(8)); });
  BOOST_TEST(token_out.operator_id == in.id);
  BOOST_TEST((token_out.rights == std::vector<std::string>{"person_read"}));
  BOOST_TEST((token_out.expires == at(77)));
  must(store->transact([&](Transaction& t) { return t.remove_access_token(access); }));
  BOOST_TEST(
      (store->transact([&](Transaction& t) { return t.remove_access_token(access); }).code() == Code::not_found));
  // A number that was given is not given again.
  BOOST_TEST(add(AccessToken{.operator_id = in.id, .name = "next", .hash = some(9)}) > access);
}

BOOST_AUTO_TEST_CASE(what_has_no_id) {
  must(store->transact([&](Transaction& t) -> Status {
    CARDEA_TRY(t.put(CustomRole{"helpdesk", "department", {"token_unblock"}}));
    CARDEA_TRY(t.put(CustomRole{"Helpdesk", "all", {"token_unblock", "token_read"}}));
    CARDEA_TRY(t.put(CrlState{ca, 7, at(1), at(2), some(1, 300)}));
    CARDEA_TRY(t.put(CrlState{ca, 8, at(3), at(4), some(2, 300)}));
    CARDEA_TRY(t.put_setting("clock", "5"));
    CARDEA_TRY(t.put_setting("clock", "6"));
    CARDEA_TRY(t.put(AuditHead{3, at(9), some(1), some(2, 70)}));
    return t.keep_answer("operator:1", "k", {some(4), 201, R"({"id":1})", "/v1/persons/1", "\"e\""});
  }));
  const auto roles = read<std::vector<CustomRole>>([](Transaction& t) { return t.custom_roles(); });
  BOOST_REQUIRE(roles.size() == 1U);
  BOOST_TEST(roles[0].name == "Helpdesk");
  BOOST_TEST(roles[0].rights.size() == 2U);
  const auto crl = read<std::optional<CrlState>>([&](Transaction& t) { return t.crl(ca); });
  BOOST_REQUIRE(crl.has_value());
  BOOST_TEST(crl->number == 8U);
  BOOST_TEST((crl->der == some(2, 300)));
  BOOST_TEST(*read<std::optional<std::string>>([](Transaction& t) { return t.setting("clock"); }) == "6");
  BOOST_TEST(!read<std::optional<std::string>>([](Transaction& t) { return t.setting("other"); }).has_value());
  const auto head = read<std::optional<AuditHead>>([](Transaction& t) { return t.last_audit_head(); });
  BOOST_REQUIRE(head.has_value());
  BOOST_TEST(head->number == 3U);
  BOOST_TEST((head->signature == some(2, 70)));
  using Kept = std::optional<Transaction::KeptAnswer>;
  const auto kept = read<Kept>([](Transaction& t) { return t.kept_answer("operator:1", "k"); });
  BOOST_REQUIRE(kept.has_value());
  BOOST_TEST(kept->status == 201);
  BOOST_TEST((kept->body_hash == some(4)));
  BOOST_TEST(kept->location == "/v1/persons/1");
  BOOST_TEST(kept->etag == "\"e\"");
  BOOST_TEST(!read<Kept>([](Transaction& t) { return t.kept_answer("operator:2", "k"); }).has_value());
  BOOST_TEST(
      (store->transact([&](Transaction& t) { return t.keep_answer("operator:1", "k", {}); }).code() == Code::exists));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager::store
