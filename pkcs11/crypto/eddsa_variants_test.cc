#include "crypto/eddsa_variants.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "base/testing.h"
#include "crypto/asymmetric_key.h"

using namespace cardea;
using namespace cardea::crypto;
using namespace cardea::testing;

namespace {

struct Vector {
  const char* name;
  KeyAlgorithm curve;
  bool prehash;
  const char* private_key;
  const char* public_key;
  const char* message;
  const char* context;
  const char* signature;
};

// RFC 8032, 7.2 (Ed25519ctx), 7.3 (Ed25519ph), 7.4 (Ed448 with a context), 7.5 (Ed448ph).
constexpr std::array<Vector, 8> vectors{{
    {"foo", KeyAlgorithm::ed25519, false, "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
     "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292", "f726936d19c800494e3fdaff20b276a8", "666f6f",
     "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b2"
     "1f4b888e4e7edb0d"},
    {"bar", KeyAlgorithm::ed25519, false, "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
     "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292", "f726936d19c800494e3fdaff20b276a8", "626172",
     "fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3216c48e8b3b66431b5b186d1d28f8ee15a5ca2df666834629"
     "1"
     "c2043d4eb3e90d"},
    {"foo2", KeyAlgorithm::ed25519, false, "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
     "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292", "508e9e6882b979fea900f62adceaca35", "666f6f",
     "8b70c1cc8310e1de20ac53ce28ae6e7207f33c3295e03bb5c0732a1d20dc64908922a8b052cf99b7c4fe107a5abb5b2c4085ae75890d02df"
     "26269d8945f84b0b"},
    {"foo3", KeyAlgorithm::ed25519, false, "ab9c2853ce297ddab85c993b3ae14bcad39b2c682beabc27d6d4eb20711d6560",
     "0f1d1274943b91415889152e893d80e93275a1fc0b65fd71b4b0dda10ad7d772", "f726936d19c800494e3fdaff20b276a8", "666f6f",
     "21655b5f1aa965996b3f97b3c849eafba922a0a62992f73b3d1b73106a84ad85e9b86a7b6005ea868337ff2d20a7f5fbd4cd10b0be49a68d"
     "a2b2e0dc0ad8960f"},
    {"abc", KeyAlgorithm::ed25519, true, "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", "616263", "",
     "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062a"
     "aad11c2a26083406"},
    {"1 octet (with context)", KeyAlgorithm::ed448, false,
     "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274"
     "e",
     "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a948"
     "0",
     "03", "666f6f",
     "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2151f7647f11d8ca2ae279fb842d607217fce6e042f6815ea0"
     "00c85741de5c8da1144a6a1aba7f96de42505d7a7298524fda538fccbbb754f578c1cad10d54d0d5428407e85dcbc98a49155c13764e66c3c"
     "00"},
    {"abc", KeyAlgorithm::ed448, true,
     "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c4"
     "9",
     "259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c09428a131d6b1b57303d90d8132c276d5ed3d5d01c0f5388"
     "0",
     "616263", "",
     "822f6901f7480f3d5f562c592994d9693602875614483256505600bbc281ae381f54d6bce2ea911574932f52a4e6cadd78769375ec3ffd1b8"
     "01a0d9b3f4030cd433964b6457ea39476511214f97469b57dd32dbc560a9a94d00bff07620464a3ad203df7dc7ce360c3cd3696d9d9fab90f"
     "00"},
    {"abc (with context)", KeyAlgorithm::ed448, true,
     "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c4"
     "9",
     "259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c09428a131d6b1b57303d90d8132c276d5ed3d5d01c0f5388"
     "0",
     "616263", "666f6f",
     "c32299d46ec8ff02b54540982814dce9a05812f81962b649d528095916a2aa481065b1580423ef927ecf0af5888f90da0f6a9a85ad5dc3f28"
     "0d91224ba9911a3653d00e484e2ce232521481c8658df304bb7745a73514cdb9bf3e15784ab71284f8d0704a608c54a6b62d97beb511d1321"
     "00"},
}};

// Little-endian orders of the groups (RFC 8032, 5.1 and 5.2).
const char* order_of(KeyAlgorithm curve) {
  return curve == KeyAlgorithm::ed25519 ? "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
                                        : "f34458ab92c27823558fc58d72c26c219036d6ae49db4ec4e923ca7cffffffffffffffffffff"
                                          "ffffffffffffffffffffffffffff"
                                          "ffffff3f00";
}

MessageScheme scheme_of(const Vector& vector, ByteView context) {
  return {.context = context, .prehash = vector.prehash, .with_context = !context.empty()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(eddsa_with_context_and_prehash)

BOOST_AUTO_TEST_CASE(libgcrypt_gives_the_signatures_of_rfc_8032) {
  BOOST_REQUIRE(eddsa_variants::available());
  for (const Vector& vector : vectors) {
    BOOST_TEST_CONTEXT(facts_of(vector.curve).name << " " << vector.name) {
      const Bytes context = hex(vector.context);
      const Bytes point = hex(vector.public_key);
      const Bytes message = hex(vector.message);
      const eddsa_variants::Variant variant{vector.curve, vector.prehash, context};
      Bytes signature(facts_of(vector.curve).output_size);
      const std::size_t size =
          must(eddsa_variants::sign(variant, SecretBytes(hex(vector.private_key)), point, message, signature));
      BOOST_TEST(size == signature.size());
      BOOST_TEST(to_hex(signature) == vector.signature);
      BOOST_TEST(eddsa_variants::verify(variant, point, message, signature).ok());
    }
  }
}

// Whichever library AsymmetricKey takes them from.
BOOST_AUTO_TEST_CASE(keys_give_the_signatures_of_rfc_8032) {
  BOOST_REQUIRE(has_eddsa_variants());
  for (const Vector& vector : vectors) {
    BOOST_TEST_CONTEXT(facts_of(vector.curve).name << " " << vector.name) {
      const Bytes context = hex(vector.context);
      const Bytes message = hex(vector.message);
      const MessageScheme scheme = scheme_of(vector, context);
      const AsymmetricKeyPtr key = must(AsymmetricKey::from_private(vector.curve, hex(vector.private_key)));
      const AsymmetricKeyPtr other = must(AsymmetricKey::from_public(vector.curve, hex(vector.public_key)));
      Bytes signature(key->output_size());
      must(key->sign_message(scheme, message, signature));
      BOOST_TEST(to_hex(signature) == vector.signature);
      BOOST_TEST(other->verify_message(scheme, message, signature).ok());

      const auto refused = [&](const MessageScheme& changed, ByteView text, ByteView mark) {
        return other->verify_message(changed, text, mark).code() == Code::signature_invalid;
      };
      BOOST_TEST(refused({}, message, signature));
      const Bytes wrong_context = hex("00");
      BOOST_TEST(
          refused({.context = wrong_context, .prehash = vector.prehash, .with_context = true}, message, signature));
      BOOST_TEST(refused(scheme, hex("6162"), signature));
      for (const std::size_t place : {std::size_t{0}, signature.size() / 2}) {
        Bytes damaged = signature;
        damaged[place] ^= 1;
        BOOST_TEST(refused(scheme, message, damaged));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_scalar_beyond_the_order_is_no_signature) {
  for (const Vector& vector : vectors) {
    const Bytes context = hex(vector.context);
    const Bytes order = hex(order_of(vector.curve));
    Bytes signature = hex(vector.signature);
    unsigned carry = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      Byte& digit = signature[order.size() + i];
      carry += static_cast<unsigned>(digit) + order[i];
      digit = static_cast<Byte>(carry);
      carry >>= 8;
    }
    BOOST_REQUIRE(carry == 0);
    const Status found = eddsa_variants::verify({vector.curve, vector.prehash, context}, hex(vector.public_key),
                                                hex(vector.message), signature);
    BOOST_TEST((!found.ok() && found.code() == Code::signature_invalid));
    const AsymmetricKeyPtr key = must(AsymmetricKey::from_public(vector.curve, hex(vector.public_key)));
    BOOST_TEST(!key->verify_message(scheme_of(vector, context), hex(vector.message), signature).ok());
  }
}

// Where OpenSSL has the variants, the two libraries must agree on messages and contexts of every length.
BOOST_AUTO_TEST_CASE(libgcrypt_agrees_with_the_key) {
  for (const KeyAlgorithm curve : {KeyAlgorithm::ed25519, KeyAlgorithm::ed448}) {
    const AsymmetricKeyPtr key = must(AsymmetricKey::generate(curve));
    const SecretBytes secret = must(key->private_value());
    const Bytes point = must(key->public_value());
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{127}, std::size_t{4096}, eddsa_variants::longest_message}) {
      const Bytes message(size, 0x5a);
      const Bytes context(1 + size % 255, 0xc3);
      for (const bool prehash : {false, true}) {
        Bytes one(key->output_size());
        Bytes two(key->output_size());
        must(eddsa_variants::sign({curve, prehash, context}, secret, point, message, one));
        const MessageScheme scheme{.context = context, .prehash = prehash, .with_context = true};
        must(key->sign_message(scheme, message, two));
        BOOST_TEST(one == two);
        BOOST_TEST(key->verify_message(scheme, message, one).ok());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_message_beyond_the_limit_is_refused) {
  const AsymmetricKeyPtr key = must(AsymmetricKey::generate(KeyAlgorithm::ed25519));
  const Bytes message(eddsa_variants::longest_message + 1);
  const Bytes point = must(key->public_value());
  const eddsa_variants::Variant variant{KeyAlgorithm::ed25519, true, {}};
  Bytes signature(64);
  const auto made = eddsa_variants::sign(variant, must(key->private_value()), point, message, signature);
  BOOST_REQUIRE(!made.ok());
  BOOST_TEST((made.code() == Code::data_length));
  BOOST_TEST((eddsa_variants::verify(variant, point, message, signature).code() == Code::data_length));
}

BOOST_AUTO_TEST_CASE(ed25519_wants_a_context_that_is_not_empty) {
  const AsymmetricKeyPtr key = must(AsymmetricKey::generate(KeyAlgorithm::ed25519));
  Bytes signature(64);
  const auto made = key->sign_message({.with_context = true}, view_of("abc"), signature);
  BOOST_REQUIRE(!made.ok());
  BOOST_TEST((made.code() == Code::mechanism_param_invalid));
}

// Children of a process whose other threads are inside libgcrypt must not find its locks taken.
BOOST_AUTO_TEST_CASE(a_child_signs_while_its_parent_signs) {
  const Vector& vector = vectors[0];
  const SecretBytes secret{ByteView(hex(vector.private_key))};
  const Bytes point = hex(vector.public_key);
  const Bytes context = hex(vector.context);
  const Bytes message = hex(vector.message);
  const Bytes expected = hex(vector.signature);
  const auto signs = [&] {
    std::array<Byte, 64> out{};
    const auto made = eddsa_variants::sign({vector.curve, vector.prehash, context}, secret, point, message, out);
    return made.ok() && same_bytes(out, expected);
  };
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::array<std::thread, 3> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      while (!stop) failures += signs() ? 0 : 1;
    });
  }
  constexpr int children = 40;
  int right = 0;
  for (int i = 0; i < children; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);  // a child that hangs ends by this signal
      _exit(signs() ? 0 : 1);
    }
    int status = -1;
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0) ++right;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(right == children);
  BOOST_TEST(failures == 0);
}

BOOST_AUTO_TEST_SUITE_END()
