#include "pcsc/pcsc_connection.h"

#include <algorithm>
#include <thread>

#include "pcsc/apdu_encoding.h"

namespace cardea::card {
namespace {

// PC/SC-lite powers a card down when nobody is connected: after five seconds with readers that report events, at the
// second look, 0.4 s apart, with those that it must ask.
constexpr std::chrono::milliseconds surely_powered{350};
constexpr std::chrono::milliseconds between_tries{20};
// A pulled card fails the exchange at once, but the service notices only when it next looks.
constexpr std::chrono::milliseconds removal_is_noticed{900};
constexpr std::size_t longest_wire_answer = extended_answer_data + 2;
constexpr int most_resets_in_a_row = 3;

bool passed(PcscConnection::Clock::time_point deadline) {
  return PcscConnection::Clock::now() >= deadline;
}

/// A T=0 command with data has no Le on the wire: the card announces its answer by 61xx (ISO 7816-3, 12.1.1).
ByteView without_le(ByteView command) {
  const ByteView data = command_data(command);
  constexpr std::size_t header_and_lc = 5;
  const bool has_le = !data.empty() && command.size() == header_and_lc + data.size() + 1;
  return has_le ? command.first(command.size() - 1) : command;
}

}  // namespace

bool PcscConnection::carries_extended() const noexcept {
  return protocol_ != SCARD_PROTOCOL_T0 && !features_.short_apdus_only;
}

Result<CardState> PcscConnection::begin(Clock::time_point deadline) {
  Result<CardState> state = try_begin(deadline);
  if (!state) {
    const bool late = passed(deadline);
    disconnect();
    if (late) return error(Code::timed_out, "another program keeps the card");
  }
  return state;
}

Result<CardState> PcscConnection::try_begin(Clock::time_point deadline) {
  // A context from before a restart of the service shows as such at its first use; a new one is then tried once.
  LONG rv = SCARD_S_SUCCESS;
  CardState state = CardState::undisturbed;
  for (int service = 0; service < 2; ++service) {
    if (!has_handle_) state = state_of_new_connection();
    rv = connect(deadline);
    if (rv == SCARD_S_SUCCESS) rv = begin_transaction(state);
    in_transaction_ = rv == SCARD_S_SUCCESS;
    if (!is_service_lost(rv)) break;
    release();
  }
  if (rv != SCARD_S_SUCCESS) return pcsc_error(rv, "taking the card");
  if (passed(deadline)) return Code::timed_out;
  if (!still_the_same_card()) return error(Code::device_removed, "the card was removed from " + card_.reader);
  explore_reader();
  return state;
}

LONG PcscConnection::establish() {
  if (has_context_) return SCARD_S_SUCCESS;
  const LONG rv = api_.establish_context(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context_);
  has_context_ = rv == SCARD_S_SUCCESS;
  return rv;
}

LONG PcscConnection::connect(Clock::time_point deadline) {
  if (has_handle_) return SCARD_S_SUCCESS;
  if (const LONG rv = establish(); rv != SCARD_S_SUCCESS) return rv;
  for (;;) {
    const LONG rv = api_.connect(context_, card_.reader.c_str(), SCARD_SHARE_SHARED,
                                 SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &handle_, &protocol_);
    has_handle_ = rv == SCARD_S_SUCCESS;
    // Somebody has the card for himself alone, perhaps for a moment only.
    if (rv != SCARD_E_SHARING_VIOLATION || passed(deadline)) return rv;
    std::this_thread::sleep_for(between_tries);
  }
}

LONG PcscConnection::begin_transaction(CardState& state) {
  LONG rv = SCARD_S_SUCCESS;
  for (int resets = 0; resets <= most_resets_in_a_row; ++resets) {
    rv = api_.begin_transaction(handle_);
    if (rv != SCARD_W_RESET_CARD) return rv;
    state = CardState::reset;
    rv = api_.reconnect(handle_, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, SCARD_LEAVE_CARD,
                        &protocol_);
    if (rv != SCARD_S_SUCCESS) return rv;
  }
  return SCARD_W_RESET_CARD;
}

// Nothing tells whether somebody reset the card while nobody was connected. A program that did leaves answers behind
// that say so (6982, 6D00), which is for the caller to understand; a card that may have lost its power is told here.
CardState PcscConnection::state_of_new_connection() const {
  const bool powered = last_end_ != Clock::time_point{} && Clock::now() - last_end_ < surely_powered;
  return powered ? CardState::undisturbed : CardState::reset;
}

bool PcscConnection::still_the_same_card() {
  if (api_.service_identity() != card_.service) return false;
  SCARD_READERSTATE state{};
  state.szReader = card_.reader.c_str();
  state.dwCurrentState = SCARD_STATE_UNAWARE;
  if (api_.get_status_change(context_, 0, &state, 1) != SCARD_S_SUCCESS) return false;
  return (state.dwEventState & SCARD_STATE_PRESENT) != 0 && (state.dwEventState >> 16 & 0xffff) == card_.events;
}

bool PcscConnection::removed_soon() {
  const Clock::time_point deadline = Clock::now() + removal_is_noticed;
  while (still_the_same_card()) {
    if (passed(deadline)) return false;
    std::this_thread::sleep_for(between_tries);
  }
  return true;
}

void PcscConnection::explore_reader() {
  if (explored_) return;
  features_ = explore_features([this](std::uint32_t code) { return control(code, {}); });
  explored_ = true;
}

void PcscConnection::end(AtEnd action) {
  if (!has_handle_) return;
  const LONG rv = api_.end_transaction(handle_, action == AtEnd::reset ? SCARD_RESET_CARD : SCARD_LEAVE_CARD);
  in_transaction_ = false;
  const bool left_alone = rv == SCARD_S_SUCCESS && action == AtEnd::leave;
  last_end_ = left_alone ? Clock::now() : Clock::time_point{};
  if (!keep || rv != SCARD_S_SUCCESS) disconnect();
}

Result<Bytes> PcscConnection::transmit(ByteView command) {
  if (!has_handle_) return error(Code::device_error, "the connection to the card is lost");
  const ByteView wire = protocol_ == SCARD_PROTOCOL_T0 ? without_le(command) : command;
  const SCARD_IO_REQUEST protocol{protocol_, sizeof(SCARD_IO_REQUEST)};
  received_.resize(longest_wire_answer);
  DWORD size = received_.size();
  const LONG rv = api_.transmit(handle_, &protocol, wire.data(), wire.size(), nullptr, received_.data(), &size);
  // A pulled card may also look like one that answers nothing.
  if (rv == SCARD_S_SUCCESS && size >= 2) {
    const MutableBytes answer = MutableBytes(received_).first(std::min<std::size_t>(size, received_.size()));
    Bytes copy = to_bytes(answer);
    wipe(answer);
    return copy;
  }
  if (is_service_lost(rv) || is_card_gone(rv) || removed_soon())
    return error(Code::device_removed, "the card was removed from " + card_.reader);
  if (rv == SCARD_S_SUCCESS) return error(Code::device_error, "the card answered without a status word");
  return pcsc_error(rv, "sending a command");
}

Result<Bytes> PcscConnection::control(std::uint32_t code, ByteView input) {
  if (!has_handle_) return error(Code::device_error, "the connection to the card is lost");
  Bytes output(MAX_BUFFER_SIZE);
  DWORD size = 0;
  const LONG rv = api_.control(handle_, code, input.data(), input.size(), output.data(), output.size(), &size);
  if (rv != SCARD_S_SUCCESS) return pcsc_error(rv, "asking the reader");
  output.resize(std::min<std::size_t>(size, output.size()));
  return output;
}

void PcscConnection::disconnect() {
  if (has_handle_) api_.disconnect(handle_, SCARD_LEAVE_CARD);
  has_handle_ = false;
  in_transaction_ = false;
}

void PcscConnection::rest() {
  if (!keep && !in_transaction_) release();
}

void PcscConnection::release() {
  disconnect();
  if (has_context_) api_.release_context(context_);
  has_context_ = false;
}

}  // namespace cardea::card
