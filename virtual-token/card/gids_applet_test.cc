// The GIDS card edge, command by command (GIDS 2.0).
#include "card/gids_applet.h"

#include "card/card_testing.h"
#include "card/digest_info.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

constexpr std::string_view select_name = "a00000039742544659";
constexpr std::string_view right_pin = "313233343536";
constexpr std::string_view wrong_pin = "393939393939";
constexpr std::string_view admin_key = "010203040506070801020304050607080102030405060708";

class GidsCard : public TestCard {
 public:
  explicit GidsCard(GidsState state = new_initialised_gids()) : TestCard(CardState{std::move(state)}) {
    BOOST_REQUIRE_EQUAL(send("00a40400", select_name), 0x9000u);
  }

  unsigned verify(std::string_view pin = right_pin) { return send("00200080", pin); }

  unsigned authenticate_mutually(std::string_view key = admin_key) {
    BOOST_REQUIRE_EQUAL(send("0022c1a4", "830180"), 0x9000u);
    const Bytes host(16, 0x33);
    BOOST_REQUIRE_EQUAL(send("00870000", make_tlv(0x7C, make_tlv(0x81, host))), 0x9000u);
    Bytes plain = to_bytes(*find_tlv(response, {0x7C, 0x81}));
    plain.insert(plain.end(), host.begin(), host.end());
    plain.insert(plain.end(), {1, 2, 3, 4, 5, 6, 7, 0x80});
    return send("00870000", make_tlv(0x7C, make_tlv(0x82, *encrypt_chained(BlockCipher::des3, hex(key), plain))));
  }

  // A key file with every use a minidriver gives an exchange key, and one activation.
  unsigned create_key_file(std::string_view algorithm) {
    Bytes uses;
    for (const auto& [purpose, padding] :
         {std::pair{0xB8, 0x00}, {0xB8, 0x80}, {0xB8, 0x40}, {0xB6, 0x10}, {0xB6, 0x50}}) {
      const Byte reference[] = {static_cast<Byte>(padding | hex(algorithm)[0])};
      Bytes use = make_tlv(0x80, reference);
      append_tlv(use, 0x83, hex("81"));
      append_tlv(use, 0x95, hex("40"));
      append_tlv(uses, static_cast<std::uint32_t>(purpose), use);
    }
    Bytes content = hex("8201188302b0818c058f10101000");
    append_tlv(content, 0xA5, uses);
    const unsigned created = send("00e00000", make_tlv(0x62, content));
    return created == 0x9000u ? send("00440000") : created;
  }

  GidsState& gids() { return std::get<GidsState>(card.state().content); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gids_applet)

BOOST_AUTO_TEST_CASE(select_tells_the_application_its_rules_and_its_space) {
  GidsCard test;
  BOOST_TEST(to_hex(*find_tlv(test.response, {0x61, 0x4F})) ==
             "a0000003974254465902"
             "01");
  BOOST_TEST(test.send("00a40004", "3fff") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, {0x62, 0x8C})) == "033030");
  BOOST_TEST(test.send("00a40008", "3fff") == 0x9000u);
  const auto space = find_tlv(test.response, {0x64, 0x7F65, 0x82});
  BOOST_REQUIRE(space.has_value());
  const std::string before = to_hex(*space);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3003aabbcc") == 0x9000u);
  BOOST_TEST(test.send("00a40008", "3fff") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, {0x64, 0x7F65, 0x82})) < before);
  BOOST_TEST(test.send("00a40004", "b080") == 0x9000u);
  BOOST_TEST(test.send("00a40004", "b099") == 0x6A82u);
}

BOOST_AUTO_TEST_CASE(an_initialised_card_has_what_a_minidriver_expects) {
  GidsCard test;
  BOOST_TEST(test.send("00cba000", "5c02df1f") == 0x9000u);
  const auto master_file = find_tlv(test.response, 0xDF1F);
  BOOST_REQUIRE(master_file.has_value());
  BOOST_TEST(master_file->size() == 1u + 5 * 28);
  BOOST_TEST(text_of(*master_file).find("cmapfile") != std::string_view::npos);
  BOOST_TEST(test.send("00cba012", "5c02df20") == 0x9000u);
  BOOST_TEST(find_tlv(test.response, 0xDF20)->size() == 16u);
  BOOST_TEST(test.send("00cba010", "5c02df22") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, 0xDF22)) == "000000000000");
  BOOST_TEST(test.send("00cba010", "5c00") == 0x9000u);
  BOOST_TEST(find_tlv(test.response, 0xDF21).has_value());
  BOOST_TEST(find_tlv(test.response, 0xDF23).has_value());
  BOOST_TEST(test.send("00cba010", "5c02df77") == 0x6A88u);
  BOOST_TEST(test.send("00cb2f01", "5c00") == 0x9000u);
}

BOOST_AUTO_TEST_CASE(access_rules_hold) {
  GidsCard test;
  BOOST_TEST(test.send("00dba010", "df3001aa") == 0x6982u);
  BOOST_TEST(test.send("00cba013", "5c02df30") == 0x6982u);
  BOOST_TEST(test.send("00e00000", "620c8201398302a0208c03030000") == 0x6982u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3001aa") == 0x9000u);
  BOOST_TEST(test.send("00dba012", "df3001aa") == 0x6982u);  // the administrator's
  BOOST_TEST(test.send("00dba011", "df3001aa") == 0x9000u);
  BOOST_TEST(test.send("00cba011", "5c02df30") == 0x6982u);  // nobody reads
  BOOST_TEST(test.send("00200082") == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3001bb") == 0x6982u);
  BOOST_TEST(test.authenticate_mutually() == 0x9000u);
  BOOST_TEST(test.send("00dba012", "df3001aa") == 0x9000u);
}

BOOST_AUTO_TEST_CASE(objects_are_replaced_and_removed) {
  GidsCard test;
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3002aabb") == 0x9000u);
  BOOST_TEST(test.send("00db0000", "df3001cc") == 0x9000u);  // the current file
  BOOST_TEST(test.send("00cb0000", "5c02df30") == 0x9000u);
  BOOST_TEST(to_hex(test.response) == "df3001cc");
  BOOST_TEST(test.send("00dba010", "df3000") == 0x9000u);
  BOOST_TEST(test.send("00cba010", "5c02df30") == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3000") == 0x9000u);
  BOOST_TEST(test.send("00cba010", "5c02df30") == 0x6A88u);
  BOOST_TEST(test.send("00dba010", "df3002aa") == 0x6984u);
  BOOST_TEST(test.send("00dba099", "df3001aa") == 0x6A82u);
  Bytes huge = make_tlv(0xDF30, Bytes(60000));
  BOOST_TEST(test.send("00dba010", huge) == 0x9000u);
  BOOST_TEST(test.send("00dba010", make_tlv(0xDF31, Bytes(60000))) == 0x9000u);
  BOOST_TEST(test.send("00dba010", make_tlv(0xDF32, Bytes(60000))) == 0x6A84u);
}

BOOST_AUTO_TEST_CASE(pins_count_block_and_are_unblocked_by_the_administrator) {
  GidsCard test;
  BOOST_TEST(test.send("00200080") == 0x63C3u);
  BOOST_TEST(test.verify(wrong_pin) == 0x63C2u);
  BOOST_TEST(test.verify("3132") == 0x63C2u);  // impossible length: not counted
  BOOST_TEST(test.verify(wrong_pin) == 0x63C1u);
  BOOST_TEST(test.send("00cb3fff", "5c027f71") == 0x9000u);
  BOOST_TEST(to_hex(*find_tlv(test.response, {0x7F71, 0x97})) == "01");
  BOOST_TEST(test.verify(wrong_pin) == 0x6983u);
  BOOST_TEST(test.verify() == 0x6983u);
  BOOST_TEST(test.send("002c0280", "363534333231") == 0x6982u);
  BOOST_TEST(test.authenticate_mutually() == 0x9000u);
  BOOST_TEST(test.send("002c0280", "363534333231") == 0x9000u);
  BOOST_TEST(test.send("002c0280", "363534333231") == 0x6982u);  // the administrator is logged out
  BOOST_TEST(test.verify("363534333231") == 0x9000u);
  BOOST_TEST(test.send("00240080",
                       "363534333231"
                       "31323334") == 0x9000u);
  BOOST_TEST(test.send("00240080",
                       "39393939"
                       "35363738") == 0x63C2u);
  BOOST_TEST(test.verify("31323334") == 0x9000u);
}

BOOST_AUTO_TEST_CASE(a_puk_unblocks_where_there_is_one) {
  GidsCard test;
  BOOST_TEST(test.send("002c0080",
                       "3837363534333231"
                       "313233343536") == 0x6A88u);
  BOOST_TEST(test.send("00cb3fff", "5c027f73") == 0x6A88u);
  test.gids().puk.emplace().reset(view_of("87654321"), 3);
  for (int i = 0; i < 3; ++i) (void)test.verify(wrong_pin);
  BOOST_TEST(test.send("002c0080",
                       "3131313131313131"
                       "313233343536") == 0x63C2u);
  BOOST_TEST(test.send("002c0080",
                       "3837363534333231"
                       "313233343536") == 0x9000u);
  BOOST_TEST(test.verify() == 0x9000u);
}

BOOST_AUTO_TEST_CASE(the_administrator_proves_the_key_either_way) {
  GidsCard test;
  BOOST_TEST(test.send("00870000", "7c028100") == 0x6985u);  // no key chosen
  BOOST_TEST(test.authenticate_mutually() == 0x9000u);
  BOOST_TEST(find_tlv(test.response, {0x7C, 0x82})->size() == 40u);
  BOOST_TEST(test.authenticate_mutually("010203040506070801020304050607080102030405060799") == 0x6982u);
  BOOST_TEST(test.send("00dba012", "df3001aa") == 0x6982u);
  BOOST_TEST(test.send("002281a4", "830180") == 0x9000u);
  BOOST_TEST(test.send("00870000", "7c028100") == 0x9000u);
  const auto answer = encrypt_blocks(BlockCipher::des3, hex(admin_key), *find_tlv(test.response, {0x7C, 0x81}));
  const Bytes data = make_tlv(0x7C, make_tlv(0x82, *answer));
  BOOST_TEST(test.send("00870000", data) == 0x9000u);
  BOOST_TEST(test.send("00dba012", "df3001aa") == 0x9000u);
  BOOST_TEST(test.send("00870000", data) == 0x6985u);  // a challenge serves once
}

BOOST_AUTO_TEST_CASE(a_key_is_generated_used_and_deleted) {
  GidsCard test;
  BOOST_TEST(test.create_key_file("06") == 0x6982u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.create_key_file("06") == 0x9000u);
  BOOST_TEST(test.create_key_file("06") == 0x6A89u);
  BOOST_TEST(test.send("00470000", "ac06800106830181") == 0x9000u);
  const Bytes public_key = test.response;
  BOOST_TEST(test.send("00cb3fff", "7008840181a5037f4980") == 0x9000u);
  BOOST_TEST(to_hex(test.response) == to_hex(public_key));
  const Bytes content = digest_info(HashType::sha256, Bytes(32, 0x44));
  BOOST_TEST(test.send("002241b6", "800156840181") == 0x9000u);
  BOOST_TEST(test.send("002a9e9a", content) == 0x9000u);
  const std::string signature = to_hex(test.response);
  BOOST_TEST(test.send("002241b6", "800116840181") == 0x9000u);
  BOOST_TEST(test.send("002a9e9a", *pkcs1_signature_block(content, 128)) == 0x9000u);
  BOOST_TEST(to_hex(test.response) == signature);
  BOOST_TEST(test.send("002a8086", Bytes(128)) == 0x6985u);  // the environment is for signing
  BOOST_TEST(test.send("00200082") == 0x9000u);
  BOOST_TEST(test.send("002a9e9a", content) == 0x6985u);
  BOOST_TEST(test.send("002241b6", "800156840181") == 0x6982u);
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.send("002241b6", "800157840181") == 0x6984u);  // not what the key file allows
  BOOST_TEST(test.send("00a4000c", "b081") == 0x9000u);
  BOOST_TEST(test.send("00e40000") == 0x9000u);
  BOOST_TEST(test.send("00cb3fff", "7008840181a5037f4980") == 0x6A88u);
}

BOOST_AUTO_TEST_CASE(a_key_is_imported_and_deciphers) {
  GidsCard test;
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.create_key_file("06") == 0x9000u);
  const auto key = CardKey::generate(KeyType::rsa1024);
  const SecretBytes secret = key->secret();
  Bytes numbers = hex("020100");
  Bytes modulus = key->modulus();
  modulus.insert(modulus.begin(), 0);
  append_tlv(numbers, 0x02, modulus);
  append_tlv(numbers, 0x02, hex("010001"));
  append_tlv(numbers, 0x02, hex("01"));  // the exponent follows from the primes
  append_tlv(numbers, 0x02, secret.view().subspan(4, 64));
  append_tlv(numbers, 0x02, secret.view().last(64));
  Bytes value = hex("830102840100");
  append_tlv(value, 0x87, make_tlv(0x30, numbers));
  Bytes usage = hex("840181");
  append_tlv(usage, 0xA5, value);
  BOOST_TEST(test.send("00db3fff", make_tlv(0x70, usage)) == 0x9000u);
  Bytes block(128, 0x11);
  block[0] = 0;
  block[1] = 2;
  block[120] = 0;
  const auto cryptogram = key->raw_rsa(block);  // what the card raises to the public exponent again
  BOOST_REQUIRE(cryptogram.ok());
  BOOST_TEST(test.send("002241b8", "800106840181") == 0x9000u);
  BOOST_TEST(test.send("002a8086", *cryptogram) == 0x9000u);
  BOOST_TEST(to_hex(test.response) == to_hex(*key->raw_rsa(*cryptogram)));
  BOOST_TEST(test.send("002241b8", "800146840181") == 0x9000u);
  BOOST_TEST(test.send("002a8086", Bytes(128, 0x01)) == 0x6A80u);
  BOOST_TEST(test.send("002a8086", Bytes(127, 0x01)) == 0x6700u);
}

BOOST_AUTO_TEST_CASE(curve_keys_sign_plainly) {
  GidsCard test;
  BOOST_TEST(test.verify() == 0x9000u);
  BOOST_TEST(test.create_key_file("0c") == 0x9000u);
  BOOST_TEST(test.send("00470000", "ac0680010c830181") == 0x9000u);
  BOOST_TEST(find_tlv(test.response, {0x7F49, 0x86})->size() == 65u);
  BOOST_TEST(test.send("002241b6", "80011c840181") == 0x9000u);
  BOOST_TEST(test.send("002a9e9a", Bytes(32, 0x55)) == 0x9000u);
  BOOST_TEST(test.response.size() == 64u);
}

BOOST_AUTO_TEST_CASE(a_new_card_is_open_until_it_is_activated) {
  GidsCard test(new_gids());
  BOOST_TEST(test.send("00cba000", "5c02df1f") == 0x6A82u);
  BOOST_TEST(test.send("00240180", "31323334") == 0x9000u);
  BOOST_TEST(test.send("00e00000", "620c8201398302a0108c03033000") == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3001aa") == 0x6985u);  // the file is not activated
  BOOST_TEST(test.send("00440000") == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3001aa") == 0x9000u);
  BOOST_TEST(test.send("00a4000c", "3fff") == 0x9000u);
  BOOST_TEST(test.send("00440000") == 0x9000u);
  BOOST_TEST(test.send("00dba010", "df3001bb") == 0x6982u);
  BOOST_TEST(test.send("00240180", "31323334") == 0x6982u);
  BOOST_TEST(test.verify("31323334") == 0x9000u);
  BOOST_TEST(test.send("00e00000", "620582010183020001") == 0x6984u);
}

BOOST_AUTO_TEST_SUITE_END()
