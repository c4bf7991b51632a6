#include "mechanism/aead_mechanism.h"

namespace cardea {

using crypto::Direction;

namespace {

/// Bytes. Short tags would let an attacker forge wrapped keys in reasonable time.
constexpr std::size_t least_safe_tag = 12;

/// What the predicates hand to read: they concern no associated data.
std::optional<ByteView> no_data_if(bool authenticated) noexcept {
  return authenticated ? std::optional<ByteView>(ByteView{}) : std::nullopt;
}

}  // namespace

Result<CipherPtr> AeadMechanism::encrypt(const KeyRef& key, Parameter parameter) const {
  return start(key, parameter, Direction::encrypt);
}

Result<CipherPtr> AeadMechanism::decrypt(const KeyRef& key, Parameter parameter) const {
  return start(key, parameter, Direction::decrypt);
}

Result<MessageCipherPtr> AeadMechanism::message_encrypt(const KeyRef& key, Parameter parameter) const {
  return messages(key, parameter, Direction::encrypt);
}

Result<MessageCipherPtr> AeadMechanism::message_decrypt(const KeyRef& key, Parameter parameter) const {
  return messages(key, parameter, Direction::decrypt);
}

Result<CipherPtr> AeadMechanism::start(const KeyRef& ref, Parameter parameter, Direction direction) const {
  CARDEA_ASSIGN(const AeadMessage message, algorithm_.parse(parameter));
  CARDEA_ASSIGN(const SecretKey* const key, algorithm_.key(ref));
  return aead_cipher(held_key(ref.key, *key), algorithm_.cipher, direction, message);
}

// Everything stands in the parameter of each message; one given at the start is only a first example of it.
Result<MessageCipherPtr> AeadMechanism::messages(const KeyRef& ref, Parameter parameter, Direction direction) const {
  const bool example = parameter.data() != nullptr && parameter.size() == algorithm_.message_structure;
  if (!parameter.empty() && !example) return Code::mechanism_param_invalid;
  CARDEA_TRY(algorithm_.key(ref));
  return aead_messages(ref.key, algorithm_.cipher, direction, algorithm_.parse_message);
}

Result<AeadWrapping> AeadWrapMechanism::read(Parameter parameter, std::optional<ByteView> associated_data) const {
  if (!associated_data) return parse_wrapping_(parameter);
  CARDEA_ASSIGN(const AeadMessageParameter given, algorithm().parse_message(parameter.data(), parameter.size()));
  const AeadMessage message{given.nonce, *associated_data, given.tag.size(), {}};
  return AeadWrapping{message, given.nonce, given.fixed_bits, given.generator, given.tag};
}

Result<Bytes> AeadWrapMechanism::wrap(const KeyRef& ref, Parameter parameter, ByteView material,
                                      std::optional<ByteView> associated_data) const {
  CARDEA_ASSIGN(const SecretKey* const key, algorithm().key(ref));
  CARDEA_ASSIGN(const AeadWrapping given, read(parameter, associated_data));
  if (given.generator != CKG_NO_GENERATE) {
    CARDEA_TRY(generate_wrap_nonce(given.nonce, given.fixed_bits, given.generator));
  }
  if (associated_data) return aead_encrypt(*key, algorithm().cipher, given.message, material, given.tag);
  Bytes tag(given.message.tag_size);
  CARDEA_ASSIGN(Bytes wrapped, aead_encrypt(*key, algorithm().cipher, given.message, material, tag));
  wrapped.insert(wrapped.end(), tag.begin(), tag.end());
  return wrapped;
}

Result<SecretBytes> AeadWrapMechanism::unwrap(const KeyRef& ref, Parameter parameter, ByteView wrapped,
                                              std::optional<ByteView> associated_data) const {
  CARDEA_ASSIGN(const SecretKey* const key, algorithm().key(ref));
  CARDEA_ASSIGN(const AeadWrapping given, read(parameter, associated_data));
  if (associated_data) return aead_decrypt(*key, algorithm().cipher, given.message, wrapped, given.tag);
  if (wrapped.size() < given.message.tag_size) return Code::wrapped_key_length;
  const std::size_t size = wrapped.size() - given.message.tag_size;
  return aead_decrypt(*key, algorithm().cipher, given.message, wrapped.first(size), wrapped.subspan(size));
}

bool AeadWrapMechanism::wraps_sensitive_keys(Parameter parameter, bool authenticated) const noexcept {
  const auto given = read(parameter, no_data_if(authenticated));
  return given && is_safe_wrap_nonce(given->nonce.size(), given->fixed_bits, given->generator) &&
         given->message.tag_size >= least_safe_tag;
}

bool AeadWrapMechanism::unwraps_authenticated(Parameter parameter, bool authenticated) const noexcept {
  const auto given = read(parameter, no_data_if(authenticated));
  return given && given->message.tag_size >= least_safe_tag;
}

}  // namespace cardea
