// ML-DSA, SLH-DSA and ML-KEM through the C interface with OpenSSL as counterpart: what one side makes the other takes.
// Where OpenSSL has none of them (before 3.5) the module must list none either.
#include <boost/test/unit_test.hpp>

#include "contract/counterpart/openssl.h"

namespace {

using namespace cardea::p11;
namespace counterpart = cardea::counterpart;
using counterpart::Pkey;

struct ParameterSet {
  const char* name;
  CK_KEY_TYPE type;
  CK_ULONG set;
};
constexpr ParameterSet ml_dsa[] = {{"ML-DSA-44", CKK_ML_DSA, CKP_ML_DSA_44},
                                   {"ML-DSA-65", CKK_ML_DSA, CKP_ML_DSA_65},
                                   {"ML-DSA-87", CKK_ML_DSA, CKP_ML_DSA_87}};
constexpr ParameterSet ml_kem[] = {{"ML-KEM-512", CKK_ML_KEM, CKP_ML_KEM_512},
                                   {"ML-KEM-768", CKK_ML_KEM, CKP_ML_KEM_768},
                                   {"ML-KEM-1024", CKK_ML_KEM, CKP_ML_KEM_1024}};
constexpr ParameterSet slh_dsa[] = {{"SLH-DSA-SHA2-128s", CKK_SLH_DSA, CKP_SLH_DSA_SHA2_128S},
                                    {"SLH-DSA-SHAKE-128s", CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_128S},
                                    {"SLH-DSA-SHA2-128f", CKK_SLH_DSA, CKP_SLH_DSA_SHA2_128F},
                                    {"SLH-DSA-SHAKE-128f", CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_128F},
                                    {"SLH-DSA-SHA2-192s", CKK_SLH_DSA, CKP_SLH_DSA_SHA2_192S},
                                    {"SLH-DSA-SHAKE-192s", CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_192S},
                                    {"SLH-DSA-SHA2-192f", CKK_SLH_DSA, CKP_SLH_DSA_SHA2_192F},
                                    {"SLH-DSA-SHAKE-192f", CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_192F},
                                    {"SLH-DSA-SHA2-256s", CKK_SLH_DSA, CKP_SLH_DSA_SHA2_256S},
                                    {"SLH-DSA-SHAKE-256s", CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_256S},
                                    {"SLH-DSA-SHA2-256f", CKK_SLH_DSA, CKP_SLH_DSA_SHA2_256F},
                                    {"SLH-DSA-SHAKE-256f", CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_256F}};

struct Mechanisms {
  CK_MECHANISM_TYPE generation, pure, prehashed, hashing;
};
Mechanisms mechanisms_of(CK_KEY_TYPE type) {
  if (type == CKK_ML_DSA) return {CKM_ML_DSA_KEY_PAIR_GEN, CKM_ML_DSA, CKM_HASH_ML_DSA, CKM_HASH_ML_DSA_SHA384};
  if (type == CKK_SLH_DSA) return {CKM_SLH_DSA_KEY_PAIR_GEN, CKM_SLH_DSA, CKM_HASH_SLH_DSA, CKM_HASH_SLH_DSA_SHA384};
  return {CKM_ML_KEM_KEY_PAIR_GEN, CKM_ML_KEM, CKM_ML_KEM, CKM_ML_KEM};
}

const Bytes message = bytes_of("a message that shall still be trusted in thirty years");
const Bytes context = bytes_of("contract");

// The C structure; what it points to lives as long as the program.
CK_SIGN_ADDITIONAL_CONTEXT with_context(CK_HEDGE_TYPE hedge = CKH_HEDGE_PREFERRED) {
  return {hedge, in(context), length(context)};
}

// M' of the prehashed forms (FIPS 204, algorithm 4; FIPS 205, algorithm 23) with SHA-384.
Bytes prehashed_message() {
  const Bytes identifier = from_hex("0609608648016503040202");
  const Bytes digest = counterpart::digest("SHA384", message);
  Bytes out{1, static_cast<std::uint8_t>(context.size())};
  for (const Bytes* part : {&context, &identifier, &digest}) out.insert(out.end(), part->begin(), part->end());
  return out;
}

Bytes der(std::uint8_t tag, const Bytes& content) {
  Bytes out{tag};
  if (content.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(content.size() & 0xff));
  }
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// PrivateKeyInfo around one of the forms that RFC 9881 and RFC 9935 allow.
Bytes private_info_of(const Pkey& key, const Bytes& form) {
  // AlgorithmIdentifier of these algorithms: 13 bytes, right behind the outer header of SubjectPublicKeyInfo.
  const Bytes info = counterpart::public_info(key);
  const Bytes identifier(info.begin() + 4, info.begin() + 4 + 13);
  return der(0x30, joined({from_hex("020100"), identifier, der(0x04, form)}));
}

class Fixture {
  KeystoreKind kind_;  // before the module, which is asked for by it

 public:
  Fixture() : module(kind_.module_path()) {
    BOOST_REQUIRE_EQUAL(module.initialize(), CKR_OK);
    slot_ = kind_.make_token(module, "post-quantum");
    session = std::make_unique<Session>(module, slot_);
    BOOST_REQUIRE_EQUAL(session->login(kind_.user_pin()), CKR_OK);
  }
  ~Fixture() {
    session.reset();
    BOOST_TEST(module->C_Finalize(nullptr) == CKR_OK);
  }

  /// Whether to go on: module and OpenSSL agree on what there is.
  bool listed(const ParameterSet& set) {
    const bool has = counterpart::available(set.name);
    const Mechanisms mechanisms = mechanisms_of(set.type);
    BOOST_TEST((module.mechanism_flags(slot_, mechanisms.generation) != 0) == has);
    BOOST_TEST((module.mechanism_flags(slot_, mechanisms.pure) != 0) == has);
    if (!has) BOOST_TEST_MESSAGE("SKIPPED: this OpenSSL has no " << set.name);
    return has;
  }

  struct Pair {
    CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;
    Pkey counterpart;  ///< the public half in OpenSSL, by way of CKA_PUBLIC_KEY_INFO
  };
  Pair generate(const ParameterSet& set, const Template& further = {}) {
    Template public_half, private_half;
    const bool kem = set.type == CKK_ML_KEM;
    public_half.ulong(CKA_PARAMETER_SET, set.set).boolean(kem ? CKA_ENCAPSULATE : CKA_VERIFY, true);
    private_half.boolean(kem ? CKA_DECAPSULATE : CKA_SIGN, true).add(further);
    Pair pair;
    BOOST_REQUIRE_EQUAL(session->generate_pair(Mechanism(mechanisms_of(set.type).generation), public_half, private_half,
                                               pair.public_key, pair.private_key),
                        CKR_OK);
    const Bytes info = session->get(pair.public_key, CKA_PUBLIC_KEY_INFO).bytes;
    BOOST_TEST((session->get(pair.private_key, CKA_PUBLIC_KEY_INFO).bytes == info));
    pair.counterpart = counterpart::read_public(info);
    BOOST_TEST((session->get(pair.public_key, CKA_VALUE).bytes == counterpart::octets(pair.counterpart, "pub")));
    return pair;
  }

  Template described(CK_OBJECT_CLASS object_class, const ParameterSet& set) const {
    Template out;
    out.ulong(CKA_CLASS, object_class).ulong(CKA_KEY_TYPE, set.type).ulong(CKA_PARAMETER_SET, set.set);
    const bool kem = set.type == CKK_ML_KEM, is_private = object_class == CKO_PRIVATE_KEY;
    if (kem) return out.boolean(is_private ? CKA_DECAPSULATE : CKA_ENCAPSULATE, true);
    return out.boolean(is_private ? CKA_SIGN : CKA_VERIFY, true);
  }
  CK_OBJECT_HANDLE import_public(const ParameterSet& set, const Pkey& key) const {
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    BOOST_REQUIRE_EQUAL(
        session->create(described(CKO_PUBLIC_KEY, set).bytes(CKA_VALUE, counterpart::octets(key, "pub")), made),
        CKR_OK);
    return made;
  }
  /// A secret key that wraps and unwraps, of known value.
  CK_OBJECT_HANDLE wrapping_key(const Bytes& value) const {
    Template attributes;
    attributes.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).bytes(CKA_VALUE, value);
    attributes.boolean(CKA_WRAP, true).boolean(CKA_UNWRAP, true);
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    BOOST_REQUIRE_EQUAL(session->create(attributes, made), CKR_OK);
    return made;
  }

  Module module;
  std::unique_ptr<Session> session;

 private:
  CK_SLOT_ID slot_ = 0;
};

Template readable_secret(CK_KEY_TYPE type = CKK_GENERIC_SECRET) {
  Template out;
  out.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, type);
  return out.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
}

// Signatures of the token that OpenSSL must take.
void check_token_signs(const Fixture& f, const Fixture::Pair& pair, const Mechanisms& mechanisms) {
  const Session& s = *f.session;
  const Output plain = s.sign(Mechanism(mechanisms.pure), pair.private_key, message);
  BOOST_TEST(counterpart::verify(pair.counterpart, message, plain.bytes));
  BOOST_TEST(!counterpart::verify(pair.counterpart, message, plain.bytes, {.context = context}));
  const Output bound = s.sign(Mechanism(mechanisms.pure, with_context()), pair.private_key, message);
  BOOST_TEST(counterpart::verify(pair.counterpart, message, bound.bytes, {.context = context}));
  const Output hashed = s.sign(Mechanism(mechanisms.hashing, with_context()), pair.private_key, message);
  BOOST_TEST(counterpart::verify(pair.counterpart, prehashed_message(), hashed.bytes, {.raw = true}));
  const CK_HASH_SIGN_ADDITIONAL_CONTEXT prehash{CKH_HEDGE_PREFERRED, in(context), length(context), CKM_SHA384};
  const Output prehashed =
      s.sign(Mechanism(mechanisms.prehashed, prehash), pair.private_key, counterpart::digest("SHA384", message));
  BOOST_TEST(counterpart::verify(pair.counterpart, prehashed_message(), prehashed.bytes, {.raw = true}));
}

// Signatures of OpenSSL that the token must take, in all the ways it verifies.
void check_token_verifies(const Fixture& f, const ParameterSet& set, const Mechanisms& mechanisms) {
  const Session& s = *f.session;
  const Pkey key = counterpart::generate(set.name);
  const CK_OBJECT_HANDLE handle = f.import_public(set, key);
  Bytes signature = counterpart::sign(key, message, {.context = context});
  BOOST_TEST(s.verify(Mechanism(mechanisms.pure, with_context()), handle, message, signature) == CKR_OK);
  BOOST_TEST(s.verify(Mechanism(mechanisms.pure), handle, message, signature) == CKR_SIGNATURE_INVALID);
  Mechanism mechanism(mechanisms.pure, with_context());
  BOOST_TEST(f.module->C_VerifySignatureInit(s, mechanism, handle, signature.data(), signature.size()) == CKR_OK);
  BOOST_TEST(f.module->C_VerifySignature(s, in(message), length(message)) == CKR_OK);
  const Bytes hashed = counterpart::sign(key, prehashed_message(), {.raw = true});
  BOOST_TEST(s.verify(Mechanism(mechanisms.hashing, with_context()), handle, message, hashed) == CKR_OK);
  signature[signature.size() / 2] ^= 1;
  BOOST_TEST(s.verify(Mechanism(mechanisms.pure, with_context()), handle, message, signature) == CKR_SIGNATURE_INVALID);
  s.destroy(handle);
}

// C_MessageSignInit keeps the context for every message (PKCS#11 3.2, 5.16).
void check_message_signing(const Fixture& f, const Fixture::Pair& pair, const Mechanisms& mechanisms) {
  const Session& s = *f.session;
  Mechanism mechanism(mechanisms.pure, with_context());
  BOOST_REQUIRE_EQUAL(f.module->C_MessageSignInit(s, mechanism, pair.private_key), CKR_OK);
  for (const char* text : {"first", "second"}) {
    const Bytes data = bytes_of(text);
    const Output made = fetch([&](CK_BYTE* out, CK_ULONG* size) {
      return f.module->C_SignMessage(s, nullptr, 0, in(data), length(data), out, size);
    });
    BOOST_TEST(made.rv == CKR_OK);
    BOOST_TEST(counterpart::verify(pair.counterpart, data, made.bytes, {.context = context}));
  }
  BOOST_TEST(f.module->C_MessageSignFinal(s) == CKR_OK);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(post_quantum, Fixture)

BOOST_AUTO_TEST_CASE(ml_dsa_signatures_go_both_ways) {
  for (const ParameterSet& set : ml_dsa) {
    BOOST_TEST_CONTEXT(set.name) {
      if (!listed(set)) continue;
      const Mechanisms mechanisms = mechanisms_of(set.type);
      const Pair pair = generate(set);
      BOOST_TEST(session->number(pair.private_key, CKA_PARAMETER_SET) == set.set);
      check_token_signs(*this, pair, mechanisms);
      check_token_verifies(*this, set, mechanisms);
      check_message_signing(*this, pair, mechanisms);
    }
  }
}

BOOST_AUTO_TEST_CASE(deterministic_ml_dsa_is_the_same_everywhere) {
  const ParameterSet& set = ml_dsa[1];
  if (!listed(set)) return;
  const Pkey key = counterpart::generate(set.name);
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  BOOST_REQUIRE_EQUAL(
      session->create(described(CKO_PRIVATE_KEY, set).bytes(CKA_SEED, counterpart::octets(key, "seed")), handle),
      CKR_OK);
  const Output made = session->sign(Mechanism(CKM_ML_DSA, with_context(CKH_DETERMINISTIC_REQUIRED)), handle, message);
  BOOST_TEST((made.bytes == counterpart::sign(key, message, {.context = context, .deterministic = true})));
  const Output hedged = session->sign(Mechanism(CKM_ML_DSA, with_context(CKH_HEDGE_REQUIRED)), handle, message);
  BOOST_TEST((hedged.bytes != made.bytes));
  BOOST_TEST(counterpart::verify(key, message, hedged.bytes, {.context = context}));
}

BOOST_AUTO_TEST_CASE(slh_dsa_signatures_go_both_ways) {
  for (const ParameterSet& set : slh_dsa) {
    BOOST_TEST_CONTEXT(set.name) {
      if (!listed(set)) continue;
      const Pair pair = generate(set);
      // The small sets take a second to sign on a slow machine, so only two fast ones go through everything.
      if (set.set == CKP_SLH_DSA_SHA2_128F || set.set == CKP_SLH_DSA_SHAKE_256F) {
        check_token_signs(*this, pair, mechanisms_of(set.type));
        check_token_verifies(*this, set, mechanisms_of(set.type));
        check_message_signing(*this, pair, mechanisms_of(set.type));
      } else {
        const Output made = session->sign(Mechanism(CKM_SLH_DSA, with_context()), pair.private_key, message);
        BOOST_TEST(counterpart::verify(pair.counterpart, message, made.bytes, {.context = context}));
        BOOST_TEST(session->verify(Mechanism(CKM_SLH_DSA, with_context()), pair.public_key, message, made.bytes) ==
                   CKR_OK);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(ml_kem_secrets_go_both_ways) {
  for (const ParameterSet& set : ml_kem) {
    BOOST_TEST_CONTEXT(set.name) {
      if (!listed(set)) continue;
      const Pair pair = generate(set);
      Mechanism mechanism(CKM_ML_KEM);
      Template wanted = readable_secret();
      const counterpart::Encapsulation sent = counterpart::encapsulate(pair.counterpart);
      CK_OBJECT_HANDLE received = CK_INVALID_HANDLE;
      BOOST_TEST(module->C_DecapsulateKey(*session, mechanism, pair.private_key, wanted.data(), wanted.size(),
                                          in(sent.ciphertext), length(sent.ciphertext), &received) == CKR_OK);
      BOOST_TEST((session->get(received, CKA_VALUE).bytes == sent.secret));
      BOOST_TEST(module->C_DecapsulateKey(*session, mechanism, pair.private_key, wanted.data(), wanted.size(),
                                          in(sent.ciphertext), length(sent.ciphertext) - 1,
                                          &received) == CKR_WRAPPED_KEY_LEN_RANGE);

      const Pkey key = counterpart::generate(set.name);
      const CK_OBJECT_HANDLE public_key = import_public(set, key);
      CK_OBJECT_HANDLE shared = CK_INVALID_HANDLE;
      const Output ciphertext = fetch([&](CK_BYTE* out, CK_ULONG* size) {
        return module->C_EncapsulateKey(*session, mechanism, public_key, wanted.data(), wanted.size(), out, size,
                                        &shared);
      });
      BOOST_REQUIRE_EQUAL(ciphertext.rv, CKR_OK);
      BOOST_TEST((counterpart::decapsulate(key, ciphertext.bytes) == session->get(shared, CKA_VALUE).bytes));
    }
  }
}

BOOST_AUTO_TEST_CASE(shared_secrets_follow_their_templates) {
  const ParameterSet& set = ml_kem[1];
  if (!listed(set)) return;
  Template fixed;
  fixed.ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_ENCRYPT, true);
  const Pair pair = generate(set, Template().nested(CKA_DECAPSULATE_TEMPLATE, fixed));
  Mechanism mechanism(CKM_ML_KEM);
  Template as_aes;
  as_aes.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).ulong(CKA_VALUE_LEN, 16);
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  Bytes ciphertext(1088);
  CK_ULONG size = 1;
  BOOST_TEST(module->C_EncapsulateKey(*session, mechanism, pair.public_key, as_aes.data(), as_aes.size(),
                                      ciphertext.data(), &size, &key) == CKR_BUFFER_TOO_SMALL);
  BOOST_TEST(size == ciphertext.size());
  BOOST_REQUIRE_EQUAL(module->C_EncapsulateKey(*session, mechanism, pair.public_key, as_aes.data(), as_aes.size(),
                                               ciphertext.data(), &size, &key),
                      CKR_OK);
  // PKCS#11 3.2, 5.18.9: what the new key's attributes are.
  BOOST_TEST(session->number(key, CKA_VALUE_LEN) == 16u);
  BOOST_TEST(session->flag(key, CKA_EXTRACTABLE));
  for (const CK_ATTRIBUTE_TYPE type : {CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL})
    BOOST_TEST(!session->flag(key, type, true));
  BOOST_REQUIRE_EQUAL(module->C_DecapsulateKey(*session, mechanism, pair.private_key, as_aes.data(), as_aes.size(),
                                               ciphertext.data(), size, &key),
                      CKR_OK);
  BOOST_TEST(session->flag(key, CKA_ENCRYPT));  // from CKA_DECAPSULATE_TEMPLATE
  Template generic = readable_secret();
  BOOST_TEST(module->C_DecapsulateKey(*session, mechanism, pair.private_key, generic.data(), generic.size(),
                                      ciphertext.data(), size, &key) == CKR_TEMPLATE_INCONSISTENT);
  as_aes.ulong(CKA_VALUE_LEN, 48);
  BOOST_TEST(module->C_EncapsulateKey(*session, mechanism, pair.public_key, as_aes.data(), as_aes.size(),
                                      ciphertext.data(), &size, &key) != CKR_OK);
  BOOST_TEST(module->C_EncapsulateKey(*session, mechanism, pair.private_key, generic.data(), generic.size(),
                                      ciphertext.data(), &size, &key) != CKR_OK);
}

BOOST_AUTO_TEST_CASE(an_encapsulating_key_keeps_to_its_template) {
  const ParameterSet& set = ml_kem[0];
  if (!listed(set)) return;
  const Pkey peer = counterpart::generate(set.name);
  Template only_aes;
  only_aes.ulong(CKA_KEY_TYPE, CKK_AES);
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, key = CK_INVALID_HANDLE;
  BOOST_REQUIRE_EQUAL(session->create(described(CKO_PUBLIC_KEY, set)
                                          .bytes(CKA_VALUE, counterpart::octets(peer, "pub"))
                                          .nested(CKA_ENCAPSULATE_TEMPLATE, only_aes),
                                      public_key),
                      CKR_OK);
  Mechanism mechanism(CKM_ML_KEM);
  Bytes ciphertext(768);
  CK_ULONG size = ciphertext.size();
  Template aes = readable_secret(CKK_AES), generic = readable_secret();
  BOOST_TEST(module->C_EncapsulateKey(*session, mechanism, public_key, aes.data(), aes.size(), ciphertext.data(), &size,
                                      &key) == CKR_OK);
  // PKCS#11 3.2, 5.18.9 names this code for a conflict with CKA_ENCAPSULATE_TEMPLATE.
  BOOST_TEST(module->C_EncapsulateKey(*session, mechanism, public_key, generic.data(), generic.size(),
                                      ciphertext.data(), &size, &key) == CKR_KEY_HANDLE_INVALID);
}

BOOST_AUTO_TEST_CASE(private_keys_come_as_seed_as_value_or_as_both) {
  for (const ParameterSet& set : {ml_dsa[0], ml_dsa[2], ml_kem[0], ml_kem[2]}) {
    BOOST_TEST_CONTEXT(set.name) {
      if (!listed(set)) continue;
      const Pkey key = counterpart::generate(set.name);
      const Bytes seed = counterpart::octets(key, "seed"), value = counterpart::octets(key, "priv");
      const Template known =
          described(CKO_PRIVATE_KEY, set).boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
      const auto import = [&](const Template& further) {
        CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
        BOOST_REQUIRE_EQUAL(session->create(Template(known).add(further), made), CKR_OK);
        BOOST_TEST((session->get(made, CKA_VALUE).bytes == value));
        BOOST_TEST((session->get(made, CKA_PUBLIC_KEY_INFO).bytes == counterpart::public_info(key)));
        return made;
      };
      BOOST_TEST((session->get(import(Template().bytes(CKA_SEED, seed)), CKA_SEED).bytes == seed));
      BOOST_TEST(
          (session->get(import(Template().bytes(CKA_SEED, seed).bytes(CKA_VALUE, value)), CKA_SEED).bytes == seed));
      // There is no way back from the value to the seed.
      BOOST_TEST((session->get(import(Template().bytes(CKA_VALUE, value)), CKA_SEED).bytes.empty()));

      Bytes foreign = seed, cut = value;
      foreign[0] ^= 1;
      cut.pop_back();
      // A hash of the public key stands in both: tr (FIPS 204, algorithm 24) and H(ek) (FIPS 203, algorithm 16).
      Bytes damaged = value;
      damaged[set.type == CKK_ML_DSA ? 64 : value.size() - 64] ^= 1;
      CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
      BOOST_TEST(session->create(Template(known).bytes(CKA_SEED, foreign).bytes(CKA_VALUE, value), made) != CKR_OK);
      BOOST_TEST(session->create(Template(known).bytes(CKA_VALUE, cut), made) == CKR_ATTRIBUTE_VALUE_INVALID);
      BOOST_TEST(session->create(Template(known).bytes(CKA_VALUE, damaged), made) == CKR_ATTRIBUTE_VALUE_INVALID);
      BOOST_TEST(session->create(known, made) == CKR_TEMPLATE_INCOMPLETE);
      BOOST_TEST(session->create(Template(known).bytes(CKA_SEED, seed).without(CKA_PARAMETER_SET), made) ==
                 CKR_TEMPLATE_INCOMPLETE);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_slh_dsa_key_whose_halves_differ_is_refused) {
  const ParameterSet& set = slh_dsa[2];
  if (!listed(set)) return;
  const Pkey key = counterpart::generate(set.name);
  Bytes value = counterpart::octets(key, "priv");
  const Template known = described(CKO_PRIVATE_KEY, set);
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  BOOST_REQUIRE_EQUAL(session->create(Template(known).bytes(CKA_VALUE, value), made), CKR_OK);
  const Output signature = session->sign(Mechanism(CKM_SLH_DSA), made, message);
  BOOST_TEST(counterpart::verify(key, message, signature.bytes));
  value.back() ^= 1;  // PK.root, the last part (FIPS 205, figure 15)
  BOOST_TEST(session->create(Template(known).bytes(CKA_VALUE, value), made) == CKR_ATTRIBUTE_VALUE_INVALID);
}

BOOST_AUTO_TEST_CASE(private_keys_leave_as_pkcs8_that_openssl_reads) {
  const Bytes secret = counterpart::digest("SHA256", message);
  for (const ParameterSet& set : {ml_dsa[0], ml_dsa[1], ml_dsa[2], ml_kem[0], ml_kem[1], ml_kem[2], slh_dsa[2]}) {
    BOOST_TEST_CONTEXT(set.name) {
      if (!listed(set)) continue;
      const CK_OBJECT_HANDLE wrapping = wrapping_key(secret);
      const Pair pair = generate(set, Template().boolean(CKA_EXTRACTABLE, true).boolean(CKA_SENSITIVE, false));
      const Output wrapped = session->wrap(Mechanism(CKM_AES_KEY_WRAP_KWP), wrapping, pair.private_key);
      BOOST_REQUIRE_EQUAL(wrapped.rv, CKR_OK);
      const Pkey back = counterpart::read_private(counterpart::unwrap(secret, wrapped.bytes));
      BOOST_TEST((counterpart::octets(back, "priv") == session->get(pair.private_key, CKA_VALUE).bytes));
      BOOST_TEST((counterpart::octets(back, "pub") == counterpart::octets(pair.counterpart, "pub")));
      if (set.type != CKK_SLH_DSA)
        BOOST_TEST((counterpart::octets(back, "seed") == session->get(pair.private_key, CKA_SEED).bytes));
    }
  }
}

BOOST_AUTO_TEST_CASE(private_keys_enter_as_pkcs8_in_every_form) {
  const Bytes secret = counterpart::digest("SHA256", message);
  for (const ParameterSet& set : {ml_dsa[0], ml_dsa[1], ml_dsa[2], ml_kem[0], ml_kem[1], ml_kem[2]}) {
    BOOST_TEST_CONTEXT(set.name) {
      if (!listed(set)) continue;
      const CK_OBJECT_HANDLE wrapping = wrapping_key(secret);
      const Pkey key = counterpart::generate(set.name);
      const Bytes seed = counterpart::octets(key, "seed"), value = counterpart::octets(key, "priv");
      const Bytes both = der(0x30, joined({der(0x04, seed), der(0x04, value)}));
      const auto unwrap = [&](const Bytes& info, CK_OBJECT_HANDLE& made) {
        Template wanted;
        wanted.ulong(CKA_CLASS, CKO_PRIVATE_KEY).ulong(CKA_KEY_TYPE, set.type);
        wanted.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
        return session->unwrap(Mechanism(CKM_AES_KEY_WRAP_KWP), wrapping, counterpart::wrap(secret, info), wanted,
                               made);
      };
      for (const Bytes& info : {counterpart::private_info(key), private_info_of(key, der(0x80, seed)),
                                private_info_of(key, der(0x04, value)), private_info_of(key, both)}) {
        CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
        BOOST_REQUIRE_EQUAL(unwrap(info, made), CKR_OK);
        BOOST_TEST((session->get(made, CKA_VALUE).bytes == value));
        BOOST_TEST(session->number(made, CKA_PARAMETER_SET) == set.set);
      }
      Bytes foreign = seed;
      foreign[0] ^= 1;
      CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
      const Bytes mixed = der(0x30, joined({der(0x04, foreign), der(0x04, value)}));
      BOOST_TEST(unwrap(private_info_of(key, mixed), made) == CKR_WRAPPED_KEY_INVALID);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
