#include "mechanism/mechanism.h"

#include <algorithm>
#include <cassert>

#include "base/process_root.h"

namespace cardea {

Result<ByteView> parameter_bytes(const void* data, CK_ULONG size) {
  constexpr CK_ULONG absurd = CK_ULONG{1} << 32;
  if ((data == nullptr && size != 0) || size >= absurd) return Code::mechanism_param_invalid;
  return ByteView{static_cast<const Byte*>(data), size};
}

bool Mechanism::served_by(Primitives) const noexcept {
  return true;
}

// What a family does not override is not one of the mechanism's verbs.
Result<DigestPtr> Mechanism::digest(Parameter) const {
  return Code::mechanism_invalid;
}
Result<CipherPtr> Mechanism::encrypt(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<CipherPtr> Mechanism::decrypt(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<SignPtr> Mechanism::sign(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<VerifyPtr> Mechanism::verify(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<SignPtr> Mechanism::sign_recover(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<RecoverPtr> Mechanism::verify_recover(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<MessageCipherPtr> Mechanism::message_encrypt(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<MessageCipherPtr> Mechanism::message_decrypt(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<SecretBytes> Mechanism::generate_key(Parameter, const AttributeSet&) const {
  return Code::mechanism_invalid;
}
Result<GeneratedPair> Mechanism::generate_key_pair(Parameter, const AttributeSet&, const AttributeSet&) const {
  return Code::mechanism_invalid;
}
Result<DerivedValue> Mechanism::derive(const KeyRef&, Parameter, const DeriveRequest&, DeriveHost&) const {
  return Code::mechanism_invalid;
}
Result<Encapsulated> Mechanism::encapsulate(const KeyRef&, Parameter) const {
  return Code::mechanism_invalid;
}
Result<SecretBytes> Mechanism::decapsulate(const KeyRef&, Parameter, ByteView) const {
  return Code::mechanism_invalid;
}
std::size_t Mechanism::ciphertext_size(const KeyRef&) const noexcept {
  return 0;
}
bool Mechanism::wraps_sensitive_keys(Parameter, bool) const noexcept {
  return false;
}

bool Mechanism::unwraps_authenticated(Parameter parameter, bool authenticated) const noexcept {
  return wraps_sensitive_keys(parameter, authenticated);
}

Result<KeptParameter> Mechanism::keep(Parameter parameter) const {
  return KeptParameter{to_bytes(parameter.bytes()), {}};
}

Result<Bytes> Mechanism::wrap(const KeyRef& key, Parameter parameter, ByteView material,
                              std::optional<ByteView> associated_data) const {
  if (associated_data) return Code::mechanism_invalid;
  CARDEA_ASSIGN(const CipherPtr cipher, encrypt(key, parameter));
  Bytes wrapped(cipher->single_bound(material.size()));
  CARDEA_ASSIGN(const std::size_t written, cipher->single(material, wrapped));
  wrapped.resize(written);
  return wrapped;
}

Result<SecretBytes> Mechanism::unwrap(const KeyRef& key, Parameter parameter, ByteView wrapped,
                                      std::optional<ByteView> associated_data) const {
  if (associated_data) return Code::mechanism_invalid;
  CARDEA_ASSIGN(const CipherPtr cipher, decrypt(key, parameter));
  SecretBytes material(cipher->single_bound(wrapped.size()));
  CARDEA_ASSIGN(const std::size_t written, cipher->single(wrapped, material.mutable_view()));
  material.truncate(written);
  return material;
}

void MechanismRegistry::add(MechanismPtr mechanism) {
  const auto position = std::lower_bound(sorted_.begin(), sorted_.end(), mechanism->type(),
                                         [](const Mechanism* m, CK_MECHANISM_TYPE type) { return m->type() < type; });
  assert(position == sorted_.end() || (*position)->type() != mechanism->type());
  sorted_.insert(position, mechanism.get());
  owned_.push_back(std::move(mechanism));
}

const Mechanism* MechanismRegistry::find(CK_MECHANISM_TYPE type) const noexcept {
  const auto position = std::lower_bound(sorted_.begin(), sorted_.end(), type,
                                         [](const Mechanism* m, CK_MECHANISM_TYPE t) { return m->type() < t; });
  return position != sorted_.end() && (*position)->type() == type ? *position : nullptr;
}

#define CARDEA_MECHANISM_FAMILY(name) void register_##name(MechanismRegistry& registry);
#include "mechanism/mechanisms.def"
#undef CARDEA_MECHANISM_FAMILY

namespace {

struct Registered {
  MechanismRegistry registry;
  Registered() {
#define CARDEA_MECHANISM_FAMILY(name) register_##name(registry);
#include "mechanism/mechanisms.def"
#undef CARDEA_MECHANISM_FAMILY
  }
};

}  // namespace

const MechanismRegistry& mechanisms() {
  return process_singleton<Registered>(Root::mechanisms).registry;
}

}  // namespace cardea
