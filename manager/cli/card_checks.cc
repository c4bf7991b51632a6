#include "cli/card_checks.h"

#include <fmt/format.h>

#include "cards/recognise.h"
#include "cli/card_access.h"
#include "cli/card_users.h"
#include "cli/text.h"
#include "plugin/plugins.h"

namespace cardea::cli {
namespace {

/// The error's own sentence, where it has one.
std::string sentence(const Error& error) {
  return (error.detail.empty() ? std::string(words(error.code)) : error.detail) + ".";
}

void check_pin(const CardConnection& card, card::CardTransaction& transaction, const std::string& subject,
               Findings& findings) {
  // The PUK first: by it the module learns whether the card tells more than the standard has it.
  const auto puk = card.module().pin_state(transaction, card::PinRole::unblock);
  const auto state = card.module().pin_state(transaction, card::PinRole::user);
  if (puk && puk->to_be_changed) {
    findings.push_back({Severity::info, subject, "its PUK is that of all new cards.", "cardea card puk change"});
  }
  if (!state) return;
  if (state->locked) {
    findings.push_back({Severity::problem, subject, "its PIN is locked.", "cardea card pin unlock"});
  } else if (state->retries_left == 1) {
    findings.push_back({Severity::problem, subject, "one wrong PIN more locks it.",
                        "use the right PIN once, or set it anew with the PUK: cardea card pin unlock"});
  }
  if (state->to_be_changed) {
    findings.push_back({Severity::info, subject, "its PIN is that of all new cards.", "cardea card pin change"});
  }
}

void check_known_card(const CardConnection& card, Findings& findings) {
  const std::string subject = fmt::format("card '{}'", printable(card.description().label));
  findings.push_back(
      {Severity::ok, subject, fmt::format("is a {} card in reader '{}'.", card.kind(), printable(card.reader())), ""});
  for (const std::string& problem : card.description().problems) {
    findings.push_back({Severity::info, subject, printable(problem), ""});
  }
  auto transaction = card.begin();
  if (!transaction) {
    findings.push_back({Severity::problem, subject, transaction.error().detail, ""});
    return;
  }
  check_pin(card, *transaction, subject, findings);
  const auto claimed = card::claims(*transaction, card::card_kinds());
  if (!claimed || claimed->size() < 2) return;
  std::string kinds;
  for (const std::string& kind : *claimed) kinds += (kinds.empty() ? "" : ", ") + kind;
  findings.push_back({Severity::info, subject, fmt::format("has several applications ({}); one is used.", kinds), ""});
}

void check_card(const std::shared_ptr<card::PcscReaders>& readers, const card::Reader& reader, Findings& findings) {
  const std::string subject = fmt::format("reader '{}'", printable(reader.name));
  const Result<CardConnection> card = CardConnection::open_reader(readers, reader.name);
  if (card) {
    check_known_card(*card, findings);
  } else if (card.code() == Code::token_not_recognized) {
    // Cards of other kinds, for payment or travel, are nobody's fault.
    findings.push_back({Severity::info, subject,
                        fmt::format("holds a card of an unknown kind, with the answer to reset {}: {}",
                                    to_hex(reader.atr), printable(card.error().detail)),
                        "a card module of its maker can be added: `man cardea.toml`, plugin_directory"});
  } else if (reader.held_exclusively) {
    findings.push_back({Severity::problem, subject,
                        "another program keeps the card for itself alone, and the card service does not tell which.",
                        advice_about_holders(programs_with_cards())});
  } else {
    findings.push_back({Severity::problem, subject, printable(card.error().detail),
                        card.code() == Code::timed_out
                            ? "take the card out and insert it again, or " + advice_about_holders(programs_with_cards())
                            : "take the card out and insert it again"});
  }
}

void check_reader(const std::shared_ptr<card::PcscReaders>& readers, const card::Reader& reader, Findings& findings) {
  const std::string subject = fmt::format("reader '{}'", printable(reader.name));
  switch (reader.content) {
    case card::ReaderContent::nothing:
      findings.push_back({Severity::ok, subject, "works and is empty.", ""});
      return;
    case card::ReaderContent::mute_card:
      findings.push_back({Severity::problem, subject, "holds a card that does not answer.",
                          "insert it the right way round, clean its contacts, or try another reader"});
      return;
    case card::ReaderContent::unavailable:
      findings.push_back({Severity::problem, subject, "does not work.", "disconnect it and connect it again"});
      return;
    case card::ReaderContent::card:
      check_card(readers, reader, findings);
      return;
  }
}

}  // namespace

void check_cards(const Settings& settings, Findings& findings) {
  if (!settings.card.enabled) {
    findings.push_back({Severity::info, "cards", "are switched off in the configuration.", ""});
    return;
  }
  for (const std::string& refused : card::plugin::use_plugins(settings.card.plugin_directory)) {
    findings.push_back({Severity::problem, "card plug-ins", printable(refused), "see docs/card-plugins.md"});
  }
  const auto readers = std::make_shared<card::PcscReaders>();
  const auto found = readers->list();
  if (!found && found.code() == Code::permission_denied) {
    findings.push_back({Severity::problem, "cards", sentence(found.error()),
                        "let this user use cards: see the policy org.debian.pcsc-lite.access_pcsc of polkit"});
    return;
  }
  if (!found) {
    findings.push_back({Severity::info, "cards", sentence(found.error()),
                        "to use cards, install pcscd and start it: systemctl enable --now pcscd.socket"});
    return;
  }
  const auto used = list_readers(*readers);
  if (!used || used->empty()) {
    findings.push_back({Severity::info, "cards", "there is no card reader.",
                        found->empty() ? "" : "`cardea config show` tells which readers are ignored"});
    return;
  }
  for (const card::Reader& reader : *used) check_reader(readers, reader, findings);
}

}  // namespace cardea::cli
