// PINs, PUKs and administrators' keys of cards. Asked for before the card is taken, and never burnt by mistake.
#pragma once

#include <optional>
#include <string>

#include "cli/card_access.h"

namespace cardea::cli {

/// Has the card forget at the end of the transaction what is proved in it: a card has one security status for all
/// programs, and what one proved would serve every other. Those that are logged in prove it again by themselves.
void close_at_end(card::CardTransaction& transaction);

/// Whether only one try is left, once somebody has said "yes" to using it; pin_locked, pin_incorrect in words without.
Result<bool> permit_card_try(const CardConnection& card, card::PinRole role);

/// A PIN or PUK that the card has: refuses a locked one, and takes the last try only freshly typed and after a "yes".
/// `file` may name where it stands; else --pin-stdin or the terminal.
Result<Pin> obtain_card_pin(const Context& context, const CardConnection& card, card::PinRole role,
                            const std::string& file);

/// A PIN or PUK that will be set, within the card's lengths; typed twice on a terminal.
Result<Pin> obtain_new_card_pin(const Context& context, const CardConnection& card, const std::string& name,
                                const std::string& file);

/// An administrator's key in hexadecimal.
Result<SecretBytes> read_admin_key(const std::string& file);

/// The user's proof: a PIN, or the reader's own pad.
class UserProof {
 public:
  /// Asks for the PIN unless the reader has a pad and no other source was named.
  static Result<UserProof> obtain(const Context& context, const CardConnection& card);
  /// Verifies it.
  Status show(const CardConnection& card, card::CardTransaction& transaction) const;

 private:
  std::optional<Pin> pin_;  // empty: the pad
};

/// What writing to the card takes: the administrator's key, or the PIN where the user writes (CardDescription).
class WriterProof {
 public:
  /// The key from the options, else from the configuration ([card] admin_key_file, factory_admin_key).
  static Result<WriterProof> obtain(const Context& context, const CardConnection& card, const CardOptions& options);
  Status show(const CardConnection& card, card::CardTransaction& transaction) const;

 private:
  std::optional<UserProof> user_;
  SecretBytes key_;
};

}  // namespace cardea::cli
