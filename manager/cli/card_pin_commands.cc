// card pin change, unlock, tries; card puk change; card admin-key set.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/card_parts.h"
#include "cli/card_secrets.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

struct PinOptions : CardOptions {
  std::string puk_file;
  std::string new_pin_file;
  std::string new_puk_file;
  std::string new_admin_key_file;
  std::size_t pin_tries = 3;
  std::size_t puk_tries = 3;
};
using PinOptionsPtr = std::shared_ptr<PinOptions>;

Status say_done(const Context& context, const CardConnection& card, std::string_view done) {
  const std::string label = printable(card.description().label);
  if (context.options.json) return print_json({{"card", label}, {"done", done}});
  return print(fmt::format("Card '{}': the {}.\n", label, done));
}

/// False where the reader's pad turns out not to lay out this card's PINs.
Result<bool> change_on_pad(const CardConnection& card, card::PinRole role, std::string_view name) {
  CARDEA_TRY(permit_card_try(card, role));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  close_at_end(transaction);
  note(fmt::format("enter the present {}, then the new one twice, at the reader", name));
  const Status done = card.module().change_pin_on_pad(transaction, *transaction.pin_pad(), role);
  if (done) return true;
  if (done.code() != Code::function_not_supported) {
    return secret_failure(done.error(), name, fmt::format("The {} was not changed", name));
  }
  note(fmt::format("{}; enter it here", cardea::describe(done.error())));
  return false;
}

Status change(const Context& context, const PinOptions& options, card::PinRole role) {
  const bool is_puk = role == card::PinRole::unblock;
  const std::string name = is_puk ? "PUK" : "PIN";
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  const std::string& old_file = is_puk ? options.puk_file : context.options.pin_file;
  const std::string& new_file = is_puk ? options.new_puk_file : options.new_pin_file;
  const bool named = !old_file.empty() || !new_file.empty() || context.options.pin_stdin;
  if (!named && card.pad_changes_pins()) {
    CARDEA_ASSIGN(const bool changed, change_on_pad(card, role, name));
    if (changed) return say_done(context, card, name + " was changed");
  }
  CARDEA_ASSIGN(const Pin old_pin, obtain_card_pin(context, card, role, old_file));
  CARDEA_ASSIGN(const Pin new_pin, obtain_new_card_pin(context, card, name, new_file));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  close_at_end(transaction);
  if (const Status done = card.module().change_pin(transaction, role, old_pin, new_pin); !done) {
    return secret_failure(done.error(), name, fmt::format("The {} was not changed", name));
  }
  return say_done(context, card, name + " was changed");
}

Status unlock(const Context& context, const PinOptions& options) {
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(const Pin puk, obtain_card_pin(context, card, card::PinRole::unblock, options.puk_file));
  CARDEA_ASSIGN(const Pin new_pin, obtain_new_card_pin(context, card, "PIN", options.new_pin_file));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  close_at_end(transaction);
  if (const Status done = card.module().unblock(transaction, puk, new_pin); !done) {
    return secret_failure(done.error(), "PUK", "The PIN was not unlocked");
  }
  return say_done(context, card, "PIN was unlocked and set anew");
}

Status set_tries(const Context& context, const PinOptions& options) {
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  CARDEA_ASSIGN(const WriterProof writer, WriterProof::obtain(context, card, options));
  CARDEA_ASSIGN(const UserProof user, UserProof::obtain(context, card));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  CARDEA_TRY(writer.show(card, transaction));
  CARDEA_TRY(user.show(card, transaction));
  const Status done =
      administrator->set_tries(transaction, static_cast<int>(options.pin_tries), static_cast<int>(options.puk_tries));
  if (!done) return card_failure(done.error(), "The number of tries was not changed");
  note("PIN and PUK have the values of a new card again; change them now");
  return say_done(context, card, "number of tries was set");
}

Status set_admin_key(const Context& context, const PinOptions& options) {
  CARDEA_ASSIGN(const SecretBytes fresh, read_admin_key(options.new_admin_key_file));
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  CARDEA_ASSIGN(const WriterProof writer, WriterProof::obtain(context, card, options));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  CARDEA_TRY(writer.show(card, transaction));
  if (const Status done = administrator->set_key(transaction, fresh); !done) {
    return secret_failure(done.error(), "new key", "The administrator's key was not changed");
  }
  return say_done(context, card, "administrator's key was changed");
}

void add_pin_group(const Command& card_group, Context& context, const PinOptionsPtr& options) {
  const Command group = card_group.group("pin", "change and unlock the PIN of a card");
  const Command change_command =
      group.command(context, "change", "change the PIN", "  cardea card pin change\n", Needs::nothing,
                    [&context, options] { return change(context, *options, card::PinRole::user); });
  const Command unlock_command =
      group.command(context, "unlock", "set the PIN anew with the PUK", "  cardea card pin unlock\n", Needs::nothing,
                    [&context, options] { return unlock(context, *options); });
  unlock_command.text("--puk-file", options->puk_file, "read the PUK from the first line of this file", "FILE");
  for (const Command& command : {change_command, unlock_command}) {
    add_card_option(command, *options);
    add_card_pin_options(command, context.options);
    command.text("--new-pin-file", options->new_pin_file, "read the new PIN from this file", "FILE");
  }
  const Command tries_command =
      group.command(context, "tries", "set how many wrong entries lock PIN and PUK, which get their factory values",
                    "  cardea card pin tries --pin-tries 5 --puk-tries 3 --admin-key-file admin.key\n", Needs::nothing,
                    [&context, options] { return set_tries(context, *options); });
  add_card_admin_options(tries_command, context, *options);
  constexpr std::size_t most = 255;
  tries_command.number("--pin-tries", options->pin_tries, "wrong PINs until the lock (default: 3)", 1, most)
      .number("--puk-tries", options->puk_tries, "wrong PUKs until the lock (default: 3)", 1, most);
}

}  // namespace

void add_card_pin_commands(const Command& card_group, Context& context) {
  const auto options = std::make_shared<PinOptions>();
  add_pin_group(card_group, context, options);
  const Command puk = card_group.group("puk", "change the PUK of a card");
  const Command puk_change =
      puk.command(context, "change", "change the PUK", "  cardea card puk change\n", Needs::nothing,
                  [&context, options] { return change(context, *options, card::PinRole::unblock); });
  add_card_option(puk_change, *options);
  puk_change.text("--puk-file", options->puk_file, "read the PUK from the first line of this file", "FILE")
      .text("--new-puk-file", options->new_puk_file, "read the new PUK from this file", "FILE")
      .flag("--pin-stdin", context.options.pin_stdin, "read each PUK that is needed from one line of standard input");
  const Command admin_key = card_group.group("admin-key", "change the administrator's key of a card");
  const Command set =
      admin_key.command(context, "set", "change the administrator's key",
                        "  cardea card admin-key set --factory-admin-key --new-admin-key-file admin.key\n",
                        Needs::nothing, [&context, options] { return set_admin_key(context, *options); });
  add_card_admin_options(set, context, *options);
  set.required("--new-admin-key-file", options->new_admin_key_file,
               "read the new key, in hexadecimal, from the first line of this file", "FILE");
}

}  // namespace cardea::cli
