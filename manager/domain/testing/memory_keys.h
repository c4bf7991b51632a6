// A key token in memory for tests of the domain.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "crypto/aead.h"
#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "domain/key_token.h"

namespace cardea::manager::testing {

/// Derivation is HMAC over label and context: as good as any for what the domain does with it.
class MemoryKeys : public KeyToken {
 public:
  Status check() override { return {}; }
  bool supports(SigningKeyType type) override { return type == SigningKeyType::p256; }
  Result<SigningKey> signing_key(std::string_view name) override {
    const auto found = pairs_.find(std::string(name));
    if (found == pairs_.end()) return error(Code::not_found);
    CARDEA_ASSIGN(Bytes spki, crypto::subject_public_key_info(*found->second));
    return SigningKey{std::string(name), SigningKeyType::p256, std::move(spki)};
  }
  Result<SigningKey> generate_signing_key(std::string_view name, SigningKeyType) override {
    if (pairs_.contains(std::string(name))) return error(Code::exists);
    CARDEA_ASSIGN(pairs_[std::string(name)], crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
    return signing_key(name);
  }
  Result<Bytes> sign(std::string_view name, SignatureScheme, ByteView message) override {
    CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, message));
    const auto found = pairs_.find(std::string(name));
    if (found == pairs_.end()) return error(Code::not_found);
    Bytes flat(64);
    CARDEA_ASSIGN(const std::size_t size, found->second->ecdsa_sign(digest, flat));
    const Bytes r = crypto::der_integer<Bytes>(ByteView(flat).first(size / 2));
    const Bytes s = crypto::der_integer<Bytes>(ByteView(flat).last(size / 2));
    return crypto::der<Bytes>(crypto::der_sequence, {r, s});
  }
  Status ensure_secret_key(std::string_view name, SecretKeyUse) override {
    Bytes& key = secrets_[std::string(name)];
    if (!key.empty()) return {};
    key.resize(32);
    return crypto::random_bytes(key);
  }
  Result<SecretBytes> derive(std::string_view name, std::string_view label, ByteView context,
                             std::size_t length) override {
    SecretBytes out(length);
    for (std::size_t block = 0; block * 32 < length; ++block) {
      Bytes input = {static_cast<Byte>(block)};
      input.insert(input.end(), label.begin(), label.end());
      input.push_back(0);
      input.insert(input.end(), context.begin(), context.end());
      CARDEA_ASSIGN(const SecretBytes part, crypto::hmac(Hash::sha256, secrets_.at(std::string(name)), input));
      std::copy_n(part.data(), std::min<std::size_t>(32, length - block * 32), out.data() + block * 32);
    }
    return out;
  }
  Result<Bytes> wrap(std::string_view name, const SecretBytes& secret, ByteView bound) override {
    Bytes out(12);
    CARDEA_TRY(crypto::random_bytes(out));
    CARDEA_ASSIGN(const Bytes sealed, crypto::aead_seal(secrets_.at(std::string(name)), out, bound, secret.view()));
    out.insert(out.end(), sealed.begin(), sealed.end());
    return out;
  }
  Result<SecretBytes> unwrap(std::string_view name, ByteView sealed, ByteView bound) override {
    if (before_unwrap) before_unwrap();
    auto opened = crypto::aead_open(secrets_.at(std::string(name)), sealed.first(12), bound, sealed.subspan(12));
    if (!opened) return error(Code::encrypted_data_invalid);
    return opened;
  }
  Status destroy_key(std::string_view name) override {
    const std::size_t gone = secrets_.erase(std::string(name)) + pairs_.erase(std::string(name));
    return gone == 0 ? Status(error(Code::not_found)) : Status();
  }
  Result<SecretBytes> random(std::size_t size) override {
    SecretBytes out(size);
    CARDEA_TRY(crypto::random_bytes(out.mutable_view()));
    return out;
  }
  std::size_t key_pairs() const { return pairs_.size(); }

  std::function<void()> before_unwrap;  ///< for tests to see when an archived key is opened, and to come between

 private:
  std::map<std::string, crypto::AsymmetricKeyPtr> pairs_;
  std::map<std::string, Bytes> secrets_;
};

}  // namespace cardea::manager::testing
