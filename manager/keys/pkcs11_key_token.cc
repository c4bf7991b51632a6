#include "keys/pkcs11_key_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cryptoki/parameters.h"
#include "keys/signing_keys.h"
#include "p11client/failure.h"
#include "p11client/template.h"

namespace cardea::keys {
namespace {

using manager::SecretKeyUse;
using manager::SignatureScheme;
using manager::SigningKey;
using manager::SigningKeyType;
using p11client::Mechanism;
using p11client::Session;
using p11client::Template;

constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_derived = 1024;
constexpr std::size_t largest_wrapped = std::size_t{64} << 10;
constexpr std::size_t block = 16;
// SP 800-38D, 8.2.2: a random nonce of 96 bits; 5.2.1.2: a tag of 128.
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
// The first byte of what wrap() makes says how.
constexpr Byte wrapped_form = 1;

Status check_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= longest_name &&
                    std::ranges::all_of(name, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (fits) return {};
  return error(Code::arguments_bad, "the name of a key must be 1 to 64 printable ASCII characters");
}

Bytes big_endian_32(std::size_t number) {
  Bytes out(4);
  for (int i = 3; i >= 0; --i, number >>= 8) out[static_cast<std::size_t>(i)] = static_cast<Byte>(number);
  return out;
}

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// AES-GCM's parameter, which points at its parts.
class GcmMechanism {
 public:
  GcmMechanism(ByteView nonce, ByteView bound) : nonce_(to_bytes(nonce)), bound_(to_bytes(bound)) {}
  Mechanism get() {
    const CK_GCM_PARAMS parameters{nonce_.data(), nonce_.size(), nonce_.size() * 8,
                                   bound_.data(), bound_.size(), tag_size * 8};
    return Mechanism(CKM_AES_GCM, {reinterpret_cast<const Byte*>(&parameters), sizeof parameters});
  }

 private:
  Bytes nonce_;
  Bytes bound_;
};

class Pkcs11KeyToken : public manager::KeyToken {
 public:
  explicit Pkcs11KeyToken(LinkSettings settings) : link_(std::move(settings)) {}

  Status check() override;
  bool supports(SigningKeyType type) override;
  Result<SigningKey> signing_key(std::string_view name) override;
  Result<SigningKey> generate_signing_key(std::string_view name, SigningKeyType type) override;
  Result<Bytes> sign(std::string_view name, SignatureScheme scheme, ByteView message) override;
  Status ensure_secret_key(std::string_view name, SecretKeyUse use) override;
  Result<SecretBytes> derive(std::string_view name, std::string_view label, ByteView context,
                             std::size_t length) override;
  Result<Bytes> wrap(std::string_view name, const SecretBytes& secret, ByteView bound) override;
  Result<SecretBytes> unwrap(std::string_view name, ByteView sealed, ByteView bound) override;
  Status destroy_key(std::string_view name) override;
  Result<SecretBytes> random(std::size_t size) override;

 private:
  /// As TokenLink::with, for the key of that class and name. A handle that the token no longer knows is looked up anew.
  template <class T>
  Result<T> with_key(CK_OBJECT_CLASS of_class, std::string_view name,
                     const std::function<Result<T>(const Session&, CK_OBJECT_HANDLE)>& use) {
    CARDEA_TRY(check_name(name));
    const std::string label(name);
    return link_.with<T>([&](const Session& session) -> Result<T> {
      CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, link_.find(session, of_class, label));
      return use(session, key);
    });
  }
  Status make_secret_key(const Session& session, const std::string& name, SecretKeyUse use);

  TokenLink link_;
  std::mutex making_;  ///< one key at a time is made, so that no name is given twice
};

Status Pkcs11KeyToken::check() {
  const auto answer = link_.with<CK_FLAGS>([](const Session& session) -> Result<CK_FLAGS> {
    CK_SESSION_INFO info{};
    const CK_RV rv = session.module()->C_GetSessionInfo(session.handle(), &info);
    if (rv != CKR_OK) return p11client::p11_failure(rv, "The key token does not answer");
    const bool login_lost = info.state != CKS_RW_USER_FUNCTIONS && session.token().has(CKF_LOGIN_REQUIRED);
    if (login_lost) return error(Code::user_not_logged_in, "the login to the key token was lost");
    return info.flags;
  });
  if (!answer) return answer.error();
  return {};
}

bool Pkcs11KeyToken::supports(SigningKeyType type) {
  const auto answer = link_.with<bool>([type](const Session& session) -> Result<bool> {
    const CK_SLOT_ID slot = session.token().slot;
    return session.module().mechanism_flags(slot, generation_mechanism(type)) != 0 &&
           (session.module().mechanism_flags(slot, signing_mechanism(type)) & CKF_SIGN) != 0;
  });
  return answer && *answer;
}

Result<SigningKey> Pkcs11KeyToken::signing_key(std::string_view name) {
  return with_key<SigningKey>(CKO_PUBLIC_KEY, name, [&](const Session& session, CK_OBJECT_HANDLE key) {
    return describe_pair(session, std::string(name), key);
  });
}

Result<SigningKey> Pkcs11KeyToken::generate_signing_key(std::string_view name, SigningKeyType type) {
  CARDEA_TRY(check_name(name));
  const std::lock_guard lock(making_);
  const std::string label(name);
  bool made = false;
  CARDEA_TRY(link_.with<bool>([&](const Session& session) -> Result<bool> {
    if (made) return true;
    for (const CK_OBJECT_CLASS of_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY}) {
      const auto there = link_.find(session, of_class, label);
      if (there) return error(Code::exists, fmt::format("the key token has a key '{}' already", label));
      if (there.code() != Code::not_found) return there.error();
    }
    CARDEA_TRY(generate_pair(session, label, type));
    made = true;
    return true;
  }));
  return signing_key(name);
}

Result<Bytes> Pkcs11KeyToken::sign(std::string_view name, SignatureScheme scheme, ByteView message) {
  return with_key<Bytes>(CKO_PRIVATE_KEY, name, [&](const Session& session, CK_OBJECT_HANDLE key) {
    return keys::sign(session, key, scheme, message);
  });
}

Status Pkcs11KeyToken::make_secret_key(const Session& session, const std::string& name, SecretKeyUse use) {
  Template attributes;
  attributes.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).text(CKA_LABEL, name).number(CKA_VALUE_LEN, 32);
  attributes.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
  const bool derives = use == SecretKeyUse::derive;
  attributes.flag(CKA_SIGN, derives).flag(CKA_VERIFY, false);
  attributes.flag(CKA_ENCRYPT, !derives).flag(CKA_DECRYPT, !derives);
  attributes.flag(CKA_WRAP, false).flag(CKA_UNWRAP, false).flag(CKA_DERIVE, false);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv =
      session.module()->C_GenerateKey(session.handle(), &mechanism, attributes.data(), attributes.size(), &key);
  if (rv != CKR_OK) return p11client::p11_failure(rv, fmt::format("The key '{}' could not be made", name));
  return {};
}

Status Pkcs11KeyToken::ensure_secret_key(std::string_view name, SecretKeyUse use) {
  CARDEA_TRY(check_name(name));
  const std::lock_guard lock(making_);
  const std::string label(name);
  const auto answer = link_.with<bool>([&](const Session& session) -> Result<bool> {
    const auto there = link_.find(session, CKO_SECRET_KEY, label);
    if (there) return true;
    if (there.code() != Code::not_found) return there.error();
    CARDEA_TRY(make_secret_key(session, label, use));
    return true;
  });
  if (!answer) return answer.error();
  return {};
}

Result<SecretBytes> Pkcs11KeyToken::derive(std::string_view name, std::string_view label, ByteView context,
                                           std::size_t length) {
  if (length == 0 || length > longest_derived) {
    return error(Code::arguments_bad, "a derived secret has 1 to 1,024 bytes");
  }
  // A zero byte ends the label, so a label with one inside could stand for another pair of label and context.
  if (label.find('\0') != std::string_view::npos) return error(Code::arguments_bad, "a label has no zero byte");
  // The context may be a secret itself, as one-time codes are, so nothing of it is left behind. Counter, label, a zero
  // byte, context, length in bits.
  const Bytes bits = big_endian_32(length * 8);
  SecretBytes input(4 + label.size() + 1 + context.size() + bits.size());
  Byte* const after_label = std::copy(label.begin(), label.end(), input.data() + 4);
  *after_label = 0;
  std::copy(bits.begin(), bits.end(), std::copy(context.begin(), context.end(), after_label + 1));
  return with_key<SecretBytes>(
      CKO_SECRET_KEY, name, [&](const Session& session, CK_OBJECT_HANDLE key) -> Result<SecretBytes> {
        SecretBytes out((length + block - 1) / block * block);
        for (std::size_t i = 0; i * block < length; ++i) {
          const Bytes counter = big_endian_32(i + 1);
          std::copy(counter.begin(), counter.end(), input.data());
          CK_MECHANISM mechanism{CKM_AES_CMAC, nullptr, 0};
          CK_RV rv = session.module()->C_SignInit(session.handle(), &mechanism, key);
          CK_ULONG size = block;
          if (rv == CKR_OK) {
            rv = session.module()->C_Sign(session.handle(), input.data(), input.size(), out.data() + i * block, &size);
          }
          if (rv != CKR_OK) return p11client::p11_failure(rv, "The secret could not be derived");
          if (size != block) return error(Code::device_error, "the key token's CMAC is too short");
        }
        out.truncate(length);
        return out;
      });
}

Result<Bytes> Pkcs11KeyToken::wrap(std::string_view name, const SecretBytes& secret, ByteView bound) {
  if (secret.empty() || secret.size() > largest_wrapped) {
    return error(Code::data_length, "a secret to be sealed has 1 byte to 64 KiB");
  }
  return with_key<Bytes>(CKO_SECRET_KEY, name, [&](const Session& session, CK_OBJECT_HANDLE key) -> Result<Bytes> {
    CARDEA_ASSIGN(const Bytes nonce, session.random(nonce_size));
    GcmMechanism mechanism(nonce, bound);
    CARDEA_ASSIGN(const Bytes sealed, session.encrypt(mechanism.get(), key, secret.view()));
    Bytes out{wrapped_form};
    append(out, nonce);
    append(out, sealed);
    return out;
  });
}

Result<SecretBytes> Pkcs11KeyToken::unwrap(std::string_view name, ByteView sealed, ByteView bound) {
  const Error refused = error(Code::encrypted_data_invalid, "the sealed secret was changed or belongs elsewhere");
  if (sealed.size() <= 1 + nonce_size + tag_size || sealed[0] != wrapped_form) return refused;
  return with_key<SecretBytes>(CKO_SECRET_KEY, name,
                               [&](const Session& session, CK_OBJECT_HANDLE key) -> Result<SecretBytes> {
                                 GcmMechanism mechanism(sealed.subspan(1, nonce_size), bound);
                                 auto secret = session.decrypt(mechanism.get(), key, sealed.subspan(1 + nonce_size));
                                 // Tokens have several answers for a tag that does not match; SoftHSM2's is
                                 // CKR_GENERAL_ERROR.
                                 constexpr std::array mismatches{Code::aead_decrypt_failed, Code::encrypted_data_length,
                                                                 Code::encrypted_data_invalid, Code::internal};
                                 if (!secret && std::ranges::count(mismatches, secret.code()) > 0) return refused;
                                 return secret;
                               });
}

Status Pkcs11KeyToken::destroy_key(std::string_view name) {
  CARDEA_TRY(check_name(name));
  const std::lock_guard lock(making_);
  const auto answer = link_.with<bool>([&](const Session& session) -> Result<bool> {
    bool found = false;
    for (const CK_OBJECT_CLASS of_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY}) {
      const auto key = link_.find(session, of_class, std::string(name));
      if (!key && key.code() == Code::not_found) continue;
      if (!key) return key.error();
      CARDEA_TRY(session.destroy(*key));
      found = true;
    }
    if (!found) return error(Code::not_found, fmt::format("the key token has no key '{}'", name));
    return true;
  });
  link_.forget();
  if (!answer) return answer.error();
  return {};
}

Result<SecretBytes> Pkcs11KeyToken::random(std::size_t size) {
  if (size == 0) return SecretBytes();  // some modules refuse to answer nothing
  return link_.with<SecretBytes>([size](const Session& session) -> Result<SecretBytes> {
    SecretBytes out(size);
    const CK_RV rv = session.module()->C_GenerateRandom(session.handle(), out.data(), out.size());
    if (rv != CKR_OK) return p11client::p11_failure(rv, "The key token gives no random bytes");
    return out;
  });
}

}  // namespace

std::unique_ptr<manager::KeyToken> make_key_token(LinkSettings settings) {
  return std::make_unique<Pkcs11KeyToken>(std::move(settings));
}

}  // namespace cardea::keys
