#include "card_program/card_service.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cardea::vcard {

namespace {

constexpr std::chrono::milliseconds between_attempts{100};
// pcscd looks every 400 ms whether there is a card. One that were back sooner would never have been away.
constexpr std::chrono::milliseconds shortest_absence{600};

// SIGTERM and SIGINT as something to poll, so that the card's state is never left half written.
int open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return -1;
  return signalfd(-1, &set, SFD_CLOEXEC);
}

}  // namespace

CardService::CardService(VirtualCard& card, ServiceOptions options)
    : card_(card),
      channel_(card),
      options_(std::move(options)),
      control_([this](std::string_view line) { return control(line); }) {}

Status CardService::run() {
  if (!options_.control.empty()) CARDEA_TRY(control_.listen(options_.control));
  signals_ = open_signals();
  if (signals_ < 0) return Code::device_error;
  card_.set_short_only(options_.short_only);
  card_.set_exact_length(options_.exact_length);
  for (const Fault& fault : options_.faults) channel_.add_fault(fault);
  if (options_.inserted) insert();
  Status outcome;
  while (!stop_ && outcome.ok()) outcome = step();
  ::close(signals_);
  reader_.close();
  return outcome;
}

Status CardService::step() {
  keep_connected();
  std::vector<pollfd> set = {{signals_, POLLIN, 0}};
  if (reader_.connected()) set.push_back({reader_.descriptor(), POLLIN, 0});
  control_.watch(set);
  if (::poll(set.data(), set.size(), poll_timeout()) < 0) {
    return errno == EINTR ? Status() : Status(Code::device_error);
  }
  if (set[0].revents != 0) stop_ = true;
  const bool reader_ready = reader_.connected() && set[1].revents != 0;
  end_waiting();
  send_when_due();
  if (reader_ready) serve_reader();
  control_.serve(set);
  return {};
}

int CardService::poll_timeout() const {
  std::optional<Clock::time_point> next;
  if (delayed_) next = delayed_->due;
  if (held_) next = std::min(next.value_or(held_->until), held_->until);
  if (inserted_ && !reader_.connected()) next = std::min(next.value_or(next_attempt_), next_attempt_);
  if (!next) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(wait.count(), 0));
}

void CardService::keep_connected() {
  if (!inserted_ || reader_.connected() || Clock::now() < next_attempt_) return;
  next_attempt_ = Clock::now() + between_attempts;
  // A reader that is not there yet is nothing to report: pcscd may start later.
  (void)reader_.connect(options_.host, options_.port);
}

void CardService::serve_reader() {
  if (!reader_.receive()) {
    reader_.close();
    powered_ = false;
    delayed_.reset();
    held_.reset();
    card_.reset();
    return;
  }
  while (reader_.connected()) {
    const auto message = reader_.take_message();
    if (!message) return;
    handle_message(*message);
  }
}

void CardService::handle_message(ByteView message) {
  if (message.size() != 1) {
    if (!message.empty()) handle_command(message);
    return;
  }
  switch (static_cast<ReaderControl>(message[0])) {
    case ReaderControl::power_off:
      powered_ = false;
      channel_.reset();
      break;
    case ReaderControl::power_on:
      powered_ = true;
      channel_.reset();
      break;
    case ReaderControl::reset:
      channel_.reset();
      break;
    case ReaderControl::answer_to_reset:
      send(card_.atr());
      break;
  }
}

void CardService::handle_command(ByteView command) {
  if (options_.touch.count() == 0 || !card_.wants_touch(command)) return answer(channel_.exchange(command));
  held_ = Held{Clock::now() + options_.touch, to_bytes(command)};
}

bool CardService::touch() {
  if (!held_) return false;
  const Bytes command = std::move(held_->command);
  held_.reset();
  answer(channel_.exchange(command));
  return true;
}

// Nobody touched the card in time.
void CardService::end_waiting() {
  if (!held_ || Clock::now() < held_->until) return;
  const Bytes command = std::move(held_->command);
  held_.reset();
  answer(channel_.refuse(command, sw::security_status_not_satisfied));
}

void CardService::answer(Outcome outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::silent:
      return;
    case Outcome::Kind::pulled:
      remove();
      return;
    case Outcome::Kind::answered:
      break;
  }
  if (options_.delay.count() == 0) return send(outcome.response);
  delayed_ = Delayed{Clock::now() + options_.delay, std::move(outcome.response)};
}

void CardService::send(ByteView response) {
  if (reader_.send(response)) return;
  reader_.close();
  powered_ = false;
}

void CardService::send_when_due() {
  if (!delayed_ || Clock::now() < delayed_->due) return;
  const Bytes response = std::move(delayed_->response);
  delayed_.reset();
  if (reader_.connected()) send(response);
}

void CardService::insert() {
  if (inserted_) return;
  inserted_ = true;
  next_attempt_ = std::max(Clock::now(), removed_at_ + shortest_absence);
  card_.reset();
}

void CardService::remove() {
  inserted_ = false;
  removed_at_ = Clock::now();
  powered_ = false;
  delayed_.reset();
  held_.reset();
  reader_.close();
  channel_.pulled();
  card_.reset();
}

}  // namespace cardea::vcard
