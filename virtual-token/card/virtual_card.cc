#include "card/virtual_card.h"

#include <algorithm>
#include <utility>

#include "card/gids_applet.h"
#include "card/piv_applet.h"
#include "card/sample_applet.h"

namespace cardea::vcard {

namespace {

constexpr std::size_t short_response = 256;
// More than any command of the applications needs, so a chain cannot grow without end.
constexpr std::size_t longest_chain = 0x10000;

constexpr Byte ins_select = 0xA4;
constexpr Byte ins_get_response = 0xC0;

std::unique_ptr<Applet> make_applet(CardState& state) {
  if (auto* gids = std::get_if<GidsState>(&state.content)) return std::make_unique<GidsApplet>(*gids);
  if (auto* sample = std::get_if<SampleState>(&state.content)) return std::make_unique<SampleApplet>(*sample);
  return std::make_unique<PivApplet>(std::get<PivState>(state.content));
}

// Class byte of the first interindustry range (ISO/IEC 7816-4, 5.4.1), or why the command is refused.
StatusWord check_class(Byte cla) {
  if ((cla & 0xE0) != 0) return sw::class_not_supported;
  if ((cla & 0x0C) != 0) return sw::secure_messaging_not_supported;
  if ((cla & 0x03) != 0) return sw::channel_not_supported;
  return sw::ok;
}

}  // namespace

VirtualCard::VirtualCard(CardState state, Save save)
    : state_(std::make_unique<CardState>(std::move(state))), save_(std::move(save)), applet_(make_applet(*state_)) {}
VirtualCard::~VirtualCard() = default;

Bytes VirtualCard::atr() const {
  // T=1 only; historical bytes in COMPACT-TLV (ISO/IEC 7816-4, 8.1.1): card capabilities, then issuer data as label.
  const Byte lengths = short_only_ ? 0x80 : 0xC0;  // third software function table: chaining, extended Lc and Le
  Bytes atr = {0x3B, 0x8E, 0x01, 0x80, 0x73, 0xC0, 0x01, lengths, 0x58, 'C', 'A', 'R', 'D', 'E', 'A', '-', 'V'};
  Byte check = 0;
  for (std::size_t i = 1; i < atr.size(); ++i) check ^= atr[i];
  atr.push_back(check);
  return atr;
}

void VirtualCard::reset() {
  selected_ = false;
  chaining_ = false;
  wipe(chain_);
  chain_.clear();
  wipe(pending_);
  pending_.clear();
  wipe(asked_);
  asked_.clear();
  applet_->reset();
}

Bytes VirtualCard::exchange(ByteView apdu) {
  auto command = parse_command(apdu);
  if (!command || (short_only_ && command->extended)) return encode_response(sw::wrong_length);
  Response response = repeat_or_dispatch(*command);
  if (applet_->take_changed() && save_ && !save_(*state_)) response = sw::memory_failure;
  Bytes out = encode_response(deliver(*command, std::move(response)));
  wipe(command->data);
  return out;
}

bool VirtualCard::wants_touch(ByteView apdu) const {
  const auto command = parse_command(apdu);
  return command.ok() && selected_ && !command->chained() && applet_->wants_touch(*command);
}

Response VirtualCard::repeat_or_dispatch(Command& command) {
  if (!exact_length_) return dispatch(command);
  Bytes asked = {command.cla, command.ins, command.p1, command.p2};
  asked.insert(asked.end(), command.data.begin(), command.data.end());
  const bool repeated = !asked_.empty() && asked == asked_;
  wipe(asked_);
  asked_.clear();
  if (repeated) return std::exchange(answered_, sw::ok);
  Response response = dispatch(command);
  const bool inexact = command.expected != 0 && command.expected < short_response &&
                       response.data.size() < command.expected && !response.data.empty();
  if (!inexact || command.ins == ins_get_response) {
    wipe(asked);
    return response;
  }
  const auto length = response.data.size();
  asked_ = std::move(asked);
  answered_ = std::move(response);
  return static_cast<StatusWord>(sw::wrong_expected_length | length);
}

Response VirtualCard::dispatch(Command& command) {
  if (const StatusWord refused = check_class(command.cla); refused != sw::ok) return refused;
  if (command.ins == ins_get_response) return get_response(command);
  wipe(pending_);
  pending_.clear();
  if (command.chained() || chaining_) return collect_chain(command);
  return run(command);
}

Response VirtualCard::collect_chain(Command& command) {
  const std::uint32_t header = static_cast<std::uint32_t>(command.ins) << 16 | command.p1p2();
  // A different command breaks the chain off and is handled by itself (ISO/IEC 7816-4, 5.1.1.1).
  if (chaining_ && header != chain_header_) {
    wipe(chain_);
    chain_.clear();
    chaining_ = false;
    if (!command.chained()) return run(command);
  }
  chain_.insert(chain_.end(), command.data.begin(), command.data.end());
  chain_header_ = header;
  chaining_ = command.chained();
  if (chain_.size() > longest_chain) {
    wipe(chain_);
    chain_.clear();
    chaining_ = false;
    return sw::wrong_length;
  }
  if (chaining_) return sw::ok;
  wipe(command.data);
  command.data = std::move(chain_);
  chain_.clear();
  return run(command);
}

Response VirtualCard::run(const Command& command) {
  if (command.ins == ins_select && command.p1 == 0x04) return select(command);
  if (!selected_) return sw::instruction_not_supported;
  return applet_->process(command);
}

Response VirtualCard::select(const Command& command) {
  if ((command.p2 & 0x03) != 0 || !applet_->answers_to(command.data)) return sw::file_not_found;
  const bool again = selected_;
  selected_ = true;
  return applet_->select(command, again);
}

Response VirtualCard::get_response(const Command& command) {
  if (pending_.empty()) return sw::conditions_not_satisfied;
  if (command.expected > pending_.size() && command.expected < short_response) {
    return static_cast<StatusWord>(sw::wrong_expected_length | pending_.size());
  }
  Bytes rest = std::move(pending_);
  pending_.clear();
  return {std::move(rest), pending_status_};
}

Response VirtualCard::deliver(const Command& command, Response response) {
  if (response.data.empty()) return response;
  // Clients on T=0 leave Le out; they get what a short Le of zero asks for.
  const std::size_t wanted = command.expected == 0 ? short_response : command.expected;
  if (response.data.size() <= wanted) return response;
  pending_ = Bytes(response.data.begin() + static_cast<std::ptrdiff_t>(wanted), response.data.end());
  pending_status_ = response.status;
  response.data.resize(wanted);
  const std::size_t left = std::min<std::size_t>(pending_.size(), short_response);
  return {std::move(response.data), static_cast<StatusWord>(sw::more_data | (left & 0xFF))};
}

}  // namespace cardea::vcard
