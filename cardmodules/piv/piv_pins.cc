// PIN, PUK and global PIN of a PIV card (SP 800-73-4 part 1, 3.3.2 and table 4; part 2, 3.2.1 to 3.2.3).
#include <algorithm>

#include "crypto/random.h"
#include "piv/commands.h"
#include "piv/key_references.h"
#include "piv/piv_card.h"

namespace cardea::card::piv {
namespace {

constexpr Byte reference_global = 0x00;
constexpr Byte reference_application = 0x80;
constexpr Byte reference_unblock = 0x81;
constexpr Byte reset_status = 0xff;  // P1 of VERIFY that closes the security status
constexpr std::size_t pin_block = 8;
constexpr std::size_t shortest_new_pin = 6;
constexpr std::size_t shortest_pin = 4;  // cards from outside the standard were delivered with such
constexpr Byte padding = 0xff;

// Meanings that status_error() cannot know, because they depend on the command.
Error pin_error(std::uint16_t status) {
  if (status == 0x6a88) return error(Code::function_not_supported, "the card has no such PIN");
  if (status == 0x6a80) return error(Code::pin_invalid, "the card does not allow these characters in a PIN");
  // Early cards say 630x where the standard has 63Cx (part 2, 3.2.1).
  if ((status & 0xfff0) == 0x6300 && status != 0x6300) return status_error(static_cast<std::uint16_t>(status | 0xc0));
  return status_error(status);
}

Status pin_status(std::uint16_t status) {
  constexpr std::uint16_t done = 0x9000;
  if (status != done) return pin_error(status);
  return {};
}

Status check_length(const Pin& pin, std::size_t shortest) {
  if (pin.size() < shortest || pin.size() > pin_block) {
    return error(Code::pin_length, "a PIV card's PINs have six to eight characters");
  }
  return {};
}

/// One or two PINs, each padded to eight bytes (part 1, 2.4.3).
SecretBytes blocks(std::initializer_list<const Pin*> pins) {
  SecretBytes data(pins.size() * pin_block);
  std::fill_n(data.data(), data.size(), padding);
  Byte* block = data.data();
  for (const Pin* const pin : pins) {
    std::copy_n(pin->view().data(), pin->size(), block);
    block += pin_block;
  }
  return data;
}

PinPad::PinBlock block_on_pad(Byte ins, Byte reference, std::size_t shortest) {
  return {.ins = ins,
          .p2 = reference,
          .min_length = shortest,
          .max_length = pin_block,
          .padded_length = pin_block,
          .padding = padding};
}

Status send(CardTransaction& transaction, Byte ins, Byte reference, const SecretBytes& data) {
  Command command{.ins = ins, .p2 = reference, .data = data.view(), .expects_data = false, .secret_data = true};
  CARDEA_ASSIGN(const Response answer, transaction.transmit(command));
  return pin_status(answer.status);
}

/// VERIFY without data tells the counter and burns no try.
Result<PinState> counter(CardTransaction& transaction, Byte reference) {
  CARDEA_ASSIGN(const Response answer,
                transaction.transmit(Command{.ins = instruction::verify, .p2 = reference, .expects_data = false}));
  PinState state;
  state.initialized = true;
  if (answer.ok()) return state;
  const Error meaning = pin_error(answer.status);
  state.locked = meaning.code == Code::pin_locked;
  if (!state.locked && meaning.code != Code::pin_incorrect) return meaning;
  state.retries_left = state.locked ? std::optional(0) : meaning.retries_left;
  return state;
}

void add_metadata(PinState& state, const Metadata& metadata) {
  state.to_be_changed = metadata.is_default;
  if (metadata.tries_left) state.retries_left = metadata.tries_left;
  if (metadata.tries_limit) state.retry_limit = *metadata.tries_limit;
  state.locked = metadata.tries_left == 0;
}

}  // namespace

Result<Byte> PivCard::pin_reference(CardTransaction& transaction, PinRole role) {
  switch (role) {
    case PinRole::unblock:
      return reference_unblock;
    case PinRole::user: {
      CARDEA_ASSIGN(const Discovery discovery, facts_.discovery(transaction));
      return discovery.global_is_primary ? reference_global : reference_application;
    }
    case PinRole::global: {
      CARDEA_ASSIGN(const Discovery discovery, facts_.discovery(transaction));
      if (discovery.global_pin) return reference_global;
      return error(Code::function_not_supported, "the card has no global PIN");
    }
    case PinRole::admin:
      break;
  }
  return error(Code::function_not_supported, "the administrator of a PIV card has a key and no PIN");
}

Status PivCard::verify(CardTransaction& transaction, PinRole role, const Pin& pin) {
  if (role == PinRole::unblock) return error(Code::function_not_supported, "a PUK only unblocks");
  CARDEA_TRY(check_length(pin, shortest_pin));
  CARDEA_ASSIGN(const Byte reference, pin_reference(transaction, role));
  return send(transaction, instruction::verify, reference, blocks({&pin}));
}

Status PivCard::verify_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) {
  if (role == PinRole::unblock) return error(Code::function_not_supported, "a PUK only unblocks");
  CARDEA_ASSIGN(const Byte reference, pin_reference(transaction, role));
  CARDEA_ASSIGN(const std::uint16_t status, pad.verify(block_on_pad(instruction::verify, reference, shortest_pin)));
  return pin_status(status);
}

Result<PinState> PivCard::pin_state(CardTransaction& transaction, PinRole role) {
  if (role == PinRole::admin) {
    CARDEA_ASSIGN(const Metadata metadata, facts_.metadata(transaction, key_management_9b));
    PinState state;
    state.initialized = true;
    state.to_be_changed = metadata.is_default;
    return state;
  }
  CARDEA_ASSIGN(const Byte reference, pin_reference(transaction, role));
  const bool is_puk = role == PinRole::unblock;
  PinState state;
  state.initialized = true;
  if (!is_puk) {
    CARDEA_ASSIGN(state, counter(transaction, reference));
  }
  // Only metadata tells of the PUK, which VERIFY does not take; where it costs a further question, the PIN does
  // without.
  if (!is_puk && !facts_.known_extensions()) return state;
  const Result<Metadata> metadata = facts_.metadata(transaction, reference);
  if (metadata) add_metadata(state, *metadata);
  if (!metadata && !is_about_object(metadata.error())) return metadata.error();
  return state;
}

Status PivCard::change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) {
  CARDEA_TRY(check_length(old_pin, shortest_pin));
  CARDEA_TRY(check_length(new_pin, shortest_new_pin));
  CARDEA_ASSIGN(const Byte reference, pin_reference(transaction, role));
  return send(transaction, instruction::change_reference, reference, blocks({&old_pin, &new_pin}));
}

Status PivCard::change_pin_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) {
  CARDEA_ASSIGN(const Byte reference, pin_reference(transaction, role));
  // The pad has one lower limit for both PINs, and what counts is that of the new one.
  CARDEA_ASSIGN(const std::uint16_t status,
                pad.modify(block_on_pad(instruction::change_reference, reference, shortest_new_pin),
                           PinPad::Change::old_and_new));
  return pin_status(status);
}

Status PivCard::unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) {
  CARDEA_TRY(check_length(puk, shortest_pin));
  CARDEA_TRY(check_length(new_pin, shortest_new_pin));
  // The PUK belongs to the application PIN also where the global one is primary (part 2, 3.2.3).
  return send(transaction, instruction::reset_retry, reference_application, blocks({&puk, &new_pin}));
}

// No command shows a PUK alone (part 2, 3.2.1: VERIFY is not for it), so it is changed to what it is.
Status PivCard::confirm_puk(CardTransaction& transaction, const Pin& puk) {
  if (!check_length(puk, shortest_new_pin)) return error(Code::function_not_supported, "a PUK has another length");
  return send(transaction, instruction::change_reference, reference_unblock, blocks({&puk, &puk}));
}

bool PivCard::deauthenticate(CardTransaction& transaction) {
  // There is no command that forgets the administrator.
  if (administered_) return false;
  const Result<Byte> reference = pin_reference(transaction, PinRole::user);
  if (!reference) return false;
  const Command command{.ins = instruction::verify, .p1 = reset_status, .p2 = *reference, .expects_data = false};
  const Result<Response> answer = transaction.transmit(command);
  return answer && answer->ok();
}

// Locks PIN and PUK by wrong entries, as cards want it before a reset. Eight random digits are well formed, which some
// cards check first, and wrong but for one time in a hundred million; then the next entry follows.
Status PivCard::block_pins(CardTransaction& transaction) {
  constexpr int most_tries = 256;
  for (const bool is_puk : {false, true}) {
    const Byte ins = is_puk ? instruction::change_reference : instruction::verify;
    const Byte reference = is_puk ? reference_unblock : reference_application;
    SecretBytes data(is_puk ? 2 * pin_block : pin_block);
    for (int i = 0;; ++i) {
      CARDEA_TRY(crypto::random_bytes(data.mutable_view()));
      for (Byte& byte : data.mutable_view()) byte = static_cast<Byte>('0' + byte % 10);
      const Status answer = send(transaction, ins, reference, data);
      if (!answer && answer.code() == Code::pin_locked) break;
      if (!answer && answer.code() != Code::pin_incorrect) return answer.error();
      if (i == most_tries) return error(Code::function_failed, "the card does not lock its PINs");
    }
  }
  return {};
}

}  // namespace cardea::card::piv
