// tpm create, renew, list, show, destroy, unblock, answer (others: tpm_exchange_commands.cc): virtual smart cards in
// this machine's TPM.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <memory>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/p11.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/tpm_parts.h"
#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t puk_digits = 12;

std::string_view word(CARDEA_CARD_HEALTH health) {
  constexpr std::array<std::string_view, 5> words{"ready", "locked out", "of another TPM", "no TPM", "unreadable"};
  return words[std::min<std::size_t>(health, words.size() - 1)];
}

json::object to_json(const TpmCard& card) {
  return {{"serial", card.serial},      {"label", card.label},
          {"state", word(card.health)}, {"problem", card.words},
          {"keys", card.keys},          {"wrong_pins", card.failures},
          {"allowed_pins", card.limit}, {"seconds_per_try", card.seconds}};
}

Status list(const Context& context) {
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  const auto all = cards.list();
  if (!all) return library_failure(all.error(), "The virtual cards cannot be listed");
  if (context.options.json) {
    json::array array;
    for (const TpmCard& card : *all) array.push_back(to_json(card));
    return print_json({{"cards", array}});
  }
  Table table({"LABEL", "SERIAL", "KEYS", "STATE"});
  for (const TpmCard& card : *all) {
    table.row({card.label, card.serial, std::to_string(card.keys), std::string(word(card.health))});
  }
  if (table.empty()) return print("There is no virtual card yet. Make one with `cardea tpm create --label NAME`.\n");
  return print(table.text());
}

Status show(const Context& context, const std::string& name) {
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, name));
  if (context.options.json) return print_json(to_json(card));
  std::string text = fmt::format("Label:       {}\nSerial:      {}\nKeys:        {}\nState:       {}\n", card.label,
                                 card.serial, card.keys, word(card.health));
  if (!card.words.empty()) text += fmt::format("             {}\n", card.words);
  if (card.limit > 0) {
    text += fmt::format("Wrong PINs:  {} of {} that the TPM allows", card.failures, card.limit);
    text += card.seconds > 0 ? fmt::format("; it forgets one every {} seconds\n", card.seconds) : std::string("\n");
  }
  return print(text);
}

struct CreateOptions {
  std::string label;
  std::string puk_file;
  std::string admin_key_file;
};

Result<Pin> random_puk() {
  SecretBytes digits(puk_digits);
  for (std::size_t i = 0; i < digits.size();) {
    std::array<Byte, 1> byte{};
    CARDEA_TRY(crypto::random_bytes(byte));
    if (byte[0] >= 250) continue;  // so that every digit is as likely as the others
    digits.data()[i++] = static_cast<Byte>('0' + byte[0] % 10);
  }
  return Pin(digits.view());
}

Result<SecretBytes> key_from_file(const std::string& file) {
  CARDEA_ASSIGN(const Pin text, read_pin_file(file, "key"));
  Bytes key;
  const bool digits = from_hex(text_of(text.view()), key);
  SecretBytes secret(key);
  wipe(key);
  if (digits && secret.size() == tpm_admin_key_size) return secret;
  return failure(Code::pin_invalid,
                 fmt::format("{} does not hold an administrator's key, 64 hexadecimal digits.", file));
}

Result<TpmCardSecrets> obtain_secrets(const Context& context, const CreateOptions& options) {
  TpmCardSecrets secrets;
  TokenInfo limits;  // the module checks them once more, by its settings
  limits.min_pin_length = 1;
  limits.max_pin_length = 255;
  CARDEA_ASSIGN(secrets.user_pin, obtain_new_pin(context, PinRole::user, "user PIN", limits));
  if (options.puk_file.empty()) {
    CARDEA_ASSIGN(secrets.puk, random_puk());
  } else {
    CARDEA_ASSIGN(secrets.puk, read_pin_file(options.puk_file, "PUK"));
  }
  if (options.admin_key_file.empty()) {
    secrets.admin_key = SecretBytes(tpm_admin_key_size);
    CARDEA_TRY(crypto::random_bytes(secrets.admin_key.mutable_view()));
  } else {
    CARDEA_ASSIGN(secrets.admin_key, key_from_file(options.admin_key_file));
  }
  return secrets;
}

// What was made up here is shown once: nobody else knows it.
Status tell_secrets(const Context& context, const CreateOptions& options, const std::string& serial,
                    const TpmCardSecrets& secrets) {
  const std::string puk = options.puk_file.empty() ? std::string(text_of(secrets.puk.view())) : "";
  const std::string key = options.admin_key_file.empty() ? to_hex(secrets.admin_key.view()) : "";
  if (context.options.json) {
    json::object made{{"serial", serial}, {"label", options.label}};
    if (!puk.empty()) made["puk"] = puk;
    if (!key.empty()) made["administrator_key"] = key;
    return print_json(made);
  }
  std::string text = fmt::format("Virtual card '{}' is ready; its serial number is {}.\n", options.label, serial);
  if (!puk.empty()) text += fmt::format("PUK: {}\n", puk);
  if (!key.empty()) text += fmt::format("Administrator's key: {}\n", key);
  if (!puk.empty() || !key.empty())
    text += "Keep what is shown here: it is shown only now, and sets a forgotten PIN anew.\n";
  return print(text);
}

Status create(const Context& context, const CreateOptions& options) {
  // PKCS#11 3.2, 5.5.7: 32 bytes of UTF-8, padded with blanks.
  if (options.label.empty() || options.label.size() > 32 || options.label.ends_with(' ') ||
      printable(options.label) != options.label) {
    return failure(Code::arguments_bad,
                   "A card's label has 1 to 32 bytes of UTF-8 without control characters or a blank at its end.");
  }
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCardSecrets secrets, obtain_secrets(context, options));
  const auto serial = cards.create(options.label, secrets);
  if (!serial) return library_failure(serial.error(), "The virtual card could not be made");
  return tell_secrets(context, options, *serial, secrets);
}

Status renew(const Context& context, const std::string& name, CreateOptions options) {
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, name));
  if (!context.options.yes && !confirm(fmt::format("This gives up the {} keys of virtual card '{}' (serial {}), which "
                                                   "were lost with its TPM.",
                                                   card.keys, card.label, card.serial))) {
    return failure(Code::function_canceled, "Nothing was changed. Say --yes to enrol again without being asked.");
  }
  CARDEA_ASSIGN(const TpmCardSecrets secrets, obtain_secrets(context, options));
  if (const Status done = cards.renew(card.serial, secrets); !done) {
    return library_failure(done.error(), fmt::format("Virtual card '{}' was not enrolled again", card.label));
  }
  options.label = card.label;
  CARDEA_TRY(tell_secrets(context, options, card.serial, secrets));
  if (context.options.json || card.keys == 0) return {};
  return print(
      "Its former keys are lost. New ones need new certificates. A decryption key that was archived comes back "
      "wrapped:\n"
      "`cardea tpm parent` here, `cardea tpm wrap` where the key is recovered, `cardea tpm import` here.\n");
}

Status destroy(const Context& context, const std::string& name) {
  if (name.empty() && context.options.token.empty()) {
    return failure(Code::arguments_bad, "Say which card to destroy: its label or serial number.");
  }
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, name));
  if (!context.options.yes && !confirm(fmt::format("This destroys virtual card '{}' (serial {}) with {} keys for ever.",
                                                   card.label, card.serial, card.keys))) {
    return failure(Code::function_canceled, "Nothing was destroyed. Say --yes to destroy without being asked.");
  }
  if (const Status done = cards.destroy(card.serial); !done) {
    return library_failure(done.error(), fmt::format("Virtual card '{}' could not be destroyed", card.label));
  }
  if (context.options.json) return print_json({{"destroyed", card.serial}, {"label", card.label}});
  return print(fmt::format("Destroyed virtual card '{}' (serial {}).\n", card.label, card.serial));
}

/// HMAC-SHA-256 over SHA-256 of the challenge and an expiration of zero (cryptoki/tpm_interface.h).
Result<Bytes> answer_to(const SecretBytes& key, ByteView challenge) {
  Bytes signed_part = to_bytes(challenge);
  signed_part.insert(signed_part.end(), 4, Byte{0});
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, signed_part));
  CARDEA_ASSIGN(const SecretBytes answer, crypto::hmac(Hash::sha256, key.view(), digest));
  return to_bytes(answer.view());
}

Status answer(const Context& context, const std::string& file, const std::string& challenge) {
  CARDEA_ASSIGN(const SecretBytes key, key_from_file(file));
  Bytes nonce;
  if (!from_hex(challenge, nonce) || nonce.size() != tpm_challenge_size) {
    return failure(Code::arguments_bad, "A challenge has 64 hexadecimal digits.");
  }
  CARDEA_ASSIGN(const Bytes response, answer_to(key, nonce));
  if (context.options.json) return print_json({{"answer", to_hex(response)}});
  return print(to_hex(response) + "\n");
}

/// From the key's file, or read out to the administrator and typed in.
Result<Bytes> obtain_answer(const std::string& key_file, ByteView challenge) {
  if (!key_file.empty()) {
    CARDEA_ASSIGN(const SecretBytes key, key_from_file(key_file));
    return answer_to(key, challenge);
  }
  note("challenge: " + to_hex(challenge));
  CARDEA_ASSIGN(const Pin typed, ask_pin("Answer of the administrator: "));
  Bytes response;
  if (!from_hex(text_of(typed.view()), response) || response.size() != tpm_challenge_size) {
    return failure(Code::pin_invalid, "An answer has 64 hexadecimal digits. Nothing was changed.");
  }
  return response;
}

Status unblock(const Context& context, const std::string& name, const std::string& key_file) {
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, name));
  TokenInfo limits;
  limits.min_pin_length = 1;
  limits.max_pin_length = 255;
  CARDEA_ASSIGN(const Pin new_pin, obtain_new_pin(context, PinRole::fresh, "user PIN", limits));
  const Status done =
      cards.unblock(card.serial, new_pin, [&](ByteView challenge) { return obtain_answer(key_file, challenge); });
  if (!done) return library_failure(done.error(), fmt::format("Virtual card '{}' was not unblocked", card.label));
  if (context.options.json) return print_json({{"unblocked", card.serial}});
  return print(fmt::format("Virtual card '{}' has its new PIN.\n", card.label));
}

void add_secret_files(const Command& command, CreateOptions& options) {
  command.text("--puk-file", options.puk_file, "file with the PUK (default: a random one)", "FILE");
  command.text("--admin-key-file", options.admin_key_file,
               "file with the administrator's key, 64 hexadecimal digits (default: a random one)", "FILE");
}

void add_renewing(const Command& group, Context& context) {
  const auto options = std::make_shared<CreateOptions>();
  const auto name = std::make_shared<std::string>();
  const Command renewing =
      group.command(context, "renew", "enrol a virtual card again after its TPM was cleared or replaced",
                    "  cardea tpm renew laptop\n", Needs::user,
                    [&context, name, options] { return renew(context, *name, *options); });
  renewing.text("card", *name, "label or serial number (default: the only one)", "CARD");
  renewing.flag("--yes", context.options.yes, "do not ask first");
  add_secret_files(renewing, *options);
}

void add_looking(const Command& group, Context& context) {
  group.command(context, "list", "list the virtual cards", "  cardea tpm list\n  cardea tpm list --json\n",
                Needs::module, [&context] { return list(context); });
  const auto name = std::make_shared<std::string>();
  const Command command =
      group.command(context, "show", "describe a virtual card and how far its TPM's lock-out is",
                    "  cardea tpm show laptop\n", Needs::token, [&context, name] { return show(context, *name); });
  command.text("card", *name, "label or serial number (default: the only one)", "CARD");
}

void add_unblocking(const Command& group, Context& context) {
  const auto name = std::make_shared<std::string>();
  const auto file = std::make_shared<std::string>();
  const Command unblocking =
      group.command(context, "unblock", "set a virtual card's PIN anew with the administrator's answer to a challenge",
                    "  cardea tpm unblock laptop\n"
                    "  cardea tpm unblock laptop --admin-key-file key.hex --new-pin-file new.pin\n",
                    Needs::token, [&context, name, file] { return unblock(context, *name, *file); });
  unblocking.text("card", *name, "label or serial number (default: the only one)", "CARD");
  unblocking.text("--admin-key-file", *file, "file with the administrator's key (default: the answer is typed in)",
                  "FILE");
  unblocking.text("--new-pin-file", context.options.new_pin_file, "file whose first line is the new PIN", "FILE");

  const auto challenge = std::make_shared<std::string>();
  const auto key = std::make_shared<std::string>();
  const Command answering = group.command(
      context, "answer", "answer the challenge of `cardea tpm unblock`, wherever the administrator's key is",
      "  cardea tpm answer --admin-key-file key.hex 0123456789abcdef...\n", Needs::nothing,
      [&context, challenge, key] { return answer(context, *key, *challenge); });
  answering.required("--admin-key-file", *key, "file with the administrator's key", "FILE");
  answering.required("challenge", *challenge, "the challenge, 64 hexadecimal digits", "CHALLENGE");
}

}  // namespace

void add_tpm_commands(const Command& root, Context& context) {
  const Command group = root.group("tpm", "virtual smart cards in this machine's TPM");
  const auto options = std::make_shared<CreateOptions>();
  const Command make =
      group.command(context, "create", "make a virtual card, and show its PUK and administrator's key once",
                    "  cardea tpm create --label laptop\n"
                    "  cardea tpm create --label laptop --pin-file user.pin --puk-file puk --admin-key-file key.hex\n",
                    Needs::user, [&context, options] { return create(context, *options); });
  make.required("--label", options->label, "name of the card, up to 32 bytes", "LABEL");
  add_secret_files(make, *options);
  add_renewing(group, context);
  add_looking(group, context);
  const auto name = std::make_shared<std::string>();
  const Command remove =
      group.command(context, "destroy", "destroy a virtual card with all its keys", "  cardea tpm destroy laptop\n",
                    Needs::token, [&context, name] { return destroy(context, *name); });
  remove.text("card", *name, "label or serial number", "CARD");
  remove.flag("--yes", context.options.yes, "do not ask first");
  add_unblocking(group, context);
  add_tpm_exchange(group, context);
}

}  // namespace cardea::cli
