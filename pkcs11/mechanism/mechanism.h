// A mechanism in one object: what it is, how its parameter is read, and how it plans each kind of operation.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "cryptoki/parameters.h"
#include "mechanism/operation.h"
#include "token/key.h"
#include "token/object.h"

namespace cardea {

/// A key with the object it came from. `object` is never null; `key` is never null.
struct KeyRef {
  ObjectPtr object;
  KeyPtr key;
};

/// A mechanism's parameter as the caller passed it. Pointers inside the structures it holds point to the caller's
/// memory and live for the call only: operations copy what they need.
class Parameter {
 public:
  Parameter() = default;
  Parameter(void* data, std::size_t size) : data_(data), size_(size) {}

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  void* data() const noexcept { return data_; }
  ByteView bytes() const noexcept { return {static_cast<const Byte*>(data_), size_}; }

  /// The parameter as structure T; mechanism_param_invalid unless it is there and exactly as long.
  template <class T>
  Result<T*> as() const {
    if (data_ == nullptr || size_ != sizeof(T)) return Code::mechanism_param_invalid;
    return static_cast<T*>(data_);
  }

  /// Success when there is no parameter, mechanism_param_invalid otherwise.
  Status expect_none() const {
    if (size_ != 0) return Code::mechanism_param_invalid;
    return {};
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A parameter copied for an operation that outlives the call which gave it (message signing).
struct KeptParameter {
  Bytes structure;  ///< the parameter itself
  Bytes pointed;    ///< what a pointer inside it points to, if anything
  Parameter parameter() { return {structure.data(), structure.size()}; }
};

/// A pointer and length out of a parameter structure; mechanism_param_invalid for null with a length, or an absurd
/// length.
Result<ByteView> parameter_bytes(const void* data, CK_ULONG size);

/// A generated key pair: public attributes of both halves and the secrets of the private one. Only attributes that the
/// key material determines (CKA_MODULUS, CKA_EC_POINT, CKA_PUBLIC_KEY_INFO …); templates are merged by the caller.
struct GeneratedPair {
  AttributeSet public_attributes;
  AttributeSet private_attributes;
  SecretAttributes private_secrets;
};

/// Copies a parameter structure with the bytes that its member `data`, `length` long, points to. Nothing for no
/// parameter.
template <class T, auto data, auto length>
Result<KeptParameter> keep_pointing(Parameter parameter) {
  if (parameter.empty()) return KeptParameter{};
  CARDEA_ASSIGN(const T* const given, parameter.as<T>());
  CARDEA_ASSIGN(const ByteView pointed, parameter_bytes(given->*data, given->*length));
  KeptParameter kept{to_bytes(parameter.bytes()), to_bytes(pointed)};
  T copy = *given;
  copy.*data = kept.pointed.data();
  std::memcpy(kept.structure.data(), &copy, sizeof copy);
  return kept;
}

/// What the caller of a derivation asks for, out of its template.
struct DeriveRequest {
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
  std::optional<std::size_t>
      length;  ///< CKA_VALUE_LEN, or what the key type fixes; absent: the mechanism's natural length
};

/// What a derivation may ask of the session beyond its own key.
class DeriveHost {
 public:
  virtual ~DeriveHost() = default;
  /// Another key by handle (CKM_CONCATENATE_BASE_AND_KEY, HKDF salt). Checked for CKA_DERIVE; it counts as a source of
  /// the derived key, whose sensitivity follows from all its sources.
  virtual Result<KeyRef> source_key(CK_OBJECT_HANDLE handle) = 0;
  /// Creates a further secret key (TLS key-and-mac, SP 800-108 additional keys) with this template and writes its
  /// handle. All of them are taken back when the derivation fails later.
  virtual Status create_key(SecretBytes value, const CK_ATTRIBUTE* attributes, CK_ULONG count,
                            CK_OBJECT_HANDLE* handle) = 0;
  /// For TLS: a key of that type with usage by default (MAC keys sign and verify, others encrypt and decrypt).
  virtual Status create_tls_key(SecretBytes value, bool mac_key, CK_OBJECT_HANDLE* handle) = 0;
};

/// What a derivation answers: the principal key's value, or none when all results went through create_key.
using DerivedValue = std::optional<SecretBytes>;

struct Encapsulated {
  Bytes ciphertext;
  SecretBytes shared_secret;
};

/// Everything a mechanism can do. A family (rsa.cc, aes.cc …) overrides what it does; the rest answers
/// mechanism_invalid. Immutable; one instance for each CKM_ value lives as long as the process.
class Mechanism {
 public:
  Mechanism(CK_MECHANISM_TYPE type, CK_MECHANISM_INFO info) : type_(type), info_(info) {}
  virtual ~Mechanism() = default;
  Mechanism(const Mechanism&) = delete;
  Mechanism& operator=(const Mechanism&) = delete;

  CK_MECHANISM_TYPE type() const noexcept { return type_; }
  /// Flags list exactly the verbs that work; key sizes are in bits for RSA and EC, bytes for secret keys.
  const CK_MECHANISM_INFO& info() const noexcept { return info_; }

  /// Whether a token's private key can serve this mechanism's private-key half, natively or with software padding.
  /// Mechanisms without a private half answer true.
  virtual bool served_by(Primitives primitives) const noexcept;

  /// The parameter of a signing mechanism, copied with everything it points to. As it stands, for parameters without
  /// pointers; a mechanism whose parameter has one overrides this.
  virtual Result<KeptParameter> keep(Parameter parameter) const;

  virtual Result<DigestPtr> digest(Parameter parameter) const;
  virtual Result<CipherPtr> encrypt(const KeyRef& key, Parameter parameter) const;
  virtual Result<CipherPtr> decrypt(const KeyRef& key, Parameter parameter) const;
  virtual Result<SignPtr> sign(const KeyRef& key, Parameter parameter) const;
  virtual Result<VerifyPtr> verify(const KeyRef& key, Parameter parameter) const;
  virtual Result<SignPtr> sign_recover(const KeyRef& key, Parameter parameter) const;
  virtual Result<RecoverPtr> verify_recover(const KeyRef& key, Parameter parameter) const;

  virtual Result<MessageCipherPtr> message_encrypt(const KeyRef& key, Parameter parameter) const;
  virtual Result<MessageCipherPtr> message_decrypt(const KeyRef& key, Parameter parameter) const;

  /// A secret key's value. `attributes` is the completed template.
  virtual Result<SecretBytes> generate_key(Parameter parameter, const AttributeSet& attributes) const;
  /// A key pair. CKA_MODULUS_BITS, CKA_EC_PARAMS, CKA_PARAMETER_SET … stand in the public template.
  virtual Result<GeneratedPair> generate_key_pair(Parameter parameter, const AttributeSet& public_template,
                                                  const AttributeSet& private_template) const;
  /// The CKA_KEY_TYPE of generated keys.
  virtual CK_KEY_TYPE generated_key_type() const noexcept { return CK_UNAVAILABLE_INFORMATION; }

  /// Wraps serialised key material (a secret key's value, or PKCS#8). `associated_data` is absent for C_WrapKey and
  /// present, be it empty, for C_WrapKeyAuthenticated: the two take different parameter structures of the same size.
  /// By default the key material is encrypted in one part.
  virtual Result<Bytes> wrap(const KeyRef& key, Parameter parameter, ByteView material,
                             std::optional<ByteView> associated_data) const;
  virtual Result<SecretBytes> unwrap(const KeyRef& key, Parameter parameter, ByteView wrapped,
                                     std::optional<ByteView> associated_data) const;
  /// Whether wrapping a sensitive key this way gives an attacker nothing: authenticated, nonce not chosen by the caller
  /// (docs/objects.md, "Why a sensitive key cannot leave").
  /// `authenticated`: for C_WrapKeyAuthenticated rather than C_WrapKey.
  virtual bool wraps_sensitive_keys(Parameter parameter, bool authenticated) const noexcept;
  /// Whether what unwraps this way is known to be genuine. Who unwraps always names the nonce, so that who chose it
  /// says nothing here. By default what wraps_sensitive_keys answers.
  virtual bool unwraps_authenticated(Parameter parameter, bool authenticated) const noexcept;
  /// Whether a secret key that is unwrapped "to unwrap" also decrypts, and does not wrap, where its template leaves
  /// these uses open. By default it does not.
  virtual bool unwrapped_keys_decrypt() const noexcept { return false; }

  virtual Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                                      DeriveHost& host) const;

  virtual Result<Encapsulated> encapsulate(const KeyRef& public_key, Parameter parameter) const;
  virtual Result<SecretBytes> decapsulate(const KeyRef& private_key, Parameter parameter, ByteView ciphertext) const;
  /// Bytes of the ciphertext that encapsulate answers for this key.
  virtual std::size_t ciphertext_size(const KeyRef& public_key) const noexcept;

 private:
  CK_MECHANISM_TYPE type_;
  CK_MECHANISM_INFO info_;
};
using MechanismPtr = std::unique_ptr<const Mechanism>;

/// Where families put their mechanisms.
class MechanismRegistry {
 public:
  /// Later registrations of the same type are a programming error and end the process in debug builds.
  void add(MechanismPtr mechanism);
  template <class T, class... Args>
  void emplace(Args&&... args) {
    add(std::make_unique<const T>(std::forward<Args>(args)...));
  }

  /// Null when there is none.
  const Mechanism* find(CK_MECHANISM_TYPE type) const noexcept;
  /// All of them in ascending order of type.
  std::span<const Mechanism* const> all() const noexcept { return sorted_; }

 private:
  std::vector<MechanismPtr> owned_;
  std::vector<const Mechanism*> sorted_;
};

/// Every mechanism of the families in mechanisms.def that the crypto library can do. Made once per process and library.
const MechanismRegistry& mechanisms();

}  // namespace cardea
