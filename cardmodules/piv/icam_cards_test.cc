// Every data object of the twelve ICAM test cards (CC0, GSA), field by field.
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/tlv.h"
#include "crypto/cms.h"
#include "piv/biometric.h"
#include "piv/chuid.h"
#include "piv/security_object.h"
#include "piv/small_objects.h"

namespace cardea::card::piv {
namespace {

namespace fs = std::filesystem;

// What differs between the cards.
struct Expected {
  const char* card;
  const char* fascn;  ///< 32 digits
  const char* serial;
  const char* guid;
  const char* cardholder;
  const char* printed_name;
  unsigned pin_policy;
  std::vector<std::uint16_t> signed_containers;
  const char* fingerprints_created;
  std::size_t fingerprints_size;
  const char* face_created;
  std::size_t face_size;
  std::size_t biometric_signature_size;
};

const std::vector<Expected>& cards() {
  static const std::vector<Expected> all{
      {"01_Golden_PIV",
       "47000256001337111234567890199991",
       "47000256001337",
       "7b13d0e6-1f6e-478e-a0aa-be0f9ad64a6c",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "Golden PIV",
       0x4000,
       {0x3000, 0x6030, 0x6010, 0x3001},
       "2018-07-23T05:48:44Z",
       584,
       "2018-07-23T05:48:42Z",
       4711,
       765},
      {"02_Golden_PIV-I",
       "99999999999999110000000025399996",
       "be127ea0d180124d",
       "be127ea0-d180-124d-e044-000f202b235a",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "Golden PIV-I",
       0x4000,
       {0x3000, 0x6030, 0x6010, 0x3001},
       "2018-06-18T07:53:02Z",
       584,
       "2018-06-18T07:53:01Z",
       4711,
       785},
      {"15_CHUID_FASCN_mismatch",
       "47000956001337111234567890199991",
       "47000956001337",
       "31323334-3536-3738-3930-313233343536",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "CHUID FASCN mismatch",
       0x4000,
       {0x3000, 0x6030, 0x6010, 0x3001},
       "2018-07-24T11:52:22Z",
       584,
       "2018-07-24T11:52:21Z",
       4711,
       765},
      {"25_Disco_Object_Not_Present",
       "47000257000025110257400002547001",
       "47000257000025",
       "03fa9eec-f283-4802-9018-40a3b67e4d05",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "ICAM Card 25 Discovery Object Not Present",
       0x0000,
       {0xdb00, 0x3000, 0x6030, 0x6010, 0x3001},
       "2018-03-23T06:58:38Z",
       584,
       "2018-03-23T06:58:29Z",
       5444,
       788},
      {"26_Disco_Object_Present_App_PIN_Only",
       "47000257000026110257400002647001",
       "47000257000026",
       "460f569f-1602-4678-94b5-95f7ae3f3abe",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "ICAM Card 26 Discovery Object Present, App PIN Only",
       0x4000,
       {0xdb00, 0x3000, 0x6050, 0x6030, 0x6010, 0x3001},
       "2018-03-27T02:02:18Z",
       584,
       "2018-03-27T02:02:01Z",
       5444,
       788},
      {"27_Disco_Object_Present_App_PIN_Primary",
       "47000257000027110257400002747001",
       "47000257000027",
       "2c73a617-f5e1-4a5b-922a-6648f6466827",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "ICAM Card 27 Discovery Object Present, App PIN Prim",
       0x6010,
       {0xdb00, 0x3000, 0x6050, 0x6030, 0x6010, 0x3001},
       "2018-03-23T04:36:38Z",
       584,
       "2018-03-23T04:36:28Z",
       5444,
       788},
      {"28_Disco_Object_Present_Global_PIN_Primary",
       "47000257000028110257400002847001",
       "47000257000028",
       "c346f0e5-0655-4a9f-812b-e2d78484b37f",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "ICAM Card 28 Discovery Object Present, Global PIN Prim",
       0x6020,
       {0xdb00, 0x3000, 0x6050, 0x6030, 0x6010, 0x3001},
       "2018-03-23T04:56:44Z",
       584,
       "2018-03-23T04:56:37Z",
       5444,
       788},
      {"37_Golden_FIPS_201-2_PIV_PPS_F=512_D=64",
       "47000257000037110257000037199991",
       "47000257000037",
       "c9d20c56-8a84-4878-b4c4-ced1f6c375a3",
       "e2c66911-5497-40b8-9957-b7e24b8dcaa2",
       "ICAM Card 37 PPS F=512 D=64",
       0x6010,
       {0xdb00, 0x3000, 0x6050, 0x6030, 0x6010, 0x3001},
       "2018-03-26T04:38:39Z",
       584,
       "2018-03-26T04:38:27Z",
       5444,
       788},
      {"39_Golden_FIPS_201-2_Fed_PIV-I",
       "47000257000039110257000039199991",
       "47000257000039",
       "af8b1780-863c-42af-8925-02206f311a28",
       "1abc7dac-444d-45c4-9c7a-e790502168e2",
       "ICAM Card 39 Golden FIPS 201-2 Fed PIV-I",
       0x6010,
       {0xdb00, 0x3000, 0x6050, 0x6030, 0x6010, 0x3001},
       "2018-03-27T02:12:33Z",
       584,
       "2018-03-27T02:12:24Z",
       5444,
       796},
      {"46_Golden_FIPS_201-2_PIV",
       "47000257000046110257000046199991",
       "47000257000046",
       "94e28c68-84db-44db-8a0e-f502d6689b14",
       "db175391-4749-4a32-977d-7a3843775e8a",
       "ICAM Card 46 Golden FIPS 201-2 PIV",
       0x4000,
       {0x3000, 0x6030, 0x6010, 0x3001},
       "2018-05-16T03:39:19Z",
       584,
       "2018-05-16T03:38:49Z",
       5444,
       788},
      {"47_Golden_FIPS_201-2_PIV_SAN_Order",
       "47000257000047110257000047199991",
       "47000257000047",
       "2d57b91f-e27a-4e64-852a-8e09d052275c",
       "dc602fd1-987e-45bc-a851-800b73f48fb7",
       "ICAM Card 47 Golden FIPS 201-2 PIV SAN Order",
       0x4000,
       {0xdb00, 0x6050, 0x3000, 0x6030, 0x6010, 0x3001},
       "2018-03-26T09:28:21Z",
       584,
       "2018-03-26T09:28:12Z",
       5444,
       788},
      {"53_FIPS_201-2_Large_Card_Auth_Cert",
       "47000257000053110257000053199991",
       "47000257000053",
       "eda3b711-abc8-4a13-9785-4847a3a02388",
       "d13a9450-b7d2-45df-b386-1a1d6a91fcce",
       "ICAM Card 53 Golden FIPS 201-2 PIV Large Card Auth Cert",
       0x4000,
       {0xdb00, 0x6050, 0x3000, 0x6030, 0x6010, 0x3001},
       "2018-03-26T09:35:42Z",
       584,
       "2018-03-26T09:35:31Z",
       5444,
       788},
  };
  return all;
}

fs::path data_folder() {
  if (const char* const set = std::getenv("CARDEA_TEST_DATA")) return fs::path(set) / "icam-cards";
  const char* const source = std::getenv("CARDEA_SOURCE");
  return fs::path(source == nullptr ? "." : source) / "../shared/data/icam-cards";
}

Bytes read_object(const Expected& card, const std::string& name) {
  std::ifstream file(data_folder() / card.card / name, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(file.good(), card.card << " has no file '" << name << "'");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The body of a PEM file.
Bytes pem_body(const Bytes& pem) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  std::string_view text = text_of(pem);
  text.remove_prefix(text.find(begin) + begin.size());
  text = text.substr(0, text.find('-'));
  Bytes der;
  unsigned bits = 0;
  unsigned group = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) continue;
    group = (group << 6 | static_cast<unsigned>(value)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    der.push_back(static_cast<Byte>(group >> bits));
  }
  return der;
}

// The discovery object's file is the whole object, the others lack their outer tag.
Bytes discovery_content(const Expected& card) {
  const Bytes file = read_object(card, "1 - Discovery Object");
  const Result<ByteView> content = require_tlv(file, 0x7e);
  BOOST_REQUIRE(content.ok());
  return to_bytes(*content);
}

Bytes content_of(const Expected& card, std::uint16_t container) {
  static const std::map<std::uint16_t, std::string> files{{0x3000, "8 - CHUID Object"},
                                                          {0x3001, "11 - Printed Information"},
                                                          {0x6010, "9 - Fingerprints"},
                                                          {0x6030, "10 - Face Object"},
                                                          {0xdb00, "7 - CCC"}};
  constexpr std::uint16_t discovery = 0x6050;
  return container == discovery ? discovery_content(card) : read_object(card, files.at(container));
}

template <class T>
T parsed(Result<T> result) {
  if (!result) BOOST_FAIL(describe(result.error()));
  return std::move(*result);
}

// Runs the check on each card, or says that there are none.
template <class Check>
void for_each_card(Check check) {
  if (!fs::is_directory(data_folder())) {
    BOOST_TEST_MESSAGE("skipped: the ICAM test cards are not at " << data_folder());
    return;
  }
  for (const Expected& card : cards()) {
    BOOST_TEST_CONTEXT(card.card) {
      check(card);
    }
  }
}

void check_biometric(const Expected& card, const std::string& file, const char* kind, const char* created,
                     std::size_t size, std::size_t format) {
  const Biometric record = parsed(parse_biometric(read_object(card, file)));
  constexpr std::size_t incits_m1 = 27;  // the format owner's number (SP 800-76-2, table 13)
  BOOST_TEST(record.kind == kind);
  BOOST_TEST(record.created == created);
  BOOST_TEST(record.valid_from == created);
  BOOST_TEST(record.valid_until == "2032-12-02T00:00:00Z");
  BOOST_TEST(record.quality == -2);
  BOOST_TEST(record.creator == "NIST Creator");
  BOOST_TEST(record.format_owner == incits_m1);
  BOOST_TEST(record.format == format);
  BOOST_TEST(record.data_size == size);
  BOOST_TEST(record.signature_size == card.biometric_signature_size);
  BOOST_TEST(record.fascn_bytes == parsed(parse_chuid(read_object(card, "8 - CHUID Object"))).fascn_bytes);
}

BOOST_AUTO_TEST_SUITE(icam_cards)

BOOST_AUTO_TEST_CASE(chuid_fields) {
  for_each_card([](const Expected& card) {
    const Chuid chuid = parsed(parse_chuid(read_object(card, "8 - CHUID Object")));
    BOOST_REQUIRE(chuid.fascn.has_value());
    BOOST_TEST(chuid.fascn->digits() == card.fascn);
    BOOST_TEST(parsed(encode_fascn(*chuid.fascn)) == chuid.fascn_bytes);
    BOOST_TEST(chuid.organization == "1234");
    BOOST_TEST(chuid.duns.empty());
    BOOST_TEST(uuid_text(chuid.guid) == card.guid);
    BOOST_TEST(uuid_text(chuid.cardholder_uuid) == card.cardholder);
    BOOST_TEST(chuid.expires == "20321202");
    BOOST_TEST(chuid_serial(chuid) == card.serial);
  });
}

BOOST_AUTO_TEST_CASE(chuid_signature) {
  for_each_card([](const Expected& card) {
    const Bytes issuer = pem_body(read_object(card, "CHUID_Signer.crt"));
    Chuid chuid = parsed(parse_chuid(read_object(card, "8 - CHUID Object")));
    const Status intact = verify_chuid(chuid, issuer);
    BOOST_TEST(intact.ok(), (intact.ok() ? std::string() : describe(intact.error())));
    chuid.signed_content[10] ^= 1;
    BOOST_TEST((verify_chuid(chuid, issuer).code() == Code::signature_invalid));
  });
}

BOOST_AUTO_TEST_CASE(security_object_hashes) {
  for_each_card([](const Expected& card) {
    const SecurityObject object = parsed(parse_security_object(read_object(card, "2 - Security Object")));
    BOOST_TEST((object.hash == Hash::sha256));
    std::vector<std::uint16_t> containers;
    for (const SecurityObject::Entry& entry : object.entries) {
      containers.push_back(entry.container);
      Bytes content = content_of(card, entry.container);
      BOOST_TEST(check_digest(object, entry, content).ok(), "container " << entry.container);
      content[0] ^= 1;
      BOOST_TEST((check_digest(object, entry, content).code() == Code::signature_invalid));
    }
    BOOST_TEST(containers == card.signed_containers, boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(security_object_signature) {
  for_each_card([](const Expected& card) {
    const Bytes issuer = pem_body(read_object(card, "CHUID_Signer.crt"));
    const SecurityObject object = parsed(parse_security_object(read_object(card, "2 - Security Object")));
    const Chuid chuid = parsed(parse_chuid(read_object(card, "8 - CHUID Object")));
    const auto others = parsed(crypto::read_signed_data(chuid.signature)).certificates;
    const Status intact = verify_security_object(object, issuer, others);
    BOOST_TEST(intact.ok(), (intact.ok() ? std::string() : describe(intact.error())));
  });
}

BOOST_AUTO_TEST_CASE(a_signature_over_something_else_is_none) {
  for_each_card([](const Expected& card) {
    const Bytes issuer = pem_body(read_object(card, "CHUID_Signer.crt"));
    Chuid chuid = parsed(parse_chuid(read_object(card, "8 - CHUID Object")));
    const SecurityObject object = parsed(parse_security_object(read_object(card, "2 - Security Object")));
    BOOST_TEST(verify_security_object(object, issuer, {}).ok());
    chuid.signature = object.signature;
    BOOST_TEST((verify_chuid(chuid, issuer).code() == Code::signature_invalid));
  });
}

BOOST_AUTO_TEST_CASE(discovery) {
  for_each_card([](const Expected& card) {
    const Discovery found = parsed(parse_discovery(discovery_content(card)));
    BOOST_TEST(found.application.empty() == (card.pin_policy == 0));
    BOOST_TEST(found.application_pin == ((card.pin_policy & 0x4000) != 0));
    BOOST_TEST(found.global_pin == ((card.pin_policy & 0x2000) != 0));
    BOOST_TEST(found.global_is_primary == ((card.pin_policy & 0x20) != 0));
    BOOST_TEST(!found.on_card_comparison);
    BOOST_TEST(!found.contactless_interface);
  });
}

BOOST_AUTO_TEST_CASE(key_history) {
  for_each_card([](const Expected& card) {
    if (!fs::exists(data_folder() / card.card / "13 - Key History Object")) return;
    const KeyHistory history = parsed(parse_key_history(read_object(card, "13 - Key History Object")));
    BOOST_TEST(history.on_card == 5u);
    BOOST_TEST(history.off_card == 0u);
    BOOST_TEST(history.url.empty());
    BOOST_TEST(retired_references(history) == (std::vector<Byte>{0x82, 0x83, 0x84, 0x85, 0x86}));
    BOOST_TEST((next_retired_reference(history) == Byte{0x87}));
  });
}

BOOST_AUTO_TEST_CASE(card_capability) {
  for_each_card([](const Expected& card) {
    const CardCapability found = parsed(parse_card_capability(read_object(card, "7 - CCC")));
    BOOST_TEST(to_hex(found.card_identifier) ==
               "a00000007950495620322e332e32206361726420"
               "20");
    BOOST_TEST(found.container_version == 0x21);
    BOOST_TEST(found.grammar_version == 0x21);
    BOOST_TEST(found.applications.empty());
    BOOST_TEST((found.pkcs15 == Byte{0x11}));
    BOOST_TEST((found.data_model == Byte{0x10}));
    BOOST_TEST(found.access_rules == Bytes(17));
    BOOST_TEST(!found.has_card_apdus);
  });
}

BOOST_AUTO_TEST_CASE(printed_information) {
  for_each_card([](const Expected& card) {
    const PrintedInformation printed = parsed(parse_printed_information(read_object(card, "11 - Printed Information")));
    BOOST_TEST(printed.name == card.printed_name);
    BOOST_TEST(printed.affiliation == "4700");
    BOOST_TEST(printed.expires == "2032DEC02");
    BOOST_TEST(printed.card_serial == "123456789");
    BOOST_TEST(printed.issuer == "ICAM Test Cards");
    BOOST_TEST(printed.organization_line_1 == "ICAM Test Cards     ");
    BOOST_TEST(printed.organization_line_2 == "ICAM Test Cards     ");
  });
}

BOOST_AUTO_TEST_CASE(biometrics) {
  constexpr std::size_t minutiae = 0x0201;
  constexpr std::size_t face = 0x0501;
  for_each_card([&](const Expected& card) {
    check_biometric(card, "9 - Fingerprints", "fingerprint", card.fingerprints_created, card.fingerprints_size,
                    minutiae);
    check_biometric(card, "10 - Face Object", "face", card.face_created, card.face_size, face);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::piv
