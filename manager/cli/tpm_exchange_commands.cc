// tpm attest, activate, parent, wrap, import: what a virtual card exchanges with another machine.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/tpm_parts.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "crypto/random.h"
#include "tpm_text/exchange_text.h"

namespace cardea::cli {
namespace {

constexpr std::size_t exchange_limit = std::size_t{1} << 16;  // bytes of a file that is exchanged
constexpr std::size_t fresh_nonce_size = 32;                  // bytes
constexpr std::size_t id_size = 20;                           // bytes of a CKA_ID that nobody chose

struct ExchangeOptions {
  std::string card;
  ObjectChoice key;
  std::string file;
  std::string nonce;
  std::string out;
  std::string parent;
  std::string key_file;
  std::string transport_key;
};
using ExchangePtr = std::shared_ptr<ExchangeOptions>;

/// The user PIN of a card; the last try is not given away.
Result<Pin> pin_for(const Context& context, const TpmCard& card) {
  const std::string prompt = fmt::format("PIN of '{}': ", card.label);
  const bool last = card.limit > 0 && card.failures + 1 >= card.limit && card.ready();
  if (!last) return obtain_pin(context, PinRole::user, prompt);
  CARDEA_TRY(confirm_final_try());
  return ask_pin(prompt);
}

Status attest(const Context& context, const ExchangeOptions& options) {
  Bytes nonce(fresh_nonce_size);
  if (options.nonce.empty()) {
    CARDEA_TRY(crypto::random_bytes(nonce));
  } else {
    CARDEA_ASSIGN(nonce, parse_hex(options.nonce, "--nonce"));
  }
  CARDEA_ASSIGN(const Wanted key, wanted_object(context, options.key));
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, options.card));
  CARDEA_ASSIGN(const Pin pin, pin_for(context, card));
  const auto statement = cards.attest(card.serial, pin, key.label, key.id, nonce);
  if (!statement) return library_failure(statement.error(), "The TPM did not vouch for the key");
  CARDEA_TRY(write_output(options.out, view_of(tpm::to_text(*statement)), FileMode::open, /*is_text=*/true));
  if (!context.options.json) return {};
  return print_json({{"serial", card.serial},
                     {"nonce", to_hex(nonce)},
                     {"endorsement_certificate", !statement->endorsement_certificate.empty()}});
}

Status activate(const Context& context, const ExchangeOptions& options) {
  CARDEA_ASSIGN(const Bytes file, read_file(options.file, exchange_limit));
  const auto credential = tpm::parse_credential_file(file);
  if (!credential) {
    return failure(Code::data_invalid,
                   fmt::format("{} is no credential. `cardea attest challenge` makes one.", options.file));
  }
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, options.card));
  const auto answer = cards.activate(card.serial, *credential);
  if (!answer) return library_failure(answer.error(), "The challenge was not answered");
  const std::string text = to_hex(answer->view());
  if (!options.out.empty()) {
    CARDEA_TRY(write_output(options.out, view_of(text + "\n"), FileMode::secret, /*is_text=*/true));
  }
  if (context.options.json) return print_json({{"answer", text}});
  return options.out.empty() ? print(text + "\n") : Status();
}

Status parent(const Context& context, const ExchangeOptions& options) {
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, options.card));
  const auto area = cards.storage_key(card.serial);
  if (!area) return library_failure(area.error(), "The card's storage key cannot be told");
  CARDEA_TRY(write_output(options.out, *area, FileMode::open));
  if (!context.options.json) return {};
  return print_json({{"serial", card.serial}, {"bytes", area->size()}});
}

Status wrap(const Context& context, const ExchangeOptions& options) {
  CARDEA_ASSIGN(const Bytes area, read_file(options.parent, exchange_limit));
  const auto point = tpm::storage_key_point(area);
  if (!point) {
    return failure(
        Code::data_invalid,
        fmt::format("{} is not the storage key of a virtual card. `cardea tpm parent` writes it.", options.parent));
  }
  CARDEA_ASSIGN(const SecretBytes encoded, read_private_key_file(options.key_file));
  const auto key = crypto::from_private_key_info(encoded.view());
  if (!key) return library_failure(key.error(), "The private key cannot be read");
  const auto wrapped = tpm::wrap_key(*point, **key, {});
  if (!wrapped) return library_failure(wrapped.error(), "The key cannot be wrapped for a TPM");
  const bool together = options.transport_key.empty();
  const SecretBytes text = tpm::to_text(*wrapped, together);
  CARDEA_TRY(write_output(options.out, text.view(), FileMode::secret, /*is_text=*/true));
  if (!together) {
    std::string digits = to_hex(wrapped->inner_key.view()) + "\n";
    Status written = write_output(options.transport_key, view_of(digits), FileMode::secret, /*is_text=*/true);
    wipe({reinterpret_cast<Byte*>(digits.data()), digits.size()});
    CARDEA_TRY(std::move(written));
  }
  if (!context.options.json) return {};
  return print_json({{"wrapped", true}, {"transport_key", !together}});
}

Result<tpm::WrappedKey> read_wrapped(const ExchangeOptions& options) {
  CARDEA_ASSIGN(Bytes file, read_file(options.file, exchange_limit));
  auto wrapped = tpm::wrapped_key_from_text(text_of(file));
  wipe(file);
  if (!wrapped) return library_failure(wrapped.error(), fmt::format("{} is no wrapped key", options.file));
  if (!options.transport_key.empty()) {
    CARDEA_ASSIGN(const Pin text, read_pin_file(options.transport_key, "transport key"));
    Bytes digits;
    const bool fine = from_hex(text_of(text.view()), digits);
    wrapped->inner_key = SecretBytes(digits);
    wipe(digits);
    if (!fine) return failure(Code::arguments_bad, "The transport key is not hexadecimal.");
  }
  if (!wrapped->inner_key.empty()) return wrapped;
  return failure(Code::arguments_bad,
                 "The wrapped key's transport key came another way. Name it with --transport-key.");
}

/// The id that a certificate of this key finds it by: chosen, or from the public key.
Result<Bytes> id_for(const tpm::WrappedKey& wrapped, const Wanted& wanted) {
  if (wanted.id) return *wanted.id;
  const auto area = tpm::parse_public_area(wrapped.public_area);
  if (!area) return library_failure(area.error(), "The wrapped key is damaged");
  CARDEA_ASSIGN(const Bytes key_info, crypto::subject_public_key_info(*area->key));
  CARDEA_ASSIGN(Bytes id, crypto::digest(Hash::sha256, key_info));
  id.resize(id_size);
  return id;
}

Status import(const Context& context, const ExchangeOptions& options) {
  CARDEA_ASSIGN(const tpm::WrappedKey wrapped, read_wrapped(options));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const Bytes id, id_for(wrapped, wanted));
  CARDEA_ASSIGN(const TpmCards cards, tpm_cards(context));
  CARDEA_ASSIGN(const TpmCard card, select_card(context, cards, options.card));
  CARDEA_ASSIGN(const Pin pin, pin_for(context, card));
  if (const Status done = cards.import_key(card.serial, pin, wrapped, wanted.label.value_or(""), id); !done) {
    return library_failure(done.error(), "The key was not taken in");
  }
  if (context.options.json) return print_json({{"serial", card.serial}, {"id", to_hex(id)}});
  return print(fmt::format("Virtual card '{}' has the key, with the id {}. Destroy {} now.\n", card.label, to_hex(id),
                           options.file));
}

void add_card(const Command& command, ExchangePtr options) {
  command.required("card", options->card, "label or serial number of the virtual card", "CARD");
}

void add_attesting(const Command& group, Context& context) {
  const auto options = std::make_shared<ExchangeOptions>();
  const Command attesting =
      group.command(context, "attest", "have the TPM vouch for a key, for `cardea attest verify`",
                    "  cardea tpm attest laptop ssh --nonce 00112233445566778899 --out ssh.attestation\n", Needs::user,
                    [&context, options] { return attest(context, *options); });
  add_card(attesting, options);
  add_object_options(attesting, options->key, "key");
  attesting.text("--nonce", options->nonce, "what the verifier wants to see in it, up to 48 bytes (default: random)",
                 "HEX");
  attesting.required("--out", options->out, "the statement (- for standard output)", "FILE");

  const auto answering = std::make_shared<ExchangeOptions>();
  const Command activating = group.command(context, "activate", "answer the challenge of `cardea attest challenge`",
                                           "  cardea tpm activate laptop ssh.credential\n", Needs::token,
                                           [&context, answering] { return activate(context, *answering); });
  add_card(activating, answering);
  activating.required("credential", answering->file, "the challenge", "FILE");
  activating.text("--out", answering->out, "where to write the answer (default: it is shown)", "FILE");
}

void add_wrapping(const Command& group, Context& context) {
  const auto telling = std::make_shared<ExchangeOptions>();
  const Command parents = group.command(context, "parent", "tell the key for which others wrap keys for a virtual card",
                                        "  cardea tpm parent laptop --out laptop.parent\n", Needs::token,
                                        [&context, telling] { return parent(context, *telling); });
  add_card(parents, telling);
  parents.required("--out", telling->out, "its public area (- for standard output)", "FILE");

  const auto wrapping = std::make_shared<ExchangeOptions>();
  const Command wrapper =
      group.command(context, "wrap", "wrap a private key for a virtual card, wherever the key is",
                    "  cardea tpm wrap --parent laptop.parent --key recovered.pem --out recovered.wrapped\n",
                    Needs::nothing, [&context, wrapping] { return wrap(context, *wrapping); });
  wrapper.required("--parent", wrapping->parent, "what `cardea tpm parent` wrote", "FILE");
  wrapper.required("--key", wrapping->key_file, "the private key, PKCS#8 in PEM or DER", "FILE");
  wrapper.required("--out", wrapping->out, "the wrapped key", "FILE");
  wrapper.text("--transport-key", wrapping->transport_key,
               "write the key of the inner wrapper there, to travel another way (default: it is in the wrapped key)",
               "FILE");

  const auto taking = std::make_shared<ExchangeOptions>();
  const Command taker = group.command(context, "import", "take a wrapped key into a virtual card",
                                      "  cardea tpm import laptop recovered.wrapped --label old-mail\n", Needs::user,
                                      [&context, taking] { return import(context, *taking); });
  add_card(taker, taking);
  taker.required("wrapped", taking->file, "the wrapped key", "FILE");
  taker.text("--label", taking->key.label, "label of the key", "LABEL");
  taker.text("--id", taking->key.id, "its CKA_ID, hexadecimal (default: made of the public key)", "HEX");
  taker.text("--transport-key", taking->transport_key, "the key of the inner wrapper, if it came another way", "FILE");
}

}  // namespace

void add_tpm_exchange(const Command& group, Context& context) {
  add_attesting(group, context);
  add_wrapping(group, context);
}

}  // namespace cardea::cli
