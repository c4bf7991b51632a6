// Looks at the readers through one PC/SC context: at once, or until something changes.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "pcsc/pcsc_api.h"

namespace cardea::card {

/// A reader as the service describes it.
struct SeenReader {
  std::string name;
  DWORD state = 0;  ///< SCARD_STATE_ bits, the count of insertions and removals in the upper half
  Bytes atr;

  bool has_card() const noexcept { return (state & SCARD_STATE_PRESENT) != 0; }
  std::uint16_t events() const noexcept { return static_cast<std::uint16_t>(state >> 16); }
};

struct ReaderList {
  std::vector<SeenReader> readers;
  std::string service;  ///< PcscApi::service_identity
};

/// Used by one thread after the other, but for what is atomic. Every call may block.
class ReaderWatch {
 public:
  /// The readers now. A service that was started anew is connected to anew; errors as PcscReaders::list.
  Result<ReaderList> look(const PcscApi& api);
  /// Waits until something about those readers may have changed, cancel() or the time is over. False when the service
  /// is lost.
  bool wait(const ReaderList& seen, std::chrono::milliseconds at_most);
  /// Ends a wait() of another thread, if it has begun: to be called again until it has ended.
  void cancel() noexcept;
  void release();

  /// Whether a wait() also ends at once for a reader that came or went since the one before it.
  bool readers_are_counted() const noexcept { return reader_events_ != SCARD_STATE_UNAWARE; }
  /// Whether there is a connection to the service.
  bool connected() const noexcept { return connected_; }
  /// Whether the last look saw a card.
  bool saw_card() const noexcept { return saw_card_; }

 private:
  LONG establish(const PcscApi& api);
  LONG list(std::vector<std::string>& names);
  LONG states(const std::vector<std::string>& names, std::vector<SeenReader>& seen);

  std::atomic<const PcscApi*> api_{nullptr};
  std::atomic<SCARDCONTEXT> context_{0};
  std::atomic<bool> connected_{false};
  std::atomic<bool> saw_card_{false};
  DWORD reader_events_ = SCARD_STATE_UNAWARE;  // the service's count, in the upper half; 0 where it does not count
};

}  // namespace cardea::card
