// unblock: sets a token's PIN anew with what an operator reads out over the phone.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <memory>

#include "agent/device_kinds.h"
#include "agent/local_tokens.h"
#include "cli/card_access.h"
#include "cli/card_secrets.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "domain/readable_groups.h"
#include "domain/token_secrets.h"
#include "pins/pin_policy.h"

namespace cardea::cli {
namespace {

struct UnblockOptions {
  std::string device;
  std::string puk_file;
};

/// The operator at the other end of the telephone.
class Telephone final : public agent::Authority {
 public:
  /// `digits`: how many the unblock code has on this kind of token; 0: it takes none. `last`: it is the token's last
  /// try, which is not made with what stands in a file.
  Telephone(std::string puk_file, std::size_t digits, bool last)
      : puk_file_(std::move(puk_file)), digits_(digits), last_(last) {}

  Result<Pin> user_pin(bool) override { return error(Code::user_not_logged_in, "the PIN is what is set anew"); }
  Result<SecretBytes> admin_key() override {
    return error(Code::user_not_logged_in, "the administrator's key is told to nobody");
  }
  Result<Pin> unblocking_secret() override {
    if (!puk_file_.empty()) return code_or_secret();
    while (true) {
      CARDEA_ASSIGN(const Pin typed, ask_pin("Unblock code that the operator reads out: "));
      Result<Pin> code = heard(typed);
      if (code) return code;
      // A slip is found before the token counts it.
      note(describe(code.error()));
    }
  }
  Result<Bytes> answer(const agent::AdminChallenge& challenge, int attempt) override {
    constexpr int most_attempts = 3;
    if (attempt == most_attempts) return error(Code::pin_incorrect, "the token took none of the answers");
    if (attempt > 0) note("the token did not take the answer; there is a new challenge");
    note(fmt::format("read this to the operator: {}", manager::to_readable_groups(challenge.bytes)));
    while (true) {
      CARDEA_ASSIGN(const std::string text, ask_line("Answer that the operator reads out: "));
      Result<Bytes> bytes = manager::from_readable_groups(text, challenge.bytes.size());
      if (bytes) return bytes;
      // A slip is found before the token counts it.
      note(describe(bytes.error()));
    }
  }

 private:
  Result<Pin> heard(const Pin& groups) const {
    CARDEA_ASSIGN(const SecretBytes digits, manager::digits_from_readable_groups(groups.view(), digits_));
    return Pin(digits.view());
  }
  // Groups begin with a digit and have hyphens; the secret itself has none, unless somebody chose it (a SO PIN like
  // "so-pin-1234"). What looks like groups and is none is refused before the token is asked.
  Result<Pin> code_or_secret() const {
    CARDEA_ASSIGN(Pin held, last_ ? ask_pin("Unblock code or PUK: ") : read_pin_file(puk_file_, "PUK"));
    const std::string_view text = text_of(held.view());
    const bool groups = text.find('-') != std::string_view::npos && text.front() >= '0' && text.front() <= '9';
    if (!groups) return held;
    return heard(held);
  }

  const std::string puk_file_;
  const std::size_t digits_;
  const bool last_;
};

/// Whether the next try of the unblock code is the last; refuses to make that unless it is meant. A card whose PUK is
/// locked, too, can only be reset.
Result<bool> permit_try(const agent::LocalToken& token) {
  if (token.kind != "piv") return false;
  // What was not listed is not opened.
  const auto readers = open_readers();
  CARDEA_ASSIGN(const auto listed, list_readers(*readers));
  if (listed.empty())
    return failure(Code::token_absent, "The card reader is gone. Connect it and run the command again.");
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open_reader(readers, token.place));
  return permit_card_try(card, card::PinRole::unblock);
}

Result<agent::LocalToken> choose(agent::LocalTokens& tokens, const std::string& wanted) {
  CARDEA_ASSIGN(std::vector<agent::LocalToken> found, tokens.list(agent::device_kinds()));
  std::erase_if(found, [&](const agent::LocalToken& token) {
    return !wanted.empty() && token.kind != wanted && token.serial != wanted && token.label != wanted &&
           token.place.find(wanted) == std::string::npos;
  });
  if (found.size() == 1) return std::move(found.front());
  if (found.empty())
    return failure(Code::token_absent, "No token that fits is there. Insert it, or see `cardea doctor`.");
  std::string list;
  for (const agent::LocalToken& token : found) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", agent::words_of_kind(token.kind), printable(token.serial));
  }
  return failure(Code::arguments_bad,
                 fmt::format("Several tokens fit. Name one by its serial number with --device: {}.", list));
}

Result<Pin> new_pin(const Context& context, const agent::DeviceDescription& about) {
  TokenInfo limits;
  limits.min_pin_length = about.min_pin_length;
  limits.max_pin_length = about.max_pin_length;
  CARDEA_ASSIGN(Pin pin, obtain_new_pin(context, PinRole::fresh, "PIN", limits));
  pins::PinPolicy policy;
  policy.min_length = 1;
  const Status checked = pins::check_pin(policy, pin);
  if (!checked) return failure(checked.code(), fmt::format("Choose another PIN: {}.", checked.error().detail));
  return pin;
}

Error unblock_failure(const Error& cause) {
  if (cause.detail.ends_with('.')) return cause;
  // What the user chose is the new PIN; what was wrong is the code.
  const bool wrong_code = cause.code == Code::pin_incorrect && cause.retries_left;
  if (wrong_code) {
    Error result = failure(cause.code,
                           fmt::format("The PIN was not set: the unblock code is wrong (tries left: {}). Check it with "
                                       "the operator before you try again.",
                                       *cause.retries_left));
    result.retries_left = cause.retries_left;
    return result;
  }
  Error result = failure(
      cause.code, fmt::format("The PIN was not set: {}. Ask the operator, or run the command again.", describe(cause)));
  result.retries_left = cause.retries_left;
  return result;
}

Status unblock(const Context& context, const UnblockOptions& options) {
  const std::unique_ptr<agent::LocalTokens> tokens = agent::local_tokens(wanted_module(context));
  CARDEA_ASSIGN(const agent::LocalToken token, choose(*tokens, options.device));
  CARDEA_ASSIGN(const bool last, permit_try(token));
  const Result<std::unique_ptr<agent::Device>> device = tokens->open(token);
  if (!device) return unblock_failure(device.error());
  const Result<agent::DeviceDescription> about = (*device)->describe();
  if (!about) return unblock_failure(about.error());
  note(
      fmt::format("token {}: tell the operator its serial number {}", printable(token.label), printable(token.serial)));
  CARDEA_ASSIGN(const Pin pin, new_pin(context, *about));
  CARDEA_ASSIGN(const manager::KindSecrets secrets, manager::kind_secrets(token.kind));
  Telephone operator_there(options.puk_file, std::max(secrets.puk_digits, secrets.so_pin_digits), last);
  if (const Status done = (*device)->set_user_pin(operator_there, pin); !done) return unblock_failure(done.error());
  if (context.options.json) return print_json({{"serial", printable(token.serial)}, {"done", "unblocked"}});
  return print(fmt::format("The PIN of {} was set anew. The unblock code changes when the token is next online.\n",
                           printable(token.label)));
}

}  // namespace

void add_unblock_commands(const Command& root, Context& context) {
  const auto options = std::make_shared<UnblockOptions>();
  const Command command = root.command(context, "unblock", "set a token's PIN anew with an operator on the phone",
                                       "  cardea unblock\n  cardea unblock --device 0123456789abcdef\n", Needs::module,
                                       [&context, options] { return unblock(context, *options); });
  command
      .text("--device", options->device,
            "token by its kind (piv, gids, keystore, tpm), its serial number, or a part of its reader's name", "TOKEN")
      .text("--puk-file", options->puk_file, "read the unblock code, or the PUK or SO PIN itself, from this file",
            "FILE")
      .text("--new-pin-file", context.options.new_pin_file, "read the new PIN from this file", "FILE");
  command.flag("--pin-stdin", context.options.pin_stdin, "read the new PIN from standard input");
}

}  // namespace cardea::cli
