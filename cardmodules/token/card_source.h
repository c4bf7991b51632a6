// Cards in PC/SC readers as a token kind: one slot for each reader.
#pragma once

#include "base/config.h"
#include "cards/card_readers.h"
#include "cards/recognise.h"
#include "token/token_source.h"

namespace cardea {

/// The slots of all card readers but those that the configuration ignores. No slots when cards are switched off.
std::unique_ptr<TokenSource> make_card_source(const Settings& settings);

namespace card {

/// The same over other readers and modules.
std::unique_ptr<TokenSource> make_card_source(const Settings& settings, std::shared_ptr<CardReaders> readers,
                                              std::span<const CardKind> kinds);

}  // namespace card
}  // namespace cardea
