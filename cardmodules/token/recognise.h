// Which card module knows a card.
#pragma once

#include <span>

#include "cardmodules/card_module.h"

namespace cardea::card {

/// A line of modules.def.
struct CardKind {
  const char* name;
  Recogniser recognise;
};

/// All lines of modules.def.
std::span<const CardKind> card_kinds();

/// The module that knows a card, and its line's name.
struct RecognisedCard {
  std::string kind;
  std::unique_ptr<CardModule> module;
};

/// Asks the modules until one is certain, else takes the first that thinks it possible; its application is selected
/// then. `likely` (a kind's name, or empty) is asked first. A module says `certain` only of cards that can be no
/// other's, so the order of asking decides nothing. token_not_recognized with ATR and the kinds asked; device_removed,
/// timed_out.
Result<RecognisedCard> recognise(CardTransaction& transaction, std::span<const CardKind> kinds,
                                 std::string_view likely = {});

/// The names of all kinds that are certain of a card. More than one is a mistake of a module, or a card with several
/// applications: for `doctor`.
Result<std::vector<std::string>> claims(CardTransaction& transaction, std::span<const CardKind> kinds);

}  // namespace cardea::card
