// One card as this process uses it: its module, what is selected and verified on it, and the PIN to verify again with.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "cards/recognise.h"
#include "cards/shared_state.h"

namespace cardea::card {

/// Whose rights a piece of work needs.
enum class Need : std::uint8_t { nothing, user, administrator };

/// Thread-safe; work on one card is done one after the other, work on different cards side by side.
///
/// Selection and verification are taken on trust between transactions, because asking costs as much as doing. When the
/// work fails in a way that a foreign application on the card, or a lost security status, would explain, the
/// application is selected and the PIN verified again, and the work is repeated once. The PIN is sent again only if the
/// card took it the last time and has more than one try left.
class CardAccess {
 public:
  using Work = std::function<Status(CardModule& module, CardTransaction& transaction)>;

  /// `likely`: the kind that recognised this card before, asked first. `queue`: where processes line up for the card.
  CardAccess(CardChannelPtr channel, std::span<const CardKind> kinds, std::string likely,
             std::unique_ptr<SharedState> queue);

  /// Runs `work` in one transaction; it may run twice. user_not_logged_in when the rights are not to be had;
  /// device_removed, timed_out, device_error, token_not_recognized.
  Status run(Need need, const Work& work);
  /// The same with nothing taken on trust: for what must not reach another application, such as a PIN.
  Status run_selected(const Work& work);

  /// For `work` only: whether it runs on the belief that the application is still selected, so that "not there" may be
  /// another application's answer. Work that would take it for an answer fails with not_found instead and runs again.
  bool on_trust() const noexcept { return !selected_here_; }

  /// Shows the PIN to the card, or lets the user type it on the reader's pad when it is empty, and keeps it for as long
  /// as the login lasts.
  Status login_user(const Pin& pin);
  Status login_administrator(SecretBytes key);
  /// Has the card confirm the PUK and keeps it as long as the login lasts. function_not_supported where an
  /// administrator's key sets the user PIN (CardModule::confirm_puk).
  Status login_puk(const Pin& puk);
  bool has_puk() const;
  /// Sets the user PIN anew, by the PUK of this login or as administrator.
  Status set_user_pin(const Pin& new_pin);
  /// Changes the PUK, and what is kept of it.
  Status change_puk(const Pin& old_puk, const Pin& new_puk);
  /// Changes the user's PIN, on the reader's pad where both are empty, and what is kept of it.
  Status change_user_pin(const Pin& old_pin, const Pin& new_pin);
  /// Forgets what was kept. `close`: has the card forget too.
  void logout(bool close);
  /// After a change by this process: what is now to be shown in the old one's place.
  void replace_kept_key(SecretBytes key);
  /// The administrator's key for work of the user where the configuration tells it; empty: that of the factory.
  void lend_administrator_key(SecretBytes key);

  /// The name of the recognised kind; empty before any work was done.
  std::string kind() const;
  /// The card has left its reader, as somebody else saw.
  void mark_removed() noexcept { removed_.store(true, std::memory_order_release); }
  bool removed() const noexcept { return removed_.load(std::memory_order_acquire); }

 private:
  Status in_transaction(const Work& work);
  Status select(CardTransaction& transaction);
  Status establish(CardTransaction& transaction, Need need);
  Status verify_again(CardTransaction& transaction);
  Status authenticate_again(CardTransaction& transaction);
  Status unblock_by_kept_puk(CardModule& module, CardTransaction& transaction, const Pin& new_pin);
  /// The user's PIN is now one that was typed on the reader.
  void forget_pin_of_pad();
  void forget_card_state() noexcept { selected_ = user_verified_ = administrator_verified_ = false; }

  const CardChannelPtr channel_;
  const std::span<const CardKind> kinds_;
  const std::unique_ptr<SharedState> queue_;
  std::atomic<bool> removed_{false};

  Result<CardTransaction> begin();

  mutable std::mutex busy_;  // held during work on the card; guards what follows
  std::string kind_;
  std::unique_ptr<CardModule> module_;
  bool selected_here_ = false;  // in this transaction
  bool selected_ = false;
  bool user_verified_ = false;
  bool administrator_verified_ = false;
  bool user_logged_in_ = false;
  std::optional<Pin> user_pin_;  // absent when it was typed on the reader, or the card refused it
  std::optional<SecretBytes> administrator_key_;
  std::optional<Pin> puk_;
};

}  // namespace cardea::card
