// Every mechanism in the list does what each of its flags says: data in and out. Keys are in check_mechanisms_keys.cc.
#include "conformance/check_mechanisms.h"

#include <algorithm>
#include <set>

namespace cardea::conformance {
namespace {

using p11::Bytes;

/// Data that the mechanism takes; raw RSA wants the modulus' length.
Bytes input_of(const Recipe& recipe) {
  return sample_data(recipe.input);
}

template <typename Update, typename Final>
p11::Output in_parts(const Bytes& data, Update update, Final final) {
  p11::Output whole{CKR_OK, {}};
  const std::size_t cuts[] = {0, std::min<std::size_t>(1, data.size()), std::min<std::size_t>(20, data.size()),
                              data.size()};
  constexpr std::size_t longest_signature = 49856;  // of SLH-DSA-SHA2-256f (FIPS 205, table 2)
  Bytes buffer(data.size() + longest_signature);
  for (int i = 0; i < 3 && whole.ok(); ++i) {
    CK_ULONG size = buffer.size();
    whole.rv = update(p11::in(data) + cuts[i], cuts[i + 1] - cuts[i], buffer.data(), &size);
    if (whole.ok()) whole.bytes.insert(whole.bytes.end(), buffer.begin(), buffer.begin() + static_cast<long>(size));
  }
  if (!whole.ok()) return whole;
  CK_ULONG size = buffer.size();
  whole.rv = final(buffer.data(), &size);
  if (whole.ok()) whole.bytes.insert(whole.bytes.end(), buffer.begin(), buffer.begin() + static_cast<long>(size));
  return whole;
}

void try_cipher(const Trial& t) {
  const KeyPair key = t.ring.key(t.recipe.key, CKF_ENCRYPT | CKF_DECRYPT, t.key_size);
  const Bytes data = input_of(t.recipe);
  const Parameters there(t.recipe, t.ring, data.size());
  const p11::Output out = t.session().encrypt(there.mechanism(), key.encryptor, data);
  t.context.require_ok("C_Encrypt", out.rv);
  t.context.expect(out.bytes != data, "the ciphertext is the plaintext");
  const p11::Output back = t.session().decrypt(there.mechanism(), key.decryptor, out.bytes);
  t.context.require_ok("C_Decrypt", back.rv);
  t.context.expect(back.bytes == data, "decryption gives other data");
  if (!t.recipe.multi_part) return;
  const CK_SESSION_HANDLE s = t.session();
  p11::Mechanism mechanism = there.mechanism();
  t.context.require_ok("C_EncryptInit", t.module()->C_EncryptInit(s, mechanism, key.encryptor));
  const auto parts = in_parts(
      data, [&](auto* p, auto n, auto* o, auto* l) { return t.module()->C_EncryptUpdate(s, p, n, o, l); },
      [&](auto* o, auto* l) { return t.module()->C_EncryptFinal(s, o, l); });
  t.context.require_ok("encryption in parts", parts.rv);
  t.context.expect(parts.bytes == out.bytes, "encryption in parts differs from one part");
  t.context.require_ok("C_DecryptInit", t.module()->C_DecryptInit(s, mechanism, key.decryptor));
  const auto plain = in_parts(
      out.bytes, [&](auto* p, auto n, auto* o, auto* l) { return t.module()->C_DecryptUpdate(s, p, n, o, l); },
      [&](auto* o, auto* l) { return t.module()->C_DecryptFinal(s, o, l); });
  t.context.require_ok("decryption in parts", plain.rv);
  t.context.expect(plain.bytes == data, "decryption in parts gives other data");
}

void try_signature(const Trial& t) {
  const KeyPair key = t.ring.key(t.recipe.key, CKF_SIGN | CKF_VERIFY, t.key_size);
  const Bytes data = input_of(t.recipe);
  const Parameters there(t.recipe, t.ring, data.size());
  const p11::Output signature = t.session().sign(there.mechanism(), key.decryptor, data);
  t.context.require_ok("C_Sign", signature.rv);
  t.context.require_ok("C_Verify", t.session().verify(there.mechanism(), key.encryptor, data, signature.bytes));
  Bytes wrong = signature.bytes;
  wrong.back() ^= 1;
  t.context.expect_rv("C_Verify of a changed signature",
                      t.session().verify(there.mechanism(), key.encryptor, data, wrong), {CKR_SIGNATURE_INVALID});
  wrong = signature.bytes;
  wrong.pop_back();
  t.context.expect_rv("C_Verify of a short signature",
                      t.session().verify(there.mechanism(), key.encryptor, data, wrong),
                      {CKR_SIGNATURE_LEN_RANGE, CKR_SIGNATURE_INVALID});
  if (!t.recipe.multi_part) return;
  const CK_SESSION_HANDLE s = t.session();
  p11::Mechanism mechanism = there.mechanism();
  const auto ignore_output = [](auto call) {
    return [call](auto* p, auto n, auto*, CK_ULONG* l) { return *l = 0, call(p, n); };
  };
  t.context.require_ok("C_SignInit", t.module()->C_SignInit(s, mechanism, key.decryptor));
  const auto parts = in_parts(data, ignore_output([&](auto* p, auto n) { return t.module()->C_SignUpdate(s, p, n); }),
                              [&](auto* o, auto* l) { return t.module()->C_SignFinal(s, o, l); });
  t.context.require_ok("signature in parts", parts.rv);
  t.context.require_ok("C_VerifyInit", t.module()->C_VerifyInit(s, mechanism, key.encryptor));
  const auto verified =
      in_parts(data, ignore_output([&](auto* p, auto n) { return t.module()->C_VerifyUpdate(s, p, n); }),
               [&](auto*, CK_ULONG* l) {
                 *l = 0;
                 return t.module()->C_VerifyFinal(s, p11::in(parts.bytes), parts.bytes.size());
               });
  t.context.require_ok("verification in parts", verified.rv);
}

void try_recover(const Trial& t) {
  const KeyPair key = t.ring.key(t.recipe.key, CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER, t.key_size);
  const Bytes data = input_of(t.recipe);
  const CK_SESSION_HANDLE s = t.session();
  Parameters there(t.recipe, t.ring, data.size());
  p11::Mechanism mechanism = there.mechanism();
  t.context.require_ok("C_SignRecoverInit", t.module()->C_SignRecoverInit(s, mechanism, key.decryptor));
  const auto signature =
      p11::fetch([&](auto* o, auto* l) { return t.module()->C_SignRecover(s, p11::in(data), data.size(), o, l); });
  t.context.require_ok("C_SignRecover", signature.rv);
  t.context.require_ok("C_VerifyRecoverInit", t.module()->C_VerifyRecoverInit(s, mechanism, key.encryptor));
  const auto back = p11::fetch([&](auto* o, auto* l) {
    return t.module()->C_VerifyRecover(s, p11::in(signature.bytes), signature.bytes.size(), o, l);
  });
  t.context.require_ok("C_VerifyRecover", back.rv);
  t.context.expect(back.bytes == data, "the recovered data differ");
}

void try_digest(const Trial& t) {
  const Bytes data = input_of(t.recipe);
  const Parameters there(t.recipe, t.ring, data.size());
  const p11::Output out = t.session().digest(there.mechanism(), data);
  t.context.require_ok("C_Digest", out.rv);
  t.context.require(out.bytes.size() >= 16, "a digest of " + std::to_string(out.bytes.size()) + " bytes");
  const CK_SESSION_HANDLE s = t.session();
  p11::Mechanism mechanism = there.mechanism();
  t.context.require_ok("C_DigestInit", t.module()->C_DigestInit(s, mechanism));
  const auto parts = in_parts(
      data, [&](auto* p, auto n, auto*, CK_ULONG* l) { return *l = 0, t.module()->C_DigestUpdate(s, p, n); },
      [&](auto* o, auto* l) { return t.module()->C_DigestFinal(s, o, l); });
  t.context.require_ok("digest in parts", parts.rv);
  t.context.expect(parts.bytes == out.bytes, "a digest in parts differs from one part");
}

/// What a mechanism does not list it must not do (PKCS#11 3.2, 5.1: CKR_MECHANISM_INVALID).
void try_unlisted(const Trial& t, CK_FLAGS flags) {
  const CK_SESSION_HANDLE s = t.session();
  const Parameters there(t.recipe, t.ring, t.recipe.input);
  p11::Mechanism mechanism = there.mechanism();
  if ((flags & CKF_DIGEST) == 0) {
    t.context.expect(t.module()->C_DigestInit(s, mechanism) != CKR_OK, "C_DigestInit works without CKF_DIGEST");
  }
  if (t.recipe.key == KeyKind::none || (flags & (CKF_GENERATE | CKF_GENERATE_KEY_PAIR)) != 0) return;
  if ((flags & CKF_ENCRYPT) == 0 && !(t.recipe.key >= KeyKind::ec)) {
    const KeyPair key = t.ring.key(t.recipe.key, CKF_ENCRYPT | CKF_DECRYPT);
    t.context.expect(t.module()->C_EncryptInit(s, mechanism, key.encryptor) != CKR_OK,
                     "C_EncryptInit works without CKF_ENCRYPT");
  }
  if ((flags & CKF_SIGN) == 0 && t.recipe.key != KeyKind::montgomery && t.recipe.key != KeyKind::ml_kem) {
    const KeyPair key = t.ring.key(t.recipe.key, CKF_SIGN | CKF_VERIFY);
    t.context.expect(t.module()->C_SignInit(s, mechanism, key.decryptor) != CKR_OK,
                     "C_SignInit works without CKF_SIGN");
  }
}

struct Trying {
  CK_FLAGS flags;  ///< any of them
  const char* name;
  void (*run)(const Trial&);
};
const Trying tryings[] = {{CKF_DIGEST, "digest", try_digest},
                          {CKF_ENCRYPT | CKF_DECRYPT, "encrypt", try_cipher},
                          {CKF_SIGN | CKF_VERIFY, "sign", try_signature},
                          {CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER, "recover", try_recover},
                          {CKF_GENERATE, "generate", try_generate},
                          {CKF_GENERATE_KEY_PAIR, "generate_pair", try_generate_pair},
                          {CKF_WRAP | CKF_UNWRAP, "wrap", try_wrap},
                          {CKF_DERIVE, "derive", try_derive},
                          {CKF_ENCAPSULATE | CKF_DECAPSULATE, "encapsulate", try_encapsulate}};
constexpr CK_FLAGS both_directions[] = {CKF_ENCRYPT | CKF_DECRYPT, CKF_SIGN | CKF_VERIFY,
                                        CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER, CKF_WRAP | CKF_UNWRAP,
                                        CKF_ENCAPSULATE | CKF_DECAPSULATE};

/// Secret-key ciphers and MACs at both ends of their key sizes (in bytes), as far as a key of that size is sensible.
std::vector<std::size_t> key_sizes(const Recipe& recipe, const CK_MECHANISM_INFO& info, CK_FLAGS flags) {
  const bool sized = recipe.key == KeyKind::aes || recipe.key == KeyKind::aes_xts || recipe.key == KeyKind::generic;
  if (!sized || (flags & (CKF_ENCRYPT | CKF_SIGN)) == 0 || info.ulMinKeySize == 0) return {0};
  constexpr CK_ULONG largest = 4096;
  std::vector<std::size_t> sizes = {info.ulMinKeySize};
  if (info.ulMaxKeySize != info.ulMinKeySize && info.ulMaxKeySize <= largest) sizes.push_back(info.ulMaxKeySize);
  return sizes;
}

void check_one(Context& context, KeyRing& ring, CK_MECHANISM_TYPE type, const CK_MECHANISM_INFO& info) {
  const std::string name = mechanism_name(type);
  const Recipe* recipe = find_recipe(type);
  if (recipe == nullptr) {
    context.step(name, [&] { context.skip("this program does not know the mechanism"); });
    return;
  }
  for (const Trying& trying : tryings) {
    if ((info.flags & trying.flags) == 0) continue;
    for (const std::size_t size : key_sizes(*recipe, info, trying.flags)) {
      const std::string suffix = size == 0 ? "" : "/" + std::to_string(size);
      context.step(name + "/" + trying.name + suffix, [&] {
        for (const CK_FLAGS both : both_directions) {
          const CK_FLAGS here = info.flags & both;
          if (trying.flags == both && here != both) context.skip("only one direction is listed");
        }
        trying.run(Trial{context, ring, *recipe, info, size});
      });
    }
  }
  context.step(name + "/unlisted", [&] { try_unlisted(Trial{context, ring, *recipe, info, 0}, info.flags); });
}

}  // namespace

void check_mechanisms(Context& context) {
  const auto session = context.user_session();
  const CK_SLOT_ID slot = context.slot();
  const std::vector<CK_MECHANISM_TYPE> list = context.module().mechanisms(slot);
  context.step("list", [&] {
    context.require(!list.empty(), "the mechanism list is empty");
    const std::set<CK_MECHANISM_TYPE> unique(list.begin(), list.end());
    context.expect(unique.size() == list.size(), "a mechanism is listed twice");
    // Unused entries at the end of a list look like CKM_RSA_PKCS_KEY_PAIR_GEN, whose value is 0.
    context.expect(std::count(list.begin(), list.end(), CK_MECHANISM_TYPE{0}) <= 1, "the list is padded with zeros");
    CK_MECHANISM_INFO info{};
    context.expect_rv("C_GetMechanismInfo of an unknown mechanism",
                      context.module()->C_GetMechanismInfo(slot, 0x7ffffff0, &info), {CKR_MECHANISM_INVALID});
  });
  KeyRing ring(context, *session);
  for (const CK_MECHANISM_TYPE type : list) {
    CK_MECHANISM_INFO info{};
    const CK_RV rv = context.module()->C_GetMechanismInfo(slot, type, &info);
    if (rv != CKR_OK) {
      context.step(mechanism_name(type), [&] { context.require_ok("C_GetMechanismInfo of a listed mechanism", rv); });
      continue;
    }
    check_one(context, ring, type, info);
  }
}

}  // namespace cardea::conformance
