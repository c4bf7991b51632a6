#include "pcsc/replay_channel.h"

#include <algorithm>
#include <utility>

#include "pcsc/apdu_encoding.h"
#include "pcsc/apdu_limits.h"

namespace cardea::card {
namespace {

constexpr std::size_t most_unknown = 100;

/// Extended length shows in a zero where a short APDU has its length, with more behind it.
bool is_extended(const RecordedExchange& exchange) {
  constexpr std::size_t header = 4;
  const Bytes& command = exchange.command.bytes;
  return command.size() > header + 1 && command[header] == 0;
}

ApduLimits limits_of_recording(const Recording& recording) {
  const bool extended = std::any_of(recording.exchanges.begin(), recording.exchanges.end(), is_extended);
  ApduLimits limits = limits_of(recording.atr, extended);
  limits.extended_possible = extended;
  return limits;
}

}  // namespace

ReplayChannel::ReplayChannel(Recording recording)
    : recording_(std::move(recording)), limits_(limits_of_recording(recording_)) {}

ApduLimits ReplayChannel::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

void ReplayChannel::learn(const ApduLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

Result<CardState> ReplayChannel::begin() {
  busy_.lock();
  const std::lock_guard lock(mutex_);
  return std::exchange(state_, CardState::undisturbed);
}

void ReplayChannel::end(AtEnd action) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (action == AtEnd::reset) state_ = CardState::reset;
  }
  busy_.unlock();
}

Result<Bytes> ReplayChannel::exchange(ByteView command, std::chrono::milliseconds) {
  const std::lock_guard lock(mutex_);
  const std::vector<RecordedExchange>& all = recording_.exchanges;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const RecordedExchange& candidate = all[(next_ + i) % all.size()];
    if (!candidate.command.matches(command)) continue;
    next_ = (next_ + i + 1) % all.size();
    if (candidate.failure) return error(*candidate.failure, "so it was recorded");
    return candidate.answer.bytes;
  }
  const bool pin = command.size() > 1 && carries_pin(command[1]);
  if (unknown_.size() < most_unknown)
    unknown_.push_back(redacted_hex(command, pin ? command_data(command) : ByteView{}));
  return Bytes{0x6f, 0x00};
}

std::vector<std::string> ReplayChannel::unknown_commands() const {
  const std::lock_guard lock(mutex_);
  return unknown_;
}

}  // namespace cardea::card
