// The table of card modules. Apart from recognise.cc, so that tests bring modules of their own.
#include "cards/recognise.h"

namespace cardea::card {

#define CARDEA_CARD_MODULE(name, recogniser) Result<Recognition> recogniser(CardTransaction& transaction);
#include "cardmodules/modules.def"
#undef CARDEA_CARD_MODULE

std::span<const CardKind> card_kinds() {
  // The last entry keeps the array from being empty; it is not shown.
  static constexpr CardKind kinds[] = {
#define CARDEA_CARD_MODULE(name, recogniser) {#name, recogniser},
#include "cardmodules/modules.def"
#undef CARDEA_CARD_MODULE
      {nullptr, nullptr}};
  return std::span(kinds).first(std::size(kinds) - 1);
}

}  // namespace cardea::card
