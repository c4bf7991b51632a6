// Keys as callers bring them: every form of a point, RSA keys with the fewest numbers, and EdDSA with its parameter.
#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <memory>

#include "contract/p11.h"

using namespace cardea;
using p11::Bytes;

namespace {

/// One logged-in session on a fresh token, for all tests of this program.
struct Rig {
  p11::KeystoreKind kind;
  p11::Module module{kind.module_path()};
  CK_SLOT_ID slot;
  std::unique_ptr<p11::Session> session;

  Rig() {
    if (module->C_Initialize(nullptr) != CKR_OK) throw std::runtime_error("C_Initialize failed");
    slot = kind.make_token(module, "imports");
    session = std::make_unique<p11::Session>(module, slot);
    if (session->login(kind.user_pin()) != CKR_OK) throw std::runtime_error("C_Login failed");
  }
  ~Rig() {
    session.reset();
    module->C_Finalize(nullptr);
  }
};

struct Curve {
  const char* name;
  CK_KEY_TYPE type;
  CK_MECHANISM_TYPE generation;
  const char* parameters;
  std::size_t size;  ///< bytes of a coordinate, or of an Edwards or Montgomery key
};
constexpr Curve curves[] = {
    {"P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, "06082a8648ce3d030107", 32},
    {"P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, "06052b81040022", 48},
    {"P-521", CKK_EC, CKM_EC_KEY_PAIR_GEN, "06052b81040023", 66},
    {"secp256k1", CKK_EC, CKM_EC_KEY_PAIR_GEN, "06052b8104000a", 32},
    {"Ed25519", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, "06032b6570", 32},
    {"Ed448", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, "06032b6571", 57},
    {"X25519", CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "06032b656e", 32},
    {"X448", CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "06032b656f", 56},
};

p11::Template object(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type) {
  return p11::Template().ulong(CKA_CLASS, object_class).ulong(CKA_KEY_TYPE, type).boolean(CKA_TOKEN, false);
}

p11::Template readable_private() {
  return p11::Template().boolean(CKA_TOKEN, false).boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
}

Bytes octet_string(const Bytes& content) {
  Bytes out{0x04};
  if (content.size() > 0x7f) out.push_back(0x81);
  out.push_back(static_cast<std::uint8_t>(content.size()));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

/// The uncompressed point out of a CKA_EC_POINT of ours.
Bytes raw_point(const Curve& curve, const Bytes& point) {
  return curve.type == CKK_EC ? Bytes(point.end() - static_cast<std::ptrdiff_t>(1 + 2 * curve.size), point.end())
                              : point;
}

Bytes compressed(const Curve& curve, const Bytes& raw) {
  Bytes out(raw.begin(), raw.begin() + 1 + static_cast<std::ptrdiff_t>(curve.size));
  out[0] = static_cast<std::uint8_t>(2 + (raw.back() & 1));
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(imports, Rig)

BOOST_AUTO_TEST_CASE(points_come_in_every_form_and_read_back_in_one) {
  for (const Curve& curve : curves) {
    BOOST_TEST_CONTEXT(curve.name) {
      const Bytes parameters = p11::from_hex(curve.parameters);
      CK_OBJECT_HANDLE public_key = 0;
      CK_OBJECT_HANDLE private_key = 0;
      p11::Template public_half = p11::Template().boolean(CKA_TOKEN, false).bytes(CKA_EC_PARAMS, parameters);
      BOOST_REQUIRE(session->generate_pair(p11::Mechanism(curve.generation), public_half, readable_private(),
                                           public_key, private_key) == CKR_OK);
      const Bytes point = session->get(public_key, CKA_EC_POINT).bytes;
      const Bytes raw = raw_point(curve, point);
      const Bytes info = session->get(public_key, CKA_PUBLIC_KEY_INFO).bytes;
      BOOST_TEST(!info.empty());
      BOOST_TEST((session->get(private_key, CKA_PUBLIC_KEY_INFO).bytes == info));

      std::vector<Bytes> forms{raw, octet_string(raw)};
      if (curve.type == CKK_EC) {
        forms.push_back(compressed(curve, raw));
        forms.push_back(octet_string(compressed(curve, raw)));
      }
      for (const Bytes& form : forms) {
        CK_OBJECT_HANDLE imported = 0;
        BOOST_REQUIRE(session->create(
                          object(CKO_PUBLIC_KEY, curve.type).bytes(CKA_EC_PARAMS, parameters).bytes(CKA_EC_POINT, form),
                          imported) == CKR_OK);
        BOOST_TEST((session->get(imported, CKA_EC_POINT).bytes == point));
        BOOST_TEST((session->get(imported, CKA_PUBLIC_KEY_INFO).bytes == info));
      }

      // The private value alone makes the same key.
      CK_OBJECT_HANDLE imported = 0;
      const Bytes value = session->get(private_key, CKA_VALUE).bytes;
      BOOST_TEST(value.size() == curve.size);
      const p11::Template scalar = object(CKO_PRIVATE_KEY, curve.type)
                                       .bytes(CKA_EC_PARAMS, parameters)
                                       .bytes(CKA_VALUE, value)
                                       .boolean(CKA_SENSITIVE, false);
      BOOST_REQUIRE(session->create(scalar, imported) == CKR_OK);
      BOOST_TEST((session->get(imported, CKA_PUBLIC_KEY_INFO).bytes == info));
      BOOST_TEST(session->create(p11::Template(scalar).bytes(CKA_PUBLIC_KEY_INFO, info), imported) == CKR_OK);
      Bytes wrong = info;
      wrong.back() ^= 1;
      BOOST_TEST(session->create(p11::Template(scalar).bytes(CKA_PUBLIC_KEY_INFO, wrong), imported) ==
                 CKR_ATTRIBUTE_VALUE_INVALID);
    }
  }
}

BOOST_AUTO_TEST_CASE(points_that_are_none_are_refused) {
  for (const Curve& curve : curves) {
    const Bytes parameters = p11::from_hex(curve.parameters);
    const auto created = [&](const Bytes& point) {
      CK_OBJECT_HANDLE made = 0;
      return session->create(
          object(CKO_PUBLIC_KEY, curve.type).bytes(CKA_EC_PARAMS, parameters).bytes(CKA_EC_POINT, point), made);
    };
    BOOST_TEST_CONTEXT(curve.name) {
      for (const Bytes& point : {Bytes{0}, Bytes{4}, Bytes(curve.size - 1, 4), Bytes(2 * curve.size, 4),
                                 Bytes(2 * curve.size + 2, 4), Bytes(5000, 4)}) {
        BOOST_TEST(created(point) == CKR_ATTRIBUTE_VALUE_INVALID);
      }
      if (curve.type != CKK_EC) continue;
      Bytes off_the_curve(1 + 2 * curve.size, 1);
      off_the_curve[0] = 4;
      BOOST_TEST(created(off_the_curve) == CKR_ATTRIBUTE_VALUE_INVALID);
      BOOST_TEST(created(octet_string(off_the_curve)) == CKR_ATTRIBUTE_VALUE_INVALID);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_rsa_key_of_three_numbers_signs) {
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  p11::Template public_half = p11::Template().boolean(CKA_TOKEN, false).ulong(CKA_MODULUS_BITS, 2048);
  BOOST_REQUIRE(session->generate_pair(p11::Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN), public_half, readable_private(),
                                       public_key, private_key) == CKR_OK);
  p11::Template fewest = object(CKO_PRIVATE_KEY, CKK_RSA).add(readable_private());
  for (const CK_ATTRIBUTE_TYPE type : {CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PRIVATE_EXPONENT})
    fewest.bytes(type, session->get(private_key, type).bytes);
  CK_OBJECT_HANDLE imported = 0;
  BOOST_REQUIRE(session->create(fewest, imported) == CKR_OK);
  BOOST_TEST(
      (session->get(imported, CKA_PUBLIC_KEY_INFO).bytes == session->get(public_key, CKA_PUBLIC_KEY_INFO).bytes));
  BOOST_TEST(!session->get(imported, CKA_PRIME_1).bytes.empty());
  const Bytes data = p11::bytes_of("three numbers");
  const p11::Output signature = session->sign(p11::Mechanism(CKM_SHA256_RSA_PKCS), imported, data);
  BOOST_REQUIRE(signature.ok());
  BOOST_TEST(session->verify(p11::Mechanism(CKM_SHA256_RSA_PKCS), public_key, data, signature.bytes) == CKR_OK);
  BOOST_TEST(session->create(p11::Template(fewest).without(CKA_PRIVATE_EXPONENT), imported) == CKR_TEMPLATE_INCOMPLETE);
}

// RFC 8032, 7.2 "foo" and 7.3.
BOOST_AUTO_TEST_CASE(eddsa_takes_a_context_and_prehash) {
  struct Vector {
    const char* key;
    CK_BBOOL prehash;
    const char* context;
    const char* message;
    const char* signature;
  };
  const std::initializer_list<Vector> vectors{
      {"0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6", CK_FALSE, "666f6f",
       "f726936d19c800494e3fdaff20b276a8",
       "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4"
       "b21f4b888e4e7edb0d"},
      {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", CK_TRUE, "", "616263",
       "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e63606"
       "2aaad11c2a26083406"}};
  for (const Vector& vector : vectors) {
    CK_OBJECT_HANDLE key = 0;
    BOOST_REQUIRE(session->create(object(CKO_PRIVATE_KEY, CKK_EC_EDWARDS)
                                      .bytes(CKA_EC_PARAMS, p11::from_hex("06032b6570"))
                                      .bytes(CKA_VALUE, p11::from_hex(vector.key)),
                                  key) == CKR_OK);
    Bytes context = p11::from_hex(vector.context);
    const CK_EDDSA_PARAMS parameter{vector.prehash, context.size(), context.empty() ? nullptr : context.data()};
    const p11::Output signature =
        session->sign(p11::Mechanism(CKM_EDDSA, parameter), key, p11::from_hex(vector.message));
    BOOST_REQUIRE(signature.ok());
    BOOST_TEST((signature.bytes == p11::from_hex(vector.signature)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
