// Secrets of tokens, answers to challenges, readable groups, one-time codes' form, housekeeping, certificates read.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <set>

#include "crypto/random.h"
#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "domain/housekeeping.h"
#include "domain/offline_unblock.h"
#include "domain/readable_groups.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::FakeToken;
using testing::MemoryKeys;
using testing::Rig;

Bytes from(std::string_view hex) {
  Bytes out;
  BOOST_REQUIRE(from_hex(hex, out));
  return out;
}

BOOST_AUTO_TEST_SUITE(secrets)

BOOST_AUTO_TEST_CASE(derived_secrets_differ_by_everything_they_follow_from) {
  MemoryKeys keys;
  BOOST_REQUIRE(ensure_manager_keys(keys).ok());
  std::set<std::string> seen;
  for (const SecretOwner owner : {SecretOwner{"piv", "1"}, {"piv", "2"}, {"gids", "1"}, {"piv1", ""}, {"pi", "v1"}})
    for (const std::uint32_t version : {1U, 2U})
      for (const char* algorithm : {"3des", "aes192", "aes256"}) {
        auto key = derived_admin_key(keys, owner, version, algorithm);
        if (owner.serial.empty())
          BOOST_TEST(!key.ok());
        else
          BOOST_TEST(seen.insert(to_hex(key->view())).second);
      }
  auto des = derived_admin_key(keys, {"piv", "1"}, 1, "3des");
  for (const Byte byte : des->view()) BOOST_TEST((std::popcount(static_cast<unsigned>(byte)) % 2 == 1));
  BOOST_TEST(!derived_admin_key(keys, {"piv", "1"}, 0, "3des").ok());
  BOOST_TEST(!derived_admin_key(keys, {"piv", "1"}, 1, "rot13").ok());
  auto puk = derived_digits(keys, SecretPurpose::puk, {"piv", "1"}, 1, 8);
  BOOST_REQUIRE(puk.ok());
  BOOST_TEST(text_of(puk->view()).find_first_not_of("0123456789") == std::string_view::npos);
}

BOOST_AUTO_TEST_CASE(challenges_are_answered_as_each_kind_wants_them) {
  const SecretBytes des = *factory_secret("piv", "", SecretPurpose::admin_key);
  BOOST_TEST(des.size() == 24U);
  // Single DES under 0102030405060708 (all three parts are equal): computed with nettle.
  BOOST_TEST(to_hex(*challenge_answer("piv", "3des", des, from("0000000000000000"))) == "b073dc3fb209536d");
  // FIPS 197, C.1.
  const SecretBytes aes(from("000102030405060708090a0b0c0d0e0f"));
  BOOST_TEST(to_hex(*challenge_answer("piv", "aes128", aes, from("00112233445566778899aabbccddeeff"))) ==
             "69c4e0d86a7b0430d8cdb78070b4c55a");
  // CBC with a zero vector: the first block is as in ECB.
  const Bytes mutual = *challenge_answer("gids", "3des", des, Bytes(40));
  BOOST_TEST(to_hex(ByteView(mutual).first(8)) == "b073dc3fb209536d");
  BOOST_TEST(mutual.size() == 40U);
  BOOST_TEST(challenge_answer("tpm", "hmac-sha256", SecretBytes(Bytes(32)), Bytes(32))->size() == 32U);
  BOOST_TEST(!challenge_answer("piv", "3des", des, Bytes(16)).ok());
  BOOST_TEST(!challenge_answer("piv", "aes256", des, Bytes(16)).ok());
  BOOST_TEST(!challenge_answer("gids", "3des", des, Bytes(16)).ok());
}

BOOST_AUTO_TEST_CASE(groups_find_every_single_slip_and_every_exchange) {
  Bytes bytes(16);
  BOOST_REQUIRE(crypto::random_bytes(bytes).ok());
  const std::string text = to_readable_groups(bytes);
  BOOST_TEST(text.size() == 7U * 5U + 6U);
  BOOST_TEST((*from_readable_groups(text, 16) == bytes));
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  BOOST_TEST((*from_readable_groups(lower, 16) == bytes));
  constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-') continue;
    for (const char c : alphabet) {
      std::string slip = text;
      slip[i] = c;
      if (slip != text) BOOST_TEST(!from_readable_groups(slip, 16).ok());
    }
    if (i + 1 < text.size() && text[i + 1] != '-' && text[i] != text[i + 1]) {
      std::string exchanged = text;
      std::swap(exchanged[i], exchanged[i + 1]);
      BOOST_TEST(!from_readable_groups(exchanged, 16).ok());
    }
  }
  std::string groups = text.substr(6, 6) + text.substr(0, 6) + text.substr(12);
  if (text.substr(0, 6) != text.substr(6, 6)) BOOST_TEST(!from_readable_groups(groups, 16).ok());
  std::string slip = text;
  slip[7] = slip[7] == '7' ? '8' : '7';
  BOOST_TEST(from_readable_groups(slip, 16).error().detail == "group 2 was misheard or mistyped");
  BOOST_TEST((from_readable_groups(text.substr(6), 16).code() == Code::data_length));
  BOOST_TEST((from_readable_groups("!!!", 16).code() == Code::data_invalid));
}

BOOST_AUTO_TEST_CASE(codes_have_the_shape_that_their_rules_ask_for) {
  CodeRules rules;
  rules.alphabet = "alphanumeric";
  rules.min_length = 6;
  rules.max_length = 9;
  std::set<std::size_t> lengths;
  for (int i = 0; i < 200; ++i) {
    const SecretBytes code = *random_code(rules);
    lengths.insert(code.size());
    BOOST_TEST(text_of(code.view()).find_first_not_of("23456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string_view::npos);
    const SecretBytes shown = displayed_code(12, code);
    const TypedCode typed = *typed_code(text_of(shown.view()));
    BOOST_TEST(typed.request == 12);
    BOOST_TEST((text_of(typed.code.view()) == text_of(code.view())));
  }
  BOOST_TEST((lengths == std::set<std::size_t>{6, 7, 8, 9}));
  for (const char* junk : {"", "-", "1-", "x-1", "1-!", "99999999999999999999-1", "-5-1"})
    BOOST_TEST(!typed_code(junk).ok());
}

BOOST_AUTO_TEST_CASE(challenges_are_answered_only_for_the_step_that_runs) {
  Rig rig;
  FakeToken card;
  const AgentSession session = rig.collect(rig.ask("issue"));
  AdminQuestion question{
      .step = 0, .challenge = Bytes(8), .purpose = "admin-key", .algorithm = "3des", .factory = true};
  auto next = next_step(rig.ports, session.job, std::nullopt);
  BOOST_TEST((answer_challenge(rig.ports, session.job, question).code() == Code::action_prohibited));
  next = next_step(rig.ports, session.job, StepReport{0, true, card.run(*next), "", "", false});
  BOOST_REQUIRE(next->kind == "replace_admin_key");
  question.step = next->index;
  BOOST_TEST(to_hex(*answer_challenge(rig.ports, session.job, question)) == "b073dc3fb209536d");
  next = next_step(rig.ports, session.job, StepReport{next->index, true, card.run(*next), "", "", false});
  question.step = next->index;
  BOOST_TEST((answer_challenge(rig.ports, session.job, question).code() == Code::action_prohibited));
  question.factory = false;
  BOOST_TEST(to_hex(*answer_challenge(rig.ports, session.job, question)) != "b073dc3fb209536d");
  question.purpose = "puk";
  BOOST_TEST((answer_challenge(rig.ports, session.job, question).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(no_secret_stays_in_the_journal) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  std::string stored;
  for (const auto& [id, job] : rig.memory.state.jobs_rows)
    for (const auto& step : job.steps) stored += json::serialize(step.parameters) + json::serialize(step.result);
  for (const auto& event : rig.memory.state.events) stored += json::serialize(event.detail);
  BOOST_TEST(stored.find(card.puk) == std::string::npos);
  BOOST_TEST(stored.find(std::string(journal::base64(card.admin_key))) == std::string::npos);
  BOOST_TEST(stored.find(std::string(journal::base64(card.containers["encryption"].pkcs8))) == std::string::npos);
}

std::string code_of(std::string_view digits) {
  const auto text = digits_to_readable_groups(view_of(digits));
  return text ? std::string(text_of(text->view())) : std::string();
}

BOOST_AUTO_TEST_CASE(an_unblock_code_keeps_its_digits_and_finds_every_slip) {
  const std::string code = code_of("1234567812345678");
  BOOST_TEST(code.size() == 23U);
  BOOST_TEST((code.substr(0, 4) == "1234" && code.substr(6, 4) == "5678" && code[5] == '-'));
  BOOST_TEST(code_of("12345678") == "12345-56781");
  const auto heard = [](std::string_view text) { return digits_from_readable_groups(view_of(text), 16); };
  BOOST_TEST((text_of(heard(code)->view()) == "1234567812345678"));
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '-') continue;
    for (const char c : std::string_view("0123456789ABCDEFGHJKMNPQRSTVWXYZ")) {
      std::string slip = code;
      slip[i] = c;
      if (slip != code) BOOST_TEST((heard(slip).code() == Code::data_invalid));
    }
    BOOST_TEST((heard(std::string(code).erase(i, 1)).code() == Code::data_length));
  }
  // Groups that were exchanged, and those that are missing at the end.
  BOOST_TEST((heard(code.substr(6) + code.substr(0, 5)).code() == Code::data_invalid));
  BOOST_TEST((heard(code.substr(0, 11)).code() == Code::data_length));
  BOOST_TEST((heard("1234567812345678").code() == Code::data_length));
  BOOST_TEST((heard(code + "?").code() == Code::data_invalid));
  for (const char* none : {"", "123", "12345", "12a4"}) BOOST_TEST(code_of(none).empty());
}

BOOST_AUTO_TEST_CASE(a_puk_that_was_read_out_is_replaced_at_the_next_contact) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const Id id = rig.only_token().id;
  auto told = unblock_offline(rig.ports, rig.admin, id, "", "");
  BOOST_REQUIRE(told.ok());
  BOOST_TEST(told->is_puk);
  const auto heard = digits_from_readable_groups(told->text.view(), card.puk.size());
  BOOST_REQUIRE(heard.ok());
  BOOST_TEST(text_of(heard->view()) == card.puk);
  BOOST_REQUIRE(told->rotate.has_value());
  const AgentSession session = rig.collect(rig.memory.state.requests_rows.at(*told->rotate));
  BOOST_REQUIRE(rig.work(session.job, card).state == NextStep::State::completed);
  BOOST_TEST(card.puk != text_of(heard->view()));
  BOOST_TEST((unblock_offline(rig.ports, rig.admin, id, "ABC", "").code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(a_gids_card_is_unblocked_over_the_phone) {
  Rig rig;
  FakeToken card;
  card.kind = "gids";
  rig.issue(card);
  const Bytes challenge = from("0102030405060708");
  auto told = unblock_offline(rig.ports, rig.admin, rig.only_token().id, to_readable_groups(challenge), "");
  BOOST_REQUIRE_MESSAGE(told.ok(), (told ? "" : told.error().detail));
  const Bytes expected = *challenge_answer("gids", "3des", SecretBytes(card.admin_key), challenge);
  BOOST_TEST((*from_readable_groups(text_of(told->text.view()), 8) == expected));
  std::string misheard = to_readable_groups(challenge);
  misheard[0] = misheard[0] == 'A' ? 'B' : 'A';
  BOOST_TEST((unblock_offline(rig.ports, rig.admin, rig.only_token().id, misheard, "").code() == Code::data_invalid));
}

BOOST_AUTO_TEST_CASE(housekeeping_expires_renews_signs_and_notices_a_clock_set_back) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  BOOST_REQUIRE(keep_house(rig.ports).ok());
  BOOST_TEST(verify_audit_log(rig.ports, rig.admin)->head_verified);
  for (auto& [id, row] : rig.memory.state.certificates_rows) row.not_after = rig.clock.at + std::chrono::hours(24 * 20);
  BOOST_TEST(keep_house(rig.ports)->renewals == 1U);
  BOOST_TEST(keep_house(rig.ports)->renewals == 0U);
  const Time before = rig.clock.at;
  rig.clock.at -= std::chrono::hours(5);
  BOOST_TEST(keep_house(rig.ports)->clock_behind.count() == 5 * 3600);
  rig.clock.at = before + std::chrono::hours(24 * 31);
  const auto done = keep_house(rig.ports);
  BOOST_TEST(done->clock_behind.count() == 0);
  BOOST_TEST(done->expired_certificates == 3U);
  BOOST_TEST(done->expired_requests == 1U);
  rig.memory.state.events[3].detail["kind"] = "other";
  const auto verdict = verify_audit_log(rig.ports, rig.admin);
  BOOST_TEST(!verdict->intact);
  BOOST_TEST((verdict->problem.find("4") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_log_cut_short_is_found_and_stays_so) {
  Rig rig;
  rig.memory.state.events.pop_back();
  BOOST_TEST(!verify_audit_log(rig.ports, rig.admin)->intact);
  BOOST_REQUIRE(rig.memory
                    .transact([&](Transaction& store) {
                      return audit(store, rig.admin, rig.clock.at, AuditAction::audit_exported, "audit");
                    })
                    .ok());
  const auto verdict = verify_audit_log(rig.ports, rig.admin);
  BOOST_TEST(!verdict->intact);
  BOOST_TEST((verdict->problem.find("missing") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_log_cut_short_behind_a_signed_head_is_found) {
  Rig rig;
  BOOST_REQUIRE(sign_audit_head(rig.ports).ok());
  rig.memory.state.events.pop_back();
  BOOST_TEST(!verify_audit_log(rig.ports, rig.admin)->intact);
}

BOOST_AUTO_TEST_CASE(certificates_for_requests_made_elsewhere_are_issued_and_revoked_in_bulk) {
  Rig rig;
  const FreshKey key = *generate_decryption_key("ec:P-256");
  CsrIssuance wanted;
  wanted.policy = "signature";
  wanted.csr = *request_for_key(key.pkcs8);
  wanted.person = rig.person.id;
  auto issued = issue_for_csr(rig.ports, rig.admin, wanted);
  BOOST_REQUIRE_MESSAGE(issued.ok(), (issued ? "" : describe(issued.error())));
  BOOST_TEST((issued->state == CertificateState::active));
  BOOST_TEST(issued->subject == "CN=Fake");
  rig.authorities.ca->dead = true;
  BOOST_TEST((issue_for_csr(rig.ports, rig.admin, wanted).code() == Code::timed_out));
  rig.authorities.ca->dead = false;
  rig.authorities.ca->reject = true;
  BOOST_TEST((issue_for_csr(rig.ports, rig.admin, wanted).code() == Code::action_prohibited));
  rig.authorities.ca->reject = false;
  rig.authorities.ca->pending = 1;
  BOOST_TEST((issue_for_csr(rig.ports, rig.admin, wanted)->state == CertificateState::pending));
  wanted.csr = Bytes(5);
  BOOST_TEST((issue_for_csr(rig.ports, rig.admin, wanted).code() == Code::data_invalid));
  RevocationOrder order;
  order.person = rig.person.id;
  order.reason = "keyCompromise";
  auto lines = revoke_certificates(rig.ports, rig.admin, order);
  BOOST_REQUIRE(lines.ok());
  BOOST_REQUIRE(lines->size() == 1U);
  BOOST_TEST(lines->front().done);
  BOOST_TEST(rig.certificates(CertificateState::revoked).size() == 1U);
  order.reason = "certificateHold";
  BOOST_TEST((revoke_certificates(rig.ports, rig.admin, order).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
