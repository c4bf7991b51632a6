// What every kind of token must do for the life of a credential (agent/device.h).
#include "contract/device_rig.h"

namespace cardea::agent {

using namespace test;

BOOST_AUTO_TEST_SUITE(devices)

BOOST_AUTO_TEST_CASE(first_pin_is_set_once_and_may_be_set_again) {
  const auto token = new_token();
  token->begin();
  good((*token)->prove_user(token->everybody));
  token->reopen();
  // The same step once more, as after a report that got lost.
  good((*token)->set_first_pin(token->everybody, pin_of(token->everybody.pin)));
  good((*token)->prove_user(token->everybody));
}

BOOST_AUTO_TEST_CASE(wrong_pin_is_asked_for_again_and_not_sent_again) {
  const auto token = new_token();
  token->begin();
  token->everybody.pin = "111222";
  token->everybody.asked = 0;
  const Status refused = (*token)->prove_user(token->everybody);
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::function_canceled);
  BOOST_TEST(token->everybody.asked == 2);
}

BOOST_AUTO_TEST_CASE(last_try_is_made_only_with_a_pin_given_for_it) {
  const auto token = new_token();
  token->begin();
  const std::string right = token->everybody.pin;
  token->everybody.pin = "111222";
  const auto tries = [&] { return good((*token)->describe()).user_pin.retries_left; };
  constexpr int most_tries = 40;
  for (int i = 0; i < most_tries && tries() != 1; ++i) BOOST_TEST(!(*token)->prove_user(token->everybody).ok());
  BOOST_REQUIRE(tries().value_or(0) == 1);
  token->everybody.pin = right;
  token->everybody.asked = 0;
  const Status held_back = (*token)->prove_user(token->everybody);
  BOOST_REQUIRE(!held_back.ok());
  BOOST_TEST(held_back.code() == Code::pin_incorrect);
  BOOST_TEST(token->everybody.asked == 0);
  BOOST_REQUIRE(tries().value_or(0) == 1);
  token->everybody.takes_last_try = true;
  good((*token)->prove_user(token->everybody));
  token->everybody.takes_last_try = false;
  good((*token)->prove_user(token->everybody));
}

BOOST_AUTO_TEST_CASE(pin_is_changed_by_its_user) {
  const auto token = new_token();
  token->begin();
  good((*token)->change_user_pin(pin_of(token->everybody.pin), pin_of("730295")));
  token->everybody.pin = "730295";
  good((*token)->prove_user(token->everybody));
}

BOOST_AUTO_TEST_CASE(key_is_generated_signs_and_gets_its_certificate) {
  const auto token = new_token();
  token->begin();
  for (const std::string_view word : {"ec:P-256", "rsa:2048"}) {
    const std::string container = word == "rsa:2048" ? "encryption" : "authentication";
    const Bytes key = good((*token)->generate(token->everybody, container, good(parse_key_spec(word)), {}));
    const KeySignature signature = good((*token)->sign(token->everybody, container, Hash::none, text_to_sign));
    BOOST_TEST(verifies(key, signature, text_to_sign));
    const Bytes certificate = certify(*token, container, key);
    token->reopen();
    BOOST_TEST(certificate == certify(*token, container, key));
    const DeviceDescription about = good((*token)->describe());
    const DeviceContainer* const held = container_of(about, container);
    BOOST_REQUIRE(held != nullptr);
    BOOST_TEST(held->public_key == key);
    BOOST_TEST(held->certificate == certificate);
  }
}

BOOST_AUTO_TEST_CASE(key_that_asks_for_the_pin_each_time_signs) {
  const auto token = new_token();
  token->begin();
  const Bytes key = good((*token)->generate(token->everybody, "signature", good(parse_key_spec("ec:P-256")), {}));
  certify(*token, "signature", key);
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(
        verifies(key, good((*token)->sign(token->everybody, "signature", Hash::sha256, text_to_sign)), text_to_sign));
  }
}

BOOST_AUTO_TEST_CASE(certificate_of_another_key_is_refused) {
  const auto token = new_token();
  token->begin();
  const Bytes key = good((*token)->generate(token->everybody, "authentication", good(parse_key_spec("ec:P-256")), {}));
  certify(*token, "authentication", key);
  const ArchivedKey other = archived_key();
  const auto written = (*token)->write_certificate(token->everybody, "authentication", other.certificate);
  BOOST_REQUIRE(!written.ok());
  BOOST_TEST(written.code() == Code::key_type_inconsistent);
}

BOOST_AUTO_TEST_CASE(certified_key_is_replaced_only_when_it_is_named) {
  const auto token = new_token();
  token->begin();
  const KeySpec spec = good(parse_key_spec("ec:P-256"));
  const Bytes first = good((*token)->generate(token->everybody, "authentication", spec, {}));
  // Without a certificate it is what an interrupted issuance left.
  const Bytes second = good((*token)->generate(token->everybody, "authentication", spec, {}));
  BOOST_TEST(first != second);
  certify(*token, "authentication", second);
  for (const Bytes& wrong : {Bytes(), good(key_digest(first))}) {
    const auto refused = (*token)->generate(token->everybody, "authentication", spec, wrong);
    BOOST_REQUIRE(!refused.ok());
    BOOST_TEST(refused.code() == Code::exists);
  }
  const Bytes third = good((*token)->generate(token->everybody, "authentication", spec, good(key_digest(second))));
  BOOST_TEST(third != second);
  certify(*token, "authentication", third, 17);
}

BOOST_AUTO_TEST_CASE(renewed_certificate_takes_the_place_of_the_old_one) {
  const auto token = new_token();
  token->begin();
  const Bytes key = good((*token)->generate(token->everybody, "authentication", good(parse_key_spec("ec:P-256")), {}));
  const Bytes old = certify(*token, "authentication", key);
  const Bytes fresh = certify(*token, "authentication", key, 17);
  BOOST_TEST(old != fresh);
  const DeviceDescription about = good((*token)->describe());
  BOOST_REQUIRE(container_of(about, "authentication") != nullptr);
  BOOST_TEST(container_of(about, "authentication")->certificate == fresh);
}

BOOST_AUTO_TEST_CASE(certificates_of_authorities_are_written_once) {
  const auto token = new_token();
  token->begin();
  std::vector<Bytes> chain{authority("Issuing"), authority("Root")};
  const auto written = (*token)->write_authorities(token->everybody, chain);
  if (kind_under_test() == "piv") {
    BOOST_REQUIRE(!written.ok());
    BOOST_TEST(written.code() == Code::function_not_supported);
    return;
  }
  BOOST_TEST(good(written) == 2U);
  token->reopen();
  token->everybody.asked = 0;
  BOOST_TEST(good((*token)->write_authorities(token->everybody, chain)) == 0U);
  BOOST_TEST(token->everybody.asked == 0);
  chain.front() = authority("Issuing");  // a renewed one has the same name
  chain.push_back(chain.front());
  BOOST_TEST(good((*token)->write_authorities(token->everybody, chain)) == 1U);
  const auto damaged = (*token)->write_authorities(token->everybody, std::vector<Bytes>{authority("Other"), Bytes(40)});
  BOOST_REQUIRE(!damaged.ok());
  BOOST_TEST(damaged.code() == Code::data_invalid);
  BOOST_TEST(good((*token)->write_authorities(token->everybody, chain)) == 0U);
  // They are in no container, and make none.
  BOOST_TEST(good((*token)->describe()).containers.empty());
  if (!token->is_card()) return;
  good((*token)->erase(token->everybody));
  token->reopen();
  token->begin();
  BOOST_TEST(good((*token)->write_authorities(token->everybody, chain)) == 2U);
}

BOOST_AUTO_TEST_CASE(key_is_imported_and_known_again) {
  const auto token = new_token();
  token->begin();
  const ArchivedKey key = archived_key("rsa:2048");
  BOOST_TEST(!good((*token)->import_key(token->everybody, "encryption", key.pkcs8, {})));
  good((*token)->write_certificate(token->everybody, "encryption", key.certificate));
  token->reopen();
  BOOST_TEST(good((*token)->import_key(token->everybody, "encryption", key.pkcs8, {})));
  const Bytes key_info = good(public_half(key.pkcs8));
  BOOST_TEST(verifies(key_info, good((*token)->sign(token->everybody, "encryption", Hash::sha256, text_to_sign)),
                      text_to_sign));
  const ArchivedKey other = archived_key("rsa:2048");
  const auto refused = (*token)->import_key(token->everybody, "encryption", other.pkcs8, {});
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::exists);
  BOOST_TEST(!good((*token)->import_key(token->everybody, "encryption", other.pkcs8, good(key_digest(key_info)))));
}

BOOST_AUTO_TEST_CASE(history_is_written_once_and_told_by_public_keys) {
  const auto token = new_token();
  token->begin();
  std::vector<ArchivedKey> keys;
  for (int i = 0; i < 3; ++i) keys.push_back(archived_key());
  const HistoryReport first = good((*token)->write_history(token->everybody, std::span(keys).subspan(1), {}));
  BOOST_TEST(first.written == (std::vector<std::size_t>{0, 1}), boost::test_tools::per_element());
  BOOST_TEST(first.present.empty());
  BOOST_TEST(first.left_out.empty());
  token->reopen();
  const HistoryReport second = good((*token)->write_history(token->everybody, keys, {}));
  BOOST_TEST(second.written == std::vector<std::size_t>{0}, boost::test_tools::per_element());
  BOOST_TEST(second.present == (std::vector<std::size_t>{1, 2}), boost::test_tools::per_element());
  const DeviceDescription about = good((*token)->describe());
  for (const ArchivedKey& key : keys) {
    const bool there = std::ranges::any_of(
        about.containers, [&](const DeviceContainer& container) { return container.certificate == key.certificate; });
    BOOST_TEST(there);
  }
}

BOOST_AUTO_TEST_CASE(history_with_a_key_that_is_not_its_certificates_changes_nothing) {
  const auto token = new_token();
  token->begin();
  std::vector<ArchivedKey> keys;
  keys.push_back(archived_key());
  keys.push_back(archived_key());
  keys[1].certificate = keys[0].certificate;
  const auto refused = (*token)->write_history(token->everybody, keys, {});
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::key_type_inconsistent);
}

BOOST_AUTO_TEST_CASE(container_is_removed) {
  const auto token = new_token();
  token->begin();
  const Bytes key = good((*token)->generate(token->everybody, "authentication", good(parse_key_spec("ec:P-256")), {}));
  certify(*token, "authentication", key);
  good((*token)->remove(token->everybody, "authentication"));
  good((*token)->remove(token->everybody, "authentication"));
  BOOST_TEST(container_of(good((*token)->describe()), "authentication") == nullptr);
}

BOOST_AUTO_TEST_CASE(blocked_pin_is_set_anew_by_the_administrator) {
  const auto token = new_token();
  token->begin();
  good((*token)->block_user_pin(token->everybody));
  token->reopen();
  BOOST_TEST(!(*token)->prove_user(token->everybody).ok());
  token->everybody.pin = "845019";
  good((*token)->set_user_pin(token->everybody, pin_of(token->everybody.pin)));
  good((*token)->prove_user(token->everybody));
}

BOOST_AUTO_TEST_CASE(administrators_key_is_replaced_once_and_again) {
  if (kind_under_test() == "keystore") return;  // it has an SO PIN alone
  const auto token = new_token();
  token->begin();
  Bytes fresh = token->everybody.keys.front();
  for (Byte& byte : fresh) byte = static_cast<Byte>(byte ^ 0x5a);
  good((*token)->set_admin_key(token->everybody, SecretBytes(ByteView(fresh))));
  token->reopen();
  // Cut off before the report: the daemon still answers with the old key.
  good((*token)->set_admin_key(token->everybody, SecretBytes(ByteView(fresh))));
  token->everybody.keys = {fresh};
  good((*token)->block_user_pin(token->everybody));
  good((*token)->set_user_pin(token->everybody, pin_of(token->everybody.pin)));
}

BOOST_AUTO_TEST_CASE(wrong_administrator_changes_nothing) {
  const auto token = new_token();
  token->begin();
  const Everybody right{token->everybody};
  token->everybody.keys.front().assign(token->everybody.keys.front().size(), 0x5b);
  token->everybody.puk = "87654321876543";
  if (kind_under_test() == "piv") token->everybody.puk = "87654321";
  const Status refused = (*token)->set_user_pin(token->everybody, pin_of("111333"));
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST(refused.code() == Code::pin_incorrect);
  good((*token)->prove_user(token->everybody));
  // A second answer is asked for, and may be the right one.
  token->everybody.keys.push_back(right.keys.front());
  token->everybody.puk = right.puk;
  good((*token)->set_user_pin(token->everybody, pin_of("111333")));
}

BOOST_AUTO_TEST_CASE(unblock_secret_is_replaced_once_and_again) {
  if (kind_under_test() == "gids") return;  // such cards are unblocked by their administrator
  const auto token = new_token();
  token->begin();
  const std::string fresh = kind_under_test() == "piv" ? "90817263" : "90817263546372";
  good((*token)->set_puk(token->everybody, pin_of(fresh)));
  token->reopen();
  good((*token)->set_puk(token->everybody, pin_of(fresh)));
  token->everybody.puk = fresh;
  good((*token)->set_puk(token->everybody, pin_of(fresh)));
}

BOOST_AUTO_TEST_CASE(erased_token_holds_nothing) {
  const auto token = new_token();
  token->begin();
  const Bytes key = good((*token)->generate(token->everybody, "authentication", good(parse_key_spec("ec:P-256")), {}));
  certify(*token, "authentication", key);
  good((*token)->erase(token->everybody));
  if (!token->is_card()) {
    BOOST_TEST(!(*token)->describe().ok());
    return;
  }
  token->reopen();
  BOOST_TEST(good((*token)->describe()).containers.empty());
}

BOOST_AUTO_TEST_CASE(token_is_made_once_a_job) {
  const std::string kind = kind_under_test();
  if (kind != "keystore" && kind != "tpm") return;
  MadeRig first(kind == "tpm" ? MadeKind::tpm : MadeKind::keystore);
  const std::string serial = first.serial;
  first.make();
  BOOST_TEST(first.serial == serial);
  first.begin();
  // Another job for the same person.
  first.everybody.puk = "99999999999999";
  first.everybody.keys = {Bytes(32, 0xbb)};
  first.make();
  BOOST_TEST(first.serial != serial);
  BOOST_TEST(good(first->describe()).label == "job 7 2");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::agent
