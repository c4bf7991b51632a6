// Recordings from strangers: read or refused, and played back without surprise.
#include <cstdlib>

#include "fuzz/input.h"
#include "pcsc/card_transaction.h"
#include "pcsc/replay_channel.h"

using namespace cardea;
using namespace cardea::card;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto recording = parse_recording(text_of({data, size}));
  if (!recording) {
    if (recording.error().detail.empty()) std::abort();
    return 0;
  }
  const std::vector<RecordedExchange> exchanges = recording->exchanges;
  const auto channel = std::make_shared<ReplayChannel>(*std::move(recording));
  auto transaction = CardTransaction::begin(channel);
  if (!transaction) std::abort();
  for (const RecordedExchange& exchange : exchanges) {
    if (!exchange.command.matches(exchange.command.bytes)) std::abort();
    (void)channel->exchange(exchange.command.bytes, usual_patience);
  }
  if (!channel->unknown_commands().empty()) std::abort();
  (void)transaction->transmit({.ins = 0xa4});
  return 0;
}
