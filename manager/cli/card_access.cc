#include "cli/card_access.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <iterator>

#include "base/config.h"
#include "cards/recognise.h"
#include "cards/shared_state.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/text.h"
#include "crypto/asymmetric_key.h"
#include "crypto/key_encoding.h"
#include "pcsc/recording.h"
#include "piv/key_references.h"
#include "plugin/plugins.h"

namespace cardea::cli {
namespace {

constexpr std::string_view piv_kind = "piv";

std::string_view next_step(Code code) {
  switch (code) {
    case Code::device_removed:
    case Code::token_absent:
      return "Insert the card and run the command again.";
    case Code::timed_out:
      return "Another program may hold the card; end it, or take the card out and insert it again.";
    case Code::token_not_recognized:
      return "`cardea doctor` tells what was tried.";
    case Code::pin_incorrect:
      return "Check it before you try again: every wrong one brings the lock nearer.";
    case Code::pin_locked:
      return "A locked PIN is set anew with `cardea card pin unlock` and the PUK; a card whose PUK is locked too can "
             "only be reset.";
    case Code::user_not_logged_in:
      return "The card wants its PIN, its administrator's key, or both.";
    case Code::function_not_supported:
      return "This card cannot do it.";
    case Code::function_canceled:
      return "Run the command again.";
    case Code::pin_invalid:
    case Code::pin_length:
      return "Run the command again with another one.";
    case Code::device_memory:
      return "Delete certificates or files that are not needed from the card.";
    case Code::key_size_range:
      return "`cardea card key generate --help` lists the kinds of keys.";
    case Code::not_found:
      return "`cardea card info` shows what is on the card.";
    default:
      return "`cardea doctor` looks for the cause.";
  }
}

bool contains(const std::string& text, const std::string& part) {
  return lower(text).find(lower(part)) != std::string::npos;
}

bool is_ignored(const Settings& settings, const std::string& reader) {
  return std::any_of(settings.card.ignore_readers.begin(), settings.card.ignore_readers.end(),
                     [&](const std::string& pattern) { return fnmatch(pattern.c_str(), reader.c_str(), 0) == 0; });
}

std::vector<std::string> with_cards(const std::vector<card::Reader>& readers) {
  std::vector<std::string> names;
  for (const card::Reader& reader : readers) {
    if (reader.content == card::ReaderContent::card) names.push_back(reader.name);
  }
  return names;
}

std::string name_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + printable(name) + "'";
  return text;
}

Error no_card(const std::vector<card::Reader>& readers) {
  if (readers.empty()) {
    return failure(Code::token_absent, "There is no card reader. Connect one, or see `cardea doctor`.");
  }
  return failure(Code::token_absent, "There is no card in any reader. Insert one and run the command again.");
}

Error ambiguous(const std::vector<std::string>& names) {
  return failure(Code::arguments_bad,
                 fmt::format("There are {} cards to choose from. Name one with --card, by a part of its reader's name "
                             "or its serial number: {}.",
                             names.size(), name_list(names)));
}

std::vector<card::ContainerPlace> piv_places() {
  std::vector<card::ContainerPlace> places;
  for (std::uint32_t reference = card::piv::key_retired_first; reference <= card::piv::key_retired_last; ++reference) {
    places.push_back(*card::piv::place_of(reference));
  }
  card::ContainerPlace attestation;
  attestation.index = card::piv::key_attestation;
  attestation.label = "Attestation";
  places.push_back(attestation);
  return places;
}

Result<std::string> choose_reader(const std::shared_ptr<card::PcscReaders>& readers, const std::string& wanted) {
  CARDEA_ASSIGN(const std::vector<card::Reader> all, list_readers(*readers));
  const std::vector<std::string> cards = with_cards(all);
  if (cards.empty()) return no_card(all);
  std::vector<std::string> chosen;
  std::copy_if(cards.begin(), cards.end(), std::back_inserter(chosen),
               [&](const std::string& name) { return contains(name, wanted); });
  if (chosen.size() == 1) return chosen.front();
  if (chosen.size() > 1) return ambiguous(chosen);
  for (const std::string& name : cards) {
    const Result<CardConnection> connection = CardConnection::open_reader(readers, name);
    if (connection && connection->description().serial == wanted) return name;
  }
  return failure(Code::not_found, fmt::format("No card is called '{}'. `cardea card list` shows those that are there.",
                                              printable(wanted)));
}

}  // namespace

void add_card_option(const Command& command, CardOptions& options) {
  command.text("--card", options.card,
               "card by a part of its reader's name or by serial number (default: the only one)", "CARD");
}

void add_card_pin_options(const Command& command, Options& options) {
  command.text("--pin-file", options.pin_file, "read the PIN from the first line of this file", "FILE")
      .flag("--pin-stdin", options.pin_stdin, "read each PIN that is needed from one line of standard input");
}

void add_card_admin_options(const Command& command, Context& context, CardOptions& options) {
  add_card_option(command, options);
  command.text("--admin-key-file", options.admin_key_file,
               "read the administrator's key, in hexadecimal, from the first line of this file", "FILE");
  command.flag("--factory-admin-key", options.factory_admin_key,
               "use the key that every new card of this kind has, which everybody knows");
  add_card_pin_options(command, context.options);
}

std::shared_ptr<card::PcscReaders> open_readers() {
  for (const std::string& refused : card::plugin::use_plugins(load_settings().card.plugin_directory)) {
    note(printable(refused));
  }
  return std::make_shared<card::PcscReaders>();
}

Result<std::vector<card::Reader>> list_readers(card::PcscReaders& readers) {
  Result<std::vector<card::Reader>> found = readers.list();
  if (!found) {
    return failure(found.code(), fmt::format("The card readers cannot be listed: {}. Start the card service: "
                                             "systemctl start pcscd.socket",
                                             found.error().detail));
  }
  const Settings settings = load_settings();
  std::erase_if(*found, [&](const card::Reader& reader) { return is_ignored(settings, reader.name); });
  return found;
}

Error card_failure(const Error& cause, std::string_view what) {
  // Sentences of this folder are complete already.
  if (cause.detail.ends_with('.')) return cause;
  Error result =
      failure(cause.code, fmt::format("{}: {}. {}", what, cardea::describe(cause), next_step(cause.code)), cause.where);
  result.retries_left = cause.retries_left;
  return result;
}

Error secret_failure(const Error& cause, std::string_view secret, std::string_view what) {
  if (cause.code == Code::pin_incorrect) {
    const std::string tries = cause.retries_left ? fmt::format(" (tries left: {})", *cause.retries_left) : "";
    const char* const warning = cause.retries_left ? ": every wrong one brings the lock nearer" : "";
    Error result =
        failure(cause.code,
                fmt::format("{}: the {} is wrong{}. Check it before you try again{}.", what, secret, tries, warning),
                cause.where);
    result.retries_left = cause.retries_left;
    return result;
  }
  if (cause.code == Code::pin_locked)
    return failure(cause.code, fmt::format("{}: the {} is locked. {}", what, secret, next_step(cause.code)),
                   cause.where);
  if (cause.code == Code::key_size_range) {
    return failure(cause.code,
                   fmt::format("{}: the {} has another length than the card's. Triple DES and AES-192 take "
                               "48 hexadecimal digits, AES-128 takes 32, AES-256 takes 64.",
                               what, secret),
                   cause.where);
  }
  return card_failure(cause, what);
}

/// Has programs that use the card through the module read it anew once the command is over: it may have written, or
/// another tool may have before it, which is why somebody looks.
struct ContentsMark {
  explicit ContentsMark(Bytes card) : identity(std::move(card)) {}
  ~ContentsMark() { card::SharedState(load_settings().runtime_directory, identity).stamp_anew(); }
  ContentsMark(const ContentsMark&) = delete;
  ContentsMark& operator=(const ContentsMark&) = delete;

  const Bytes identity;
};

Status CardConnection::recognise() {
  const std::string what = fmt::format("The card in reader '{}' cannot be used", printable(reader_));
  if (!channel_) return card_failure(error(Code::device_removed), what);
  auto transaction = card::CardTransaction::begin(channel_);
  if (!transaction) return card_failure(transaction.error(), what);
  auto recognised = card::recognise(*transaction, card::card_kinds());
  if (!recognised) return card_failure(recognised.error(), what);
  kind_ = recognised->kind;
  module_ = std::move(recognised->module);
  auto description = module_->describe(*transaction);
  if (!description) return card_failure(description.error(), what);
  description_ = std::move(*description);
  if (readers_) contents_mark_ = std::make_shared<const ContentsMark>(description_.identity);
  return {};
}

Result<CardConnection> CardConnection::open_reader(std::shared_ptr<card::PcscReaders> readers,
                                                   const std::string& reader) {
  CardConnection connection;
  connection.readers_ = std::move(readers);
  connection.reader_ = reader;
  connection.channel_ = connection.readers_->open(reader);
  CARDEA_TRY(connection.recognise());
  return connection;
}

Result<CardConnection> CardConnection::open(const Options& options, const std::string& wanted) {
  CardConnection connection;
  if (options.card_recorded) {
    connection.reader_ = "recording";
    connection.channel_ = options.card_recorded;
  } else {
    connection.readers_ = open_readers();
    CARDEA_ASSIGN(connection.reader_, choose_reader(connection.readers_, wanted));
    connection.channel_ = connection.readers_->open(connection.reader_);
  }
  if (connection.channel_ && options.card_recording) {
    connection.channel_->set_observer(card::recorder(
        connection.reader_, [lines = options.card_recording](std::string_view line) { lines->append(line) += '\n'; }));
  }
  CARDEA_TRY(connection.recognise());
  return connection;
}

Result<card::CardAdministrator*> CardConnection::administrator() const {
  card::CardAdministrator* const administrator = module_->administrator();
  if (administrator == nullptr) {
    return failure(Code::function_not_supported, "Cards of this kind cannot be written.");
  }
  return administrator;
}

Result<card::CardTransaction> CardConnection::begin() const {
  auto transaction = card::CardTransaction::begin(channel_);
  if (!transaction) return card_failure(transaction.error(), "The card cannot be used");
  if (const Status selected = module_->select(*transaction); !selected) {
    return card_failure(selected.error(), "The card cannot be used");
  }
  return transaction;
}

std::string place_name(const CardConnection& card, const card::ContainerPlace& place) {
  return card.kind() == piv_kind ? fmt::format("{:02X}", place.index) : fmt::format("{}", place.index);
}

Result<card::ContainerPlace> find_place(const CardConnection& card, card::CardTransaction& transaction,
                                        const std::string& name) {
  auto places = card.module().places(transaction);
  if (!places) return card_failure(places.error(), "The places for keys cannot be read");
  if (card.kind() == piv_kind) {
    for (card::ContainerPlace& place : piv_places()) places->push_back(std::move(place));
  }
  std::string names;
  for (const card::ContainerPlace& place : *places) {
    const std::string own_name = place_name(card, place);
    if (lower(own_name) == lower(name)) return place;
    if (!place.label.empty() && lower(place.label) == lower(name)) return place;
    if (names.find(own_name) == std::string::npos) names += (names.empty() ? "" : " ") + own_name;
  }
  if (names.empty()) {
    return failure(Code::not_found, "The card has no places for keys. `cardea card info` tells what is wrong with it.");
  }
  return failure(Code::not_found,
                 fmt::format("The card has no place '{}' for a key. It has: {}.", printable(name), names));
}

std::string key_words(ByteView key_info) {
  const auto key = crypto::from_subject_public_key_info(key_info);
  if (!key) return "";
  switch ((*key)->algorithm()) {
    case crypto::KeyAlgorithm::rsa:
      return fmt::format("rsa:{}", (*key)->size());
    case crypto::KeyAlgorithm::ed25519:
      return "ed25519";
    case crypto::KeyAlgorithm::x25519:
      return "x25519";
    default:
      return fmt::format("ec:P-{}", (*key)->size());
  }
}

}  // namespace cardea::cli
