#include "card/faults.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "card/random.h"

namespace cardea::vcard {

namespace {

constexpr std::size_t largest_garbage = 300;

constexpr std::pair<std::string_view, FaultKind> names[] = {
    {"pull", FaultKind::pull},       {"mute", FaultKind::mute},         {"status", FaultKind::status},
    {"garbage", FaultKind::garbage}, {"truncate", FaultKind::truncate}, {"forget", FaultKind::forget},
};

template <class Number>
bool whole_number(std::string_view text, int base, Number& out) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return failure == std::errc() && end == text.data() + text.size();
}

Bytes garbage() {
  Byte size[2];
  fill_random(size);
  return random_bytes(static_cast<std::size_t>(size[0] << 8 | size[1]) % largest_garbage + 1);
}

}  // namespace

Result<Fault> parse_fault(std::string_view text) {
  const Error refused = error(Code::arguments_bad, "\"" + std::string(text) + "\" is no fault; example: status@2=6A82");
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return refused;
  const auto* known = std::find_if(std::begin(names), std::end(names),
                                   [&](const auto& name) { return name.first == text.substr(0, at); });
  if (known == std::end(names)) return refused;
  Fault fault;
  fault.kind = known->second;
  const std::size_t equals = text.find('=', at);
  const bool has_status = equals != std::string_view::npos;
  if (has_status != (fault.kind == FaultKind::status)) return refused;
  if (!whole_number(text.substr(at + 1, equals - (has_status ? at + 1 : 0)), 10, fault.at) || fault.at == 0) {
    return refused;
  }
  if (has_status && !whole_number(text.substr(equals + 1), 16, fault.status)) return refused;
  return fault;
}

void CardChannel::add_fault(const Fault& fault) {
  faults_.push_back(fault);
  faults_.back().at += count_;
}

void CardChannel::clear_faults() {
  faults_.clear();
  mute_ = false;
}

void CardChannel::reset() {
  card_.reset();
}

Outcome CardChannel::exchange(ByteView command) {
  ++count_;
  const auto due = std::find_if(faults_.begin(), faults_.end(), [&](const Fault& fault) { return fault.at == count_; });
  Outcome outcome;
  if (due != faults_.end()) {
    const Fault fault = *due;
    std::erase_if(faults_, [&](const Fault& other) { return other.at <= count_; });
    outcome = spoil(fault, command);
  } else {
    outcome = answer(command);
  }
  log_.add(command, outcome.response);
  return outcome;
}

Outcome CardChannel::refuse(ByteView command, StatusWord status) {
  ++count_;
  Outcome outcome{Outcome::Kind::answered, encode_response(status)};
  log_.add(command, outcome.response);
  return outcome;
}

Outcome CardChannel::answer(ByteView command) {
  if (mute_) return {Outcome::Kind::silent, {}};
  return {Outcome::Kind::answered, card_.exchange(command)};
}

Outcome CardChannel::spoil(const Fault& fault, ByteView command) {
  switch (fault.kind) {
    case FaultKind::pull:
      return {Outcome::Kind::pulled, {}};
    case FaultKind::mute:
      mute_ = true;
      return answer(command);
    case FaultKind::status:
      return {Outcome::Kind::answered, encode_response(fault.status)};
    case FaultKind::garbage:
      return {Outcome::Kind::answered, garbage()};
    case FaultKind::forget:
      card_.reset();
      return answer(command);
    case FaultKind::truncate:
      break;
  }
  Outcome outcome = answer(command);
  if (outcome.response.size() > 2) {
    const std::size_t data = outcome.response.size() - 2;
    outcome.response.erase(outcome.response.begin() + static_cast<std::ptrdiff_t>(data / 2),
                           outcome.response.begin() + static_cast<std::ptrdiff_t>(data));
  }
  return outcome;
}

}  // namespace cardea::vcard
