// The PIV application, command by command (SP 800-73-4 part 2).
#include "card/piv_applet.h"

#include "card/card_testing.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

constexpr std::string_view select_name = "a000000308000010000100";
constexpr std::string_view right_pin = "313233343536ffff";
constexpr std::string_view wrong_pin = "393939393939ffff";

CardState state_of(PivProfile profile = {}) {
  auto state = new_piv(profile);
  BOOST_REQUIRE(state.ok());
  return CardState{std::move(*state)};
}

class PivCard : public TestCard {
 public:
  explicit PivCard(PivProfile profile = {}) : TestCard(state_of(profile)) {
    BOOST_REQUIRE_EQUAL(send("00a40400", select_name), 0x9000u);
  }

  unsigned verify(std::string_view pin = right_pin) { return send("00200080", pin); }

  // External authentication with the key the card has now.
  unsigned authenticate() {
    const ManagementKey& key = piv().management;
    const std::string header = "0087" + to_hex(Bytes{static_cast<Byte>(key.cipher)}) + "9b";
    BOOST_REQUIRE_EQUAL(send(header, "7c028100"), 0x9000u);
    const Bytes challenge = to_bytes(*find_tlv(response, {0x7C, 0x81}));
    const auto answer = encrypt_blocks(key.cipher, key.value.view(), challenge);
    return send(header, make_tlv(0x7C, make_tlv(0x82, *answer)));
  }

  Bytes generate(std::string_view slot, std::string_view control = "ac03800111") {
    BOOST_REQUIRE_EQUAL(send("004700" + std::string(slot), control), 0x9000u);
    return response;
  }

  unsigned sign(std::string_view slot, std::string_view algorithm = "11") {
    return send("0087" + std::string(algorithm) + std::string(slot),
                make_tlv(0x7C, hex("82008120" + std::string(64, '5'))));
  }

  PivState& piv() { return std::get<PivState>(card.state().content); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(piv_applet)

BOOST_AUTO_TEST_CASE(select_tells_the_application_and_its_algorithms_when_asked_to) {
  PivCard plain;
  BOOST_TEST(to_hex(*find_tlv(plain.response, {0x61, 0x79, 0x4F})) == "a000000308");
  BOOST_TEST(!find_tlv(plain.response, {0x61, 0xAC}).has_value());
  PivCard listing(PivProfile{.list_algorithms = true});
  BOOST_TEST(find_tlv(listing.response, {0x61, 0xAC}).has_value());
  BOOST_TEST(plain.send("00a40400", "a0000003080000100002") == 0x6A82u);
  BOOST_TEST(plain.send("00a40400", "a00000") == 0x6A82u);
  BOOST_TEST(plain.send("00200080") == 0x63C3u);  // still selected
}

BOOST_AUTO_TEST_CASE(selecting_again_keeps_the_pin_unless_the_card_forgets) {
  PivCard standard;
  BOOST_TEST(standard.verify() == 0x9000u);
  BOOST_TEST(standard.send("00a40400", select_name) == 0x9000u);
  BOOST_TEST(standard.send("00200080") == 0x9000u);
  PivCard forgetful(PivProfile{.select_forgets = true});
  BOOST_TEST(forgetful.verify() == 0x9000u);
  BOOST_TEST(forgetful.send("00a40400", select_name) == 0x9000u);
  BOOST_TEST(forgetful.send("00200080") == 0x63C3u);
}

BOOST_AUTO_TEST_CASE(wrong_pins_count_down_and_block) {
  PivCard test;
  BOOST_TEST(test.verify(wrong_pin) == 0x63C2u);
  BOOST_TEST(test.send("00200080") == 0x63C2u);
  BOOST_TEST(test.verify("31323334ffffffff") == 0x6A80u);  // too short: not counted
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.verify(wrong_pin) == 0x63C2u);
  BOOST_TEST(test.verify(wrong_pin) == 0x63C1u);
  BOOST_TEST(test.verify(wrong_pin) == 0x6983u);
  BOOST_TEST(test.verify() == 0x6983u);
  BOOST_TEST(test.send("00200080") == 0x6983u);
}

BOOST_AUTO_TEST_CASE(the_status_can_be_reset_and_power_loss_logs_out) {
  PivCard test;
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("0020ff80") == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x63C3u);
  BOOST_TEST(test.verify() == 0x9000u);
  test.card.reset();
  BOOST_TEST(test.send("00a40400", select_name) == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x63C3u);
}

BOOST_AUTO_TEST_CASE(pin_and_puk_are_changed_and_the_puk_unblocks) {
  PivCard test;
  const std::string new_pin = "363534333231ffff";
  BOOST_TEST(test.send("00240080", std::string(right_pin) + new_pin) == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x9000u);
  BOOST_TEST(test.send("00240081", std::string("3132333435363738") + "3837363534333231") == 0x9000u);
  for (int i = 0; i < 3; ++i) (void)test.verify(wrong_pin);
  BOOST_TEST(test.send("002c0080", std::string("3132333435363738") + std::string(right_pin)) == 0x63C2u);
  BOOST_TEST(test.send("002c0080", std::string("3837363534333231") + std::string(right_pin)) == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x63C3u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00240080", std::string(wrong_pin) + new_pin) == 0x63C2u);
  BOOST_TEST(test.send("00200080") == 0x63C2u);
}

BOOST_AUTO_TEST_CASE(there_is_a_global_pin_only_where_there_is_one) {
  PivCard test;
  BOOST_TEST(test.send("00200000", right_pin) == 0x6A88u);
  test.piv().global_pin.emplace().reset(hex("373737373737ffff"), 3);
  BOOST_TEST(test.send("00200000") == 0x63C3u);
  BOOST_TEST(test.send("00200000", "373737373737ffff") == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x63C3u);
  BOOST_TEST(test.send("00cb3fff", "5c035fc109") == 0x6A82u);  // readable now, but not there
}

BOOST_AUTO_TEST_CASE(management_authentication_works_one_way_and_both_ways) {
  for (const BlockCipher cipher : {BlockCipher::des3, BlockCipher::aes128, BlockCipher::aes192, BlockCipher::aes256}) {
    PivCard test(PivProfile{.management_cipher = cipher});
    BOOST_TEST(test.send("0047009a", "ac03800111") == 0x6982u);
    BOOST_TEST(test.authenticate() == 0x9000u);
    test.card.reset();
    BOOST_REQUIRE_EQUAL(test.send("00a40400", select_name), 0x9000u);
    const std::string header = "0087" + to_hex(Bytes{static_cast<Byte>(cipher)}) + "9b";
    const ManagementKey& key = test.piv().management;
    BOOST_REQUIRE_EQUAL(test.send(header, "7c028000"), 0x9000u);
    const auto witness = decrypt_blocks(cipher, key.value.view(), *find_tlv(test.response, {0x7C, 0x80}));
    const Bytes challenge(block_size(cipher), 0x42);
    Bytes data = make_tlv(0x80, *witness);
    append_tlv(data, 0x81, challenge);
    append_tlv(data, 0x82, {});
    BOOST_REQUIRE_EQUAL(test.send(header, make_tlv(0x7C, data)), 0x9000u);
    const auto expected = encrypt_blocks(cipher, key.value.view(), challenge);
    BOOST_TEST(to_hex(*find_tlv(test.response, {0x7C, 0x82})) == to_hex(*expected));
    (void)test.generate("9a");
    BOOST_TEST(test.send(header, make_tlv(0x7C, data)) == 0x6982u);  // a witness serves once
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_answer_to_a_challenge_ends_the_authentication) {
  PivCard test;
  BOOST_TEST(test.authenticate() == 0x9000u);
  BOOST_REQUIRE_EQUAL(test.send("00870a9b", "7c028100"), 0x9000u);
  BOOST_TEST(test.send("00870a9b", make_tlv(0x7C, make_tlv(0x82, Bytes(16)))) == 0x6982u);
  BOOST_TEST(test.send("0047009a", "ac03800111") == 0x6982u);
  BOOST_TEST(test.send("00870a9b", make_tlv(0x7C, make_tlv(0x82, Bytes(16)))) == 0x6985u);
  BOOST_TEST(test.send("0087039b", "7c028100") == 0x6A86u);
}

BOOST_AUTO_TEST_CASE(objects_are_written_read_and_removed) {
  PivCard test;
  const Bytes content(6000, 0x61);
  const Bytes data = [&] {
    Bytes out = hex("5c035fc10d");
    append_tlv(out, 0x53, content);
    return out;
  }();
  BOOST_TEST(test.send("00db3fff", data) == 0x6982u);
  BOOST_TEST(test.authenticate() == 0x9000u);
  BOOST_TEST(test.send("00db3fff", data) == 0x9000u);
  BOOST_TEST(test.send("00cb3fff", "5c035fc10d") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x53)) == to_hex(content));
  BOOST_TEST(test.send("00db3fff", "5c035fc10d5300") == 0x9000u);
  BOOST_TEST(test.send("00cb3fff", "5c035fc10d") == 0x6A82u);
  BOOST_TEST(test.send("00db3fff", "5c035fc20d530101") == 0x6A82u);
  BOOST_TEST(test.send("00db3fff", "5c035fc10d54021122") == 0x6A80u);
  BOOST_TEST(test.send("00cb3fff", "5c00") == 0x6A80u);
  BOOST_TEST(test.send("00cb0000", "5c035fc10d") == 0x6A86u);
  BOOST_TEST(test.send("00cb3fff", "5c017e") == 0x9000u);
  BOOST_TEST(find_tlv(test.response, {0x7E, 0x5F2F}).has_value());
}

BOOST_AUTO_TEST_CASE(personal_data_needs_the_pin) {
  PivCard test;
  for (const std::uint32_t tag : {0x5FC103u, 0x5FC108u, 0x5FC109u, 0x5FC121u, 0x5FC123u}) {
    test.piv().objects[tag] = hex("0102");
    const std::string request = "5c03" + to_hex(Bytes{0x5F, 0xC1, static_cast<Byte>(tag)});
    BOOST_TEST(test.send("00cb3fff", request) == 0x6982u);
    BOOST_TEST(test.verify() == 0x9000u);
    BOOST_TEST(test.send("00cb3fff", request) == 0x9000u);
    BOOST_TEST(test.send("0020ff80") == 0x9000u);
  }
}

BOOST_AUTO_TEST_CASE(pin_policies_follow_the_slot) {
  PivCard test;
  BOOST_TEST(test.authenticate() == 0x9000u);
  for (const char* slot : {"9a", "9c", "9e", "82"}) (void)test.generate(slot);
  BOOST_TEST(test.sign("9e") == 0x9000u);
  BOOST_TEST(test.sign("9a") == 0x6982u);
  BOOST_TEST(test.sign("9c") == 0x6982u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x9000u);  // asking for the status does not come between
  BOOST_TEST(test.sign("9c") == 0x9000u);
  BOOST_TEST(test.sign("9c") == 0x6982u);
  BOOST_TEST(test.sign("9a") == 0x9000u);
  BOOST_TEST(test.sign("82") == 0x9000u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00cb3fff", "5c017e") == 0x9000u);
  BOOST_TEST(test.sign("9c") == 0x6982u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00a40400", select_name) == 0x9000u);
  BOOST_TEST(test.sign("9c") == 0x6982u);
  BOOST_TEST(test.send("00240080", std::string(right_pin) + std::string(right_pin)) == 0x9000u);
  BOOST_TEST(test.sign("9c") == 0x6982u);  // changing the PIN is no VERIFY
}

BOOST_AUTO_TEST_CASE(keys_answer_only_to_their_algorithm) {
  PivCard test;
  BOOST_TEST(test.authenticate() == 0x9000u);
  (void)test.generate("9e");
  BOOST_TEST(test.sign("9e", "14") == 0x6A86u);
  BOOST_TEST(test.sign("9a") == 0x6A86u);
  BOOST_TEST(test.send("0087119e", "7c028200") == 0x6A80u);
  BOOST_TEST(test.send("0087119e", "7d00") == 0x6A80u);
  BOOST_TEST(test.send("0047009b", "ac03800111") == 0x6A86u);
  BOOST_TEST(test.send("0047009e", "ac03800122") == 0x6A80u);
  BOOST_TEST(test.send("0047009e", "ac06800111aa0107") == 0x6A80u);
}

BOOST_AUTO_TEST_CASE(metadata_tells_policies_origin_and_tries) {
  PivCard test;
  BOOST_TEST(test.authenticate() == 0x9000u);
  const Bytes public_key = test.generate("9a", "ac09800111aa0103ab0102");
  BOOST_TEST(test.send("00f7009a") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x01)) == "11");
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x02)) == "0302");
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x03)) == "01");
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x04)) == to_hex(*find_tlv(public_key, 0x7F49)));
  BOOST_TEST(test.send("00f7009d") == 0x6A88u);
  BOOST_TEST(test.send("00f70080") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x05)) == "01");
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x06)) == "0303");
  BOOST_TEST(test.send("00f7009b") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x01)) == "0a");
}

BOOST_AUTO_TEST_CASE(a_key_is_imported_moved_and_deleted) {
  PivCard test;
  const auto key = CardKey::generate(KeyType::p256);
  Bytes data;
  append_tlv(data, 0x06, key->secret().view());
  append_tlv(data, 0xAA, hex("01"));
  BOOST_TEST(test.send("00fe119a", data) == 0x6982u);
  BOOST_TEST(test.authenticate() == 0x9000u);
  BOOST_TEST(test.send("00fe119a", data) == 0x9000u);
  BOOST_TEST(test.sign("9a") == 0x9000u);
  BOOST_TEST(test.send("00f99a00") == 0x6A80u);  // imported keys are not attested
  BOOST_TEST(test.send("00f6829a") == 0x9000u);
  BOOST_TEST(test.sign("9a") == 0x6A86u);
  BOOST_TEST(test.sign("82") == 0x9000u);
  (void)test.generate("9a");
  BOOST_TEST(test.send("00f6829a") == 0x6985u);  // never over another key
  BOOST_TEST(test.send("00f6ff82") == 0x9000u);
  BOOST_TEST(test.sign("82") == 0x6A86u);
  BOOST_TEST(test.send("00f6ff82") == 0x6A88u);
  BOOST_TEST(test.send("00fe119a", "0602aabb") == 0x6A80u);
}

BOOST_AUTO_TEST_CASE(ed25519_signs_messages_of_any_length_but_agrees_with_nobody) {
  PivCard test;
  BOOST_TEST(test.authenticate() == 0x9000u);
  const Bytes public_key = test.generate("9e", "ac038001e0");
  BOOST_TEST(find_tlv(public_key, {0x7F49, 0x86})->size() == 32u);
  for (const std::size_t size : {1u, 64u, 3000u}) {
    Bytes data = hex("8200");
    append_tlv(data, 0x81, Bytes(size, 0x55));
    BOOST_TEST(test.send("0087e09e", make_tlv(0x7C, data)) == 0x9000u);
    BOOST_TEST(find_tlv(test.response, {0x7C, 0x82})->size() == 64u);
  }
  BOOST_TEST(test.send("0087e09e", make_tlv(0x7C, make_tlv(0x85, Bytes(32, 9)))) == 0x6A80u);
  BOOST_TEST(test.send("00f7009e") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, 0x01)) == "e0");
  BOOST_TEST(test.send("00f99e00") == 0x9000u);
  BOOST_TEST(test.send("00fee09a", make_tlv(0x06, Bytes(32, 1))) == 0x6A80u);
  BOOST_TEST(test.send("00fee09a", make_tlv(0x07, Bytes(32, 1))) == 0x9000u);
}

BOOST_AUTO_TEST_CASE(a_generated_key_is_attested) {
  PivCard test;
  BOOST_TEST(test.authenticate() == 0x9000u);
  const Bytes public_key = test.generate("9a");
  BOOST_TEST(test.send("00f99a00") == 0x9000u);
  const std::string certificate = to_hex(test.response);
  BOOST_TEST(certificate.find(to_hex(*find_tlv(public_key, {0x7F49, 0x86}))) != std::string::npos);
  BOOST_TEST(certificate.find("2b0601040182c40a0303") != std::string::npos);
  BOOST_TEST(test.send("00f99d00") == 0x6A88u);
}

BOOST_AUTO_TEST_CASE(the_management_key_is_changed_but_not_to_a_weak_one) {
  PivCard test;
  const std::string strong = "010203040506070811121314151617182122232425262728";
  BOOST_TEST(test.send("00ffffff", "039b18" + strong) == 0x6982u);
  BOOST_TEST(test.authenticate() == 0x9000u);
  BOOST_TEST(test.send("00ffffff", "039b18" + std::string(48, '1')) == 0x6A80u);
  BOOST_TEST(test.send("00ffffff", "039b10" + strong) == 0x6A80u);
  BOOST_TEST(test.send("00ffffff", "039b18" + strong) == 0x9000u);
  test.card.reset();
  BOOST_REQUIRE_EQUAL(test.send("00a40400", select_name), 0x9000u);
  BOOST_TEST(test.send("00870a9b", "7c028100") == 0x6A86u);
  BOOST_TEST(test.authenticate() == 0x9000u);
}

BOOST_AUTO_TEST_CASE(limits_are_set_and_only_a_blocked_card_is_reset) {
  PivCard test;
  BOOST_TEST(test.authenticate() == 0x9000u);
  BOOST_TEST(test.send("00fa0507") == 0x6982u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00fa0507") == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x63C5u);
  (void)test.generate("9a");
  BOOST_TEST(test.send("00fb0000") == 0x6985u);
  for (int i = 0; i < 5; ++i) (void)test.verify(wrong_pin);
  BOOST_TEST(test.send("00fb0000") == 0x6985u);
  for (int i = 0; i < 7; ++i) (void)test.send("002c0080", std::string(32, '3'));
  BOOST_TEST(test.send("00fb0000") == 0x9000u);
  BOOST_TEST(test.send("00200080") == 0x63C3u);
  BOOST_TEST(test.send("00f7009a") == 0x6A88u);
  BOOST_TEST(test.send("00f700f9") == 0x9000u);  // the attestation key stays
}

BOOST_AUTO_TEST_CASE(a_card_without_extensions_knows_the_standard_only) {
  PivCard test(PivProfile{.vendor_extensions = false});
  for (const char* command : {"00f7009a", "00f99a00", "00fd0000", "00f80000", "00fb0000", "00fa0303"}) {
    BOOST_TEST(test.send(command) == 0x6D00u, "command " << command);
  }
  BOOST_TEST(test.authenticate() == 0x9000u);
  BOOST_TEST(test.send("004700f9", "ac03800111") == 0x6A86u);
}

BOOST_AUTO_TEST_SUITE_END()
