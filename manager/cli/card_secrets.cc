#include "cli/card_secrets.h"

#include <fmt/format.h>

#include "base/config.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

constexpr std::string_view which_admin_key =
    "This needs the administrator's key of the card: name its file with --admin-key-file, or say --factory-admin-key "
    "for a card that still has the key of all new cards.";

std::string_view pin_word(card::PinRole role) {
  return role == card::PinRole::unblock ? "PUK" : "PIN";
}

/// The source that options name; the terminal for a last try.
Result<Pin> read_secret(const Context& context, const std::string& file, const std::string& prompt) {
  if (!file.empty()) return read_pin_file(file);
  Context plain;
  plain.options.pin_stdin = context.options.pin_stdin;
  return obtain_pin(plain, PinRole::user, prompt);
}

int digit(Byte character) {
  if (character >= '0' && character <= '9') return character - '0';
  const int lower = character | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

void close_at_end(card::CardTransaction& transaction) {
  transaction.reset_at_end();
}

Result<bool> permit_card_try(const CardConnection& card, card::PinRole role) {
  const std::string_view name = pin_word(role);
  {
    CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
    const auto state = card.module().pin_state(transaction, role);
    if (!state) return card_failure(state.error(), fmt::format("The state of the {} cannot be read", name));
    if (state->locked) return card_failure(error(Code::pin_locked), fmt::format("The {} cannot be used", name));
    if (state->retries_left != 1) return false;
  }
  if (!confirm(fmt::format("This is the last try: a wrong {} locks it.", name))) {
    return failure(Code::pin_incorrect, fmt::format("Only one try of the {} is left, and it was not used. The last try "
                                                    "is made only after a \"yes\" on a terminal, with the {} typed "
                                                    "there.",
                                                    name, name));
  }
  return true;
}

Result<Pin> obtain_card_pin(const Context& context, const CardConnection& card, card::PinRole role,
                            const std::string& file) {
  const std::string prompt = fmt::format("{} of card '{}': ", pin_word(role), printable(card.description().label));
  CARDEA_ASSIGN(const bool is_last, permit_card_try(card, role));
  return is_last ? ask_pin(prompt) : read_secret(context, file, prompt);
}

Result<Pin> obtain_new_card_pin(const Context& context, const CardConnection& card, const std::string& name,
                                const std::string& file) {
  const std::string prompt = fmt::format("New {} of card '{}': ", name, printable(card.description().label));
  CARDEA_ASSIGN(Pin pin, read_secret(context, file, prompt));
  const card::CardDescription& limits = card.description();
  if (pin.size() < limits.min_pin_length || pin.size() > limits.max_pin_length) {
    return failure(Code::pin_length, fmt::format("The new {} must have {} to {} characters. Nothing was changed.", name,
                                                 limits.min_pin_length, limits.max_pin_length));
  }
  if (!file.empty() || context.options.pin_stdin) return pin;
  CARDEA_ASSIGN(const Pin again, ask_pin(fmt::format("New {} again: ", name)));
  if (!equal_in_constant_time(pin.view(), again.view())) {
    return failure(Code::pin_invalid, "The two entries differ. Nothing was changed; run the command again.");
  }
  return pin;
}

Result<SecretBytes> read_admin_key(const std::string& file) {
  CARDEA_ASSIGN(const Pin text, read_pin_file(file, "key"));
  const ByteView digits = text.view();
  SecretBytes key(digits.size() / 2);
  bool good = digits.size() % 2 == 0;
  for (std::size_t i = 0; good && i < key.size(); ++i) {
    const int high = digit(digits[2 * i]);
    const int low = digit(digits[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) key.data()[i] = static_cast<Byte>(high << 4 | low);
  }
  if (good) return key;
  return failure(Code::arguments_bad, fmt::format("The first line of {} is no key in hexadecimal digits.", file));
}

Result<UserProof> UserProof::obtain(const Context& context, const CardConnection& card) {
  UserProof proof;
  const bool named = !context.options.pin_file.empty() || context.options.pin_stdin;
  if (!named && card.has_pin_pad()) {
    CARDEA_TRY(permit_card_try(card, card::PinRole::user));
    return proof;
  }
  CARDEA_ASSIGN(proof.pin_, obtain_card_pin(context, card, card::PinRole::user, context.options.pin_file));
  return proof;
}

Status UserProof::show(const CardConnection& card, card::CardTransaction& transaction) const {
  close_at_end(transaction);
  Status verified;
  if (pin_) {
    verified = card.module().verify(transaction, card::PinRole::user, *pin_);
  } else {
    note("enter the PIN at the reader");
    verified = card.module().verify_on_pad(transaction, *transaction.pin_pad(), card::PinRole::user);
  }
  if (!verified) return secret_failure(verified.error(), "PIN", "The PIN was not accepted");
  return {};
}

Result<WriterProof> WriterProof::obtain(const Context& context, const CardConnection& card,
                                        const CardOptions& options) {
  WriterProof proof;
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  const CardSettings configured = load_settings().card;
  const bool named = !options.admin_key_file.empty() || options.factory_admin_key;
  if (card.description().user_writes && !named) {
    CARDEA_ASSIGN(proof.user_, UserProof::obtain(context, card));
    return proof;
  }
  const std::string file = named ? options.admin_key_file : configured.admin_key_file.string();
  if (!file.empty()) {
    CARDEA_ASSIGN(proof.key_, read_admin_key(file));
    return proof;
  }
  if (!options.factory_admin_key && !configured.factory_admin_key) {
    return failure(Code::user_not_logged_in, std::string(which_admin_key));
  }
  proof.key_ = administrator->factory_key();
  if (proof.key_.empty()) {
    return failure(Code::function_not_supported, "Cards of this kind have no key of their own when they are new.");
  }
  return proof;
}

Status WriterProof::show(const CardConnection& card, card::CardTransaction& transaction) const {
  if (user_) return user_->show(card, transaction);
  close_at_end(transaction);
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  const Status authenticated = administrator->authenticate(transaction, key_);
  if (!authenticated) {
    return secret_failure(authenticated.error(), "administrator's key", "The administrator's key was not accepted");
  }
  return {};
}

}  // namespace cardea::cli
