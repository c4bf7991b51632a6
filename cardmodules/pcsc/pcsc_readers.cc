#include "pcsc/pcsc_readers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/trace_line.h"
#include "pcsc/apdu_trace.h"
#include "pcsc/pcsc_channel.h"
#include "pcsc/reader_monitor.h"
#include "pcsc/reader_watch.h"

namespace cardea::card {
namespace {

constexpr std::chrono::milliseconds stays_fresh{20};
constexpr std::chrono::milliseconds longest_look{1700};
constexpr std::chrono::milliseconds failure_stays{1000};
constexpr std::chrono::milliseconds thread_rests_after{5000};
constexpr std::chrono::milliseconds longest_farewell{300};

ReaderContent content_of(const SeenReader& seen) {
  if ((seen.state & (SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE)) != 0) return ReaderContent::unavailable;
  if (!seen.has_card()) return ReaderContent::nothing;
  // A card that was not powered up yet, or could not be, has no answer to reset.
  if ((seen.state & SCARD_STATE_MUTE) != 0 || seen.atr.empty()) return ReaderContent::mute_card;
  return ReaderContent::card;
}

/// Without the answer to reset, since some cards give another one after a warm reset; but a card that begins to answer
/// is another matter than the mute one that it was.
Bytes identity_of(const SeenReader& seen, const std::string& service) {
  const std::string_view mute = content_of(seen) == ReaderContent::mute_card ? "|mute" : "";
  return to_bytes(view_of(fmt::format("{}|{}|{}{}", service, seen.name, seen.events(), mute)));
}

Reader describe_reader(const SeenReader& seen, const std::string& service) {
  Reader reader;
  reader.name = seen.name;
  reader.vendor = seen.name.substr(0, seen.name.find(' '));
  reader.content = content_of(seen);
  reader.held_exclusively = (seen.state & SCARD_STATE_EXCLUSIVE) != 0;
  reader.atr = seen.atr;
  if (seen.has_card()) reader.insertion_identity = identity_of(seen, service);
  return reader;
}

}  // namespace

PcscReaders::PcscReaders(const PcscApi* given)
    : given_(given), watch_(std::make_shared<ReaderWatch>()), worker_(thread_rests_after, [watch = watch_] {
        // A card keeps us connected, since the service may end by itself when nobody is, and count insertions anew.
        if (!watch->saw_card()) watch->release();
      }) {}

PcscReaders::PcscReaders() : PcscReaders(nullptr) {
  if (trace_is_on()) observe(apdu_trace(trace_line));
}

PcscReaders::PcscReaders(const PcscApi& api) : PcscReaders(&api) {}

PcscReaders::~PcscReaders() {
  listen(nullptr);
  if (!watch_->connected()) return;
  static_cast<void>(worker_.run(Clock::now() + longest_farewell, [watch = watch_] { watch->release(); }, {}));
}

Result<std::vector<Reader>> PcscReaders::list() {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (now >= fresh_until_) {
    const Status status = refresh(now);
    failure_ = status ? std::nullopt : std::optional<Error>(status.error());
    const bool held = !status && status.code() == Code::timed_out;
    // A look takes 0.4 s when there is a mute card: callers who ask often shall not spend all their time on that.
    const Clock::time_point then = Clock::now();
    fresh_until_ = then + (held ? failure_stays : std::max<Clock::duration>(stays_fresh, 3 * (then - now)));
  }
  if (failure_) return *failure_;
  return readers_;
}

Status PcscReaders::refresh(Clock::time_point now) {
  readers_.clear();
  cards_.clear();
  const PcscApi* api = given_;
  if (api == nullptr) {
    CARDEA_ASSIGN(api, pcsc_api());
  }
  const auto seen = std::make_shared<std::optional<Result<ReaderList>>>();
  CARDEA_TRY(worker_.run(now + longest_look, [watch = watch_, seen, api] { *seen = watch->look(*api); }, {}));
  if (!**seen) return (*seen)->error();
  take_over(***seen);
  return {};
}

void PcscReaders::take_over(const ReaderList& seen) {
  std::map<Bytes, std::uint64_t> numbers;
  for (const SeenReader& one : seen.readers) {
    Reader reader = describe_reader(one, seen.service);
    if (one.has_card()) {
      const auto known = insertions_.find(reader.insertion_identity);
      reader.insertion = known != insertions_.end() ? known->second : ++last_insertion_;
      numbers.emplace(reader.insertion_identity, reader.insertion);
    }
    cards_.push_back({one.name, one.atr, one.events(), seen.service});
    readers_.push_back(std::move(reader));
  }
  insertions_ = std::move(numbers);
}

CardChannelPtr PcscReaders::open(const std::string& reader) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(readers_.begin(), readers_.end(), [&](const Reader& r) { return r.name == reader; });
  if (found == readers_.end() || found->insertion == 0) return nullptr;
  std::erase_if(channels_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<CardChannel>& known = channels_[found->insertion];
  if (CardChannelPtr channel = known.lock()) return channel;
  const PcscApi* api = given_;
  if (api == nullptr) {
    const Result<const PcscApi*> loaded = pcsc_api();
    if (!loaded) return nullptr;
    api = *loaded;
  }
  const auto channel = std::make_shared<PcscChannel>(*api, cards_[static_cast<std::size_t>(found - readers_.begin())]);
  if (observers_) channel->set_observer(observers_(reader));
  known = channel;
  return channel;
}

void PcscReaders::observe(ObserverFactory observers) {
  const std::lock_guard lock(mutex_);
  observers_ = std::move(observers);
}

void PcscReaders::listen(std::function<void()> listener) {
  const std::lock_guard lock(monitor_mutex_);
  monitor_.reset();
  if (!listener) return;
  monitor_ = std::make_unique<ReaderMonitor>(
      [given = given_]() -> Result<const PcscApi*> {
        if (given != nullptr) return given;
        return pcsc_api();
      },
      std::move(listener));
}

}  // namespace cardea::card
