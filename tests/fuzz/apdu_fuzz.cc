// Whatever a card or reader answers: commands end after a bounded number of APDUs, answers stay within 64 KiB, and
// answers to reset and reader features are read without trust.
#include <cstdlib>

#include "fuzz/input.h"
#include "pcsc/apdu_encoding.h"
#include "pcsc/apdu_limits.h"
#include "pcsc/card_transaction.h"
#include "pcsc/memory_channel.h"
#include "pcsc/reader_features.h"

using namespace cardea;
using namespace cardea::card;

namespace {

constexpr std::size_t most_answer = 65536;
// Two forms of the longest chain with the longest answer, each APDU of it repeated once for its length.
constexpr std::size_t most_exchanges = 4096;
constexpr std::size_t longest_wire = 4 + 3 + 65535 + 2;

void check(bool condition) {
  if (!condition) std::abort();
}

/// A status word: mostly one that makes the transaction go on.
std::uint16_t status(fuzz::Input& input) {
  static constexpr std::uint16_t words[]{0x9000, 0x6100, 0x6110, 0x6c00, 0x6c10,
                                         0x6700, 0x6883, 0x6884, 0x6e00, 0x6982};
  return input.rarely() ? static_cast<std::uint16_t>(input.up_to(0xffff)) : input.one_of(words);
}

Result<Bytes> answer(fuzz::Input& input, ByteView command) {
  check(command.size() >= 4 && command.size() <= longest_wire);
  if (input.rarely()) return Code::device_error;
  if (input.rarely()) return Bytes(input.bytes(3));
  Bytes bytes = input.chance() ? Bytes(input.up_to(300), 0x5a) : Bytes(input.bytes(16));
  if (input.rarely()) bytes.resize(70'000, 0x5a);
  const std::uint16_t word = status(input);
  bytes.push_back(static_cast<Byte>(word >> 8));
  bytes.push_back(static_cast<Byte>(word));
  return bytes;
}

void converse(fuzz::Input& input) {
  const ApduLimits limits = limits_of(input.bytes(40), input.chance());
  const auto channel =
      std::make_shared<MemoryChannel>(Bytes{}, limits, [&](ByteView command) { return answer(input, command); });
  auto transaction = CardTransaction::begin(channel);
  if (!transaction) return;
  if (input.chance()) transaction->allow_extended();
  const Bytes data(input.chance() ? input.up_to(600) : input.up_to(70'000), 0x31);
  const Command command{.cla = static_cast<Byte>(input.up_to(0xff)),
                        .ins = static_cast<Byte>(input.up_to(0xff)),
                        .data = data,
                        .expects_data = input.chance()};
  const auto response = transaction->transmit(command);
  check(channel->exchanges() <= most_exchanges);
  // A single APDU may bring more than it was asked for; what is fetched piece by piece may not.
  if (response) check(response->data.size() <= 2 * most_answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.up_to(3)) {
    case 0: {
      const auto wire = input.bytes(300);
      check(command_data(wire).size() <= wire.size());
      break;
    }
    case 1: {
      (void)explore_features([&](std::uint32_t) -> Result<Bytes> { return Bytes(input.bytes(64)); });
      break;
    }
    default:
      converse(input);
  }
  return 0;
}
