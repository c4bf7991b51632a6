// The manager's key token over a real PKCS#11 token: our keystore, and SoftHSM2 as another maker's module
// (CARDEA_KEY_TOKEN=softhsm).
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "base/testing.h"
#include "contract/p11.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "keys/pin_source.h"
#include "keys/pkcs11_key_token.h"

using namespace cardea;
using cardea::testing::must;
using manager::SecretKeyUse;
using manager::SignatureScheme;
using manager::SigningKey;
using manager::SigningKeyType;

namespace {

bool other_maker() {
  const char* kind = std::getenv("CARDEA_KEY_TOKEN");
  return kind != nullptr && std::string_view(kind) == "softhsm";
}

// A token with a user PIN in a file, and the key token over it.
struct Setting {
  Setting() {
    if (other_maker()) {
      const auto tokens = folder.path() / "tokens";
      std::filesystem::create_directory(tokens);
      std::ofstream(folder.path() / "softhsm2.conf")
          << "directories.tokendir = " << tokens.string() << "\nlog.level = ERROR\n";
      setenv("SOFTHSM2_CONF", (folder.path() / "softhsm2.conf").c_str(), 1);
    }
    {
      const p11::Module module(kind.module_path());
      BOOST_REQUIRE_EQUAL(module.initialize(), CKR_OK);
      kind.make_token(module, "manager");
      module->C_Finalize(nullptr);
    }
    write_pin(kind.user_pin());
    token = keys::make_key_token({kind.module_path(), "manager", pin_file()});
  }
  std::string pin_file() const { return folder.path() / "pin"; }
  void write_pin(const std::string& pin) const {
    std::ofstream(pin_file()) << pin << "\n";
    chmod(pin_file().c_str(), 0600);
  }

  p11::KeystoreKind kind;
  p11::TemporaryDirectory folder;
  std::unique_ptr<manager::KeyToken> token;
};

Hash hash_of(SignatureScheme scheme) {
  constexpr Hash hashes[]{Hash::sha256, Hash::sha384, Hash::sha512};
  return hashes[static_cast<std::size_t>(scheme) % 3];
}

// DigestInfo (RFC 8017, 9.2) of SHA-256, SHA-384 and SHA-512.
Bytes digest_info(Hash hash, ByteView digest) {
  const Byte arc = crypto::hash_nist_arc(hash);
  const auto size = static_cast<Byte>(digest.size());
  Bytes out{0x30, static_cast<Byte>(0x11 + size),
            0x30, 0x0d,
            0x06, 0x09,
            0x60, 0x86,
            0x48, 0x01,
            0x65, 0x03,
            0x04, 0x02,
            arc,  0x05,
            0x00, 0x04,
            size};
  out.insert(out.end(), digest.begin(), digest.end());
  return out;
}

Bytes raw_ecdsa(ByteView der, std::size_t half) {
  crypto::DerReader outer(der);
  crypto::DerReader inner(outer.take(crypto::der_sequence).value());
  Bytes out;
  for (int i = 0; i < 2; ++i) {
    const ByteView number = inner.take_unsigned().value();
    out.insert(out.end(), half - number.size(), 0);
    out.insert(out.end(), number.begin(), number.end());
  }
  return out;
}

Status verify(const SigningKey& key, SignatureScheme scheme, ByteView message, ByteView signature) {
  const crypto::AsymmetricKeyPtr spki = must(crypto::from_subject_public_key_info(key.public_key));
  if (scheme >= SignatureScheme::ml_dsa_44) return spki->verify_message({}, message, signature);
  const Hash hash = hash_of(scheme);
  const Bytes digest = must(crypto::digest(hash, message));
  if (scheme >= SignatureScheme::ecdsa_sha256) {
    return spki->ecdsa_verify(digest, raw_ecdsa(signature, (spki->size() + 7) / 8));
  }
  if (scheme >= SignatureScheme::rsa_pss_sha256) {
    return spki->verify_pss(hash, hash, crypto::hash_size(hash), digest, signature);
  }
  return spki->verify_pkcs1(digest_info(hash, digest), signature);
}

Bytes octets(const SecretBytes& secret) {
  return to_bytes(secret.view());
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(every_kind_of_key_signs_by_every_scheme_that_fits, Setting) {
  BOOST_TEST(token->check().ok());
  const Bytes message(1000, 0x5a);
  int types = 0;
  for (std::size_t i = 0; i < manager::signing_key_type_count; ++i) {
    const auto type = static_cast<SigningKeyType>(i);
    if (!token->supports(type)) continue;
    ++types;
    const std::string name(word(type));
    const SigningKey made = must(token->generate_signing_key(name, type));
    const SigningKey found = must(token->signing_key(name));
    BOOST_TEST((found.type == type));
    BOOST_TEST(found.public_key == made.public_key);
    for (std::size_t j = 0; j < manager::signature_scheme_count; ++j) {
      const auto scheme = static_cast<SignatureScheme>(j);
      if (!fits(type, scheme)) continue;
      Bytes signature = must(token->sign(name, scheme, message));
      BOOST_TEST(verify(found, scheme, message, signature).ok(), name << " " << word(scheme));
    }
  }
  BOOST_TEST(types >= 6);
  BOOST_TEST((token->generate_signing_key("p-256", SigningKeyType::p256).code() == Code::exists));
  BOOST_TEST(!token->sign("p-256", SignatureScheme::rsa_pkcs1_sha256, message));
}

BOOST_FIXTURE_TEST_CASE(names_are_checked_and_absent_keys_are_not_found, Setting) {
  const Bytes message(3, 1);
  for (const std::string& name : {std::string(), std::string(65, 'a'), std::string("a\nb"), std::string("\xc3\xa4")}) {
    BOOST_TEST((token->generate_signing_key(name, SigningKeyType::p256).code() == Code::arguments_bad));
    BOOST_TEST((token->sign(name, SignatureScheme::ecdsa_sha256, message).code() == Code::arguments_bad));
    BOOST_TEST((token->ensure_secret_key(name, SecretKeyUse::wrap).code() == Code::arguments_bad));
  }
  BOOST_TEST((token->signing_key("none").code() == Code::not_found));
  BOOST_TEST((token->sign("none", SignatureScheme::ecdsa_sha256, message).code() == Code::not_found));
  BOOST_TEST((token->destroy_key("none").code() == Code::not_found));
  BOOST_TEST((token->derive("none", "l", message, 16).code() == Code::not_found));
}

BOOST_FIXTURE_TEST_CASE(derived_secrets_follow_the_standard_and_depend_on_every_input, Setting) {
  BOOST_REQUIRE(token->ensure_secret_key("master", SecretKeyUse::derive).ok());
  BOOST_REQUIRE(token->ensure_secret_key("master", SecretKeyUse::derive).ok());
  const Bytes context{1, 2, 3};
  const Bytes secret = octets(must(token->derive("master", "admin-key", context, 40)));
  BOOST_TEST(secret.size() == 40u);
  BOOST_TEST(octets(must(token->derive("master", "admin-key", context, 40))) == secret);
  const Bytes other = octets(must(token->derive("master", "admin-key", context, 24)));
  BOOST_TEST(!std::equal(other.begin(), other.end(), secret.begin()));
  BOOST_TEST(octets(must(token->derive("master", "puk", context, 40))) != secret);
  BOOST_TEST(octets(must(token->derive("master", "admin-key", Bytes{1, 2}, 40))) != secret);
  BOOST_TEST((token->derive("master", "admin-key", context, 0).code() == Code::arguments_bad));
  BOOST_TEST((token->derive("master", "admin-key", context, 1025).code() == Code::arguments_bad));
  BOOST_TEST((token->derive("master", std::string_view("a\0b", 3), context, 16).code() == Code::arguments_bad));

  // The same by hand (SP 800-108r1, 4.1).
  const p11::Module module(kind.module_path());
  BOOST_REQUIRE_EQUAL(module.initialize(), CKR_CRYPTOKI_ALREADY_INITIALIZED);
  for (const CK_SLOT_ID slot : module.slots()) {
    const p11::Session session(module, slot);
    p11::Template wanted;
    const auto found = session.find(wanted.text(CKA_LABEL, "master"));
    if (found.empty()) continue;
    Bytes input{0, 0, 0, 2};
    for (const char c : std::string_view("admin-key")) input.push_back(static_cast<Byte>(c));
    input.insert(input.end(), {0, 1, 2, 3, 0, 0, 1, 64});
    const auto second = session.sign(p11::Mechanism(CKM_AES_CMAC), found.front(), input);
    BOOST_REQUIRE_EQUAL(second.rv, CKR_OK);
    BOOST_TEST((Bytes(secret.begin() + 16, secret.begin() + 32) == second.bytes));
    BOOST_TEST(session.flag(found.front(), CKA_SENSITIVE));
    BOOST_TEST(!session.flag(found.front(), CKA_EXTRACTABLE, true));
    return;
  }
  BOOST_FAIL("the master key was not found by hand");
}

BOOST_FIXTURE_TEST_CASE(wrapped_secrets_open_only_unchanged_and_where_they_belong, Setting) {
  BOOST_REQUIRE(token->ensure_secret_key("archive", SecretKeyUse::wrap).ok());
  BOOST_REQUIRE(token->ensure_secret_key("other", SecretKeyUse::wrap).ok());
  BOOST_REQUIRE(token->ensure_secret_key("master", SecretKeyUse::derive).ok());
  const Bytes bound{7, 7};
  for (const std::size_t size : {std::size_t{1}, std::size_t{32}, std::size_t{65536}}) {
    const SecretBytes secret = must(token->random(size));
    const Bytes sealed = must(token->wrap("archive", secret, bound));
    BOOST_TEST(octets(must(token->unwrap("archive", sealed, bound))) == octets(secret));
  }
  const SecretBytes secret = must(token->random(32));
  const Bytes sealed = must(token->wrap("archive", secret, bound));
  BOOST_TEST(must(token->wrap("archive", secret, bound)) != sealed);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 0x10;
    BOOST_TEST((token->unwrap("archive", changed, bound).code() == Code::encrypted_data_invalid), i);
    BOOST_TEST((token->unwrap("archive", ByteView(sealed).first(i), bound).code() == Code::encrypted_data_invalid), i);
  }
  BOOST_TEST((token->unwrap("archive", sealed, Bytes{7}).code() == Code::encrypted_data_invalid));
  BOOST_TEST((token->unwrap("other", sealed, bound).code() == Code::encrypted_data_invalid));
  BOOST_TEST((token->wrap("archive", SecretBytes(65537), bound).code() == Code::data_length));
  BOOST_TEST((token->wrap("archive", SecretBytes(), bound).code() == Code::data_length));
  BOOST_TEST(!token->wrap("master", secret, bound));
  BOOST_TEST(!token->derive("archive", "l", bound, 16));
  BOOST_TEST(octets(must(token->unwrap("archive", sealed, bound))) == octets(secret));
}

BOOST_FIXTURE_TEST_CASE(a_lost_login_and_a_finalised_module_come_back_by_themselves, Setting) {
  must(token->generate_signing_key("ca", SigningKeyType::p256));
  const Bytes message(3, 1);
  const p11::Module module(kind.module_path());
  BOOST_REQUIRE_EQUAL(module.initialize(), CKR_CRYPTOKI_ALREADY_INITIALIZED);
  for (const CK_SLOT_ID slot : module.slots()) module->C_CloseAllSessions(slot);
  BOOST_TEST(token->sign("ca", SignatureScheme::ecdsa_sha256, message).ok());
  module->C_Finalize(nullptr);
  BOOST_TEST(token->sign("ca", SignatureScheme::ecdsa_sha256, message).ok());
  module->C_Finalize(nullptr);
  BOOST_TEST(token->check().ok());
}

BOOST_FIXTURE_TEST_CASE(many_threads_share_the_token_while_it_is_lost_again_and_again, Setting) {
  const SigningKey key = must(token->generate_signing_key("ca", SigningKeyType::p256));
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const Bytes message{static_cast<Byte>(t), static_cast<Byte>(i)};
        if (!token->sign("ca", SignatureScheme::ecdsa_sha256, message)) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(failures == 0);
}

BOOST_FIXTURE_TEST_CASE(a_refused_pin_is_sent_once_only, Setting) {
  write_pin("654321");
  for (int i = 0; i < 6; ++i) BOOST_TEST((token->check().code() == Code::pin_incorrect));
  write_pin(kind.user_pin());
  BOOST_TEST(token->check().ok());
}

BOOST_FIXTURE_TEST_CASE(pin_sources_that_are_unsafe_or_empty_are_refused, Setting) {
  BOOST_TEST((keys::read_pin(folder.path() / "none").code() == Code::not_found));
  BOOST_TEST((keys::read_pin(folder.path()).code() == Code::permission_denied));
  BOOST_TEST((keys::read_pin("credential:pin").code() == Code::not_found));
  BOOST_TEST((keys::read_pin("credential:../pin").code() == Code::not_found));
  setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  BOOST_TEST(keys::read_pin("credential:pin").ok());
  unsetenv("CREDENTIALS_DIRECTORY");
  write_pin("");
  BOOST_TEST((keys::read_pin(pin_file()).code() == Code::user_pin_not_initialized));
  write_pin(std::string(1025, '1'));
  BOOST_TEST((keys::read_pin(pin_file()).code() == Code::pin_length));
  write_pin(std::string(1024, '1'));
  BOOST_TEST(must(keys::read_pin(pin_file())).size() == 1024u);
  chmod(pin_file().c_str(), 0644);
  BOOST_TEST((keys::read_pin(pin_file()).code() == Code::permission_denied));
}

BOOST_FIXTURE_TEST_CASE(a_destroyed_key_is_gone, Setting) {
  must(token->generate_signing_key("ca", SigningKeyType::p256));
  BOOST_TEST(token->destroy_key("ca").ok());
  BOOST_TEST((token->sign("ca", SignatureScheme::ecdsa_sha256, Bytes{1}).code() == Code::not_found));
  BOOST_TEST(token->generate_signing_key("ca", SigningKeyType::p384).ok());
}

BOOST_FIXTURE_TEST_CASE(a_missing_token_or_module_is_told_in_words, Setting) {
  const auto absent = keys::make_key_token({kind.module_path(), "nobody", pin_file()});
  BOOST_TEST((absent->check().code() == Code::token_absent));
  const auto no_module = keys::make_key_token({"/nonexistent.so", "manager", pin_file()});
  BOOST_TEST((no_module->check().code() == Code::not_found));
  const auto by_uri = keys::make_key_token({kind.module_path(), "pkcs11:token=manager", pin_file()});
  BOOST_TEST(by_uri->check().ok());
}
