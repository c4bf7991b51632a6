#include "cards/recognise.h"

#include <algorithm>

namespace cardea::card {
namespace {

/// Errors that say nothing about the card's kind.
bool is_about_the_reader(Code code) {
  return code == Code::device_removed || code == Code::token_absent || code == Code::timed_out;
}

/// Asks one module. What it stumbles over is a card that it does not know.
Result<Recognition> ask(const CardKind& kind, CardTransaction& transaction) {
  Result<Recognition> answer = kind.recognise(transaction);
  if (!answer && !is_about_the_reader(answer.code())) return Recognition{};
  return answer;
}

std::vector<CardKind> in_order(std::span<const CardKind> kinds, std::string_view likely) {
  std::vector<CardKind> ordered(kinds.begin(), kinds.end());
  std::stable_partition(ordered.begin(), ordered.end(), [&](const CardKind& kind) { return kind.name == likely; });
  return ordered;
}

}  // namespace

Result<RecognisedCard> recognise(CardTransaction& transaction, std::span<const CardKind> kinds,
                                 std::string_view likely) {
  RecognisedCard best;
  std::string asked;
  bool selected = false;
  for (const CardKind& kind : in_order(kinds, likely)) {
    CARDEA_ASSIGN(Recognition answer, ask(kind, transaction));
    asked += (asked.empty() ? "" : ", ") + std::string(kind.name);
    selected = false;
    if (answer.match == Match::none || !answer.module) continue;
    if (answer.match == Match::possible && best.module) continue;
    best = RecognisedCard{kind.name, std::move(answer.module)};
    selected = true;
    if (answer.match == Match::certain) return best;
  }
  if (!best.module) {
    return error(Code::token_not_recognized,
                 "no card module knows the card with ATR " + to_hex(transaction.atr()) + "; asked: " + asked);
  }
  if (!selected) CARDEA_TRY(best.module->select(transaction));
  return best;
}

Result<std::vector<std::string>> claims(CardTransaction& transaction, std::span<const CardKind> kinds) {
  std::vector<std::string> names;
  for (const CardKind& kind : kinds) {
    CARDEA_ASSIGN(const Recognition answer, ask(kind, transaction));
    if (answer.match == Match::certain) names.emplace_back(kind.name);
  }
  return names;
}

}  // namespace cardea::card
