// A hostile caller: absurd counts and lengths, handles of other kinds, and ways to get a sensitive key in clear.
#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

constexpr CK_ULONG absurd_counts[] = {1ul << 20, 1ul << 40, ~0ul / sizeof(CK_ATTRIBUTE), ~0ul};

struct Hostile : UserFixture {
  void still_works() const { CONTRACT_RV(s.digest(Mechanism(CKM_SHA256), counted(3)).rv, CKR_OK); }
};

/// An attack in progress: the target's value is known to the test alone, and everything that comes out is kept.
struct Attack : UserFixture {
  Attack()
      : secret(from_hex("c0ffee11deadbeef0123456789abcdefc0ffee22deadbeeffedcba9876543210")),
        target(created(generic_template(secret, {CKA_DERIVE, CKA_SIGN})
                           .boolean(CKA_SENSITIVE, true)
                           .boolean(CKA_EXTRACTABLE, true)
                           .text(CKA_LABEL, "target"))) {}

  CK_RV see(const Output& out) {
    seen.insert(seen.end(), out.bytes.begin(), out.bytes.end());
    return out.rv;
  }
  /// Reads what a step made; the refusal is either that step's or this reading's.
  CK_RV see_value(CK_RV made, CK_OBJECT_HANDLE key) { return made != CKR_OK ? made : see(s.get(key, CKA_VALUE)); }
  CK_OBJECT_HANDLE known_key(std::initializer_list<CK_ATTRIBUTE_TYPE> uses) const {
    return created(aes_template(uses));
  }
  /// Wraps the target; what comes out is opened with a key whose value is the same or whose uses are more.
  CK_RV wrap_and_open(const Mechanism& way, CK_OBJECT_HANDLE wrapper, CK_OBJECT_HANDLE opener) {
    const Output wrapped = s.wrap(way, wrapper, target);
    if (!wrapped.ok()) return wrapped.rv;
    see(wrapped);
    return see(s.decrypt(way, opener, wrapped.bytes));
  }
  CK_RV derive_open(const Mechanism& way, CK_ULONG size = 0, CK_OBJECT_CLASS made = CKO_SECRET_KEY) {
    Template attributes = object_template(made);
    if (made == CKO_SECRET_KEY) {
      attributes.ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
    }
    if (size != 0) attributes.ulong(CKA_VALUE_LEN, size);
    CK_OBJECT_HANDLE key = 0;
    const CK_RV rv = s.derive(way, target, attributes, key);
    return see_value(rv, key);
  }

  Bytes secret, seen;
  CK_OBJECT_HANDLE target;
};

struct Sequence {
  const char* name;
  CK_RV (*run)(Attack& attack);  ///< the answer of the step that must be refused
};

Bytes zeros(std::size_t size) {
  return Bytes(size, 0);
}

const Sequence sequences[] = {
    {"read the value", [](Attack& a) { return a.see(a.s.get(a.target, CKA_VALUE)); }},
    {"lower by a change",
     [](Attack& a) { return a.see_value(a.s.set(a.target, Template().boolean(CKA_SENSITIVE, false)), a.target); }},
    {"lower by a copy",
     [](Attack& a) {
       CK_OBJECT_HANDLE copy = 0;
       const CK_RV rv = a.s.copy(a.target, Template().boolean(CKA_SENSITIVE, false), copy);
       return a.see_value(rv, copy);
     }},
    {"make it data by a copy",
     [](Attack& a) {
       CK_OBJECT_HANDLE copy = 0;
       const CK_RV rv = a.s.copy(a.target, Template().ulong(CKA_CLASS, CKO_DATA), copy);
       return a.see_value(rv, copy);
     }},
    {"wrap under a known key by KEY_WRAP",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key = a.known_key({CKA_WRAP, CKA_UNWRAP, CKA_ENCRYPT, CKA_DECRYPT});
       return a.wrap_and_open(Mechanism(CKM_AES_KEY_WRAP), key, key);
     }},
    {"wrap under a known key by KWP",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key = a.known_key({CKA_WRAP, CKA_UNWRAP, CKA_ENCRYPT, CKA_DECRYPT});
       return a.wrap_and_open(Mechanism(CKM_AES_KEY_WRAP_KWP), key, key);
     }},
    {"wrap under a known key by CBC",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key = a.known_key({CKA_WRAP, CKA_DECRYPT});
       return a.wrap_and_open(Mechanism(CKM_AES_CBC_PAD, zeros(16)), key, key);
     }},
    {"wrap under a key of the token that also decrypts",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key =
           a.generated(CKM_AES_KEY_GEN, aes_generation({CKA_WRAP, CKA_DECRYPT}).boolean(CKA_SENSITIVE, true));
       return a.wrap_and_open(Mechanism(CKM_AES_KEY_WRAP), key, key);
     }},
    {"wrap under a key that becomes a decrypting one",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key = a.generated(
           CKM_AES_KEY_GEN, aes_generation({CKA_WRAP}).boolean(CKA_SENSITIVE, true).boolean(CKA_DECRYPT, false));
       const Output wrapped = a.s.wrap(Mechanism(CKM_AES_KEY_WRAP_KWP), key, a.target);
       if (!wrapped.ok()) return wrapped.rv;
       a.see(wrapped);
       const CK_RV changed = a.s.set(key, Template().boolean(CKA_DECRYPT, true));
       if (changed != CKR_OK) return changed;
       return a.see(a.s.decrypt(Mechanism(CKM_AES_KEY_WRAP_KWP), key, wrapped.bytes));
     }},
    {"wrap with a nonce of the caller's under a carrier",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key =
           a.generated(CKM_AES_KEY_GEN, aes_generation({CKA_WRAP}).boolean(CKA_SENSITIVE, true));
       Bytes nonce = zeros(12);
       return a.see(
           a.s.wrap(Mechanism(CKM_AES_GCM, CK_GCM_PARAMS{nonce.data(), 12, 96, nullptr, 0, 128}), key, a.target));
     }},
    {"wrap under one's own public key",
     [](Attack& a) {
       const Pair both = a.rsa({CKA_WRAP}, {CKA_DECRYPT, CKA_UNWRAP});
       return a.wrap_and_open(Mechanism(CKM_RSA_PKCS), both.public_key, both.private_key);
     }},
    {"wrap under one's own public key after its private half is gone",
     [](Attack& a) {
       const Pair both = a.rsa({CKA_WRAP}, {CKA_DECRYPT});
       if (const CK_RV rv = a.s.destroy(both.private_key); rv != CKR_OK) return CK_RV{CKR_OK};
       return a.see(a.s.wrap(Mechanism(CKM_RSA_PKCS), both.public_key, a.target));
     }},
    {"wrap, and unwrap as readable",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key =
           a.generated(CKM_AES_KEY_GEN, aes_generation({CKA_WRAP, CKA_UNWRAP}).boolean(CKA_SENSITIVE, true));
       const Output wrapped = a.s.wrap(Mechanism(CKM_AES_KEY_WRAP_KWP), key, a.target);
       a.see(wrapped);
       if (!wrapped.ok()) return wrapped.rv;
       CK_OBJECT_HANDLE twin = 0;
       const CK_RV rv = a.s.unwrap(
           Mechanism(CKM_AES_KEY_WRAP_KWP), key, wrapped.bytes,
           object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_SENSITIVE, false), twin);
       return a.see_value(rv, twin);
     }},
    {"wrap, and unwrap as a data object",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key =
           a.generated(CKM_AES_KEY_GEN, aes_generation({CKA_WRAP, CKA_UNWRAP}).boolean(CKA_SENSITIVE, true));
       const Output wrapped = a.s.wrap(Mechanism(CKM_AES_KEY_WRAP_KWP), key, a.target);
       a.see(wrapped);
       if (!wrapped.ok()) return wrapped.rv;
       CK_OBJECT_HANDLE twin = 0;
       const CK_RV rv =
           a.s.unwrap(Mechanism(CKM_AES_KEY_WRAP_KWP), key, wrapped.bytes, object_template(CKO_DATA), twin);
       return a.see_value(rv, twin);
     }},
    {"wrap, and unwrap as a certificate",
     [](Attack& a) {
       const CK_OBJECT_HANDLE key =
           a.generated(CKM_AES_KEY_GEN, aes_generation({CKA_WRAP, CKA_UNWRAP}).boolean(CKA_SENSITIVE, true));
       const Output wrapped = a.s.wrap(Mechanism(CKM_AES_KEY_WRAP_KWP), key, a.target);
       a.see(wrapped);
       if (!wrapped.ok()) return wrapped.rv;
       CK_OBJECT_HANDLE twin = 0;
       const CK_RV rv = a.s.unwrap(
           Mechanism(CKM_AES_KEY_WRAP_KWP), key, wrapped.bytes,
           object_template(CKO_CERTIFICATE).ulong(CKA_CERTIFICATE_TYPE, CKC_X_509).bytes(CKA_SUBJECT, {0x30, 0}), twin);
       return a.see_value(rv, twin);
     }},
    {"XOR with zeros",
     [](Attack& a) {
       Bytes none = zeros(32);
       return a.derive_open(Mechanism(CKM_XOR_BASE_AND_DATA, CK_KEY_DERIVATION_STRING_DATA{none.data(), none.size()}));
     }},
    {"concatenate with data",
     [](Attack& a) {
       Bytes one = zeros(1);
       return a.derive_open(
           Mechanism(CKM_CONCATENATE_BASE_AND_DATA, CK_KEY_DERIVATION_STRING_DATA{one.data(), one.size()}));
     }},
    {"concatenate with a readable key",
     [](Attack& a) {
       const CK_OBJECT_HANDLE other = a.created(generic_template(counted(8), {CKA_DERIVE}));
       return a.derive_open(Mechanism(CKM_CONCATENATE_BASE_AND_KEY, other));
     }},
    {"extract all bits",
     [](Attack& a) { return a.derive_open(Mechanism(CKM_EXTRACT_KEY_FROM_KEY, CK_EXTRACT_PARAMS{0}), 32); }},
    {"extract one byte",
     [](Attack& a) { return a.derive_open(Mechanism(CKM_EXTRACT_KEY_FROM_KEY, CK_EXTRACT_PARAMS{0}), 1); }},
    {"hash it", [](Attack& a) { return a.derive_open(Mechanism(CKM_SHA256_KEY_DERIVATION)); }},
    {"derive data by HKDF",
     [](Attack& a) {
       const CK_HKDF_PARAMS hkdf{CK_FALSE, CK_TRUE, CKM_SHA256, CKF_HKDF_SALT_NULL, nullptr, 0, 0, nullptr, 0};
       return a.derive_open(Mechanism(CKM_HKDF_DATA, hkdf), 32, CKO_DATA);
     }},
    {"confirm a guess by a search",
     [](Attack& a) {
       const auto found = a.s.find(Template().bytes(CKA_VALUE, a.secret));
       return found.empty() ? CK_RV{CKR_OBJECT_HANDLE_INVALID} : CK_RV{CKR_OK};
     }},
    {"trust one's own key", [](Attack& a) {
       const CK_OBJECT_HANDLE key = a.known_key({CKA_WRAP, CKA_DECRYPT});
       const CK_RV rv = a.s.set(key, Template().boolean(CKA_TRUSTED, true));
       return rv != CKR_OK ? rv : a.wrap_and_open(Mechanism(CKM_AES_KEY_WRAP), key, key);
     }}};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(hostile, Hostile)

BOOST_AUTO_TEST_CASE(absurd_template_counts) {
  CK_ATTRIBUTE one[] = {{CKA_LABEL, nullptr, 0}};
  const CK_OBJECT_HANDLE data = created(data_template("x")), key = created(aes_template({CKA_DERIVE, CKA_UNWRAP}));
  CK_OBJECT_HANDLE made = 0, other = 0;
  Bytes wrapped = counted(24);
  Mechanism aes_gen(CKM_AES_KEY_GEN), ec_gen(CKM_EC_KEY_PAIR_GEN), hash(CKM_SHA256_KEY_DERIVATION);
  Mechanism key_wrap(CKM_AES_KEY_WRAP);
  const auto refused = [](CK_RV rv) {
    BOOST_TEST((rv == CKR_ARGUMENTS_BAD || rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_MECHANISM_INVALID ||
                rv == CKR_KEY_TYPE_INCONSISTENT || rv == CKR_HOST_MEMORY),
               rv_text(rv));
  };
  for (const CK_ULONG count : absurd_counts) {
    refused(module->C_CreateObject(s, one, count, &made));
    refused(module->C_CopyObject(s, data, one, count, &made));
    refused(module->C_SetAttributeValue(s, data, one, count));
    refused(module->C_GetAttributeValue(s, data, one, count));
    refused(module->C_FindObjectsInit(s, one, count));
    refused(module->C_GenerateKey(s, aes_gen, one, count, &made));
    refused(module->C_GenerateKeyPair(s, ec_gen, one, count, one, 1, &made, &other));
    refused(module->C_GenerateKeyPair(s, ec_gen, one, 1, one, count, &made, &other));
    refused(module->C_UnwrapKey(s, key_wrap, key, wrapped.data(), wrapped.size(), one, count, &made));
    refused(module->C_DeriveKey(s, hash, key, one, count, &made));
  }
  still_works();
}

BOOST_AUTO_TEST_CASE(a_million_entries_that_are_really_there) {
  std::vector<CK_ATTRIBUTE> many(1u << 20, CK_ATTRIBUTE{CKA_LABEL, nullptr, 0});
  CK_OBJECT_HANDLE made = 0;
  CONTRACT_RV(module->C_CreateObject(s, many.data(), many.size(), &made), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(module->C_FindObjectsInit(s, many.data(), many.size()), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(module->C_GetAttributeValue(s, created(data_template("x")), many.data(), many.size()), CKR_ARGUMENTS_BAD);
}

BOOST_AUTO_TEST_CASE(values_that_are_not_where_they_should_be) {
  CK_OBJECT_CLASS object_class = CKO_DATA;
  CK_BYTE byte = 1;
  CK_OBJECT_HANDLE made = 0;
  const CK_OBJECT_HANDLE data = created(data_template("x"));
  for (const CK_ATTRIBUTE& bad : {CK_ATTRIBUTE{CKA_LABEL, nullptr, 5}, CK_ATTRIBUTE{CKA_VALUE, &byte, ~0ul},
                                  CK_ATTRIBUTE{CKA_VALUE, &byte, 1ul << 40}}) {
    CK_ATTRIBUTE entries[] = {{CKA_CLASS, &object_class, sizeof(object_class)}, bad};
    CONTRACT_RV(module->C_CreateObject(s, entries, 2, &made), CKR_ATTRIBUTE_VALUE_INVALID);
    CONTRACT_RV(module->C_SetAttributeValue(s, data, &entries[1], 1), CKR_ATTRIBUTE_VALUE_INVALID);
    CONTRACT_RV(module->C_FindObjectsInit(s, &entries[1], 1), CKR_ATTRIBUTE_VALUE_INVALID);
  }
  still_works();
}

BOOST_AUTO_TEST_CASE(absurd_lengths_of_input) {
  CK_BYTE byte = 1, room[64];
  const CK_OBJECT_HANDLE aes = created(aes_template({CKA_ENCRYPT, CKA_DECRYPT, CKA_UNWRAP}));
  for (const CK_ULONG size : {~0ul, ~0ul - 15, 1ul << 63}) {
    CK_ULONG out = sizeof(room);
    CK_OBJECT_HANDLE made = 0;
    Template attributes = object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES);
    CONTRACT_OK(module->C_DigestInit(s, Mechanism(CKM_SHA256)));
    CONTRACT_RV(module->C_DigestUpdate(s, &byte, size), CKR_ARGUMENTS_BAD);
    CONTRACT_OK(module->C_SessionCancel(s, CKF_DIGEST));
    CONTRACT_OK(module->C_EncryptInit(s, Mechanism(CKM_AES_ECB), aes));
    CONTRACT_RV(module->C_Encrypt(s, &byte, size, room, &out), CKR_ARGUMENTS_BAD);
    CONTRACT_OK(module->C_SessionCancel(s, CKF_ENCRYPT));
    CONTRACT_RV(module->C_UnwrapKey(s, Mechanism(CKM_AES_KEY_WRAP), aes, &byte, size, attributes.data(),
                                    attributes.size(), &made),
                CKR_ARGUMENTS_BAD);
    CONTRACT_RV(module->C_SeedRandom(s, &byte, size), CKR_ARGUMENTS_BAD);
    CONTRACT_RV(module->C_GenerateRandom(s, &byte, size), CKR_ARGUMENTS_BAD);
    CONTRACT_RV(module->C_Login(s, CKU_SO, &byte, size), CKR_ARGUMENTS_BAD);
  }
  still_works();
}

BOOST_AUTO_TEST_CASE(handles_of_other_kinds) {
  const CK_OBJECT_HANDLE data = created(data_template("x")), aes = created(aes_template({CKA_ENCRYPT, CKA_WRAP}));
  const Pair both = rsa({CKA_VERIFY, CKA_ENCRYPT}, {CKA_SIGN});
  for (const CK_OBJECT_HANDLE wrong : {CK_OBJECT_HANDLE{CK_INVALID_HANDLE}, data, CK_OBJECT_HANDLE{s}, ~0ul, 1ul}) {
    CONTRACT_RV(s.encrypt(Mechanism(CKM_AES_ECB), wrong, counted(16)).rv, CKR_KEY_HANDLE_INVALID);
    CONTRACT_RV(s.sign(Mechanism(CKM_SHA256_HMAC), wrong, counted(16)).rv, CKR_KEY_HANDLE_INVALID);
    CONTRACT_RV(s.verify(Mechanism(CKM_SHA256_HMAC), wrong, counted(16), counted(32)), CKR_KEY_HANDLE_INVALID);
    CONTRACT_RV(s.wrap(Mechanism(CKM_AES_KEY_WRAP), wrong, aes).rv, CKR_WRAPPING_KEY_HANDLE_INVALID);
  }
  CONTRACT_RV(s.sign(Mechanism(CKM_SHA256_RSA_PKCS), both.public_key, counted(16)).rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
  CONTRACT_RV(s.encrypt(Mechanism(CKM_AES_ECB), both.public_key, counted(16)).rv, CKR_KEY_TYPE_INCONSISTENT);
  CONTRACT_RV(s.wrap(Mechanism(CKM_AES_KEY_WRAP), aes, data).rv, CKR_KEY_NOT_WRAPPABLE);
  CONTRACT_RV(s.wrap(Mechanism(CKM_AES_KEY_WRAP), aes, both.public_key).rv, CKR_KEY_NOT_WRAPPABLE);
  for (const CK_OBJECT_HANDLE wrong : {CK_OBJECT_HANDLE{CK_INVALID_HANDLE}, ~0ul, 1ul}) {
    CONTRACT_RV(s.get(wrong, CKA_LABEL).rv, CKR_OBJECT_HANDLE_INVALID);
    CONTRACT_RV(s.destroy(wrong), CKR_OBJECT_HANDLE_INVALID);
  }
}

BOOST_AUTO_TEST_CASE(handles_of_other_tokens) {
  const CK_SLOT_ID other_slot = kind->make_other_token(module, "other");
  const Session other(module, other_slot);
  CONTRACT_OK(other.login(kind->user_pin()));
  for (const bool token : places()) {
    const CK_OBJECT_HANDLE here = created(aes_template({CKA_ENCRYPT}, token));
    CONTRACT_RV(other.get(here, CKA_LABEL).rv, CKR_OBJECT_HANDLE_INVALID);
    CONTRACT_RV(other.destroy(here), CKR_OBJECT_HANDLE_INVALID);
    CONTRACT_RV(other.encrypt(Mechanism(CKM_AES_ECB), here, counted(16)).rv, CKR_KEY_HANDLE_INVALID);
    CK_OBJECT_HANDLE copy = 0;
    CONTRACT_RV(other.copy(here, Template(), copy), CKR_OBJECT_HANDLE_INVALID);
    CONTRACT_RV(s.get(here, CKA_LABEL).rv, CKR_OK);
  }
  CONTRACT_OK(other.logout());
  BOOST_TEST(s.digest(Mechanism(CKM_SHA256), counted(3)).ok());
  CK_SESSION_INFO info{};
  CONTRACT_OK(module->C_GetSessionInfo(s, &info));
  BOOST_TEST(info.state == CKS_RW_USER_FUNCTIONS);
}

BOOST_AUTO_TEST_CASE(closed_sessions_are_no_sessions) {
  CK_SESSION_HANDLE closed = 0;
  CONTRACT_OK(module->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &closed));
  CONTRACT_OK(module->C_CloseSession(closed));
  Mechanism sha(CKM_SHA256);
  CK_BYTE room[32];
  CK_ULONG size = sizeof(room);
  CK_OBJECT_HANDLE object = 0;
  for (const CK_SESSION_HANDLE gone : {closed, CK_SESSION_HANDLE{CK_INVALID_HANDLE}, ~0ul}) {
    CONTRACT_RV(module->C_DigestInit(gone, sha), CKR_SESSION_HANDLE_INVALID);
    CONTRACT_RV(module->C_Digest(gone, room, 1, room, &size), CKR_SESSION_HANDLE_INVALID);
    CONTRACT_RV(module->C_FindObjectsInit(gone, nullptr, 0), CKR_SESSION_HANDLE_INVALID);
    CONTRACT_RV(module->C_FindObjects(gone, &object, 1, &size), CKR_SESSION_HANDLE_INVALID);
    CONTRACT_RV(module->C_Logout(gone), CKR_SESSION_HANDLE_INVALID);
    CONTRACT_RV(module->C_GenerateRandom(gone, room, 1), CKR_SESSION_HANDLE_INVALID);
    CONTRACT_RV(module->C_SessionCancel(gone, CKF_DIGEST), CKR_SESSION_HANDLE_INVALID);
    CONTRACT_RV(module->C_CloseSession(gone), CKR_SESSION_HANDLE_INVALID);
    size = sizeof(room);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(attacks, Attack)

BOOST_AUTO_TEST_CASE(no_sequence_brings_a_sensitive_key_out) {
  for (const Sequence& sequence : sequences) {
    BOOST_TEST_CONTEXT(sequence.name) {
      seen.clear();
      BOOST_TEST(sequence.run(*this) != CKR_OK);
      BOOST_TEST(!holds(seen, Bytes(secret.begin(), secret.begin() + 16)));
      BOOST_TEST(!holds(seen, Bytes(secret.begin() + 16, secret.end())));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_attribute_holds_the_value) {
  for (CK_ATTRIBUTE_TYPE type = 0; type < 0x700; ++type) {
    BOOST_TEST(!holds(s.get(target, type).bytes, Bytes(secret.begin(), secret.begin() + 8)), "attribute " << type);
  }
}

BOOST_AUTO_TEST_CASE(a_saved_digest_of_the_key_does_not_hold_it) {
  CONTRACT_OK(module->C_DigestInit(s, Mechanism(CKM_SHA256)));
  if (module->C_DigestKey(s, target) != CKR_OK) return;  // refused altogether: nothing to look into
  const Output state = fetch([&](CK_BYTE* out, CK_ULONG* size) { return module->C_GetOperationState(s, out, size); });
  BOOST_TEST(!holds(state.bytes, Bytes(secret.begin(), secret.begin() + 8)));
}

BOOST_AUTO_TEST_CASE(a_sensitive_private_key_does_not_leave_under_a_known_key) {
  const Bytes value = from_hex("c0ffee11deadbeef0123456789abcdefc0ffee22deadbeeffedcba9876543210");
  const CK_OBJECT_HANDLE key = created(object_template(CKO_PRIVATE_KEY)
                                           .ulong(CKA_KEY_TYPE, CKK_EC)
                                           .bytes(CKA_EC_PARAMS, p256())
                                           .bytes(CKA_VALUE, value)
                                           .boolean(CKA_SENSITIVE, true)
                                           .boolean(CKA_EXTRACTABLE, true));
  const CK_OBJECT_HANDLE known = known_key({CKA_WRAP, CKA_DECRYPT});
  for (const Mechanism& way :
       {Mechanism(CKM_AES_CBC_PAD, zeros(16)), Mechanism(CKM_AES_KEY_WRAP_PAD), Mechanism(CKM_AES_KEY_WRAP_KWP)}) {
    const Output wrapped = s.wrap(way, known, key);
    CONTRACT_RV(wrapped.rv, CKR_KEY_NOT_WRAPPABLE);
    BOOST_TEST(wrapped.bytes.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
