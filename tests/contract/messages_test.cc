// Message-based AEAD and signing, and authenticated wrapping (PKCS#11 3.2, 5.9, 5.11, 5.14, 5.16 and 5.18).
#include <algorithm>
#include <set>

#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

/// The three message AEADs behind one face: a nonce and a tag that the caller keeps.
struct Aead {
  CK_MECHANISM_TYPE type;
  bool generates;  ///< whether the parameter has a generator (ChaCha20-Poly1305's has none)
};
constexpr Aead aeads[] = {{CKM_AES_GCM, true}, {CKM_AES_CCM, true}, {CKM_CHACHA20_POLY1305, false}};

/// One message's parameter, rebuilt for each call from its nonce and tag.
struct Envelope {
  explicit Envelope(const Aead& aead, std::size_t size) : kind(aead), data_size(size) {}

  /// Calls `call(parameter, size)` with the structure of this mechanism.
  template <typename Call>
  CK_RV with(Call call) {
    if (kind.type == CKM_AES_GCM) {
      CK_GCM_MESSAGE_PARAMS p{nonce.data(), nonce.size(), fixed_bits, generator, tag.data(), 8 * tag.size()};
      return call(&p, sizeof(p));
    }
    if (kind.type == CKM_AES_CCM) {
      CK_CCM_MESSAGE_PARAMS p{data_size, nonce.data(), nonce.size(), fixed_bits, generator, tag.data(), tag.size()};
      return call(&p, sizeof(p));
    }
    CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS p{nonce.data(), nonce.size(), tag.data()};
    return call(&p, sizeof(p));
  }

  const Aead& kind;
  CK_ULONG data_size;
  Bytes nonce = counted(12), tag = Bytes(16);
  CK_ULONG fixed_bits = 0;
  CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE;
};

struct Messages : UserFixture {
  /// Runs `body(aead)` for each that the token has, both directions begun with one key.
  template <typename Body>
  void for_each_aead(Body body) const {
    for (const Aead& aead : aeads) {
      if (!has(aead.type, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT)) continue;
      BOOST_TEST_CONTEXT(cardea::constant_text(cardea::ConstantKind::CKM, aead.type)) {
        const bool chacha = aead.type == CKM_CHACHA20_POLY1305;
        const CK_OBJECT_HANDLE key = created(object_template(CKO_SECRET_KEY)
                                                 .ulong(CKA_KEY_TYPE, chacha ? CKK_CHACHA20 : CKK_AES)
                                                 .bytes(CKA_VALUE, counted(32))
                                                 .boolean(CKA_ENCRYPT, true));
        CONTRACT_OK(module->C_MessageEncryptInit(s, Mechanism(aead.type), key));
        CONTRACT_OK(module->C_MessageDecryptInit(s, Mechanism(aead.type), key));
        body(aead);
        CONTRACT_OK(module->C_SessionCancel(s, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT));
      }
    }
  }
  Output seal(Envelope& envelope, const Bytes& aad, const Bytes& data) const {
    Output out{CKR_OK, Bytes(data.size() + 32)};
    CK_ULONG size = out.bytes.size();
    out.rv = envelope.with([&](void* parameter, CK_ULONG length_of) {
      return module->C_EncryptMessage(s, parameter, length_of, in(aad), length(aad), in(data), length(data),
                                      out.bytes.data(), &size);
    });
    out.bytes.resize(out.ok() ? size : 0);
    return out;
  }
  Output open_message(Envelope& envelope, const Bytes& aad, const Bytes& secret) const {
    Output out{CKR_OK, Bytes(secret.size() + 32, 0xee)};
    CK_ULONG size = out.bytes.size();
    out.rv = envelope.with([&](void* parameter, CK_ULONG length_of) {
      return module->C_DecryptMessage(s, parameter, length_of, in(aad), length(aad), in(secret), length(secret),
                                      out.bytes.data(), &size);
    });
    if (out.ok()) out.bytes.resize(size);
    return out;
  }
  /// begin and next with pieces of `chunk` bytes.
  template <typename Begin, typename Next>
  Output in_parts(Envelope& envelope, const Bytes& aad, const Bytes& data, std::size_t chunk, Begin begin,
                  Next next) const {
    Output out{CKR_OK, {}};
    out.rv =
        envelope.with([&](void* parameter, CK_ULONG size) { return begin(s, parameter, size, in(aad), length(aad)); });
    for (std::size_t at = 0; out.ok() && at < data.size(); at += chunk) {
      const CK_ULONG part = std::min(chunk, data.size() - at);
      const CK_FLAGS last = at + part == data.size() ? CKF_END_OF_MESSAGE : 0;
      Bytes room(data.size() + 32);
      CK_ULONG made = room.size();
      out.rv = envelope.with([&](void* parameter, CK_ULONG size) {
        return next(s, parameter, size, in(data) + at, part, room.data(), &made, last);
      });
      if (out.ok()) out.bytes.insert(out.bytes.end(), room.begin(), room.begin() + static_cast<long>(made));
    }
    return out;
  }

  Output sign_message(const Bytes& data) const {
    return fetch([&](CK_BYTE* out, CK_ULONG* size) {
      return module->C_SignMessage(s, nullptr, 0, in(data), length(data), out, size);
    });
  }
  CK_RV verify_message(const Bytes& data, const Bytes& signature) const {
    return module->C_VerifyMessage(s, nullptr, 0, in(data), length(data), in(signature), length(signature));
  }
  /// Three messages one after the other under one initialisation, in one call and in parts.
  void expect_messages(Mechanism mechanism, const Pair& keys) const {
    if (!has(mechanism.type(), CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY)) return;
    BOOST_TEST_CONTEXT(cardea::constant_text(cardea::ConstantKind::CKM, mechanism.type())) {
      CONTRACT_OK(module->C_MessageSignInit(s, mechanism, keys.private_key));
      CONTRACT_OK(module->C_MessageVerifyInit(s, mechanism, keys.public_key));
      for (std::uint8_t round = 0; round < 3; ++round) {
        const Bytes data = counted(32, round);
        const Output signature = sign_message(data);
        CONTRACT_RV(signature.rv, CKR_OK);
        CONTRACT_RV(verify_message(data, signature.bytes), CKR_OK);
        CONTRACT_RV(verify_message(counted(32, 99), signature.bytes), CKR_SIGNATURE_INVALID);
        CONTRACT_RV(sign_in_parts(data, signature.bytes), CKR_OK);
      }
      CONTRACT_RV(module->C_MessageSignFinal(s), CKR_OK);
      CONTRACT_RV(module->C_MessageVerifyFinal(s), CKR_OK);
    }
  }
  /// Verifies `whole` in parts, and a signature made in parts in one call.
  CK_RV sign_in_parts(Bytes data, Bytes whole) const {
    CONTRACT_OK(module->C_SignMessageBegin(s, nullptr, 0));
    CONTRACT_OK(module->C_SignMessageNext(s, nullptr, 0, data.data(), 5, nullptr, nullptr));
    CONTRACT_RV(module->C_MessageSignFinal(s), CKR_OPERATION_ACTIVE);
    const Output parts = fetch([&](CK_BYTE* out, CK_ULONG* size) {
      return module->C_SignMessageNext(s, nullptr, 0, data.data() + 5, data.size() - 5, out, size);
    });
    CONTRACT_RV(parts.rv, CKR_OK);
    CONTRACT_OK(module->C_VerifyMessageBegin(s, nullptr, 0));
    CONTRACT_OK(module->C_VerifyMessageNext(s, nullptr, 0, data.data(), 5, nullptr, 0));
    CONTRACT_RV(
        module->C_VerifyMessageNext(s, nullptr, 0, data.data() + 5, data.size() - 5, whole.data(), whole.size()),
        CKR_OK);
    return verify_message(data, parts.bytes);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(messages, Messages)

BOOST_AUTO_TEST_CASE(aead_in_one_call_and_in_parts) {
  for_each_aead([&](const Aead& aead) {
    const Bytes data = counted(77), aad = counted(13);
    Envelope one(aead, data.size());
    const Output secret = seal(one, aad, data);
    CONTRACT_RV(secret.rv, CKR_OK);
    BOOST_TEST(secret.bytes.size() == data.size());
    BOOST_TEST(open_message(one, aad, secret.bytes).bytes == data);
    for (const std::size_t chunk : {1u, 13u, 16u, 77u}) {
      Envelope parts(aead, data.size());
      const Output sealed =
          in_parts(parts, aad, data, chunk, module->C_EncryptMessageBegin, module->C_EncryptMessageNext);
      CONTRACT_RV(sealed.rv, CKR_OK);
      BOOST_TEST(sealed.bytes == secret.bytes);
      BOOST_TEST(parts.tag == one.tag);
      const Output opened =
          in_parts(parts, aad, sealed.bytes, chunk, module->C_DecryptMessageBegin, module->C_DecryptMessageNext);
      CONTRACT_RV(opened.rv, CKR_OK);
      BOOST_TEST(opened.bytes == data);
    }
  });
}

BOOST_AUTO_TEST_CASE(what_was_changed_is_refused_and_gives_no_plaintext) {
  for_each_aead([&](const Aead& aead) {
    const Bytes data = counted(77), aad = counted(13);
    Envelope good(aead, data.size());
    const Bytes secret = seal(good, aad, data).bytes;
    const auto refused = [&](Envelope envelope, const Bytes& associated, const Bytes& ciphertext) {
      const Output out = open_message(envelope, associated, ciphertext);
      CONTRACT_RV(out.rv, CKR_AEAD_DECRYPT_FAILED);
      BOOST_TEST(!holds(out.bytes, Bytes(data.begin(), data.begin() + 16)));
    };
    Envelope tag = good, nonce = good;
    tag.tag[15] ^= 1;
    nonce.nonce[0] ^= 1;
    Bytes other = secret;
    other[40] ^= 1;
    refused(tag, aad, secret);
    refused(nonce, aad, secret);
    refused(good, counted(14), secret);
    refused(good, aad, other);
    // A failed message ends neither the operation nor the messages after it.
    BOOST_TEST(open_message(good, aad, secret).bytes == data);
  });
}

BOOST_AUTO_TEST_CASE(nonces_that_the_module_makes_do_not_repeat) {
  for_each_aead([&](const Aead& aead) {
    if (!aead.generates) return;
    for (const CK_GENERATOR_FUNCTION generator : {CKG_GENERATE, CKG_GENERATE_RANDOM, CKG_GENERATE_COUNTER}) {
      std::set<Bytes> seen;
      for (int round = 0; round < 20; ++round) {
        Envelope envelope(aead, 32);
        envelope.generator = generator;
        envelope.fixed_bits = 32;
        const Output secret = seal(envelope, {}, counted(32));
        CONTRACT_RV(secret.rv, CKR_OK);
        BOOST_TEST(std::equal(envelope.nonce.begin(), envelope.nonce.begin() + 4, counted(4).begin()));
        seen.insert(envelope.nonce);
        envelope.generator = CKG_NO_GENERATE;
        BOOST_TEST(open_message(envelope, {}, secret.bytes).bytes == counted(32));
      }
      BOOST_TEST(seen.size() == 20u);
    }
    Envelope unknown(aead, 32);
    unknown.generator = 77;
    CONTRACT_RV(seal(unknown, {}, counted(32)).rv, CKR_MECHANISM_PARAM_INVALID);
  });
}

BOOST_AUTO_TEST_CASE(messages_are_begun_before_they_go_on) {
  for_each_aead([&](const Aead& aead) {
    Envelope envelope(aead, 16);
    Bytes data = counted(16), room(64);
    CK_ULONG size = room.size();
    const auto next = [&] {
      return envelope.with([&](void* parameter, CK_ULONG parameter_size) {
        return module->C_EncryptMessageNext(s, parameter, parameter_size, data.data(), 8, room.data(), &size, 0);
      });
    };
    const auto begin = [&] {
      return envelope.with([&](void* parameter, CK_ULONG parameter_size) {
        return module->C_EncryptMessageBegin(s, parameter, parameter_size, nullptr, 0);
      });
    };
    CONTRACT_RV(next(), CKR_OPERATION_NOT_INITIALIZED);
    CONTRACT_RV(begin(), CKR_OK);
    CONTRACT_RV(module->C_MessageEncryptFinal(s), CKR_OPERATION_ACTIVE);
    CONTRACT_RV(next(), CKR_OK);
  });
}

BOOST_AUTO_TEST_CASE(message_signatures) {
  const CK_OBJECT_HANDLE mac = created(generic_template(counted(32), {CKA_SIGN, CKA_VERIFY}));
  expect_messages(Mechanism(CKM_SHA256_HMAC), {mac, mac});
  const Pair rsa_pair = rsa({CKA_VERIFY}, {CKA_SIGN});
  expect_messages(Mechanism(CKM_SHA256_RSA_PKCS), rsa_pair);
  const CK_RSA_PKCS_PSS_PARAMS pss{CKM_SHA256, CKG_MGF1_SHA256, 32};
  expect_messages(Mechanism(CKM_SHA256_RSA_PKCS_PSS, pss), rsa_pair);
  expect_messages(Mechanism(CKM_RSA_PKCS_PSS, pss), rsa_pair);
  const Pair ec_pair = ec(CKM_EC_KEY_PAIR_GEN, p256(), {CKA_VERIFY}, {CKA_SIGN});
  expect_messages(Mechanism(CKM_ECDSA_SHA256), ec_pair);
  expect_messages(Mechanism(CKM_ECDSA), ec_pair);
  const Pair ed_pair = ec(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519(), {CKA_VERIFY}, {CKA_SIGN});
  expect_messages(Mechanism(CKM_EDDSA), ed_pair);
}

BOOST_AUTO_TEST_CASE(message_signatures_keep_their_context) {
  if (!has(CKM_ML_DSA, CKF_MESSAGE_SIGN)) {
    BOOST_TEST_MESSAGE("SKIPPED: the token has no ML-DSA");
    return;
  }
  const Pair keys = pair(CKM_ML_DSA_KEY_PAIR_GEN, Template().ulong(CKA_PARAMETER_SET, CKP_ML_DSA_44), Template());
  Bytes context = counted(20);
  Mechanism with(CKM_ML_DSA, CK_SIGN_ADDITIONAL_CONTEXT{CKH_HEDGE_PREFERRED, context.data(), context.size()});
  expect_messages(with, keys);
  CONTRACT_OK(module->C_MessageSignInit(s, with, keys.private_key));
  // The init call's bytes are the caller's again: the module must have kept its own.
  std::fill(context.begin(), context.end(), 0xff);
  const Output signature = sign_message(counted(32));
  CONTRACT_RV(signature.rv, CKR_OK);
  CONTRACT_RV(s.verify(with, keys.public_key, counted(32), signature.bytes), CKR_SIGNATURE_INVALID);
  context = counted(20);
  const Mechanism again(CKM_ML_DSA, CK_SIGN_ADDITIONAL_CONTEXT{CKH_HEDGE_PREFERRED, context.data(), context.size()});
  CONTRACT_RV(s.verify(again, keys.public_key, counted(32), signature.bytes), CKR_OK);
}

BOOST_AUTO_TEST_CASE(keys_wrapped_with_associated_data) {
  const CK_OBJECT_HANDLE wrapper =
      generated(CKM_AES_KEY_GEN, aes_generation({CKA_WRAP, CKA_UNWRAP}).boolean(CKA_SENSITIVE, true));
  const CK_OBJECT_HANDLE target =
      created(aes_template({CKA_ENCRYPT}).boolean(CKA_SENSITIVE, true).boolean(CKA_EXTRACTABLE, true));
  Bytes aad = counted(13), nonce = counted(12), tag(16), wrapped(128);
  const auto parameter = [&](CK_MECHANISM_TYPE type, CK_GENERATOR_FUNCTION generator) {
    if (type == CKM_AES_GCM) {
      return Mechanism(type, CK_GCM_MESSAGE_PARAMS{nonce.data(), 12, 0, generator, tag.data(), 128});
    }
    return Mechanism(type, CK_CCM_MESSAGE_PARAMS{16, nonce.data(), 12, 0, generator, tag.data(), 16});
  };
  for (const CK_MECHANISM_TYPE type : {CKM_AES_GCM, CKM_AES_CCM}) {
    if (!has(type, CKF_WRAP | CKF_UNWRAP)) continue;
    BOOST_TEST_CONTEXT(cardea::constant_text(cardea::ConstantKind::CKM, type)) {
      CK_ULONG size = wrapped.size();
      CONTRACT_RV(module->C_WrapKeyAuthenticated(s, parameter(type, CKG_NO_GENERATE), wrapper, target, in(aad),
                                                 length(aad), wrapped.data(), &size),
                  CKR_KEY_NOT_WRAPPABLE);
      size = wrapped.size();
      CONTRACT_OK(module->C_WrapKeyAuthenticated(s, parameter(type, CKG_GENERATE_RANDOM), wrapper, target, in(aad),
                                                 length(aad), wrapped.data(), &size));
      BOOST_TEST(nonce != counted(12));
      BOOST_TEST(!holds(wrapped, counted(16)));
      Template attributes = object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_ENCRYPT, true);
      CK_OBJECT_HANDLE back = 0;
      const auto unwrap = [&](const Bytes& associated) {
        return module->C_UnwrapKeyAuthenticated(s, parameter(type, CKG_NO_GENERATE), wrapper, wrapped.data(), size,
                                                attributes.data(), attributes.size(), in(associated),
                                                length(associated), &back);
      };
      CONTRACT_RV(unwrap(aad), CKR_OK);
      BOOST_TEST(s.flag(back, CKA_SENSITIVE));
      const Mechanism ecb(CKM_AES_ECB);
      BOOST_TEST(s.encrypt(ecb, back, counted(16)).bytes == s.encrypt(ecb, target, counted(16)).bytes);
      BOOST_TEST(unwrap(counted(12)) != CKR_OK);
      tag[0] ^= 1;
      BOOST_TEST(unwrap(aad) != CKR_OK);
      nonce = counted(12);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
