// What PKCS#11 has no call for: making, listing, looking at and removing virtual cards, and unblocking one from afar.
// Each call reads the configuration's settings as given and uses a connection of its own.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "tpm/virtual_card.h"

namespace cardea::tpm {

/// How a virtual card is.
enum class CardHealth : std::uint8_t {
  ready,
  locked_out,  ///< the TPM refuses PINs for a while
  other_tpm,   ///< the TPM was cleared or replaced since
  no_tpm,      ///< there is no TPM, or it cannot be used
  unreadable   ///< the state cannot be used
};

struct CardReport {
  std::string serial;
  std::string label;
  CardHealth health = CardHealth::ready;
  std::string words;     ///< about the health, one clause; empty when ready
  std::size_t keys = 0;  ///< private keys
  LockOut lock_out;      ///< of the TPM, when it can be asked
};

/// Makes a card in the TPM of the settings (create_card).
Result<std::string> create_card(const Settings& settings, const NewCard& card);

/// All cards, each compared with the TPM; in ascending order of serial number.
std::vector<CardReport> look_at_cards(const Settings& settings);

/// Removes a card and all its keys for good. No PIN: who may write the directory could remove it anyway.
/// not_found, permission_denied.
Status destroy_card(const Settings& settings, const std::string& serial);

/// Enrols a card again after its TPM was cleared or replaced: with new PINs, the same serial number, label,
/// certificates and public objects, and without the keys and private objects that went with the TPM. exists when the
/// card is this TPM's as it is; not_found, pin_length.
Status renew_card(const Settings& settings, const std::string& serial, const NewCard& secrets);

/// Sets the user PIN anew, with the administrator's answer to a challenge. not_found, pin_length, pin_incorrect.
Status unblock_card(const Settings& settings, const std::string& serial, const Answerer& answerer, const Pin& new_pin);

/// Which private key: by label and id, as far as they are given.
struct KeyChoice {
  std::optional<std::string> label;
  std::optional<Bytes> id;
};

/// What the TPM says of a card's key (TpmToken::attest). not_found; arguments_bad when several fit; pin_incorrect.
Result<AttestationStatement> attest_key(const Settings& settings, const std::string& serial, const Pin& user_pin,
                                        const KeyChoice& choice, ByteView nonce);
/// The answer to a challenge about a statement of that card (TpmToken::activate). not_found, data_invalid.
Result<SecretBytes> activate_credential(const Settings& settings, const std::string& serial,
                                        const Credential& credential);
/// The public area of a card's storage key (TpmToken::storage_key_area). not_found.
Result<Bytes> storage_key_area(const Settings& settings, const std::string& serial);
/// Takes in a wrapped key (TpmToken::import_wrapped). not_found, pin_incorrect, wrapped_key_invalid.
Status import_wrapped_key(const Settings& settings, const std::string& serial, const Pin& user_pin,
                          const WrappedKey& wrapped, const std::string& label, ByteView id);

}  // namespace cardea::tpm
