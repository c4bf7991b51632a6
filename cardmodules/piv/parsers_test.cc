// Data objects that the ICAM test cards do not show: damaged, unusual, from YubiKeys.
#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>

#include "base/tlv.h"
#include "piv/algorithms.h"
#include "piv/biometric.h"
#include "piv/certificate_object.h"
#include "piv/chuid.h"
#include "piv/commands.h"
#include "piv/data_objects.h"
#include "piv/key_references.h"
#include "piv/metadata.h"
#include "piv/security_object.h"
#include "piv/small_objects.h"
#include "piv/virtual_piv.h"

namespace cardea::card::piv {
namespace {

Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
}

// The FASC-N of nines that YubiKeys are personalised with.
const Bytes& fascn_of_nines() {
  static const Bytes bytes = hex("d4e739da739ced39ce739d836858210842108421c84210c3eb");
  return bytes;
}

Bytes chuid_content() {
  Bytes content = make_tlv(0x30, fascn_of_nines());
  append_tlv(content, 0x34, hex("00112233445566778899aabbccddeeff"));
  append_tlv(content, 0x35, view_of("20500101"));
  append_tlv(content, 0x3e, {});
  append_tlv(content, 0xfe, {});
  return content;
}

template <class T>
bool is_invalid(const Result<T>& result) {
  return !result && result.code() == Code::data_invalid;
}

BOOST_AUTO_TEST_SUITE(piv_parsers)

BOOST_AUTO_TEST_CASE(fascn_of_cards_outside_the_federal_government) {
  const Fascn fascn = good(decode_fascn(fascn_of_nines()));
  BOOST_TEST(fascn.is_absent());
  BOOST_TEST(fascn.digits() == "99999999999999010000000000300001");
  BOOST_TEST(good(encode_fascn(fascn)) == fascn_of_nines());
}

BOOST_AUTO_TEST_CASE(each_damaged_bit_of_a_fascn_is_seen) {
  for (std::size_t bit = 0; bit < 8 * fascn_size; ++bit) {
    Bytes damaged = fascn_of_nines();
    damaged[bit / 8] = static_cast<Byte>(damaged[bit / 8] ^ 1u << (bit % 8));
    BOOST_TEST(is_invalid(decode_fascn(damaged)), "bit " << bit);
  }
  BOOST_TEST(is_invalid(decode_fascn(ByteView(fascn_of_nines()).first(24))));
}

BOOST_AUTO_TEST_CASE(fascn_fields_have_fixed_lengths) {
  Fascn fascn = good(decode_fascn(fascn_of_nines()));
  fascn.person = "12345";
  BOOST_TEST(is_invalid(encode_fascn(fascn)));
  fascn.person = "12345678x0";
  BOOST_TEST(is_invalid(encode_fascn(fascn)));
}

BOOST_AUTO_TEST_CASE(chuid_without_number_is_known_by_its_guid) {
  const Chuid chuid = good(parse_chuid(chuid_content()));
  BOOST_TEST(chuid_serial(chuid) == "0011223344556677");
  BOOST_TEST(uuid_text(chuid.guid) == "00112233-4455-6677-8899-aabbccddeeff");
  BOOST_TEST(chuid.signature.empty());
  BOOST_TEST((verify_chuid(chuid, {}).code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(chuid_fields_of_a_wrong_length) {
  Bytes content = make_tlv(0x34, Bytes(15));
  BOOST_TEST(is_invalid(parse_chuid(content)));
  content = make_tlv(0x30, fascn_of_nines());
  append_tlv(content, 0x35, view_of("2050-01-01"));
  BOOST_TEST(is_invalid(parse_chuid(content)));
  BOOST_TEST(is_invalid(parse_chuid({})));
  const Chuid odd = good(parse_chuid(make_tlv(0x30, Bytes(25))));
  BOOST_TEST(!odd.fascn.has_value());
  BOOST_TEST(!odd.fascn_problem.empty());
  BOOST_TEST(chuid_serial(odd).empty());
}

BOOST_AUTO_TEST_CASE(selection_answers_of_different_cards) {
  // SP 800-73-4 part 2, table 3; a YubiKey; a card that lists its algorithms; another application.
  const Application whole =
      good(parse_application(hex("61114f0ba000000308000010000100500250"
                                 "5a")));
  BOOST_TEST(is_piv(whole));
  const Application end = good(parse_application(hex("61114f0600001000010079074f05a000000308")));
  BOOST_TEST(is_piv(end));
  const Application listing = good(parse_application(hex("61124f06000010000100ac0880010380010a0600")));
  BOOST_TEST(is_piv(listing));
  BOOST_TEST(listing.algorithms == (std::vector<Byte>{0x03, 0x0a}));
  BOOST_TEST(!is_piv(good(parse_application(hex("610b4f09a00000039742544659")))));
  BOOST_TEST(!parse_application({}).ok());
}

BOOST_AUTO_TEST_CASE(key_history_counts) {
  const KeyHistory history = good(parse_key_history(hex("c10102c20103f30a687474703a2f2f782f79fe00")));
  BOOST_TEST(history.on_card == 2u);
  BOOST_TEST(history.off_card == 3u);
  BOOST_TEST(history.url == "http://x/y");
  BOOST_TEST(retired_references(history) == (std::vector<Byte>{0x82, 0x83, 0x93, 0x94, 0x95}));
  BOOST_TEST((next_retired_reference(history) == Byte{0x84}));
  BOOST_TEST(encode_key_history(history) == hex("c10102c20103f30a687474703a2f2f782f79fe00"));
  BOOST_TEST(is_invalid(parse_key_history(hex("c1010bc2010af300fe00"))));
  BOOST_TEST(is_invalid(parse_key_history(hex("c1020001c20100"))));
  const KeyHistory full{.on_card = 17, .off_card = 3, .url = {}};
  BOOST_TEST(!next_retired_reference(full).has_value());
  BOOST_TEST((next_retired_reference(KeyHistory{}) == Byte{0x82}));
}

BOOST_AUTO_TEST_CASE(discovery_policies) {
  const auto parse = [](std::string_view policy) {
    return good(parse_discovery(hex("4f0ba0000003080000100001005f2f02" + std::string(policy))));
  };
  BOOST_TEST(parse("4000").application_pin);
  BOOST_TEST(!parse("4000").global_is_primary);
  BOOST_TEST(parse("6020").global_is_primary);
  // Global preferred, but the card has none that counts.
  BOOST_TEST(!parse("4020").global_is_primary);
  BOOST_TEST(parse("4800").pairing_code_needed);
  BOOST_TEST(!parse("4c00").pairing_code_needed);
  BOOST_TEST(parse("5000").on_card_comparison);
  BOOST_TEST(is_invalid(parse_discovery(hex("5f2f0140"))));
  BOOST_TEST(!good(parse_discovery({})).application_pin);
}

BOOST_AUTO_TEST_CASE(pairing_codes) {
  BOOST_TEST(good(parse_pairing_code(hex("99083132333435363738fe00"))) == "12345678");
  BOOST_TEST(is_invalid(parse_pairing_code(hex("990831323334353637ff"))));
  BOOST_TEST(is_invalid(parse_pairing_code(hex("990731323334353637"))));
}

BOOST_AUTO_TEST_CASE(certificates_in_every_wrapping) {
  VirtualPiv card;
  ContainerPlace attestation;
  attestation.index = key_attestation;
  const Bytes certificate = good(card.administrator().attest(card.transaction(), attestation));
  for (const bool compressed : {false, true}) {
    const Bytes content = good(encode_certificate_object(certificate, compressed));
    const CertificateObject object = good(parse_certificate_object(content));
    BOOST_TEST(object.certificate == certificate);
    BOOST_TEST(object.compressed == compressed);
  }
  Bytes content = make_tlv(0x70, certificate);
  append_tlv(content, 0x72, view_of("mscuid"));
  BOOST_TEST(good(parse_certificate_object(content)).mscuid == to_bytes(view_of("mscuid")));
  append_tlv(content, 0x71, Bytes(2));
  BOOST_TEST(is_invalid(parse_certificate_object(content)));
  BOOST_TEST((parse_certificate_object(hex("7000710100fe00")).code() == Code::not_found));
  BOOST_TEST((parse_certificate_object({}).code() == Code::not_found));
  BOOST_TEST(is_invalid(parse_certificate_object(make_tlv(0x70, Bytes(300, 0x30)))));
}

BOOST_AUTO_TEST_CASE(a_compressed_bomb_is_left_out) {
  const Bytes bomb = good(encode_certificate_object(Bytes(1'000'000), true));
  BOOST_TEST(bomb.size() < 2000u);
  BOOST_TEST(is_invalid(parse_certificate_object(bomb)));
}

BOOST_AUTO_TEST_CASE(metadata_of_keys_and_pins) {
  const Metadata pin = good(parse_metadata(hex("0101ff05010106020302")));
  BOOST_TEST(pin.is_default);
  BOOST_TEST((pin.tries_limit == 3));
  BOOST_TEST((pin.tries_left == 2));
  const Metadata key = good(parse_metadata(hex("01010702020302030101")));
  BOOST_TEST((key.pin == PinPolicy::always));
  BOOST_TEST((key.touch == TouchPolicy::always));
  BOOST_TEST(key.generated);
  BOOST_TEST(key.public_key.empty());
  BOOST_TEST(is_invalid(parse_metadata(hex("01020707"))));
  BOOST_TEST(is_invalid(parse_metadata(hex("0601"))));
  Bytes off_curve = hex("010111");
  append_tlv(off_curve, 0x04, make_tlv(0x86, Bytes(65, 0x04)));
  BOOST_TEST((parse_metadata(off_curve).code() == Code::public_key_invalid));
}

BOOST_AUTO_TEST_CASE(answers_that_belong_to_another_object) {
  BOOST_TEST(good(data_object_content(object::chuid, hex("53023000"))) == hex("3000"));
  BOOST_TEST(is_invalid(data_object_content(object::chuid, hex("7e023000"))));
  BOOST_TEST(good(data_object_content(object::discovery, hex("7e024f00"))) == hex("4f00"));
  BOOST_TEST((data_object_content(object::chuid, hex("5300")).code() == Code::not_found));
  BOOST_TEST((data_object_content(object::chuid, {}).code() == Code::not_found));
  BOOST_TEST(is_invalid(data_object_content(object::chuid, hex("5305300000"))));
  BOOST_TEST(is_invalid(data_object_content(object::chuid, hex("5384ffffffff00"))));
  BOOST_TEST(is_invalid(data_object_content(object::chuid, hex("538000"))));
}

BOOST_AUTO_TEST_CASE(ecdsa_signatures_from_cards) {
  Bytes out(8);
  BOOST_TEST(good(raw_ecdsa_signature(hex("30080202008002020102"), 4, out)) == 8u);
  BOOST_TEST(out == hex("0000008000000102"));
  BOOST_TEST(is_invalid(raw_ecdsa_signature(hex("3008020200800202010200"), 4, out)));
  BOOST_TEST(is_invalid(raw_ecdsa_signature(hex("300902050102030405"
                                                "020101"),
                                            4, out)));
  BOOST_TEST(is_invalid(raw_ecdsa_signature(hex("3003020101"), 4, out)));
  BOOST_TEST(is_invalid(raw_ecdsa_signature({}, 4, out)));
}

BOOST_AUTO_TEST_CASE(places_have_stable_numbers) {
  const std::map<std::uint32_t, Byte> numbers{{0x9a, 1}, {0x9c, 2}, {0x9d, 3}, {0x9e, 4}, {0x82, 5}, {0x95, 24}};
  for (const auto& [reference, number] : numbers) {
    BOOST_TEST(place_of(reference)->id == Bytes{number});
  }
  for (const std::uint32_t reference : {0x00u, 0x81u, 0x96u, 0x9bu, 0xf9u, 0x19au}) {
    BOOST_TEST(!place_of(reference).has_value());
  }
  BOOST_TEST(certificate_object(0x82) == object::retired_certificate_1);
  BOOST_TEST(certificate_object(0x95) == object::retired_certificate_20);
  BOOST_TEST(certificate_object(0x9b) == 0u);
}

BOOST_AUTO_TEST_CASE(the_table_of_objects_is_complete) {
  BOOST_TEST(data_objects().size() == 36u);
  BOOST_TEST(object_of_container(0x3000)->tag == object::chuid);
  BOOST_TEST(object_of_container(0x1014)->tag == object::retired_certificate_20);
  BOOST_TEST((object_of_container(0xffff) == nullptr));
  BOOST_TEST(encode_identifier("2.16.840.1.101.3.7.1.219.0") == hex("060b60864801650307"
                                                                    "01"
                                                                    "815b00"));
}

// Cut off anywhere, or with any byte changed: an error or another value, never more than what is there.
BOOST_AUTO_TEST_CASE(no_parser_trusts_what_it_reads) {
  Bytes biometric(88 + 4);
  biometric[0] = 3;
  biometric[5] = 4;
  VirtualPiv card;
  ContainerPlace attestation;
  attestation.index = key_attestation;
  const Bytes certificate = good(card.administrator().attest(card.transaction(), attestation));
  const std::vector<std::pair<Bytes, std::function<bool(ByteView)>>> parsers{
      {chuid_content(), [](ByteView b) { return parse_chuid(b).ok(); }},
      {hex("61114f0600001000010079074f05a000000308"), [](ByteView b) { return parse_application(b).ok(); }},
      {hex("f015a00000007950495620322e332e3220636172642020f10121f20121f300f40111f50110"),
       [](ByteView b) { return parse_card_capability(b).ok(); }},
      {hex("4f0ba0000003080000100001005f2f024000"), [](ByteView b) { return parse_discovery(b).ok(); }},
      {hex("c10102c20103f30a687474703a2f2f782f79fe00"), [](ByteView b) { return parse_key_history(b).ok(); }},
      {hex("0103416e6e0204343730300400"), [](ByteView b) { return parse_printed_information(b).ok(); }},
      {make_tlv(0xbc, biometric), [](ByteView b) { return parse_biometric(b).ok(); }},
      {good(encode_certificate_object(certificate, true)), [](ByteView b) { return parse_certificate_object(b).ok(); }},
      {hex("01010702020302030101"), [](ByteView b) { return parse_metadata(b).ok(); }},
  };
  for (const auto& [bytes, parse] : parsers) {
    BOOST_TEST(parse(bytes));
    std::size_t refused = 0;
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      // A copy of that size, so that the address sanitizer sees every byte read beyond it.
      if (!parse(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)))) ++refused;
    }
    BOOST_TEST(refused > 0u);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      Bytes changed = bytes;
      changed[i] ^= 0xff;
      static_cast<void>(parse(changed));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::piv
