// card init.
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

struct InitOptions : CardOptions {
  std::string new_pin_file;
  std::string new_admin_key_file;
};

Status initialise(const Context& context, const InitOptions& options) {
  CARDEA_ASSIGN(const SecretBytes admin_key, read_admin_key(options.new_admin_key_file));
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  if (card.description().initialized) {
    return failure(Code::exists,
                   fmt::format("Card '{}' is not blank. Nothing was changed.", printable(card.description().label)));
  }
  CARDEA_ASSIGN(const Pin pin, obtain_new_card_pin(context, card, "PIN", options.new_pin_file));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  close_at_end(transaction);
  const Status done = administrator->initialise(
      transaction, {.card_id = {}, .user_pin = Pin(pin.view()), .admin_key = admin_key.copy()});
  if (!done) {
    return card_failure(done.error(), "The card was not initialised, or not to the end; the same command goes on");
  }
  CARDEA_ASSIGN(const card::CardDescription now, card.module().describe(transaction));
  const std::string serial = printable(now.serial);
  if (context.options.json) return print_json({{"kind", card.kind()}, {"serial", serial}, {"done", "initialised"}});
  return print(fmt::format("The card is initialised; its serial number is {}.\n", serial));
}

}  // namespace

void add_card_init_command(const Command& card_group, Context& context) {
  const auto options = std::make_shared<InitOptions>();
  const Command command = card_group.command(
      context, "init", "lay out a blank generic minidriver card, and set its PIN and administrator's key",
      "  cardea card init --new-admin-key-file admin.key\n", Needs::nothing,
      [&context, options] { return initialise(context, *options); });
  add_card_option(command, *options);
  command
      .required("--new-admin-key-file", options->new_admin_key_file,
                "read the administrator's key, in hexadecimal, from the first line of this file", "FILE")
      .text("--new-pin-file", options->new_pin_file, "read the PIN from this file", "FILE")
      .flag("--pin-stdin", context.options.pin_stdin, "read the PIN from one line of standard input");
}

}  // namespace cardea::cli
