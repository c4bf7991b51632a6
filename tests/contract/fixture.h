// A fresh token of the kind under test, with what every program of the contract suite does to it.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string_view>

#include "contract/card_kind.h"
#include "contract/p11.h"
#include "contract/sealed_kind.h"
#include "contract/tpm_kind.h"
#include "cryptoki/names.h"

namespace cardea::p11 {

/// The kind that the environment's CARDEA_TOKEN_KIND names, a row of token_kinds.def; the first row without it.
inline std::unique_ptr<TokenKind> make_token_kind() {
  const char* wanted = std::getenv("CARDEA_TOKEN_KIND");
#define CARDEA_TOKEN_KIND(name, type) \
  if (wanted == nullptr || std::string_view(wanted) == #name) return std::make_unique<type>();
#include "contract/token_kinds.def"
#undef CARDEA_TOKEN_KIND
  throw std::runtime_error(std::string("no token kind is called ") + wanted);
}

using boost::unit_test::precondition;
/// For cases about token objects of any name and class, which cards do not keep (cards_test.cc has their own cases).
inline boost::test_tools::assertion_result keeps_any_object(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result answer(!make_token_kind()->is_card());
  answer.message() << "a card keeps only what it has places for";
  return answer;
}

inline std::string rv_text(CK_RV rv) {
  return constant_text(ConstantKind::CKR, rv);
}

/// One call's answer against the one that the standard asks for, both by name.
#define CONTRACT_RV(call, expected) BOOST_CHECK_EQUAL(::cardea::p11::rv_text(call), ::cardea::p11::rv_text(expected))
/// The same for what the rest of the case needs.
#define CONTRACT_OK(call) BOOST_REQUIRE_EQUAL(::cardea::p11::rv_text(call), "CKR_OK")

/// The key, or the secret, of which the tests know every byte: 0, 7, 14 …
inline Bytes counted(std::size_t size, std::uint8_t first = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(first + i * 7);
  return out;
}

inline bool holds(const Bytes& where, const Bytes& what) {
  return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}

/// DER of the curves' object identifiers.
inline Bytes p256() {
  return from_hex("06082a8648ce3d030107");
}
inline Bytes ed25519() {
  return from_hex("06032b6570");
}
inline Bytes x25519() {
  return from_hex("06032b656e");
}

inline Template object_template(CK_OBJECT_CLASS object_class, bool token = false) {
  Template out;
  return out.ulong(CKA_CLASS, object_class).boolean(CKA_TOKEN, token);
}
inline Template data_template(std::string_view label, bool token = false, bool is_private = false) {
  return object_template(CKO_DATA, token)
      .boolean(CKA_PRIVATE, is_private)
      .text(CKA_LABEL, label)
      .text(CKA_VALUE, "content of " + std::string(label));
}
/// An AES key of 16 known bytes that is readable unless the caller adds otherwise.
inline Template aes_template(std::initializer_list<CK_ATTRIBUTE_TYPE> uses, bool token = false) {
  Template out = object_template(CKO_SECRET_KEY, token).ulong(CKA_KEY_TYPE, CKK_AES).bytes(CKA_VALUE, counted(16));
  for (const CK_ATTRIBUTE_TYPE use : uses) out.boolean(use, true);
  return out;
}
inline Template generic_template(const Bytes& value, std::initializer_list<CK_ATTRIBUTE_TYPE> uses) {
  Template out = object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).bytes(CKA_VALUE, value);
  for (const CK_ATTRIBUTE_TYPE use : uses) out.boolean(use, true);
  return out;
}
/// What C_GenerateKey needs for an AES-128 session key.
inline Template aes_generation(std::initializer_list<CK_ATTRIBUTE_TYPE> uses) {
  Template out;
  out.ulong(CKA_VALUE_LEN, 16).boolean(CKA_TOKEN, false);
  for (const CK_ATTRIBUTE_TYPE use : uses) out.boolean(use, true);
  return out;
}

struct Pair {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

/// A token with both PINs, the module initialised; finalised at the end of the case.
struct Fixture {
  Fixture() : kind(make_token_kind()), module(kind->module_path()) {
    BOOST_REQUIRE_EQUAL(module.initialize(), CKR_OK);
    slot = kind->make_token(module, "contract");
  }
  ~Fixture() { module->C_Finalize(nullptr); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  std::unique_ptr<Session> open(bool writable = true) const {
    auto session = std::make_unique<Session>(module, slot, writable);
    BOOST_REQUIRE_EQUAL(session->status(), CKR_OK);
    return session;
  }
  std::unique_ptr<Session> user(bool writable = true) const {
    auto session = open(writable);
    BOOST_REQUIRE_EQUAL(session->login(kind->user_pin()), CKR_OK);
    return session;
  }
  std::unique_ptr<Session> officer() const {
    auto session = open();
    BOOST_REQUIRE_EQUAL(session->login(kind->so_pin(), CKU_SO), CKR_OK);
    return session;
  }
  bool has(CK_MECHANISM_TYPE type, CK_FLAGS flags) const {
    return (module.mechanism_flags(slot, type) & flags) == flags;
  }

  /// Where objects of any name and class can live: a card keeps only what it has places for.
  std::vector<bool> places() const {
    return kind->is_card() ? std::vector<bool>{false} : std::vector<bool>{false, true};
  }
  bool on_token() const { return !kind->is_card(); }

  std::unique_ptr<TokenKind> kind;
  Module module;
  CK_SLOT_ID slot = 0;
};

/// The same with the user logged in, and shorthands that fail the case instead of answering a code.
struct UserFixture : Fixture {
  UserFixture() : session(user()), s(*session) {}

  CK_OBJECT_HANDLE created(const Template& attributes) const {
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    BOOST_REQUIRE_EQUAL(rv_text(s.create(attributes, object)), "CKR_OK");
    return object;
  }
  CK_OBJECT_HANDLE generated(CK_MECHANISM_TYPE type, const Template& attributes) const {
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    BOOST_REQUIRE_EQUAL(rv_text(s.generate(Mechanism(type), attributes, key)), "CKR_OK");
    return key;
  }
  Pair pair(CK_MECHANISM_TYPE type, const Template& public_half, const Template& private_half) const {
    Pair out;
    BOOST_REQUIRE_EQUAL(
        rv_text(s.generate_pair(Mechanism(type), public_half, private_half, out.public_key, out.private_key)),
        "CKR_OK");
    return out;
  }
  Pair rsa(std::initializer_list<CK_ATTRIBUTE_TYPE> public_uses,
           std::initializer_list<CK_ATTRIBUTE_TYPE> private_uses) const {
    Template public_half, private_half;
    public_half.ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1});
    return pair_with(CKM_RSA_PKCS_KEY_PAIR_GEN, public_half, public_uses, private_half, private_uses);
  }
  Pair ec(CK_MECHANISM_TYPE type, const Bytes& curve, std::initializer_list<CK_ATTRIBUTE_TYPE> public_uses,
          std::initializer_list<CK_ATTRIBUTE_TYPE> private_uses) const {
    Template public_half, private_half;
    public_half.bytes(CKA_EC_PARAMS, curve);
    return pair_with(type, public_half, public_uses, private_half, private_uses);
  }
  CK_RV create_rv(const Template& attributes) const {
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    return s.create(attributes, object);
  }
  CK_RV generate_rv(CK_MECHANISM_TYPE type, const Template& attributes) const {
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    return s.generate(Mechanism(type), attributes, key);
  }

  std::unique_ptr<Session> session;
  const Session& s;

 private:
  Pair pair_with(CK_MECHANISM_TYPE type, Template public_half, std::initializer_list<CK_ATTRIBUTE_TYPE> public_uses,
                 Template private_half, std::initializer_list<CK_ATTRIBUTE_TYPE> private_uses) const {
    public_half.boolean(CKA_TOKEN, false);
    private_half.boolean(CKA_TOKEN, false);
    for (const CK_ATTRIBUTE_TYPE use : public_uses) public_half.boolean(use, true);
    for (const CK_ATTRIBUTE_TYPE use : private_uses) private_half.boolean(use, true);
    return pair(type, public_half, private_half);
  }
};

}  // namespace cardea::p11
