// A smart card as the commands of `cardea card` use it: through PC/SC and the card modules, not through PKCS#11.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cardmodules/card_module.h"
#include "cli/command.h"
#include "pcsc/pcsc_readers.h"

namespace cardea::cli {

/// Options that the commands share beside those of every command.
struct CardOptions {
  std::string card;
  std::string admin_key_file;
  bool factory_admin_key = false;
};

/// Adds --card.
void add_card_option(const Command& command, CardOptions& options);
/// Adds --pin-file and --pin-stdin.
void add_card_pin_options(const Command& command, Options& options);
/// Adds --admin-key-file and --factory-admin-key, and the options of the PIN for kinds whose user writes.
void add_card_admin_options(const Command& command, Context& context, CardOptions& options);

struct ContentsMark;

/// A card that a module knows. Holds no transaction while nothing is done, so that nobody waits for a person's typing.
class CardConnection {
 public:
  /// The card in the reader whose name, or a part of it, is `wanted`, or with that serial number; the only card when
  /// that is empty. With Options::card_recorded that card; Options::card_recording gets the conversation. Failures are
  /// whole sentences, like all in this folder.
  static Result<CardConnection> open(const Options& options, const std::string& wanted);
  /// The card in that reader.
  static Result<CardConnection> open_reader(std::shared_ptr<card::PcscReaders> readers, const std::string& reader);

  const std::string& reader() const { return reader_; }
  const std::string& kind() const { return kind_; }
  const card::CardDescription& description() const { return description_; }
  card::CardModule& module() const { return *module_; }
  bool has_pin_pad() const { return channel_->pin_pad() != nullptr; }
  /// Whether the reader's pad changes PINs too.
  bool pad_changes_pins() const { return has_pin_pad() && channel_->pin_pad()->modifies(); }
  /// The administrator; function_not_supported in words when the card cannot be written.
  Result<card::CardAdministrator*> administrator() const;
  /// Takes the card and selects its application.
  Result<card::CardTransaction> begin() const;

 private:
  Status recognise();

  std::shared_ptr<card::PcscReaders> readers_;  // channels are theirs
  std::string reader_;
  std::string kind_;
  card::CardChannelPtr channel_;
  std::unique_ptr<card::CardModule> module_;
  card::CardDescription description_;
  std::shared_ptr<const ContentsMark> contents_mark_;  // not for recordings
};

/// The way to readers and cards, with the configuration's plug-ins loaded; those that are refused are told on standard
/// error.
std::shared_ptr<card::PcscReaders> open_readers();

/// The readers that the configuration does not ignore.
Result<std::vector<card::Reader>> list_readers(card::PcscReaders& readers);

/// A card's failure: what was tried, why it failed, what to do.
Error card_failure(const Error& cause, std::string_view what);

/// The same where a PIN, PUK or key may have been refused; `secret` says which ("PUK").
Error secret_failure(const Error& cause, std::string_view secret, std::string_view what);

/// A place as people name it: the key reference of PIV ("9A"), elsewhere the module's number.
std::string place_name(const CardConnection& card, const card::ContainerPlace& place);

/// The place with that name, label or CKA_ID; all twenty retired keys of PIV and F9 too. not_found with a list of
/// names.
Result<card::ContainerPlace> find_place(const CardConnection& card, card::CardTransaction& transaction,
                                        const std::string& name);

/// The kind of a key in the words of `cardea key generate` ("rsa:2048", "ec:P-256") from its SubjectPublicKeyInfo;
/// empty when there is none.
std::string key_words(ByteView key_info);

}  // namespace cardea::cli
