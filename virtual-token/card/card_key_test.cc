#include "card/card_key.h"

#include <mbedtls/ecdsa.h>

#include "card/block_cipher.h"
#include "card/card_testing.h"
#include "card/certificate.h"
#include "card/digest_info.h"
#include "card/mbedtls_handles.h"

using namespace cardea;
using namespace cardea::vcard;

namespace {

// mbedTLS' own parser reads the public key, so the encoding is checked as well as the arithmetic.
bool verifies(const CardKey& key, ByteView digest, ByteView signature) {
  PkContext pk;
  const Bytes der = key.public_key_der();
  if (mbedtls_pk_parse_public_key(pk.get(), der.data(), der.size()) != 0) return false;
  return mbedtls_pk_verify(pk.get(), MBEDTLS_MD_SHA256, digest.data(), digest.size(), signature.data(),
                           signature.size()) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(card_key)

BOOST_AUTO_TEST_CASE(rsa_signs_and_survives_being_stored) {
  const auto key = CardKey::generate(KeyType::rsa1024);
  BOOST_REQUIRE(key.ok());
  const auto restored = CardKey::from_secret(KeyType::rsa1024, key->secret().view());
  BOOST_REQUIRE(restored.ok());
  BOOST_TEST(to_hex(restored->modulus()) == to_hex(key->modulus()));
  BOOST_TEST(to_hex(restored->exponent()) == "010001");
  const Bytes digest = *hash(HashType::sha256, view_of("message"));
  const auto block = pkcs1_signature_block(digest_info(HashType::sha256, digest), 128);
  BOOST_REQUIRE(block.ok());
  const auto signature = restored->raw_rsa(*block);
  BOOST_REQUIRE(signature.ok());
  BOOST_TEST(verifies(*key, digest, *signature));
  BOOST_TEST((key->raw_rsa(hex("0102")).code() == Code::data_length));
  BOOST_TEST((key->raw_rsa(Bytes(128, 0xFF)).code() == Code::data_invalid));
  BOOST_TEST((key->sign_digest(digest).code() == Code::key_type_inconsistent));
}

BOOST_AUTO_TEST_CASE(curves_sign_and_agree) {
  for (const KeyType type : {KeyType::p256, KeyType::p384}) {
    const auto key = CardKey::generate(type);
    const auto peer = CardKey::generate(type);
    BOOST_REQUIRE((key.ok() && peer.ok()));
    const Bytes digest = *hash(HashType::sha256, view_of("message"));
    const auto signature = key->sign_digest(digest);
    BOOST_REQUIRE(signature.ok());
    BOOST_TEST(verifies(*key, digest, *signature));
    const auto ours = key->agree(peer->point());
    const auto theirs = peer->agree(key->point());
    BOOST_REQUIRE((ours.ok() && theirs.ok()));
    BOOST_TEST(to_hex(*ours) == to_hex(*theirs));
    BOOST_TEST(ours->size() == field_size(type));
    Bytes off_curve = peer->point();
    off_curve.back() ^= 1;
    BOOST_TEST((key->agree(off_curve).code() == Code::public_key_invalid));
    BOOST_TEST((key->agree({}).code() == Code::public_key_invalid));
  }
}

// RFC 7748, 5.2, first vector.
BOOST_AUTO_TEST_CASE(x25519_gives_the_published_result) {
  const auto key =
      CardKey::from_scalar(KeyType::x25519, hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"));
  BOOST_REQUIRE(key.ok());
  const auto shared = key->agree(hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"));
  BOOST_REQUIRE(shared.ok());
  BOOST_TEST(to_hex(*shared) == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  BOOST_TEST(key->point().size() == 32u);
  const auto restored = CardKey::from_secret(KeyType::x25519, key->secret().view());
  BOOST_TEST(to_hex(restored->point()) == to_hex(key->point()));
}

// RFC 8032, 7.1, test 2.
BOOST_AUTO_TEST_CASE(ed25519_gives_the_published_signature) {
  const auto key =
      CardKey::from_scalar(KeyType::ed25519, hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  BOOST_REQUIRE(key.ok());
  BOOST_TEST(to_hex(key->point()) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  BOOST_TEST(to_hex(*key->sign_message(hex("72"))) ==
             "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  const auto restored = CardKey::from_secret(KeyType::ed25519, key->secret().view());
  BOOST_TEST(to_hex(restored->point()) == to_hex(key->point()));
  BOOST_TEST((key->sign_digest(hex("72")).code() == Code::key_type_inconsistent));
  BOOST_TEST((key->agree(key->point()).code() == Code::key_type_inconsistent));
  BOOST_TEST((CardKey::generate(KeyType::p256)->sign_message(hex("72")).code() == Code::key_type_inconsistent));
  BOOST_TEST((CardKey::from_scalar(KeyType::ed25519, Bytes(31)).code() == Code::key_size_range));
}

// RFC 8410, 10.3.
BOOST_AUTO_TEST_CASE(an_ed25519_key_comes_from_a_file) {
  const std::string base64 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
  const std::string pem = "-----BEGIN PRIVATE KEY-----\n" + base64 + "\n-----END PRIVATE KEY-----\n";
  const auto key = CardKey::from_file(view_of(pem));
  BOOST_REQUIRE(key.ok());
  BOOST_TEST((key->type() == KeyType::ed25519));
  const std::string point = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
  BOOST_TEST(to_hex(key->point()) == point);
  BOOST_TEST(to_hex(key->public_key_der()) == "302a300506032b6570032100" + point);
  BOOST_TEST(!CardKey::from_file(view_of(pem.substr(0, pem.size() - 30))).ok());
}

BOOST_AUTO_TEST_CASE(what_is_no_key_is_refused) {
  BOOST_TEST((CardKey::from_scalar(KeyType::p256, Bytes(32)).code() == Code::data_invalid));
  BOOST_TEST((CardKey::from_scalar(KeyType::p256, Bytes(31, 1)).code() == Code::key_size_range));
  BOOST_TEST((CardKey::from_scalar(KeyType::rsa2048, Bytes(256, 1)).code() == Code::key_size_range));
  BOOST_TEST(
      (CardKey::from_primes(KeyType::rsa1024, Bytes(64, 0xFF), Bytes(64, 0xFF), 65537).code() == Code::data_invalid));
  BOOST_TEST((CardKey::from_file(view_of("no key")).code() == Code::data_invalid));
  BOOST_TEST((CardKey::from_file({}).code() == Code::data_invalid));
}

BOOST_AUTO_TEST_CASE(a_curve_key_comes_from_its_usual_encoding) {
  const auto key = CardKey::generate(KeyType::p256);
  const SecretBytes scalar = key->secret();
  const Bytes version = {1};
  Bytes content = make_tlv(0x02, version);
  append_tlv(content, 0x04, scalar.view());
  append_tlv(content, 0xA0, make_tlv(0x06, hex("2a8648ce3d030107")));
  const auto read = CardKey::from_file(make_tlv(0x30, content));
  BOOST_REQUIRE(read.ok());
  BOOST_TEST(to_hex(read->point()) == to_hex(key->point()));
}

// FIPS 197, C.1.
BOOST_AUTO_TEST_CASE(block_ciphers_give_the_published_blocks) {
  const Bytes key = hex("000102030405060708090a0b0c0d0e0f");
  const Bytes plain = hex("00112233445566778899aabbccddeeff");
  const auto sealed = encrypt_blocks(BlockCipher::aes128, key, plain);
  BOOST_REQUIRE(sealed.ok());
  BOOST_TEST(to_hex(*sealed) == "69c4e0d86a7b0430d8cdb78070b4c55a");
  BOOST_TEST(to_hex(*decrypt_blocks(BlockCipher::aes128, key, *sealed)) == to_hex(plain));
  BOOST_TEST((encrypt_blocks(BlockCipher::aes256, key, plain).code() == Code::key_size_range));
  BOOST_TEST((encrypt_blocks(BlockCipher::aes128, key, hex("00")).code() == Code::data_length));
}

BOOST_AUTO_TEST_CASE(chained_blocks_come_back_and_equal_blocks_differ) {
  for (const BlockCipher cipher : {BlockCipher::des3, BlockCipher::aes128, BlockCipher::aes192, BlockCipher::aes256}) {
    Bytes key(key_size(cipher));
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<Byte>(i * 7 + 1);
    const Bytes plain(2 * block_size(cipher), 0x11);
    const auto sealed = encrypt_chained(cipher, key, plain);
    BOOST_REQUIRE(sealed.ok());
    const std::size_t half = block_size(cipher);
    BOOST_TEST(!same_bytes(ByteView(*sealed).first(half), ByteView(*sealed).last(half)));
    BOOST_TEST(to_hex(*decrypt_chained(cipher, key, *sealed)) == to_hex(plain));
    BOOST_TEST(to_hex(ByteView(*encrypt_blocks(cipher, key, plain)).first(half)) ==
               to_hex(ByteView(*sealed).first(half)));
  }
}

BOOST_AUTO_TEST_CASE(keys_that_are_single_des_in_disguise_are_known) {
  BOOST_TEST(is_weak_key(BlockCipher::des3, hex("010203040506070801020304050607080102030405060708")));
  BOOST_TEST(is_weak_key(BlockCipher::des3, hex("000203040506070801020304050607081112131415161718")));
  BOOST_TEST(!is_weak_key(BlockCipher::des3, hex("010203040506070811121314151617182122232425262728")));
  BOOST_TEST(!is_weak_key(BlockCipher::aes192, Bytes(24)));
}

BOOST_AUTO_TEST_CASE(pkcs1_blocks_follow_the_standard) {
  const auto block = pkcs1_signature_block(hex("aabb"), 13);
  BOOST_REQUIRE(block.ok());
  BOOST_TEST(to_hex(*block) == "0001ffffffffffffffff00aabb");
  BOOST_TEST((pkcs1_signature_block(Bytes(3), 13).code() == Code::data_length));
  BOOST_TEST(to_hex(*pkcs1_encryption_content(hex("000211111111111111110001"))) == "01");
  for (const char* broken :
       {"000111111111111111110001", "000211111111111100010203", "000211111111111111111111", "0002"}) {
    BOOST_TEST(!pkcs1_encryption_content(hex(broken)).ok(), "block " << broken);
  }
}

BOOST_AUTO_TEST_CASE(a_certificate_names_its_issuer_and_verifies) {
  const auto issuer = CardKey::generate(KeyType::p256);
  const auto subject = CardKey::generate(KeyType::x25519);
  const Bytes issuer_name = common_name("issuer");
  const auto certificate = issue_certificate(*issuer, issuer_name, common_name("subject"), subject->public_key_der(),
                                             {basic_constraints(false)});
  BOOST_REQUIRE(certificate.ok());
  BOOST_TEST(to_hex(*certificate_subject(*certificate)) == to_hex(common_name("subject")));
  TlvReader parts(*find_tlv(*certificate, 0x30));
  const auto signed_part = parts.next();
  (void)parts.next();
  const auto signature = parts.next();
  const auto digest = hash(HashType::sha256, make_tlv(0x30, signed_part->value));
  BOOST_TEST(verifies(*issuer, *digest, signature->value.subspan(1)));
  BOOST_TEST((issue_certificate(*subject, issuer_name, issuer_name, issuer->public_key_der(), {}).code() ==
              Code::key_type_inconsistent));
  BOOST_TEST(!certificate_subject(hex("30023000")).ok());
}

BOOST_AUTO_TEST_SUITE_END()
