// card list, info, dump, verify, attest, reset; the rest of the group is in the files named by its parts.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/card_access.h"
#include "cli/card_parts.h"
#include "cli/card_secrets.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "x509/certificate.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

std::string_view content_word(card::ReaderContent content) {
  switch (content) {
    case card::ReaderContent::nothing:
      return "no card";
    case card::ReaderContent::card:
      return "card";
    case card::ReaderContent::mute_card:
      return "a card that does not answer";
    case card::ReaderContent::unavailable:
      return "reader does not work";
  }
  return "";
}

Status list(const Context& context) {
  const auto readers = open_readers();
  CARDEA_ASSIGN(const std::vector<card::Reader> all, list_readers(*readers));
  Table table({"READER", "KIND", "LABEL", "SERIAL", "STATE"});
  json::array cards;
  for (const card::Reader& reader : all) {
    json::object entry{{"reader", printable(reader.name)}, {"atr", to_hex(reader.atr)}};
    std::string state(content_word(reader.content));
    std::string kind;
    card::CardDescription description;
    if (reader.content == card::ReaderContent::card) {
      const Result<CardConnection> card = CardConnection::open_reader(readers, reader.name);
      if (card) {
        kind = card->kind();
        description = card->description();
        state = description.problems.empty() ? "ready" : "see `cardea card info`";
      } else {
        state = card.code() == Code::token_not_recognized ? "unknown card" : card.error().detail;
      }
    }
    entry["state"] = state;
    entry["kind"] = kind;
    entry["label"] = printable(description.label);
    entry["serial"] = printable(description.serial);
    cards.push_back(std::move(entry));
    table.row({printable(reader.name), kind, printable(description.label), printable(description.serial), state});
  }
  if (context.options.json) return print_json({{"cards", std::move(cards)}});
  return print(table.empty() ? "There is no card reader.\n" : table.text());
}

json::object pin_json(const Result<PinState>& state) {
  if (!state) return {{"known", false}};
  json::object result{{"known", true}, {"locked", state->locked}, {"factory", state->to_be_changed}};
  if (state->retries_left) result["tries_left"] = *state->retries_left;
  return result;
}

std::string tries_left(int tries) {
  return tries == 1 ? "1 try left" : fmt::format("{} tries left", tries);
}

std::string pin_line(std::string_view name, const Result<PinState>& state) {
  if (!state) return "";
  std::string line = fmt::format("{}: ", name);
  if (state->locked) {
    line += "locked";
  } else {
    line += state->retries_left ? tries_left(*state->retries_left) : std::string("tries unknown");
  }
  if (state->to_be_changed) line += ", still the one from the factory";
  return line + "\n";
}

std::string_view word(card::PinPolicy policy) {
  switch (policy) {
    case card::PinPolicy::never:
      return "never";
    case card::PinPolicy::once:
      return "once";
    case card::PinPolicy::always:
      return "always";
  }
  return "";
}

std::string_view word(card::TouchPolicy policy) {
  switch (policy) {
    case card::TouchPolicy::never:
      return "";
    case card::TouchPolicy::always:
      return "always";
    case card::TouchPolicy::cached:
      return "cached";
  }
  return "";
}

struct Keys {
  Table table{{"PLACE", "LABEL", "KEY", "CERTIFICATE", "VALID UNTIL", "PIN", "TOUCH"}};
  json::array list;
};

void add_key(Keys& keys, const CardConnection& card, const card::Container& container) {
  const auto certificate = x509::read_certificate(container.certificate);
  const std::string subject = certificate ? printable(certificate->subject) : "";
  const std::string until = certificate ? certificate->not_after : "";
  const std::string name = place_name(card, container.place);
  const std::string kind = key_words(container.public_key);
  keys.table.row({name, printable(container.place.label), kind, subject, until, std::string(word(container.place.pin)),
                  std::string(word(container.touch))});
  keys.list.push_back(json::object{{"place", name},
                                   {"label", printable(container.place.label)},
                                   {"id", to_hex(container.place.id)},
                                   {"key", kind},
                                   {"has_key", container.has_key},
                                   {"generated_on_card", container.local},
                                   {"pin", word(container.place.pin)},
                                   {"touch", word(container.touch)},
                                   {"subject", subject},
                                   {"not_after", until},
                                   {"public_key", to_hex(container.public_key)},
                                   {"certificate", to_hex(container.certificate)}});
}

Result<Keys> read_keys(const CardConnection& card, card::CardTransaction& transaction,
                       std::vector<std::string>& problems) {
  Keys keys;
  const auto places = card.module().places(transaction);
  if (!places) return card_failure(places.error(), "The places for keys cannot be read");
  for (const card::ContainerPlace& place : *places) {
    const auto container = card.module().read_container(transaction, place);
    if (!container && container.code() == Code::device_removed) {
      return card_failure(container.error(), "The keys cannot be read");
    }
    if (!container) {
      problems.push_back(
          fmt::format("Place {} cannot be read: {}.", place_name(card, place), cardea::describe(container.error())));
    } else if (*container) {
      add_key(keys, card, **container);
    }
  }
  return keys;
}

Status info(const Context& context, const CardOptions& options) {
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  const Progress progress("reading the card");
  const card::CardDescription& about = card.description();
  std::vector<std::string> problems = about.problems;
  CARDEA_ASSIGN(Keys keys, read_keys(card, transaction, problems));
  const auto puk = card.module().pin_state(transaction, card::PinRole::unblock);
  const auto pin = card.module().pin_state(transaction, card::PinRole::user);
  if (context.options.json) {
    json::array sentences;
    for (const std::string& problem : problems) sentences.emplace_back(printable(problem));
    return print_json({{"reader", printable(card.reader())},
                       {"kind", card.kind()},
                       {"label", printable(about.label)},
                       {"manufacturer", printable(about.manufacturer)},
                       {"model", printable(about.model)},
                       {"serial", printable(about.serial)},
                       {"pin", pin_json(pin)},
                       {"puk", pin_json(puk)},
                       {"keys", std::move(keys.list)},
                       {"problems", std::move(sentences)}});
  }
  std::string text =
      fmt::format("{}, a {} card in reader '{}'\n", printable(about.label), card.kind(), printable(card.reader()));
  text += fmt::format("model: {}\nserial number: {}\n", printable(about.model), printable(about.serial));
  text += pin_line("PIN", pin) + pin_line("PUK", puk);
  text += keys.table.empty() ? "There is no key that the card tells of.\n" : "\n" + keys.table.text();
  for (const std::string& problem : problems) text += "problem: " + printable(problem) + "\n";
  return print(text);
}

/// An opened card, to which --login has shown the PIN.
struct Reading {
  CardConnection card;
  card::CardTransaction transaction;
};

Result<Reading> begin_reading(const Context& context, const CardOptions& options) {
  CARDEA_ASSIGN(CardConnection card, CardConnection::open(context.options, options.card));
  std::optional<UserProof> user;
  if (context.options.login) {
    CARDEA_ASSIGN(user, UserProof::obtain(context, card));
  }
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  if (user) CARDEA_TRY(user->show(card, transaction));
  return Reading{std::move(card), std::move(transaction)};
}

struct Dump {
  std::string text;
  json::array files;
};

void add_file(Dump& dump, const CardConnection& card, const card::FileEntry& file, const Bytes& content) {
  json::object entry{{"name", printable(file.name)}, {"bytes", content.size()}, {"content", to_hex(content)}};
  dump.text += fmt::format("{} ({} bytes)\n", printable(file.name), content.size());
  json::array list;
  const auto fields = card.module().explain(file, content);
  if (fields) {
    for (const card::FileField& field : *fields) {
      constexpr std::size_t longest_line = 100;
      const std::string value = printable(field.value);
      const bool is_long = value.size() > longest_line;
      dump.text +=
          fmt::format("  {}: {}{}\n", printable(field.name), value.substr(0, longest_line), is_long ? " ..." : "");
      list.push_back(json::object{{"name", printable(field.name)}, {"value", value}});
    }
  } else {
    dump.text += fmt::format("  damaged: {}\n", cardea::describe(fields.error()));
    entry["problem"] = cardea::describe(fields.error());
  }
  entry["fields"] = std::move(list);
  dump.files.push_back(std::move(entry));
}

Status dump(const Context& context, const CardOptions& options) {
  CARDEA_ASSIGN(Reading reading, begin_reading(context, options));
  auto& [card, transaction] = reading;
  const Progress progress("reading the card");
  const auto files = card.module().files(transaction);
  if (!files) return card_failure(files.error(), "The card's files cannot be listed");
  Dump result;
  for (const card::FileEntry& file : *files) {
    if (file.needs_pin && !context.options.login) {
      result.text += fmt::format("{} needs the PIN: add --login\n", printable(file.name));
      continue;
    }
    const auto content = card.module().read_file(transaction, file);
    if (content) {
      add_file(result, card, file, *content);
    } else if (content.code() == Code::device_removed || content.code() == Code::timed_out) {
      return card_failure(content.error(), "The card cannot be read");
    } else if (content.code() != Code::not_found) {
      result.text += fmt::format("{} cannot be read: {}\n", printable(file.name), cardea::describe(content.error()));
    }
  }
  if (!context.options.json) return print(result.text);
  return print_json({{"reader", printable(card.reader())},
                     {"kind", card.kind()},
                     {"serial", printable(card.description().serial)},
                     {"files", std::move(result.files)}});
}

Status verify(const Context& context, const CardOptions& options, const std::string& issuer_file) {
  CARDEA_ASSIGN(const x509::Certificate issuer, read_certificate_file(issuer_file));
  CARDEA_ASSIGN(Reading reading, begin_reading(context, options));
  auto& [card, transaction] = reading;
  const auto checks = card.module().check_contents(transaction, issuer.der);
  if (!checks) return card_failure(checks.error(), "The card's contents cannot be checked");
  std::size_t failed = 0;
  std::string text;
  json::array list;
  for (const card::ContentCheck& check : *checks) {
    if (!check.passed) ++failed;
    text += fmt::format("{:<7} {}: {}\n", check.passed ? "ok" : "FAILED", printable(check.subject),
                        printable(check.sentence));
    list.push_back(json::object{
        {"subject", printable(check.subject)}, {"passed", check.passed}, {"finding", printable(check.sentence)}});
  }
  if (context.options.json) {
    CARDEA_TRY(print_json({{"failed", failed}, {"checks", std::move(list)}}));
  } else {
    CARDEA_TRY(print(text));
  }
  if (failed == 0) return {};
  return failure(Code::signature_invalid, fmt::format("{} of {} checks failed. Objects that need the PIN are checked "
                                                      "with --login only.",
                                                      failed, checks->size()));
}

Status attest(const Context& context, const CardOptions& options, const std::string& place_text,
              const std::string& out) {
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  CARDEA_ASSIGN(const card::ContainerPlace place, find_place(card, transaction, place_text));
  const auto certificate = administrator->attest(transaction, place);
  if (!certificate) return card_failure(certificate.error(), "The card does not attest this key");
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE", *certificate));
  if (!out.empty() || !context.options.json) CARDEA_TRY(write_output(out, view_of(pem), FileMode::open, true));
  if (!context.options.json) return {};
  return print_json({{"place", place_name(card, place)}, {"certificate", pem}});
}

Status reset(const Context& context, const CardOptions& options) {
  CARDEA_ASSIGN(const CardConnection card, CardConnection::open(context.options, options.card));
  CARDEA_ASSIGN(card::CardAdministrator* const administrator, card.administrator());
  const std::string name = printable(card.description().label);
  if (!context.options.yes &&
      !confirm(fmt::format("This destroys every key and certificate on card '{}' in reader '{}', for good.", name,
                           printable(card.reader())))) {
    return failure(Code::function_canceled, "Nothing was changed. Say --yes to reset without being asked.");
  }
  CARDEA_ASSIGN(card::CardTransaction transaction, card.begin());
  const Progress progress("resetting the card");
  if (const Status done = administrator->reset(transaction); !done) {
    return card_failure(done.error(), "The card was not reset");
  }
  if (context.options.json) return print_json({{"card", name}, {"done", "reset"}});
  return print(
      fmt::format("Card '{}' is as it left the factory, with the PIN, PUK and administrator's key of all new "
                  "cards. Change them before you use it.\n",
                  name));
}

}  // namespace

void add_card_commands(const Command& root, Context& context) {
  const Command group = root.group("card", "smart cards: contents, PINs, keys, certificates");
  const auto options = std::make_shared<CardOptions>();
  const auto value = std::make_shared<std::string>();
  const auto out = std::make_shared<std::string>();
  group.command(context, "list", "list readers and the cards in them", "  cardea card list\n", Needs::nothing,
                [&context] { return list(context); });
  add_card_option(group.command(context, "info", "show a card, its PINs, keys and certificates",
                                "  cardea card info\n  cardea card info --card Yubico --json\n", Needs::nothing,
                                [&context, options] { return info(context, *options); }),
                  *options);
  const Command dump_command = group.command(context, "dump", "show every file of a card, field by field",
                                             "  cardea card dump --json\n  cardea card dump --login\n", Needs::nothing,
                                             [&context, options] { return dump(context, *options); });
  const Command verify_command =
      group.command(context, "verify", "check the issuer's signatures and hashes on a card",
                    "  cardea card verify --issuer content-signer.pem --login\n", Needs::nothing,
                    [&context, options, value] { return verify(context, *options, *value); });
  verify_command.required("--issuer", *value, "certificate of the content signer, or of an authority above it", "FILE");
  for (const Command& command : {dump_command, verify_command}) {
    add_card_option(command, *options);
    add_card_pin_options(command, context.options);
    command.flag("--login", context.options.login, "show the PIN, for files that need it");
  }
  const Command attest_command =
      group.command(context, "attest", "write the card's certificate that it generated a key itself",
                    "  cardea card attest --place 9A --out attestation.pem\n", Needs::nothing,
                    [&context, options, value, out] { return attest(context, *options, *value, *out); });
  add_card_option(attest_command, *options);
  attest_command.required("--place", *value, "the key's place; F9 for the attesting key itself", "PLACE")
      .text("--out", *out, "file for the certificate (default: standard output)", "FILE");
  const Command reset_command =
      group.command(context, "reset", "make a card as it left the factory", "  cardea card reset --card 12345678\n",
                    Needs::nothing, [&context, options] { return reset(context, *options); });
  add_card_option(reset_command, *options);
  reset_command.flag("--yes", context.options.yes, "do not ask before erasing");
  add_card_init_command(group, context);
  add_card_recording_commands(group, context);
  add_card_pin_commands(group, context);
  add_card_key_commands(group, context);
}

}  // namespace cardea::cli
