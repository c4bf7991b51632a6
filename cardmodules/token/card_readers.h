// Card readers as the tokens over them need them: PC/SC in the module (pcsc_readers.cc), cards in memory in tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pcsc/card_channel.h"
#include "token/token_source.h"

namespace cardea::card {

/// A reader and what is in it.
struct ReaderStatus {
  std::string name;             ///< stable while the reader is connected
  std::string vendor;           ///< empty when unknown
  std::uint64_t insertion = 0;  ///< 0: no card; another number at every insertion
  bool mute = false;            ///< the card does not answer to a reset
  /// Tells this insertion from every other, in all processes of this host; empty when nothing does.
  Bytes insertion_identity;
};

/// Thread-safe.
class CardReaders {
 public:
  virtual ~CardReaders() = default;
  /// The readers at present. Sends nothing to cards.
  virtual std::vector<ReaderStatus> readers() = 0;
  /// The way to the card that is in the reader now; null when the reader is gone.
  virtual CardChannelPtr open(const std::string& reader) = 0;
  /// As TokenSource::listen.
  virtual void listen(ChangeListener listener) = 0;
};

}  // namespace cardea::card
