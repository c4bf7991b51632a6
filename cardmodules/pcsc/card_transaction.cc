#include "pcsc/card_transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "pcsc/apdu_encoding.h"

namespace cardea::card {
namespace {

constexpr std::size_t longest_answer = 65536;
// A card that gives 128 bytes a time still gets 64 KiB through; one that never ends is stopped.
constexpr int most_rounds = 520;
constexpr Byte get_response = 0xc0;

/// Appends without leaving a copy in memory that the vector gives back when it grows.
void append_wiping(Bytes& to, ByteView more) {
  if (to.capacity() - to.size() < more.size()) {
    Bytes grown;
    grown.reserve(std::max(2 * to.capacity(), to.size() + more.size()));
    grown.assign(to.begin(), to.end());
    wipe(to);
    to.swap(grown);
  }
  to.insert(to.end(), more.begin(), more.end());
}

Byte first(std::uint16_t status) {
  return static_cast<Byte>(status >> 8);
}

/// 61xx and 6Cxx carry a length, zero meaning the most a short APDU can say (ISO 7816-4, 5.1.3).
std::size_t told_length(std::uint16_t status) {
  const std::size_t length = status & 0xff;
  return length == 0 ? short_answer_data : length;
}

bool goes_extended(const Command& command, const ApduLimits& limits) {
  if (command.data.size() > limits.command_data) return false;
  return command.data.size() > short_command_data || (command.expects_data && limits.answer_data > short_answer_data);
}

/// GET RESPONSE goes to the logical channel of the command; proprietary classes say nothing of channels.
Byte class_of_get_response(Byte cla) {
  return (cla & 0x80) != 0 ? 0 : cla & 0x03;
}

/// Tells the observer of an exchange, secrets replaced by their lengths.
class Observation {
 public:
  Observation(ApduObserver* observer, const Command& command, ByteView wire)
      : observer_(observer), secret_answer_(command.secret_answer) {
    if (observer_ == nullptr) return;
    const ByteView data = command_data(wire);
    command_ = redacted_hex(wire, command.secret_data || carries_pin(wire[1]) ? data : ByteView{});
    began_ = std::chrono::steady_clock::now();
  }

  void finish(const Result<Bytes>& answer) {
    if (observer_ == nullptr) return;
    const auto now = std::chrono::steady_clock::now();
    ObservedExchange seen;
    seen.command = command_;
    seen.duration = std::chrono::duration_cast<std::chrono::microseconds>(now - began_);
    std::string text;
    if (answer) {
      const ByteView bytes = *answer;
      const bool redacted = secret_answer_ && bytes.size() > 2;
      text = redacted_hex(bytes, redacted ? bytes.first(bytes.size() - 2) : ByteView{});
      seen.answer = text;
    } else {
      seen.failure = &answer.error();
    }
    observer_->exchanged(seen);
  }

 private:
  ApduObserver* observer_;
  bool secret_answer_;
  std::string command_;
  std::chrono::steady_clock::time_point began_;
};

/// One command in one form, from its first APDU to the last byte of its answer.
class Delivery {
 public:
  Delivery(CardChannel& channel, const Command& command, const ApduLimits& limits)
      : channel_(channel), command_(command), limits_(limits) {}

  Result<Response> run() {
    ByteView data = command_.data;
    if (!goes_extended(command_, limits_) && data.size() > short_command_data) {
      if (!limits_.chaining) {
        return error(Code::data_length, fmt::format("the card takes no commands of {} bytes", data.size()));
      }
      for (; data.size() > short_command_data; data = data.subspan(short_command_data)) {
        CARDEA_ASSIGN(Response link, exchange(apdu(chaining_bit, data.first(short_command_data), {})));
        if (!link.ok()) return link;
      }
    }
    return last(data);
  }

 private:
  Apdu apdu(Byte cla_bits, ByteView data, std::optional<std::size_t> le) const {
    return Apdu{.cla = static_cast<Byte>(command_.cla | cla_bits),
                .ins = command_.ins,
                .p1 = command_.p1,
                .p2 = command_.p2,
                .data = data,
                .le = le};
  }

  Result<Response> last(ByteView data) {
    Apdu final = apdu(0, data, {});
    final.extended = goes_extended(command_, limits_);
    if (command_.expects_data) final.le = final.extended ? limits_.answer_data : short_answer_data;
    CARDEA_ASSIGN(Response response, exchange_with_right_length(final));
    CARDEA_TRY(fetch_rest(response));
    return response;
  }

  /// Repeats once with the length that 6Cxx names.
  Result<Response> exchange_with_right_length(Apdu& apdu) {
    CARDEA_ASSIGN(Response response, exchange(apdu));
    if (first(response.status) != 0x6c) return response;
    apdu.le = told_length(response.status);
    return exchange(apdu);
  }

  Status fetch_rest(Response& response) {
    for (int round = 0; first(response.status) == 0x61; ++round) {
      Apdu apdu{.cla = class_of_get_response(command_.cla), .ins = get_response};
      apdu.le = told_length(response.status);
      CARDEA_ASSIGN(const Response more, exchange_with_right_length(apdu));
      if (first(more.status) == 0x61 && (more.data.empty() || round == most_rounds))
        return error(Code::device_error, "the card announces more and more and gives nothing");
      append_wiping(response.data, more.data);
      response.status = more.status;
      if (response.data.size() > longest_answer)
        return error(Code::data_length, "the card answers more than 64 KiB to one command");
    }
    return {};
  }

  Result<Response> exchange(const Apdu& apdu) {
    const SecretBytes wire = encode(apdu);
    Observation observation(channel_.observer(), command_, wire.view());
    Result<Bytes> answer = channel_.exchange(wire.view(), command_.patience);
    observation.finish(answer);
    if (!answer) return std::move(answer).error();
    if (answer->size() < 2) {
      wipe(*answer);
      return error(Code::device_error, "the card answered without a status word");
    }
    const std::size_t size = answer->size() - 2;
    const auto status = static_cast<std::uint16_t>((*answer)[size] << 8 | (*answer)[size + 1]);
    answer->resize(size);
    return Response(*std::move(answer), status);
  }

  CardChannel& channel_;
  const Command& command_;
  const ApduLimits limits_;
};

bool refused_for_its_form(const Result<Response>& response, bool extended) {
  // A reader that cannot carry extended length fails the transmission, as if the card had.
  if (!response) return extended && response.code() == Code::device_error;
  switch (response->status) {
    case 0x6700:
      return true;
    case 0x6883:
    case 0x6884:
    case 0x6e00:
      return !extended;
    default:
      return false;
  }
}

/// How else the command could be sent; empty when there is nothing left to try.
std::optional<ApduLimits> other_form(const Command& command, ApduLimits limits, const Result<Response>& response) {
  const bool extended = goes_extended(command, limits);
  const bool chained = !extended && command.data.size() > short_command_data;
  const bool unsendable = chained && !limits.chaining;
  if (extended && refused_for_its_form(response, true)) {
    limits = ApduLimits{.chaining = limits.chaining, .extended_possible = false};
    return limits;
  }
  if (chained && limits.extended_possible && (unsendable || refused_for_its_form(response, false))) {
    limits.chaining = false;
    limits.command_data = extended_command_data;
    limits.answer_data = extended_answer_data;
    return limits;
  }
  return {};
}

}  // namespace

Result<CardTransaction> CardTransaction::begin(CardChannelPtr channel) {
  CARDEA_ASSIGN(const CardState state, channel->begin());
  if (ApduObserver* const observer = channel->observer())
    observer->transaction_began(channel->atr(), state == CardState::reset);
  return CardTransaction(std::move(channel), state);
}

CardTransaction::CardTransaction(CardTransaction&& other) noexcept
    : channel_(std::move(other.channel_)), state_(other.state_), at_end_(other.at_end_) {}

CardTransaction::~CardTransaction() {
  if (channel_) channel_->end(at_end_);
}

Result<Response> CardTransaction::transmit(const Command& command) {
  // The fewest APDUs first. A form that the card or the reader refuses is left for another one, which is remembered
  // only when it fares better: 6700 may as well be about the length that the caller chose.
  const ApduLimits limits = channel_->limits();
  Result<Response> response = Delivery(*channel_, command, limits).run();
  const std::optional<ApduLimits> other = other_form(command, limits, response);
  if (!other) return response;
  Result<Response> again = Delivery(*channel_, command, *other).run();
  if (!again) return again.code() == Code::device_error ? std::move(response) : std::move(again);
  if (!refused_for_its_form(again, goes_extended(command, *other))) channel_->learn(*other);
  return again;
}

Result<Response> CardTransaction::call(const Command& command) {
  CARDEA_ASSIGN(Response response, transmit(command));
  if (!response.ok()) return status_error(response.status);
  return response;
}

void CardTransaction::allow_extended() {
  ApduLimits limits = channel_->limits();
  if (!limits.extended_possible || limits.command_data > short_command_data) return;
  limits.command_data = extended_command_data;
  limits.answer_data = extended_answer_data;
  channel_->learn(limits);
}

}  // namespace cardea::card
