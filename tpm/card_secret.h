// From PINs to authorisation values, and from a card's secret to what protects its keys and objects.
#pragma once

#include "base/secret.h"
#include "tpm/state_file.h"

namespace cardea::tpm {

/// What opens a sealed secret (Opener::user_pin, Opener::puk): HMAC-SHA-256 of the PIN, so that one of any length fits
/// into an authorisation value and the same PIN opens no other card.
Result<SecretBytes> auth_of_pin(std::string_view serial, Opener which, const Pin& pin);

/// The bytes that make a card's storage key its own.
Result<Bytes> unique_of(std::string_view serial);

/// What follows from a card's secret.
struct CardKeys {
  SecretBytes key_auth;  ///< authorisation value of its private keys
  SecretBytes seal_key;  ///< AES-256 key of seals

  static Result<CardKeys> derive(const SecretBytes& card_secret, std::string_view serial);
};

/// nonce || AES-256-GCM of the value (empty but for private data objects), bound to the card, the object's id, its
/// public attributes and its key, so that a row that was edited or moved does not open.
Result<Bytes> seal_object(const SecretBytes& seal_key, std::string_view serial, const StoredObject& object,
                          ByteView value);
/// The value; store_corrupt when something was changed.
Result<SecretBytes> open_object(const SecretBytes& seal_key, std::string_view serial, const StoredObject& object);

}  // namespace cardea::tpm
