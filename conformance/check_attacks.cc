// Sequences of calls that try to get a sensitive key in clear (Clulow 2003; Delaune, Kremer and Steel 2008; Bortolozzo,
// Centenaro, Focardi and Steel 2010, "Tookan"). Each attack must fail somewhere; where does not matter.
#include <optional>

#include "conformance/recipe.h"

namespace cardea::conformance {
namespace {

using p11::Bytes;

struct Stage {
  Context& context;
  const p11::Session& session;
  CK_OBJECT_HANDLE target;  ///< an AES-128 key made on the token, sensitive and extractable
};

p11::Template secret_key(std::initializer_list<CK_ATTRIBUTE_TYPE> usages) {
  p11::Template out;
  out.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_TOKEN, false);
  for (const CK_ATTRIBUTE_TYPE usage : usages) out.boolean(usage, true);
  return out;
}

std::optional<CK_OBJECT_HANDLE> generate(const Stage& t, std::initializer_list<CK_ATTRIBUTE_TYPE> usages,
                                         bool sensitive = true) {
  p11::Template attributes = secret_key(usages).ulong(CKA_VALUE_LEN, 16).boolean(CKA_SENSITIVE, sensitive);
  attributes.boolean(CKA_EXTRACTABLE, true).without(CKA_CLASS).without(CKA_KEY_TYPE);
  CK_OBJECT_HANDLE key = 0;
  if (t.session.generate(p11::Mechanism(CKM_AES_KEY_GEN), attributes, key) != CKR_OK) return std::nullopt;
  return key;
}

std::optional<CK_OBJECT_HANDLE> import(const Stage& t, const Bytes& value,
                                       std::initializer_list<CK_ATTRIBUTE_TYPE> usages) {
  CK_OBJECT_HANDLE key = 0;
  const p11::Template attributes = secret_key(usages).bytes(CKA_VALUE, value).boolean(CKA_SENSITIVE, false);
  if (t.session.create(attributes, key) != CKR_OK) return std::nullopt;
  return key;
}

/// Whether these 16 bytes are the target's value: a key made of them encrypts alike.
bool is_target(const Stage& t, const Bytes& candidate) {
  if (candidate.size() != 16) return false;
  const auto known = import(t, candidate, {CKA_ENCRYPT});
  if (!known) return false;
  const p11::Mechanism ecb(CKM_AES_ECB);
  const Bytes block(16, 0x5a);
  return t.session.encrypt(ecb, *known, block).bytes == t.session.encrypt(ecb, t.target, block).bytes;
}

void expect_hidden(const Stage& t, const std::string& attack, const Bytes& got) {
  for (std::size_t at = 0; at + 16 <= got.size(); ++at) {
    const Bytes window(got.begin() + static_cast<long>(at), got.begin() + static_cast<long>(at) + 16);
    if (t.context.expect(!is_target(t, window), attack + " gives the sensitive key in clear")) continue;
    return;
  }
}

struct WrapWay {
  const char* name;
  CK_MECHANISM_TYPE wrap;
  CK_MECHANISM_TYPE decrypt;
};
constexpr WrapWay ways[] = {{"ECB", CKM_AES_ECB, CKM_AES_ECB},
                            {"CBC", CKM_AES_CBC, CKM_AES_CBC},
                            {"CBC_PAD", CKM_AES_CBC_PAD, CKM_AES_CBC_PAD},
                            {"CTR", CKM_AES_CTR, CKM_AES_CTR},
                            {"GCM", CKM_AES_GCM, CKM_AES_GCM},
                            {"CCM", CKM_AES_CCM, CKM_AES_CCM},
                            {"KEY_WRAP", CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP},
                            {"KEY_WRAP by ECB", CKM_AES_KEY_WRAP, CKM_AES_ECB},
                            {"KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_PAD},
                            {"KEY_WRAP_KWP", CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_KWP}};

/// The mechanism with fixed parameters, as an attacker would choose them.
p11::Mechanism chosen(CK_MECHANISM_TYPE type, std::size_t length) {
  static const Bytes iv = sample_data(16);
  switch (type) {
    case CKM_AES_CBC:
    case CKM_AES_CBC_PAD:
      return {type, iv};
    case CKM_AES_CTR: {
      CK_AES_CTR_PARAMS counter{128, {}};
      std::memcpy(counter.cb, iv.data(), 16);
      return {type, counter};
    }
    case CKM_AES_GCM:
      return {type, CK_GCM_PARAMS{p11::in(iv), 12, 96, nullptr, 0, 128}};
    case CKM_AES_CCM:
      return {type, CK_CCM_PARAMS{length, p11::in(iv), 12, nullptr, 0, 16}};
    default:
      return p11::Mechanism(type);
  }
}

void wrap_and_decrypt(const Stage& t) {
  for (const WrapWay& way : ways) {
    const auto key = generate(t, {CKA_WRAP, CKA_DECRYPT});
    if (!key) continue;
    const auto wrapped = t.session.wrap(chosen(way.wrap, 16), *key, t.target);
    if (!wrapped.ok()) continue;
    expect_hidden(t, way.name, t.session.decrypt(chosen(way.decrypt, 16), *key, wrapped.bytes).bytes);
  }
}

/// The usages come one after the other instead of together.
void wrap_then_decrypt(const Stage& t) {
  for (const WrapWay& way : ways) {
    const auto key = generate(t, {CKA_WRAP});
    if (!key) continue;
    const auto wrapped = t.session.wrap(chosen(way.wrap, 16), *key, t.target);
    if (!wrapped.ok()) continue;
    p11::Template swap;
    swap.boolean(CKA_WRAP, false).boolean(CKA_DECRYPT, true);
    CK_OBJECT_HANDLE decryptor = *key;
    if (t.session.set(*key, swap) != CKR_OK && t.session.copy(*key, swap, decryptor) != CKR_OK) continue;
    expect_hidden(t, way.name, t.session.decrypt(chosen(way.decrypt, 16), decryptor, wrapped.bytes).bytes);
  }
}

void decrypt_then_wrap(const Stage& t) {
  for (const WrapWay& way : ways) {
    const auto key = generate(t, {CKA_DECRYPT});
    if (!key) continue;
    CK_OBJECT_HANDLE twin = 0;
    p11::Template more;
    more.boolean(CKA_WRAP, true);
    if (t.session.copy(*key, more, twin) != CKR_OK) continue;
    const auto wrapped = t.session.wrap(chosen(way.wrap, 16), twin, t.target);
    if (!wrapped.ok()) continue;
    expect_hidden(t, way.name, t.session.decrypt(chosen(way.decrypt, 16), *key, wrapped.bytes).bytes);
  }
}

void wrap_under_known_key(const Stage& t) {
  const Bytes known(16, 0x42);
  for (const WrapWay& way : ways) {
    const auto wrapper = import(t, known, {CKA_WRAP});
    const auto opener = import(t, known, {CKA_DECRYPT});
    if (!wrapper || !opener) continue;
    const auto wrapped = t.session.wrap(chosen(way.wrap, 16), *wrapper, t.target);
    if (!wrapped.ok()) continue;
    expect_hidden(t, way.name, t.session.decrypt(chosen(way.decrypt, 16), *opener, wrapped.bytes).bytes);
  }
}

/// A known key becomes a sensitive one of the token: encrypt its value, unwrap the ciphertext, wrap under the result.
void inject_wrapping_key(const Stage& t) {
  const Bytes known(16, 0x42);
  const auto carrier = generate(t, {CKA_ENCRYPT, CKA_UNWRAP});
  const auto opener = import(t, known, {CKA_DECRYPT});
  if (!carrier || !opener) return;
  for (const WrapWay& way : ways) {
    const auto forged = t.session.encrypt(chosen(way.wrap, 16), *carrier, known);
    if (!forged.ok()) continue;
    CK_OBJECT_HANDLE wrapper = 0;
    const p11::Template attributes = secret_key({CKA_WRAP});
    if (t.session.unwrap(chosen(way.wrap, 16), *carrier, forged.bytes, attributes, wrapper) != CKR_OK) continue;
    for (const WrapWay& second : ways) {
      const auto wrapped = t.session.wrap(chosen(second.wrap, 16), wrapper, t.target);
      if (!wrapped.ok()) continue;
      expect_hidden(t, second.name, t.session.decrypt(chosen(second.decrypt, 16), *opener, wrapped.bytes).bytes);
    }
  }
}

void unwrap_insensitive(const Stage& t) {
  for (const WrapWay& way : ways) {
    const auto key = generate(t, {CKA_WRAP, CKA_UNWRAP});
    if (!key) continue;
    const auto wrapped = t.session.wrap(chosen(way.wrap, 16), *key, t.target);
    if (!wrapped.ok()) continue;
    CK_OBJECT_HANDLE twin = 0;
    const p11::Template open = secret_key({}).boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
    if (t.session.unwrap(chosen(way.wrap, 16), *key, wrapped.bytes, open, twin) != CKR_OK) continue;
    expect_hidden(t, way.name, t.session.get(twin, CKA_VALUE).bytes);
  }
}

/// The target comes back with more rights than it had, and gives away another key.
void unwrap_with_new_usage(const Stage& t) {
  const auto key = generate(t, {CKA_WRAP, CKA_UNWRAP});
  if (!key) return;
  const auto wrapped = t.session.wrap(p11::Mechanism(CKM_AES_KEY_WRAP), *key, t.target);
  CK_OBJECT_HANDLE wrapper = 0, decryptor = 0;
  const p11::Mechanism way(CKM_AES_KEY_WRAP);
  if (!wrapped.ok() || t.session.unwrap(way, *key, wrapped.bytes, secret_key({CKA_WRAP}), wrapper) != CKR_OK) return;
  if (t.session.unwrap(way, *key, wrapped.bytes, secret_key({CKA_DECRYPT}), decryptor) != CKR_OK) return;
  for (const WrapWay& second : ways) {
    const auto twice = t.session.wrap(chosen(second.wrap, 16), wrapper, t.target);
    if (!twice.ok()) continue;
    expect_hidden(t, second.name, t.session.decrypt(chosen(second.decrypt, 16), decryptor, twice.bytes).bytes);
  }
}

void wrap_under_own_public_key(const Stage& t) {
  p11::Template public_half = pair_template(KeyKind::rsa).boolean(CKA_WRAP, true).boolean(CKA_TOKEN, false);
  p11::Template private_half;
  private_half.boolean(CKA_TOKEN, false).boolean(CKA_DECRYPT, true);
  CK_OBJECT_HANDLE wrapper = 0, opener = 0;
  if (t.session.generate_pair(p11::Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN), public_half, private_half, wrapper, opener) !=
      CKR_OK) {
    return;
  }
  const CK_RSA_PKCS_OAEP_PARAMS oaep{CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, nullptr, 0};
  for (const p11::Mechanism& way :
       {p11::Mechanism(CKM_RSA_PKCS), p11::Mechanism(CKM_RSA_PKCS_OAEP, oaep), p11::Mechanism(CKM_RSA_X_509)}) {
    const auto wrapped = t.session.wrap(way, wrapper, t.target);
    if (wrapped.ok()) expect_hidden(t, mechanism_name(way.type()), t.session.decrypt(way, opener, wrapped.bytes).bytes);
  }
}

/// Stream modes under one nonce: the key stream of a known plaintext opens the wrapped key.
void reuse_nonce(const Stage& t) {
  const auto key = generate(t, {CKA_WRAP, CKA_ENCRYPT});
  if (!key) return;
  for (const CK_MECHANISM_TYPE type : {CKM_AES_CTR, CKM_AES_GCM, CKM_AES_CCM}) {
    const auto wrapped = t.session.wrap(chosen(type, 16), *key, t.target);
    const auto stream = t.session.encrypt(chosen(type, 16), *key, Bytes(16, 0));
    if (!wrapped.ok() || !stream.ok() || wrapped.bytes.size() < 16) continue;
    Bytes clear(16);
    for (int i = 0; i < 16; ++i) clear[i] = wrapped.bytes[i] ^ stream.bytes[i];
    expect_hidden(t, mechanism_name(type), clear);
  }
}

void copy_open(const Stage& t) {
  CK_OBJECT_HANDLE twin = 0;
  p11::Template open;
  open.boolean(CKA_SENSITIVE, false);
  if (t.session.copy(t.target, open, twin) == CKR_OK) expect_hidden(t, "a copy", t.session.get(twin, CKA_VALUE).bytes);
  if (t.session.set(t.target, open) == CKR_OK) expect_hidden(t, "a change", t.session.get(t.target, CKA_VALUE).bytes);
  t.context.expect_rv("CKA_VALUE", t.session.get(t.target, CKA_VALUE).rv, {CKR_ATTRIBUTE_SENSITIVE});
}

/// Derivations whose answer holds the base key, or little enough of it to be guessed.
void derive_open(const Stage& t) {
  p11::Template base_template;
  base_template.ulong(CKA_VALUE_LEN, 16)
      .boolean(CKA_SENSITIVE, true)
      .boolean(CKA_DERIVE, true)
      .boolean(CKA_TOKEN, false);
  CK_OBJECT_HANDLE base = 0;
  if (t.session.generate(p11::Mechanism(CKM_GENERIC_SECRET_KEY_GEN), base_template, base) != CKR_OK) return;
  Bytes zeros(16, 0);
  const CK_KEY_DERIVATION_STRING_DATA data{zeros.data(), zeros.size()}, one{zeros.data(), 1};
  const p11::Mechanism derivations[] = {{CKM_XOR_BASE_AND_DATA, data},
                                        {CKM_XOR_BASE_AND_DATA, one},
                                        {CKM_CONCATENATE_BASE_AND_DATA, data},
                                        {CKM_CONCATENATE_DATA_AND_BASE, data},
                                        {CKM_EXTRACT_KEY_FROM_KEY, CK_EXTRACT_PARAMS{0}}};
  for (const p11::Mechanism& derivation : derivations) {
    for (const CK_ULONG length : {0UL, 1UL, 16UL}) {
      CK_OBJECT_HANDLE derived = 0;
      p11::Template open;
      open.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, false);
      open.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
      if (length != 0) open.ulong(CKA_VALUE_LEN, length);
      if (t.session.derive(derivation, base, open, derived) != CKR_OK) {
        // The same derivation as a key that stays inside, but so short that trying all values finds it.
        open.without(CKA_SENSITIVE).without(CKA_EXTRACTABLE);
        const bool made = t.session.derive(derivation, base, open, derived) == CKR_OK;
        t.context.expect(!made || t.session.number(derived, CKA_VALUE_LEN) >= 8,
                         mechanism_name(derivation.type()) + " cuts a sensitive key to pieces");
        continue;
      }
      t.context.expect(!t.session.get(derived, CKA_VALUE).ok(),
                       mechanism_name(derivation.type()) + " gives a sensitive key in clear");
    }
  }
}

/// A search must not confirm guesses of a value that cannot be read.
void search_by_value(const Stage& t) {
  const Bytes value(16, 0x77);
  CK_OBJECT_HANDLE key = 0;
  const p11::Template attributes =
      secret_key({}).bytes(CKA_VALUE, value).boolean(CKA_SENSITIVE, true).text(CKA_LABEL, "conformance guess");
  t.context.require_ok("C_CreateObject", t.session.create(attributes, key));
  p11::Template guess;
  guess.text(CKA_LABEL, "conformance guess").bytes(CKA_VALUE, value);
  t.context.expect(t.session.find(guess).empty(), "a search by CKA_VALUE finds a sensitive key");
}

void private_key_parts(const Stage& t) {
  p11::Template private_half;
  private_half.boolean(CKA_TOKEN, false)
      .boolean(CKA_SENSITIVE, true)
      .boolean(CKA_EXTRACTABLE, true)
      .boolean(CKA_SIGN, true);
  CK_OBJECT_HANDLE a = 0, b = 0;
  p11::Template public_half = pair_template(KeyKind::rsa).boolean(CKA_TOKEN, false);
  t.context.require_ok("C_GenerateKeyPair", t.session.generate_pair(p11::Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN),
                                                                    public_half, private_half, a, b));
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT}) {
    t.context.expect_rv("attribute " + std::to_string(type), t.session.get(b, type).rv, {CKR_ATTRIBUTE_SENSITIVE});
  }
  // A private key leaves as PKCS#8, whose first byte after opening is a SEQUENCE.
  const Bytes known(16, 0x42);
  const auto wrapper = import(t, known, {CKA_WRAP}), opener = import(t, known, {CKA_DECRYPT});
  if (!wrapper || !opener) return;
  for (const WrapWay& way : ways) {
    const auto wrapped = t.session.wrap(chosen(way.wrap, 16), *wrapper, b);
    if (!wrapped.ok()) continue;
    const auto clear = t.session.decrypt(chosen(way.decrypt, wrapped.bytes.size() - 16), *opener, wrapped.bytes);
    t.context.expect(clear.bytes.empty() || clear.bytes[0] != 0x30,
                     std::string(way.name) + " gives a private key in clear");
  }
}

}  // namespace

void check_attacks(Context& context) {
  const auto step = [&](const std::string& name, void (*body)(const Stage&)) {
    context.step(name, [&] {
      const auto session = context.user_session();
      Stage stage{context, *session, 0};
      if ((context.module().mechanism_flags(context.slot(), CKM_AES_KEY_GEN) & CKF_GENERATE) == 0)
        context.skip("no AES keys");
      const auto target = generate(stage, {CKA_ENCRYPT});
      context.require(target.has_value(), "no sensitive extractable key can be made");
      stage.target = *target;
      body(stage);
    });
  };
  step("wrap_and_decrypt", wrap_and_decrypt);
  step("wrap_then_decrypt", wrap_then_decrypt);
  step("decrypt_then_wrap", decrypt_then_wrap);
  step("wrap_under_known_key", wrap_under_known_key);
  step("inject_wrapping_key", inject_wrapping_key);
  step("unwrap_insensitive", unwrap_insensitive);
  step("unwrap_with_new_usage", unwrap_with_new_usage);
  step("wrap_under_own_public_key", wrap_under_own_public_key);
  step("reuse_nonce", reuse_nonce);
  step("copy_open", copy_open);
  step("derive_open", derive_open);
  step("search_by_value", search_by_value);
  step("private_key_parts", private_key_parts);
}

}  // namespace cardea::conformance
