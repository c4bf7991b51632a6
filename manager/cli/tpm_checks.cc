#include "cli/tpm_checks.h"

#include <fmt/format.h>

#include "cli/p11.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

/// What to do about a card that is not ready, by CARDEA_CARD_HEALTH.
std::string remedy(const TpmCard& card) {
  switch (card.health) {
    case 1:
      return fmt::format("wait {} seconds for each try; or, as the TPM's owner: tpm2_dictionarylockout --clear-lockout",
                         card.seconds);
    case 2:
      return "its keys are lost with that TPM; enrol it again: cardea tpm renew " + card.serial;
    case 3:
      return "switch the TPM on in the firmware's setup, or mend tcti, or what else is named, in the table [tpm] of "
             "cardea.toml";
    default:
      return "restore its directory from a backup made on this machine, or remove it: cardea tpm destroy " +
             card.serial;
  }
}

}  // namespace

void check_virtual_cards(const std::string& module, const Settings& settings, Findings& findings) {
  if (!settings.tpm.enabled) return;
  const auto cards = TpmCards::near(module);
  if (!cards) return;
  const auto all = cards->list();
  if (!all) return;
  for (const TpmCard& card : *all) {
    const std::string subject = fmt::format("virtual card '{}'", card.label);
    if (card.ready()) {
      findings.push_back({Severity::ok, subject, fmt::format("is ready, with {} keys.", card.keys), ""});
    } else {
      findings.push_back({Severity::problem, subject, card.words + ".", remedy(card)});
    }
  }
}

}  // namespace cardea::cli
