#include "gids/key_file.h"

#include <array>

#include <boost/test/unit_test.hpp>

#include "base/tlv.h"
#include "crypto/key_encoding.h"
#include "gids/gids_card.h"

namespace cardea::card::gids {
namespace {

Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
}

bool has(Primitives set, Primitive one) {
  return (set & static_cast<Primitives>(one)) != 0;
}

// The parameters with which Windows creates a key exchange key of 2048 bits in container 0.
constexpr std::string_view windows_key_file =
    "6247"
    "820118"
    "8302b081"
    "8c058f10101000"
    "a537"
    "b809"
    "800107"
    "830181"
    "950140"
    "b809"
    "800187"
    "830181"
    "950140"
    "b809"
    "800147"
    "830181"
    "950140"
    "b609"
    "800117"
    "830181"
    "950140"
    "b609"
    "800157"
    "830181"
    "950140";

BOOST_AUTO_TEST_SUITE(key_file_parameters)

BOOST_AUTO_TEST_CASE(we_create_what_windows_creates) {
  BOOST_TEST(to_hex(key_file(0x81, KeyKind::rsa_2048, true, PinPolicy::once)) == windows_key_file);
}

BOOST_AUTO_TEST_CASE(what_windows_created_is_understood) {
  const auto use = parse_key_file(hex(windows_key_file));
  BOOST_REQUIRE(use.ok());
  BOOST_TEST((use->pin == PinPolicy::once));
  BOOST_TEST((use->reference(Signing::pkcs1) == Byte{0x57}));
  BOOST_TEST((use->reference(Signing::raw) == Byte{0x17}));
  BOOST_TEST((use->reference(Deciphering::raw) == Byte{0x07}));
  BOOST_TEST((use->reference(Deciphering::oaep) == Byte{0x87}));
  const Primitives primitives = primitives_of(*use, KeyKind::rsa_2048);
  BOOST_TEST(has(primitives, Primitive::rsa_raw));
  BOOST_TEST(has(primitives, Primitive::rsa_pkcs1_sign));
  BOOST_TEST(!has(primitives, Primitive::rsa_pkcs1_decrypt));
}

BOOST_AUTO_TEST_CASE(keys_without_the_raw_operation_pad_on_the_card) {
  const KeyUse exchange = usual_key_use(KeyKind::rsa_2048, true);
  const Primitives primitives = primitives_of(exchange, KeyKind::rsa_2048);
  BOOST_TEST(!has(primitives, Primitive::rsa_raw));
  BOOST_TEST(has(primitives, Primitive::rsa_pkcs1_sign));
  BOOST_TEST(has(primitives, Primitive::rsa_pkcs1_decrypt));
  BOOST_TEST(usual_key_use(KeyKind::rsa_2048, false).deciphering.empty());
  BOOST_TEST(primitives_of(usual_key_use(KeyKind::p256, false), KeyKind::p256) ==
             static_cast<Primitives>(Primitive::ecdsa_sign));
}

BOOST_AUTO_TEST_CASE(pin_policies_come_back) {
  for (const PinPolicy policy : {PinPolicy::never, PinPolicy::once, PinPolicy::always}) {
    for (const KeyKind kind : {KeyKind::rsa_4096, KeyKind::p384}) {
      const auto use = parse_key_file(key_file(0x82, kind, is_rsa(kind), policy));
      BOOST_REQUIRE(use.ok());
      BOOST_TEST((use->pin == policy));
    }
  }
}

BOOST_AUTO_TEST_CASE(templates_that_only_verify_do_not_count) {
  const auto use = parse_key_file(hex("620f820118a50ab608800117950180840181"));
  BOOST_TEST(!use.ok());  // the inner length lies
  const auto verifying = parse_key_file(hex("6210820118a50bb609800117950180840181"));
  BOOST_REQUIRE(verifying.ok());
  BOOST_TEST(verifying->signing.empty());
}

BOOST_AUTO_TEST_CASE(damaged_parameters_are_refused) {
  const Bytes good = hex(windows_key_file);
  for (std::size_t size = 0; size < good.size(); ++size) BOOST_TEST(!parse_key_file(ByteView(good).first(size)).ok());
  BOOST_TEST(!parse_key_file(hex("620b8201398302a0108c033000")).ok());
}

BOOST_AUTO_TEST_CASE(public_keys_are_read) {
  const auto ec = crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p384);
  BOOST_REQUIRE(ec.ok());
  const auto point = (*ec)->public_value();
  BOOST_REQUIRE(point.ok());
  const auto info = public_key_info(make_tlv(0x7f49, make_tlv(0x86, *point)));
  BOOST_REQUIRE(info.ok());
  const auto kind = kind_of_public_key(*info);
  BOOST_REQUIRE(kind.ok());
  BOOST_TEST((*kind == KeyKind::p384));

  const auto rsa = crypto::AsymmetricKey::generate_rsa(2048, hex("010001"));
  BOOST_REQUIRE(rsa.ok());
  const auto numbers = (*rsa)->rsa_public_numbers();
  BOOST_REQUIRE(numbers.ok());
  Bytes parts = make_tlv(0x81, numbers->modulus);
  append_tlv(parts, 0x82, numbers->public_exponent);
  const auto rsa_info = public_key_info(make_tlv(0x7f49, parts));
  BOOST_REQUIRE(rsa_info.ok());
  BOOST_TEST(*rsa_info == *crypto::subject_public_key_info(**rsa));
}

BOOST_AUTO_TEST_CASE(wrong_public_keys_are_refused) {
  for (const std::string_view text : {"", "7f4900",
                                      "7f4902"
                                      "8600",
                                      "7f4904"
                                      "81008200",
                                      "7f4906"
                                      "810101820103",
                                      "7f4905"
                                      "8603040101",
                                      "7f49"}) {
    BOOST_TEST(!public_key_info(hex(text)).ok(), text);
  }
}

BOOST_AUTO_TEST_CASE(an_imported_rsa_key_has_its_smaller_prime_first) {
  const auto key = crypto::AsymmetricKey::generate_rsa(2048, hex("010001"));
  BOOST_REQUIRE(key.ok());
  const auto pkcs8 = crypto::private_key_info(**key);
  BOOST_REQUIRE(pkcs8.ok());
  KeyKind kind{};
  const auto data = private_key_template(0x83, pkcs8->view(), kind);
  BOOST_REQUIRE(data.ok());
  BOOST_TEST((kind == KeyKind::rsa_2048));
  const auto usage = require_tlv(data->view(), 0x70);
  BOOST_REQUIRE(usage.ok());
  BOOST_TEST(to_hex(*require_tlv(*usage, 0x84)) == "83");
  const auto value = require_tlv(*usage, 0xa5);
  BOOST_REQUIRE(value.ok());
  BOOST_TEST(to_hex(*require_tlv(*value, 0x83)) == "02");
  BOOST_TEST(to_hex(*require_tlv(*value, 0x84)) == "00");
  const auto sequence = require_tlv(*require_tlv(*value, 0x87), 0x30);
  BOOST_REQUIRE(sequence.ok());
  std::vector<Bytes> numbers;
  for (TlvReader reader(*sequence); !reader.at_end();) {
    const auto one = reader.next();
    BOOST_REQUIRE(one.ok());
    BOOST_TEST(one->tag == 2u);
    numbers.push_back(to_bytes(one->value));
  }
  BOOST_REQUIRE(numbers.size() == 9u);
  BOOST_TEST(
      (numbers[4].size() < numbers[5].size() || (numbers[4].size() == numbers[5].size() && numbers[4] < numbers[5])));
}

BOOST_AUTO_TEST_CASE(keys_that_gids_does_not_know_are_refused) {
  KeyKind kind{};
  const auto edwards = crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::ed25519);
  BOOST_REQUIRE(edwards.ok());
  BOOST_TEST((private_key_template(0x81, crypto::private_key_info(**edwards)->view(), kind).code() ==
              Code::curve_not_supported));
  BOOST_TEST((kind_of(crypto::KeyAlgorithm::rsa, 1536).code() == Code::key_size_range));
  BOOST_TEST((kind_of(crypto::KeyAlgorithm::rsa, 256).code() == Code::key_size_range));
  BOOST_TEST((kind_of(crypto::KeyAlgorithm::secp256k1, 256).code() == Code::curve_not_supported));
}

BOOST_AUTO_TEST_CASE(signatures_come_plain_or_in_der) {
  std::array<Byte, 64> out{};
  const Bytes plain(64, 0x11);
  BOOST_TEST((plain_signature(plain, KeyKind::p256, out).ok()));
  BOOST_TEST(to_hex(out) == to_hex(plain));
  const auto der = plain_signature(hex("3007"
                                       "020101"
                                       "02020080"),
                                   KeyKind::p256, out);
  BOOST_REQUIRE(der.ok());
  BOOST_TEST(*der == 64u);
  BOOST_TEST(out[31] == 1);
  BOOST_TEST(out[63] == 0x80);
  BOOST_TEST(out[0] == 0);
  for (const std::string_view text : {"", "30", "3003020101", "300702010102020080ff", "3007020101020200"}) {
    BOOST_TEST((plain_signature(hex(text), KeyKind::p256, out).code() == Code::data_invalid));
  }
}

BOOST_AUTO_TEST_CASE(the_application_template) {
  const Application application =
      parse_application(hex("6112"
                            "4f0ba000000397425446590201"
                            "7303"
                            "4001c0"));
  BOOST_TEST(to_hex(application.identifier) == "a000000397425446590201");
  BOOST_TEST(application.protocols == 0xc0);
  BOOST_TEST(parse_application({}).protocols == 0xa0);
  BOOST_TEST(parse_application(hex("6112")).identifier.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::gids
