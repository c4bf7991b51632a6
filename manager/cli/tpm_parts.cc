#include "cli/tpm_parts.h"

#include "cli/connection.h"
#include "cli/exit_status.h"

namespace cardea::cli {

Result<TpmCards> tpm_cards(const Context& context) {
  if (auto cards = TpmCards::near(wanted_module(context))) return *cards;
  return failure(Code::not_found,
                 "No module with virtual cards was found. Name libcardea-pkcs11.so with --module PATH.");
}

Result<TpmCard> select_card(const Context& context, const TpmCards& cards, const std::string& argument) {
  const std::string& wanted = argument.empty() ? context.options.token : argument;
  const auto all = cards.list();
  if (!all) return library_failure(all.error(), "The virtual cards cannot be listed");
  std::vector<TpmCard> fitting;
  for (const TpmCard& card : *all) {
    if (wanted.empty() || card.label == wanted || card.serial == wanted) fitting.push_back(card);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty())
    return failure(Code::not_found, "No such virtual card. `cardea tpm list` shows those there are.");
  return failure(Code::arguments_bad, "Several virtual cards fit. Name one by its serial number (`cardea tpm list`).");
}

}  // namespace cardea::cli
