// A virtual card's life in the TPM: made, opened by PIN, PUK or administrator, its PINs set anew.
//
// A card has one secret of 256 random bits. Its keys' authorisation follows from it, and it is sealed three times:
// under the user PIN, under the PUK, and under an answered challenge of the administrator's key (docs/tpm.md, "Why a
// sealed secret").
#pragma once

#include <string>

#include "tpm/card_secret.h"
#include "tpm/tpm.h"

namespace cardea::tpm {

inline constexpr std::size_t admin_key_size = 32;  ///< bytes of the administrator's key (HMAC-SHA-256)

/// What a new card starts with.
struct NewCard {
  std::string label;  ///< UTF-8, at most 32 bytes
  Pin user_pin;
  Pin puk;
  SecretBytes admin_key;  ///< admin_key_size bytes
};

/// The administrator's key when the text is one: 64 hexadecimal digits. No PUK may look so.
std::optional<SecretBytes> admin_key_of(const Pin& text);

/// How long PINs of a card may be: as long as when it was made, whatever the settings say since, as on other tokens.
PinLengths pin_lengths(const CardDescription& card, const TpmSettings& settings) noexcept;
/// pin_length, in words.
Status check_pin_length(const PinLengths& lengths, const Pin& pin);

/// Makes a virtual card; answers its serial number. pin_length; pin_invalid; arguments_bad; errors of Tpm::run and of
/// the disk.
Result<std::string> create_card(const Settings& settings, Tpm& tpm, const NewCard& card);

/// The storage key for a serial number, a card's or a sealed keystore's, as this TPM derives it. Errors of Tpm::run.
Result<Loaded> derive_storage_key(Tpm& tpm, TpmAccess& access, std::string_view serial);

/// What a card of that serial number has in this TPM: its storage key's name, what RSA keys do, and fresh openers.
/// pin_length; pin_invalid.
struct Enrolment {
  Bytes storage_key_name;
  RsaAbility rsa;
  Openers openers;
};
Result<Enrolment> enrol(Tpm& tpm, const std::string& serial, const NewCard& card, const PinLengths& lengths);

/// The storage key of a card, which stays loaded until it is released. device_error in words when this is not the TPM
/// that made the card, or was cleared since.
Result<const Loaded*> storage_key(Tpm& tpm, TpmAccess& access, const CardDescription& card);

/// The card's secret by user PIN or PUK. pin_incorrect (with tries left), pin_locked.
Result<SecretBytes> open_with_pin(Tpm& tpm, const CardState& card, Opener which, const Pin& pin);
/// Answers a challenge with challenge_response() of the administrator's key, wherever that is.
using Answerer = std::function<Result<SecretBytes>(ByteView nonce)>;
/// The card's secret by an answered challenge. pin_incorrect; what the answerer fails with.
Result<SecretBytes> open_with_answer(Tpm& tpm, const CardState& card, const Answerer& answerer);

/// The secret sealed under another PIN or PUK, for the state file.
Result<Blob> seal_with_pin(Tpm& tpm, const CardDescription& card, const SecretBytes& secret, Opener which,
                           const Pin& pin);
/// The secret sealed under another administrator's key: Opener::administrator and Opener::challenge_key.
Result<Openers> seal_with_admin_key(Tpm& tpm, const CardDescription& card, const SecretBytes& secret,
                                    const SecretBytes& key);

}  // namespace cardea::tpm
