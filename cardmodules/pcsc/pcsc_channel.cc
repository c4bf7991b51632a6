#include "pcsc/pcsc_channel.h"

#include <optional>
#include <utility>

#include "pcsc/apdu_limits.h"

namespace cardea::card {
namespace {

constexpr std::chrono::milliseconds longest_wait_for_card{1600};
// A call that begins several transactions is to return within two seconds all the same.
constexpr std::chrono::milliseconds after_waiting_in_vain{250};
constexpr std::chrono::milliseconds short_wait_for_card{100};
constexpr std::chrono::milliseconds longest_end{500};
constexpr std::chrono::milliseconds thread_rests_after{2000};
// Longer than readers themselves wait for the entries of a change, which are three.
constexpr std::chrono::milliseconds pin_entry{180'000};

/// A command on its way and its answer, owned by caller and worker alike.
struct Exchange {
  explicit Exchange(ByteView bytes) : input(bytes) {}
  ~Exchange() {
    if (output && *output) wipe(**output);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const SecretBytes input;
  std::optional<Result<Bytes>> output;
};

}  // namespace

PcscChannel::PcscChannel(const PcscApi& api, InsertedCard card)
    : atr_(card.atr),
      connection_(std::make_shared<PcscConnection>(api, std::move(card))),
      worker_(thread_rests_after, [connection = connection_] { connection->rest(); }),
      limits_(limits_of(atr_, true)) {}

PcscChannel::~PcscChannel() {
  // The thread may have gone to rest already and left a connection that was to be kept.
  if (!connection_->keep.exchange(false)) return;
  static_cast<void>(worker_.run(Clock::now() + longest_end, [connection = connection_] { connection->release(); }, {}));
}

ApduLimits PcscChannel::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

void PcscChannel::learn(const ApduLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

Status PcscChannel::take(Clock::time_point deadline) {
  std::unique_lock lock(taken_mutex_);
  if (!given_back_.wait_until(lock, deadline, [this] { return !taken_; }))
    return error(Code::timed_out, "another thread keeps the card");
  taken_ = true;
  return {};
}

void PcscChannel::give_back() noexcept {
  const std::lock_guard lock(taken_mutex_);
  taken_ = false;
  given_back_.notify_one();
}

PcscChannel::Clock::time_point PcscChannel::deadline_for_begin() {
  const std::lock_guard lock(taken_mutex_);
  const Clock::time_point now = Clock::now();
  const bool lately_in_vain = in_vain_ != Clock::time_point{} && now - in_vain_ < after_waiting_in_vain;
  return now + (lately_in_vain ? short_wait_for_card : longest_wait_for_card);
}

void PcscChannel::remember_waiting_in_vain() {
  const std::lock_guard lock(taken_mutex_);
  in_vain_ = Clock::now();
}

Result<CardState> PcscChannel::begin() {
  const Clock::time_point deadline = deadline_for_begin();
  CARDEA_TRY(take(deadline));
  lost_ = false;
  Result<CardState> state = connect_and_begin(deadline);
  if (!state) {
    if (state.code() == Code::timed_out) remember_waiting_in_vain();
    give_back();
  }
  return state;
}

Result<CardState> PcscChannel::connect_and_begin(Clock::time_point deadline) {
  struct Beginning {
    std::optional<Result<CardState>> state;
    ReaderFeatures features;
    bool carries_extended = true;
  };
  const auto beginning = std::make_shared<Beginning>();
  CARDEA_TRY(worker_.run(
      deadline,
      [connection = connection_, beginning, deadline] {
        beginning->state = connection->begin(deadline);
        beginning->features = connection->features();
        beginning->carries_extended = connection->carries_extended();
      },
      [connection = connection_] { connection->disconnect(); }));
  if (*beginning->state) settle_reader(beginning->features, beginning->carries_extended);
  return *beginning->state;
}

void PcscChannel::settle_reader(const ReaderFeatures& features, bool carries_extended) {
  if (std::exchange(reader_known_, true)) return;
  const std::lock_guard lock(mutex_);
  if (!carries_extended) limits_ = limits_of(atr_, false);
  if (features.verify_pin == 0) return;
  pin_pad_ = std::make_unique<ReaderPinPad>(
      features, [this](std::uint32_t code, ByteView input) { return control(code, input); });
}

void PcscChannel::end(AtEnd action) noexcept {
  if (!lost_) {
    // What does not end in time ends by itself: the call is made, only not waited for.
    static_cast<void>(
        worker_.run(Clock::now() + longest_end, [connection = connection_, action] { connection->end(action); }, {}));
  }
  give_back();
}

Result<Bytes> PcscChannel::exchange(ByteView command, std::chrono::milliseconds patience) {
  if (lost_) return error(Code::timed_out, "the card did not answer an earlier command");
  const auto exchange = std::make_shared<Exchange>(command);
  const Status status = worker_.run(
      Clock::now() + patience,
      [connection = connection_, exchange] { exchange->output = connection->transmit(exchange->input.view()); },
      [connection = connection_] { connection->disconnect(); });
  if (!status) {
    lost_ = true;
    remember_waiting_in_vain();
    return error(status.code(), "the card does not answer");
  }
  return std::move(*exchange->output);
}

Result<Bytes> PcscChannel::control(std::uint32_t code, ByteView input) {
  if (lost_) return error(Code::timed_out, "the card did not answer an earlier command");
  const auto exchange = std::make_shared<Exchange>(input);
  const Status status = worker_.run(
      Clock::now() + pin_entry,
      [connection = connection_, exchange, code] {
        exchange->output = connection->control(code, exchange->input.view());
      },
      [connection = connection_] { connection->disconnect(); });
  if (!status) {
    lost_ = true;
    return error(status.code(), "the reader does not answer");
  }
  return std::move(*exchange->output);
}

PinPad* PcscChannel::pin_pad() {
  const std::lock_guard lock(mutex_);
  return pin_pad_.get();
}

void PcscChannel::keep_connected(bool keep) {
  connection_->keep = keep;
  if (keep) return;
  // A transaction under way lets go at its own end.
  if (!take(Clock::now())) return;
  static_cast<void>(
      worker_.run(Clock::now() + longest_end, [connection = connection_] { connection->disconnect(); }, {}));
  give_back();
}

}  // namespace cardea::card
