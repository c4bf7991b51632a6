#include "cli/token_seals.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"

namespace cardea::cli {
namespace {

struct SealOptions {
  std::string name;
  bool officer = false;
  bool recovery_code = false;
  std::string recovery_code_file;
};

/// A token, and the seals of its module.
struct Sealable {
  std::unique_ptr<Module> module;
  TokenInfo token;
  Seals seals;
};

Result<Sealable> choose(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const bool is_uri, take_uri(context, name));
  if (!is_uri && !name.empty()) context.options.token = name;
  CARDEA_ASSIGN(auto module, load_module(context));
  CARDEA_ASSIGN(TokenInfo token, select_token(*module, context));
  auto seals = Seals::of(module->path());
  if (!seals) {
    return failure(Code::not_found, "This module seals no tokens. Name libcardea-pkcs11.so with --module PATH.");
  }
  if (token.model != "Keystore") {
    return failure(Code::function_not_supported,
                   fmt::format("Token '{}' is none of the software keystore; only those are sealed.", token.label));
  }
  return Sealable{std::move(module), std::move(token), *seals};
}

Result<Pin> present_pin(const Context& context, const TokenInfo& token, CK_USER_TYPE user) {
  CARDEA_TRY(check_tries(token, user));
  const std::string prompt =
      fmt::format("{} of token '{}': ", user == CKU_SO ? "Security officer's PIN" : "PIN", token.label);
  if (!is_final_try(token, user)) {
    return obtain_pin(context, user == CKU_SO ? PinRole::officer : PinRole::user, prompt);
  }
  CARDEA_TRY(confirm_final_try());
  return ask_pin(prompt);
}

Error refusal(const Error& cause, const TokenInfo& token, std::string_view what) {
  return library_failure(cause, fmt::format("Token '{}' {}", token.label, what));
}

Status seal(Context& context, const SealOptions& options) {
  CARDEA_ASSIGN(const Sealable chosen, choose(context, options.name));
  const TokenInfo& token = chosen.token;
  const CK_USER_TYPE user = options.officer ? CKU_SO : CKU_USER;
  CARDEA_ASSIGN(const Pin pin, present_pin(context, token, user));
  Result<Pin> code = Code::internal;
  {
    const Progress progress("sealing the token");
    code = chosen.seals.seal(token.serial, user, pin);
  }
  if (!code) return refusal(code.error(), token, "was not sealed");
  const std::string text(text_of(code->view()));
  if (context.options.json) {
    return print_json({{"label", token.label}, {"serial", token.serial}, {"sealed", true}, {"recovery_code", text}});
  }
  return print(
      fmt::format("Token '{}' is sealed: its PINs open it with this machine's TPM and nowhere else.\n"
                  "Recovery code: {}\n"
                  "Keep it on paper, away from this machine: it is shown only now, and it takes the seal off when the "
                  "TPM\nis gone (`cardea token unseal --recovery-code`). Copies of the token made before are not "
                  "sealed.\n",
                  token.label, text));
}

Status take_off(const Context& context, const SealOptions& options, const Sealable& chosen) {
  const TokenInfo& token = chosen.token;
  if (options.recovery_code || !options.recovery_code_file.empty()) {
    CARDEA_ASSIGN(const Pin code, options.recovery_code_file.empty()
                                      ? ask_pin(fmt::format("Recovery code of token '{}': ", token.label))
                                      : read_pin_file(options.recovery_code_file, "recovery code"));
    const Status done = chosen.seals.recover(token.serial, code);
    if (done) return done;
    if (done.code() != Code::pin_incorrect) return refusal(done.error(), token, "was not unsealed");
    // Codes are not counted, so the advice about PINs does not fit.
    return failure(Code::pin_incorrect,
                   fmt::format("This is not the recovery code of token '{}'. Nothing was changed.", token.label));
  }
  const CK_USER_TYPE user = options.officer ? CKU_SO : CKU_USER;
  CARDEA_ASSIGN(const Pin pin, present_pin(context, token, user));
  const Progress progress("taking the seal off");
  const Status done = chosen.seals.unseal(token.serial, user, pin);
  return done ? done : refusal(done.error(), token, "was not unsealed");
}

Status unseal(Context& context, const SealOptions& options) {
  CARDEA_ASSIGN(const Sealable chosen, choose(context, options.name));
  const TokenInfo& token = chosen.token;
  CARDEA_TRY(take_off(context, options, chosen));
  if (context.options.json) {
    return print_json({{"label", token.label}, {"serial", token.serial}, {"sealed", false}});
  }
  return print(fmt::format("Token '{}' is no longer sealed; its PINs are as they were.\n", token.label));
}

}  // namespace

bool is_sealed(const std::string& module, const TokenInfo& token) {
  const auto seals = Seals::of(module);
  return seals && seals->sealed(token.serial);
}

void add_seal_commands(const Command& group, Context& context) {
  const auto options = std::make_shared<SealOptions>();
  const Command sealing =
      group.command(context, "seal", "bind a software keystore token to this machine's TPM, and show its recovery code",
                    "  cardea token seal demo\n  cardea token seal demo --so --so-pin-file so.pin\n", Needs::officer,
                    [&context, options] { return seal(context, *options); });
  const Command unsealing = group.command(context, "unseal", "take the seal off a software keystore token",
                                          "  cardea token unseal demo\n  cardea token unseal demo --recovery-code\n",
                                          Needs::officer, [&context, options] { return unseal(context, *options); });
  for (const Command& command : {sealing, unsealing}) {
    command.text("name", options->name, "label, serial number or pkcs11: URI", "TOKEN");
    command.flag("--so", options->officer, "by the security officer's PIN instead of the user's");
  }
  unsealing.flag("--recovery-code", options->recovery_code, "by the recovery code, where the TPM is gone; asks for it");
  unsealing.text("--recovery-code-file", options->recovery_code_file, "read the recovery code from this file", "FILE");
}

}  // namespace cardea::cli
