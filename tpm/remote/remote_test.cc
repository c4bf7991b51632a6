// What is read without trust, where no TPM is needed to see that it is refused.
#include <boost/test/unit_test.hpp>

#include "crypto/key_encoding.h"
#include "tpm_remote/attestation.h"
#include "tpm_remote/wrapping.h"

namespace cardea::tpm {
namespace {

Bytes storage_area(std::uint32_t attributes) {
  const auto key = crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256);
  BOOST_REQUIRE(key.ok());
  const auto point = (*key)->public_value();
  BOOST_REQUIRE(point.ok());
  Bytes area;
  append_number(area, number::ecc, 2);
  append_number(area, number::sha256, 2);
  append_number(area, attributes, 4);
  append_sized(area, {});
  for (const std::uint16_t each :
       {number::aes, std::uint16_t{128}, number::cfb, number::none, std::uint16_t{3}, number::none}) {
    append_number(area, each, 2);
  }
  append_sized(area, ByteView(*point).subspan(1, 32));
  append_sized(area, ByteView(*point).subspan(33));
  Bytes sized;
  append_sized(sized, area);
  return sized;
}

constexpr std::uint32_t storage = attribute::fixed_tpm | attribute::fixed_parent | attribute::made_in_tpm |
                                  attribute::restricted | attribute::decrypt;

}  // namespace

BOOST_AUTO_TEST_CASE(only_storage_keys_that_stay_in_their_tpm_are_wrapped_for) {
  BOOST_TEST(storage_key_point(storage_area(storage)).ok());
  for (const std::uint32_t lacking : {attribute::fixed_tpm, attribute::fixed_parent, attribute::made_in_tpm,
                                      attribute::restricted, attribute::decrypt}) {
    BOOST_TEST(!storage_key_point(storage_area(storage & ~lacking)).ok());
  }
}

BOOST_AUTO_TEST_CASE(damaged_areas_are_refused) {
  const Bytes whole = storage_area(storage);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST(!parse_public_area(ByteView(whole).first(size)).ok());
  }
  Bytes longer = whole;
  longer.push_back(0);
  BOOST_TEST(!parse_public_area(longer).ok());
  Bytes off_curve = whole;
  off_curve.back() ^= 1;
  BOOST_TEST(!parse_public_area(off_curve).ok());
}

BOOST_AUTO_TEST_CASE(credentials_are_made_for_endorsement_keys_only) {
  const Bytes name(34, 1);
  const Bytes secret(32, 2);
  BOOST_TEST(make_credential(storage_area(storage), name, secret).ok());
  BOOST_TEST(!make_credential(storage_area(storage & ~attribute::decrypt), name, secret).ok());
  BOOST_TEST(!make_credential(storage_area(storage), name, Bytes(33)).ok());
  BOOST_TEST(!make_credential(storage_area(storage), name, {}).ok());
}

BOOST_AUTO_TEST_CASE(certifications_come_from_inside_a_tpm) {
  Bytes statement;
  append_number(statement, number::generated, 4);
  append_number(statement, number::attest_certify, 2);
  append_sized(statement, Bytes(34));
  append_sized(statement, Bytes(8));
  statement.insert(statement.end(), 25, Byte{0});
  append_sized(statement, Bytes(34));
  append_sized(statement, Bytes(34));
  BOOST_TEST(parse_certification(statement).ok());
  for (const std::size_t place : {0u, 3u, 5u}) {
    Bytes changed = statement;
    changed[place] ^= 1;
    BOOST_TEST(!parse_certification(changed).ok());
  }
  for (std::size_t size = 0; size < statement.size(); ++size) {
    BOOST_TEST(!parse_certification(ByteView(statement).first(size)).ok());
  }
}

BOOST_AUTO_TEST_CASE(keys_of_other_exponents_are_not_wrapped) {
  const auto odd = crypto::AsymmetricKey::generate_rsa(2048, Bytes{3});
  BOOST_REQUIRE(odd.ok());
  const auto point = storage_key_point(storage_area(storage));
  BOOST_REQUIRE(point.ok());
  BOOST_TEST((wrap_key(*point, **odd, {}).code() == Code::attribute_value_invalid));
  const auto edwards = crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::ed25519);
  BOOST_REQUIRE(edwards.ok());
  BOOST_TEST((wrap_key(*point, **edwards, {}).code() == Code::curve_not_supported));
}

}  // namespace cardea::tpm
