// The card readers of this host and what is in them, through PC/SC-lite.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bounded_worker.h"
#include "pcsc/card_channel.h"

namespace cardea::card {

struct PcscApi;
struct InsertedCard;
struct ReaderList;
class ReaderMonitor;
class ReaderWatch;

/// What is in a reader.
enum class ReaderContent : std::uint8_t {
  nothing,
  card,
  mute_card,   ///< something that does not answer to a reset
  unavailable  ///< the reader does not work, or is about to vanish
};

struct Reader {
  std::string name;    ///< stable while the reader is connected
  std::string vendor;  ///< as the name begins; PC/SC tells more only of cards that are connected to
  ReaderContent content = ReaderContent::nothing;
  bool held_exclusively = false;  ///< another program has the card for itself alone
  Bytes atr;
  std::uint64_t insertion = 0;  ///< 0: no card; another number at every insertion, in this process
  /// Tells this insertion from every other that this host has seen, for all processes alike; empty without a card.
  Bytes insertion_identity;
};

/// Thread-safe. Sends nothing to cards. Starts its thread and its connection to the service when first asked, and gives
/// them up when it rests, but keeps the service running while there is a card.
class PcscReaders {
 public:
  /// With the library of this host, loaded when there is a service to talk to. Traces exchanges where the trace is on.
  PcscReaders();
  /// With these functions, which must outlive it.
  explicit PcscReaders(const PcscApi& api);
  ~PcscReaders();
  PcscReaders(const PcscReaders&) = delete;
  PcscReaders& operator=(const PcscReaders&) = delete;

  /// The readers at present, in the service's order. At most 20 ms old; costs four messages to the service when it is
  /// asked. device_error in words when the service is not there, permission_denied when it refuses this user, timed_out
  /// when it does not answer (within 1.7 s, and at once for a second after that).
  Result<std::vector<Reader>> list();

  /// The way to the card that list() last saw in that reader: the same channel as long as it is the same insertion and
  /// somebody uses it. Null when there is none.
  CardChannelPtr open(const std::string& reader);

  /// Who sees the exchanges with cards that are opened from now on, in place of the trace.
  void observe(ObserverFactory observers);

  /// Calls `listener` from a thread of its own after readers or cards came or went, until replaced; null ends that.
  /// Does not return while the previous listener is being called, for which reason a listener must not call this.
  void listen(std::function<void()> listener);

 private:
  using Clock = BoundedWorker::Clock;

  explicit PcscReaders(const PcscApi* given);
  Status refresh(Clock::time_point now);
  void take_over(const ReaderList& seen);

  const PcscApi* const given_;                // null: the host's
  const std::shared_ptr<ReaderWatch> watch_;  // the worker's calls own it too
  BoundedWorker worker_;

  std::mutex mutex_;
  std::vector<Reader> readers_;                                   // from here on under mutex_
  std::vector<InsertedCard> cards_;                               // beside readers_
  std::map<Bytes, std::uint64_t> insertions_;                     // by identity, of the cards that are there
  std::map<std::uint64_t, std::weak_ptr<CardChannel>> channels_;  // by insertion
  ObserverFactory observers_;
  std::uint64_t last_insertion_ = 0;
  Clock::time_point fresh_until_{};
  std::optional<Error> failure_;  // instead of readers_, until then

  std::mutex monitor_mutex_;
  std::unique_ptr<ReaderMonitor> monitor_;  // under monitor_mutex_
};

}  // namespace cardea::card
