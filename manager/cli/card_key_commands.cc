// card key generate, import, delete, move; card cert write, delete.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/card_parts.h"
#include "cli/card_secrets.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/text.h"
#include "crypto/asymmetric_key.h"
#include "crypto/key_encoding.h"
#include "x509/certificate.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

struct KeyOptions : CardOptions {
  std::string place;
  std::string to;
  std::string type = "rsa:2048";
  std::string pin_policy;
  std::string touch_policy;
  std::string in;
  std::string out;
  bool force = false;
};
using KeyOptionsPtr = std::shared_ptr<KeyOptions>;

struct TypeWord {
  const char* word;
  crypto::KeyAlgorithm algorithm;
  std::size_t bits;
};
constexpr TypeWord type_words[]{
    {"rsa:2048", crypto::KeyAlgorithm::rsa, 2048}, {"rsa:3072", crypto::KeyAlgorithm::rsa, 3072},
    {"rsa:4096", crypto::KeyAlgorithm::rsa, 4096}, {"ec:P-256", crypto::KeyAlgorithm::p256, 0},
    {"ec:P-384", crypto::KeyAlgorithm::p384, 0},   {"ed25519", crypto::KeyAlgorithm::ed25519, 0},
    {"x25519", crypto::KeyAlgorithm::x25519, 0}};

std::vector<std::string> words_of_types() {
  std::vector<std::string> words;
  for (const TypeWord& type : type_words) words.emplace_back(type.word);
  return words;
}

std::optional<card::PinPolicy> pin_policy(const std::string& word) {
  if (word == "never") return card::PinPolicy::never;
  if (word == "once") return card::PinPolicy::once;
  if (word == "always") return card::PinPolicy::always;
  return std::nullopt;
}

std::optional<card::TouchPolicy> touch_policy(const std::string& word) {
  if (word == "never") return card::TouchPolicy::never;
  if (word == "always") return card::TouchPolicy::always;
  if (word == "cached") return card::TouchPolicy::cached;
  return std::nullopt;
}

card::KeyRequest request_of(const KeyOptions& options) {
  card::KeyRequest request;
  for (const TypeWord& type : type_words) {
    if (options.type != type.word) continue;
    request.algorithm = type.algorithm;
    request.bits = type.bits;
  }
  request.pin = pin_policy(options.pin_policy);
  request.touch = touch_policy(options.touch_policy);
  return request;
}

/// A place on an opened card, with its writer's proof shown.
struct Writing {
  CardConnection card;
  card::CardAdministrator* administrator;
  card::CardTransaction transaction;
  card::ContainerPlace place;
};

Result<Writing> begin_writing(const Context& context, const KeyOptions& options) {
  CARDEA_ASSIGN(CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  CARDEA_ASSIGN(const WriterProof writer, WriterProof::obtain(context, card, options));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  CARDEA_ASSIGN(card::ContainerPlace place, find_place(card, transaction, options.place));
  CARDEA_TRY(writer.show(card, transaction));
  return Writing{std::move(card), administrator, std::move(transaction), std::move(place)};
}

/// What a person would miss: refuses unless --force was said.
Status refuse_overwriting(Writing& writing, const card::ContainerPlace& place, const KeyOptions& options,
                          std::string_view deed) {
  const auto present = writing.card.module().read_container(writing.transaction, place);
  if (!present && present.code() != Code::data_invalid) {
    return card_failure(present.error(), "What is in the place cannot be read");
  }
  if (present && !*present) return {};
  std::string what = "something that cannot be read";
  if (present) {
    const std::string kind = key_words((*present)->public_key);
    what = fmt::format("{} key", kind.empty() ? "a" : "the " + kind);
    const auto certificate = x509::read_certificate((*present)->certificate);
    if (certificate) what += fmt::format(" with the certificate of '{}'", printable(certificate->subject));
  }
  if (options.force) return {};
  return failure(Code::exists, fmt::format("Place {} holds {}. {} would lose it for good: nothing signed or encrypted "
                                           "for that key could be used with this card any more. Say --force if that "
                                           "is meant.",
                                           place_name(writing.card, place), what, deed));
}

Status say_done(const Context& context, const Writing& writing, std::string_view done) {
  const std::string label = printable(writing.card.description().label);
  const std::string place = place_name(writing.card, writing.place);
  if (context.options.json) return print_json({{"card", label}, {"place", place}, {"done", done}});
  return print(fmt::format("{} in place {} of card '{}'.\n", done, place, label));
}

Status generate(const Context& context, const KeyOptions& options) {
  // Many cards tell the public key only now.
  CARDEA_TRY(check_output(options.out));
  CARDEA_ASSIGN(Writing writing, begin_writing(context, options));
  CARDEA_TRY(refuse_overwriting(writing, writing.place, options, "A new key"));
  const Progress progress("the card generates the key");
  const auto key_info = writing.administrator->generate(writing.transaction, writing.place, request_of(options));
  if (!key_info) return card_failure(key_info.error(), "The key was not generated");
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("PUBLIC KEY", *key_info));
  if (options.out == "-" && !context.options.json) return print(pem);
  if (!options.out.empty() && options.out != "-") {
    CARDEA_TRY(write_output(options.out, view_of(pem), FileMode::open, true));
  }
  if (context.options.json) {
    return print_json({{"card", printable(writing.card.description().label)},
                       {"place", place_name(writing.card, writing.place)},
                       {"key", key_words(*key_info)},
                       {"public_key", pem}});
  }
  return say_done(context, writing, fmt::format("The key ({}) was generated", key_words(*key_info)));
}

Status import(const Context& context, const KeyOptions& options) {
  CARDEA_ASSIGN(const SecretBytes key, read_private_key_file(options.in));
  CARDEA_ASSIGN(Writing writing, begin_writing(context, options));
  CARDEA_TRY(refuse_overwriting(writing, writing.place, options, "Another key"));
  if (const Status done =
          writing.administrator->import_key(writing.transaction, writing.place, key, request_of(options));
      !done) {
    return card_failure(done.error(), "The key was not imported");
  }
  return say_done(context, writing, "The key was imported");
}

Status remove_key(const Context& context, const KeyOptions& options) {
  CARDEA_ASSIGN(Writing writing, begin_writing(context, options));
  CARDEA_TRY(refuse_overwriting(writing, writing.place, options, "Deleting"));
  if (const Status done = writing.administrator->delete_key(writing.transaction, writing.place); !done) {
    return card_failure(done.error(), "The key was not deleted");
  }
  return say_done(context, writing, "The key was deleted");
}

Status move(const Context& context, const KeyOptions& options) {
  CARDEA_ASSIGN(Writing writing, begin_writing(context, options));
  CARDEA_ASSIGN(const card::ContainerPlace to, find_place(writing.card, writing.transaction, options.to));
  if (to.index == writing.place.index) {
    return failure(Code::arguments_bad, fmt::format("{} is the place to move from and to. Name another one with --to.",
                                                    place_name(writing.card, to)));
  }
  CARDEA_TRY(refuse_overwriting(writing, to, options, "Moving another key there"));
  if (const Status done = writing.administrator->move_key(writing.transaction, writing.place, to); !done) {
    return card_failure(done.error(), "The key was not moved");
  }
  writing.place = to;
  return say_done(context, writing, "The key is now");
}

Status write_certificate(const Context& context, const KeyOptions& options) {
  CARDEA_ASSIGN(const x509::Certificate certificate, read_certificate_file(options.in));
  CARDEA_ASSIGN(Writing writing, begin_writing(context, options));
  const auto present = writing.card.module().read_container(writing.transaction, writing.place);
  const bool other =
      present && *present && !(*present)->public_key.empty() && (*present)->public_key != certificate.key_info;
  if (other && !options.force) {
    return failure(Code::exists,
                   "The key in that place is another one than the certificate's. Say --force if the "
                   "certificate is meant nevertheless.");
  }
  if (const Status done = writing.administrator->write_certificate(writing.transaction, writing.place, certificate.der);
      !done) {
    return card_failure(done.error(), "The certificate was not written");
  }
  return say_done(context, writing, fmt::format("The certificate of '{}' is", printable(certificate.subject)));
}

Status remove_certificate(const Context& context, const KeyOptions& options) {
  CARDEA_ASSIGN(Writing writing, begin_writing(context, options));
  if (const Status done = writing.administrator->write_certificate(writing.transaction, writing.place, {}); !done) {
    return card_failure(done.error(), "The certificate was not deleted");
  }
  return say_done(context, writing, "The certificate was deleted");
}

using Action = Status (*)(const Context&, const KeyOptions&);

Command add(const Command& group, Context& context, const KeyOptionsPtr& options, const std::string& name,
            const std::string& description, const std::string& examples, Action action) {
  const Command command = group.command(context, name, description, examples, Needs::nothing,
                                        [&context, options, action] { return action(context, *options); });
  add_card_admin_options(command, context, *options);
  return command;
}

void add_policies(const Command& command, KeyOptions& options) {
  command.choice("--pin-policy", options.pin_policy, "when the key wants the PIN (default: the card's rule)", "WHEN",
                 {"never", "once", "always"});
  command.choice("--touch-policy", options.touch_policy, "when the key wants a touch (default: the card's rule)",
                 "WHEN", {"never", "always", "cached"});
}

void add_key_group(const Command& card_group, Context& context, const KeyOptionsPtr& options) {
  const Command group = card_group.group("key", "generate, import, delete and move keys on a card");
  const Command generate_command = add(
      group, context, options, "generate", "generate a key pair on the card",
      "  cardea card key generate --place 9A --type ec:P-256 --admin-key-file admin.key --out public.pem\n", generate);
  generate_command.choice("--type", options->type, "kind of key (default: rsa:2048)", "TYPE", words_of_types());
  generate_command.text("--out", options->out, "file for the public key, PEM", "FILE");
  const Command import_command =
      add(group, context, options, "import", "write a private key made elsewhere",
          "  cardea card key import --place 9D --in key.pem --admin-key-file admin.key\n", import);
  import_command.required("--in", options->in, "private key in PKCS#8, PEM or DER; - for standard input", "FILE");
  const Command delete_command =
      add(group, context, options, "delete", "delete a key",
          "  cardea card key delete --place 9D --force --admin-key-file admin.key\n", remove_key);
  const Command move_command = add(group, context, options, "move", "move a key with its certificate",
                                   "  cardea card key move --place 9D --to 82 --admin-key-file admin.key\n", move);
  move_command.required("--to", options->to, "the place to move to", "PLACE");
  for (const Command& command : {generate_command, import_command}) add_policies(command, *options);
  for (const Command& command : {generate_command, import_command, delete_command, move_command}) {
    command.required("--place", options->place, "place of the key: 9A, 9C, 9D, 9E, 82 to 95 on PIV cards", "PLACE");
    command.flag("--force", options->force, "overwrite or delete a key that is there");
  }
}

}  // namespace

void add_card_key_commands(const Command& card_group, Context& context) {
  const auto options = std::make_shared<KeyOptions>();
  add_key_group(card_group, context, options);
  const Command group = card_group.group("cert", "write and delete certificates on a card");
  const Command write_command =
      add(group, context, options, "write", "write a certificate beside its key",
          "  cardea card cert write --place 9A --in cert.pem --admin-key-file admin.key\n", write_certificate);
  write_command.required("--in", options->in, "certificate, PEM or DER; - for standard input", "FILE");
  write_command.flag("--force", options->force, "write it also where it does not belong to the key");
  const Command delete_command =
      add(group, context, options, "delete", "delete a certificate",
          "  cardea card cert delete --place 9A --admin-key-file admin.key\n", remove_certificate);
  for (const Command& command : {write_command, delete_command}) {
    command.required("--place", options->place, "place of the key: 9A, 9C, 9D, 9E, 82 to 95 on PIV cards", "PLACE");
  }
}

}  // namespace cardea::cli
