// token list, show, init. PIN commands are in pin_commands.cc, those of the keystore alone in keystore_tokens.cc.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/keystore_tokens.h"
#include "cli/output.h"
#include "cli/pin_commands.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/token_seals.h"
#include "cryptoki/names.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

std::string pin_words(const TokenInfo& token, CK_USER_TYPE user) {
  const bool so = user == CKU_SO;
  if (!token.initialized()) return "";
  if (!so && !token.has(CKF_USER_PIN_INITIALIZED)) return "not set";
  if (token.has(so ? CKF_SO_PIN_LOCKED : CKF_USER_PIN_LOCKED)) return "locked";
  if (token.has(so ? CKF_SO_PIN_FINAL_TRY : CKF_USER_PIN_FINAL_TRY)) return "last try";
  if (token.has(so ? CKF_SO_PIN_COUNT_LOW : CKF_USER_PIN_COUNT_LOW)) return "wrong PIN was entered";
  if (token.has(so ? CKF_SO_PIN_TO_BE_CHANGED : CKF_USER_PIN_TO_BE_CHANGED)) return "to be changed";
  return "ok";
}

// "wrong PIN was entered; 2 tries are left", as far as the token tells.
std::string pin_state(const Module& module, const TokenInfo& token, CK_USER_TYPE user) {
  const std::string state = pin_words(token, user);
  const auto tries = keystore_tries_left(module, token, user);
  if (!tries || *tries == 0) return state;
  return fmt::format("{}; {} {} left", state, *tries, *tries == 1 ? "try is" : "tries are");
}

json::object to_json(const Module& module, const TokenInfo& token) {
  return {{"slot", token.slot},
          {"label", token.label},
          {"serial", token.serial},
          {"manufacturer", token.manufacturer},
          {"model", token.model},
          {"initialized", token.initialized()},
          {"writable", !token.has(CKF_WRITE_PROTECTED)},
          {"login_required", token.has(CKF_LOGIN_REQUIRED)},
          {"user_pin", pin_words(token, CKU_USER)},
          {"so_pin", pin_words(token, CKU_SO)},
          {"min_pin_length", token.min_pin_length},
          {"max_pin_length", token.max_pin_length},
          {"sealed", is_sealed(module.path(), token)},
          {"uri", token.initialized() ? format_uri(token.label, token.serial, "", {}, "") : ""}};
}

Status list_tokens(Context& context) {
  CARDEA_ASSIGN(const auto module, load_module(context));
  CARDEA_ASSIGN(const auto tokens, module->tokens());
  if (context.options.json) {
    json::array list;
    for (const TokenInfo& token : tokens) {
      list.push_back(to_json(*module, token));
    }
    return print_json({{"tokens", list}});
  }
  Table table({"LABEL", "SERIAL", "MODEL", "USER PIN", "SEALED BY", "SLOT"});
  for (const TokenInfo& token : tokens) {
    if (!token.initialized()) continue;
    table.row({token.label, token.serial, token.model, pin_words(token, CKU_USER),
               is_sealed(module->path(), token) ? "TPM" : "", std::to_string(token.slot)});
  }
  if (table.empty()) return print("There is no token yet. Make one with `cardea token init --label NAME`.\n");
  return print(table.text());
}

json::array mechanisms_json(const std::vector<MechanismInfo>& mechanisms) {
  json::array list;
  for (const MechanismInfo& mechanism : mechanisms) {
    list.push_back(json::object{{"name", constant_text(ConstantKind::CKM, mechanism.type)},
                                {"min_key_size", mechanism.info.ulMinKeySize},
                                {"max_key_size", mechanism.info.ulMaxKeySize},
                                {"flags", mechanism.info.flags}});
  }
  return list;
}

// "by the TPM", and what is in the way of opening it.
std::string seal_state(const Module& module, const TokenInfo& token) {
  if (!is_sealed(module.path(), token)) return "no";
  const std::string problem = seal_problem(module.path(), token);
  return problem.empty() ? "by this machine's TPM" : fmt::format("by a TPM; {}", problem);
}

json::value tries_json(const Module& module, const TokenInfo& token, CK_USER_TYPE user) {
  const auto tries = keystore_tries_left(module, token, user);
  return tries ? json::value(*tries) : json::value(nullptr);
}

Status show_token(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const bool is_uri, take_uri(context, name));
  if (!is_uri && !name.empty()) context.options.token = name;
  CARDEA_ASSIGN(const auto module, load_module(context));
  CARDEA_ASSIGN(const TokenInfo token, select_token(*module, context));
  CARDEA_ASSIGN(const auto mechanisms, module->mechanisms(token.slot));
  if (context.options.json) {
    json::object object = to_json(*module, token);
    object["user_tries_left"] = tries_json(*module, token, CKU_USER);
    object["so_tries_left"] = tries_json(*module, token, CKU_SO);
    object["seal_problem"] = seal_problem(module->path(), token);
    object["mechanisms"] = mechanisms_json(mechanisms);
    return print_json(object);
  }
  std::string text = fmt::format(
      "Label:         {}\nSerial:        {}\nManufacturer:  {}\nModel:         {}\nWritable:      {}\nUser PIN:      "
      "{}\n"
      "SO PIN:        {}\nPIN length:    {} to {} bytes\nSealed:        {}\nURI:           {}\nMechanisms:\n",
      token.label, token.serial, token.manufacturer, token.model, token.has(CKF_WRITE_PROTECTED) ? "no" : "yes",
      pin_state(*module, token, CKU_USER), pin_state(*module, token, CKU_SO), token.min_pin_length,
      token.max_pin_length, seal_state(*module, token), format_uri(token.label, token.serial, "", {}, ""));
  for (const MechanismInfo& mechanism : mechanisms) {
    text += fmt::format("  {}\n", constant_text(ConstantKind::CKM, mechanism.type));
  }
  return print(text);
}

struct InitOptions {
  std::string label;
  bool erase = false;
  bool no_user_pin = false;
};

Status check_label(const std::string& label) {
  // PKCS#11 3.2, 5.5.7: 32 bytes of UTF-8, padded with blanks.
  if (label.empty() || label.size() > 32 || label.ends_with(' ') || printable(label) != label) {
    return failure(Code::arguments_bad,
                   "A token's label has 1 to 32 bytes of UTF-8 without control characters or a blank at its end.");
  }
  return {};
}

// The slot for the new token: an uninitialised one, or with --erase the token that was named.
Result<TokenInfo> slot_to_initialize(Context& context, const Module& module, const InitOptions& options) {
  CARDEA_ASSIGN(const auto tokens, module.tokens());
  if (options.erase) {
    if (context.options.token.empty())
      return failure(Code::arguments_bad, "Say which token to erase: --token with its label or serial number.");
    CARDEA_ASSIGN(const TokenInfo token, select_token(module, context));
    if (context.options.yes || confirm(fmt::format("This destroys every key and certificate on token '{}' (serial {}).",
                                                   token.label, token.serial))) {
      return token;
    }
    return failure(Code::function_canceled, "Nothing was changed. Say --yes to erase without being asked.");
  }
  if (std::ranges::any_of(tokens, [&](const TokenInfo& t) { return t.initialized() && t.label == options.label; })) {
    return failure(Code::exists,
                   fmt::format("There is a token '{}' already. Choose another label; --erase --token {} makes "
                               "that one empty and new.",
                               options.label, options.label));
  }
  const auto free = std::ranges::find_if(tokens, [](const TokenInfo& token) { return !token.initialized(); });
  if (free != tokens.end()) return *free;
  return failure(Code::not_found,
                 "No slot has a token that waits to be initialised. Insert one, or erase one with --erase "
                 "--token SERIAL.");
}

// After C_InitToken a module may have moved the token to another slot; its serial number may be new as well.
Result<TokenInfo> find_initialized(const Module& module, const TokenInfo& before, const std::string& label) {
  auto same_slot = module.token(before.slot);
  if (same_slot && same_slot->initialized() && same_slot->label == label) return std::move(*same_slot);
  CARDEA_ASSIGN(const auto tokens, module.tokens());
  const auto found = std::ranges::find_if(tokens, [&](const TokenInfo& token) {
    return token.initialized() && token.label == label && !token.has(CKF_USER_PIN_INITIALIZED);
  });
  if (found != tokens.end()) return *found;
  return failure(Code::device_error,
                 "The token was initialised but does not show up. `cardea token list` shows what there "
                 "is.");
}

Result<std::optional<Pin>> first_user_pin(const Context& context, const InitOptions& options, const TokenInfo& token) {
  const bool source = context.options.pin_stdin || !context.options.pin_file.empty();
  if (options.no_user_pin || (!source && !has_terminal())) return std::optional<Pin>();
  CARDEA_ASSIGN(Pin pin, obtain_new_pin(context, PinRole::user, "user PIN", token));
  return std::optional<Pin>(std::move(pin));
}

Status set_first_pin(const Module& module, const TokenInfo& token, const Pin& so_pin, const Pin& user_pin) {
  CARDEA_ASSIGN(const Session session, Session::open(module, token, true));
  if (const CK_RV rv = session.login(CKU_SO, &so_pin); rv != CKR_OK) {
    return p11_failure(
        rv,
        "The token was initialised and has no user PIN yet; set it with `cardea token pin set`. The security officer "
        "could not log in");
  }
  const CK_RV rv =
      module->C_InitPIN(session.handle(), const_cast<CK_UTF8CHAR*>(user_pin.view().data()), user_pin.size());
  if (rv != CKR_OK)
    return p11_failure(rv,
                       "The token was initialised, but its user PIN could not be set; `cardea token pin set` tries "
                       "again");
  return {};
}

Status init_token(Context& context, const InitOptions& options) {
  CARDEA_TRY(check_label(options.label));
  CARDEA_ASSIGN(const auto module, load_module(context));
  CARDEA_ASSIGN(const TokenInfo before, slot_to_initialize(context, *module, options));
  const std::string so_name = "security officer's PIN";
  // On a token in use C_InitToken wants the present SO PIN and counts wrong ones.
  if (before.initialized()) {
    CARDEA_TRY(check_tries(before, CKU_SO));
    if (is_final_try(before, CKU_SO)) CARDEA_TRY(confirm_final_try());
  }
  CARDEA_ASSIGN(const Pin so_pin, before.initialized()
                                      ? obtain_pin(context, PinRole::officer, "Security officer's PIN: ")
                                      : obtain_new_pin(context, PinRole::officer, so_name, before));
  CARDEA_ASSIGN(const auto user_pin, first_user_pin(context, options, before));
  std::string padded = options.label;
  padded.resize(32, ' ');
  CK_RV rv = CKR_OK;
  {
    const Progress progress("initialising the token");
    rv = (*module)->C_InitToken(before.slot, const_cast<CK_UTF8CHAR*>(so_pin.view().data()), so_pin.size(),
                                reinterpret_cast<CK_UTF8CHAR*>(padded.data()));
  }
  if (rv != CKR_OK) return p11_failure(rv, "The token could not be initialised");
  CARDEA_ASSIGN(TokenInfo token, find_initialized(*module, before, options.label));
  if (user_pin) CARDEA_TRY(set_first_pin(*module, token, so_pin, *user_pin));
  CARDEA_ASSIGN(token, module->token(token.slot));
  if (context.options.json) return print_json(to_json(*module, token));
  CARDEA_TRY(print(fmt::format("Token '{}' is ready; its serial number is {}.\n", token.label, token.serial)));
  if (user_pin) return {};
  return print("It has no user PIN yet; set it with `cardea token pin set`.\n");
}

}  // namespace

void add_token_commands(const Command& root, Context& context) {
  const Command group = root.group("token", "tokens and their PINs");
  group.command(context, "list", "list the tokens", "  cardea token list\n  cardea token list --json\n", Needs::module,
                [&context] { return list_tokens(context); });

  const auto name = std::make_shared<std::string>();
  const Command show = group.command(context, "show", "describe one token and its mechanisms",
                                     "  cardea token show demo\n  cardea token show 'pkcs11:token=demo'\n",
                                     Needs::token, [&context, name] { return show_token(context, *name); });
  show.text("name", *name, "label, serial number or pkcs11: URI", "TOKEN");

  const auto init = std::make_shared<InitOptions>();
  const Command make = group.command(context, "init", "make a new token and set its PINs",
                                     "  cardea token init --label demo\n"
                                     "  cardea token init --label demo --so-pin-file so.pin --pin-file user.pin\n",
                                     Needs::officer, [&context, init] { return init_token(context, *init); });
  make.required("--label", init->label, "name of the token, up to 32 bytes", "LABEL");
  make.flag("--no-user-pin", init->no_user_pin, "leave the user PIN unset");
  make.flag("--erase", init->erase, "make the token named by --token empty and new");
  make.flag("--yes", context.options.yes, "do not ask before erasing");
  add_keystore_commands(group, context);
  add_seal_commands(group, context);
  add_pin_commands(group, context);
}

}  // namespace cardea::cli
