#include "pcsc/apdu_trace.h"

#include <fmt/format.h>

namespace cardea::card {
namespace {

class ApduTrace final : public ApduObserver {
 public:
  ApduTrace(std::string reader, LineSink sink) : reader_(std::move(reader)), sink_(std::move(sink)) {}

  void transaction_began(ByteView, bool card_was_reset) noexcept override {
    if (card_was_reset) write("the card was reset, or is used for the first time");
  }

  void exchanged(const ObservedExchange& exchange) noexcept override {
    const std::string outcome =
        exchange.failure != nullptr ? describe(*exchange.failure) : std::string(exchange.answer);
    write(fmt::format("{} = {} {}us", exchange.command, outcome, exchange.duration.count()));
  }

 private:
  void write(std::string_view text) const { sink_(fmt::format("card {}: {}", reader_, text)); }

  const std::string reader_;
  const LineSink sink_;
};

}  // namespace

ObserverFactory apdu_trace(LineSink sink) {
  return [sink = std::move(sink)](const std::string& reader) { return std::make_shared<ApduTrace>(reader, sink); };
}

}  // namespace cardea::card
