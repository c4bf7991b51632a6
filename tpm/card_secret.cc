#include "tpm/card_secret.h"

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "crypto/mac.h"
#include "crypto/random.h"

namespace cardea::tpm {
namespace {

// The numbers inside are format versions: a later one takes another label, so that neither opens as the other.
constexpr std::string_view pin_label = "cardea tpm pin 1";
constexpr std::string_view unique_label = "cardea tpm storage key 1";
constexpr std::string_view key_auth_label = "cardea tpm key authorisation 1";
constexpr std::string_view seal_key_label = "cardea tpm seal key 1";
constexpr std::string_view object_label = "cardea tpm object 1";

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(Bytes& out, std::uint64_t number) {
  for (int i = 0; i < 8; ++i, number >>= 8) out.push_back(static_cast<Byte>(number));
}

/// With its length in front, so that two different lists of parts never give the same bytes.
void append_part(Bytes& out, ByteView bytes) {
  append_number(out, bytes.size());
  append(out, bytes);
}

/// TPMs take zeros at the end of an authorisation value away (part 1, 19.6.4.3), and not all software does.
void end_without_zero(SecretBytes& auth) {
  auth.data()[auth.size() - 1] |= 1;
}

Bytes context_of(std::string_view serial, const StoredObject& object) {
  Bytes context;
  append_part(context, view_of(object_label));
  append_part(context, view_of(serial));
  append_number(context, object.object->id);
  append_part(context, object.object->attributes.serialised());
  append_part(context, object.key ? ByteView(object.key->public_area) : ByteView());
  return context;
}

}  // namespace

Result<SecretBytes> auth_of_pin(std::string_view serial, Opener which, const Pin& pin) {
  Bytes label;
  append_part(label, view_of(pin_label));
  append_part(label, view_of(serial));
  append_number(label, static_cast<std::uint64_t>(which));
  CARDEA_ASSIGN(SecretBytes auth, crypto::hmac(Hash::sha256, label, pin.view()));
  end_without_zero(auth);
  return auth;
}

Result<Bytes> unique_of(std::string_view serial) {
  Bytes label;
  append_part(label, view_of(unique_label));
  append_part(label, view_of(serial));
  return crypto::digest(Hash::sha256, label);
}

Result<CardKeys> CardKeys::derive(const SecretBytes& card_secret, std::string_view serial) {
  const auto from_label = [&](std::string_view label) -> Result<SecretBytes> {
    Bytes info;
    append_part(info, view_of(label));
    append_part(info, view_of(serial));
    return crypto::hkdf_expand(Hash::sha256, card_secret.view(), info, auth_size);
  };
  CardKeys keys;
  CARDEA_ASSIGN(keys.key_auth, from_label(key_auth_label));
  CARDEA_ASSIGN(keys.seal_key, from_label(seal_key_label));
  end_without_zero(keys.key_auth);
  return keys;
}

Result<Bytes> seal_object(const SecretBytes& seal_key, std::string_view serial, const StoredObject& object,
                          ByteView value) {
  Bytes seal(crypto::aead_nonce_size);
  CARDEA_TRY(crypto::random_bytes(seal));
  CARDEA_ASSIGN(const Bytes ciphertext, crypto::aead_seal(seal_key.view(), seal, context_of(serial, object), value));
  append(seal, ciphertext);
  return seal;
}

Result<SecretBytes> open_object(const SecretBytes& seal_key, std::string_view serial, const StoredObject& object) {
  const ByteView seal = object.seal;
  const auto damaged = [&] {
    return error(Code::store_corrupt, "object " + std::to_string(object.object->id) + " does not match its seal");
  };
  if (seal.size() < crypto::aead_nonce_size + crypto::aead_tag_size) return damaged();
  auto value = crypto::aead_open(seal_key.view(), seal.first(crypto::aead_nonce_size), context_of(serial, object),
                                 seal.subspan(crypto::aead_nonce_size));
  if (!value && value.code() == Code::aead_decrypt_failed) return damaged();
  return value;
}

}  // namespace cardea::tpm
