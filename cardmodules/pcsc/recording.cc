#include "pcsc/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace cardea::card {
namespace {

constexpr std::string_view format_name = "cardea-recording";
constexpr int format_version = 1;
constexpr std::size_t longest_apdu = 70'000;     // bytes; what extended length can carry, and its header
constexpr std::size_t most_exchanges = 100'000;  // a conversation, not an archive
constexpr std::size_t longest_atr = 33;          // ISO 7816-3, 8.2

/// Takes the first word off a line.
std::string_view take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failure == std::errc() && end == text.data() + text.size();
}

/// "0020008008<8>": at most one hidden part.
bool parse_bytes(std::string_view text, RecordedBytes& out) {
  if (text.size() > 2 * longest_apdu) return false;
  const std::size_t open = text.find('<');
  if (open == std::string_view::npos) return from_hex(text, out.bytes);
  const std::size_t close = text.find('>', open);
  if (close == std::string_view::npos) return false;
  Bytes after;
  if (!from_hex(text.substr(0, open), out.bytes) || !from_hex(text.substr(close + 1), after)) return false;
  if (!parse_number(text.substr(open + 1, close - open - 1), out.hidden_size)) return false;
  if (out.hidden_size > longest_apdu) return false;
  out.hidden_at = out.bytes.size();
  out.bytes.resize(out.bytes.size() + out.hidden_size);
  out.bytes.insert(out.bytes.end(), after.begin(), after.end());
  return true;
}

bool parse_failure(std::string_view text, std::optional<Code>& out) {
  for (const Code code : {Code::device_removed, Code::timed_out, Code::device_error}) {
    if (text == name(code)) out = code;
  }
  return out.has_value();
}

/// How a failure is written: other kinds make no difference to who plays the recording back.
Code recorded_code(Code code) {
  return code == Code::device_removed || code == Code::timed_out ? code : Code::device_error;
}

class Parser {
 public:
  Result<Recording> parse(std::string_view text) {
    for (number_ = 1; !text.empty(); ++number_) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      CARDEA_TRY(number_ == 1 ? parse_header(line) : parse_line(line));
    }
    if (number_ == 1) return wrong("the file is empty");
    return std::move(recording_);
  }

 private:
  Error wrong(std::string_view what) const {
    return error(Code::data_invalid, fmt::format("line {} of the recording: {}", number_, what));
  }

  Status parse_header(std::string_view line) {
    int version = 0;
    if (take_word(line) != format_name || !parse_number(line, version) || version < 1)
      return wrong("this is no recording of a card");
    if (version > format_version) return error(Code::store_newer, "the recording was made by a later version");
    return {};
  }

  Status parse_line(std::string_view line) {
    if (line.empty() || line.starts_with('#')) return {};
    const std::string_view kind = take_word(line);
    if (kind == "begin") return {};
    if (kind == "reader") {
      recording_.reader = line;
      return {};
    }
    if (kind == "atr") {
      if (from_hex(line, recording_.atr) && recording_.atr.size() <= longest_atr) return {};
      return wrong("this is no answer to reset");
    }
    if (kind == "exchange" || kind == "failure") return parse_exchange(line, kind == "failure");
    return wrong("this kind of line is unknown");
  }

  Status parse_exchange(std::string_view line, bool failed) {
    if (recording_.exchanges.size() == most_exchanges) return wrong("the recording is too long");
    RecordedExchange exchange;
    if (!parse_bytes(take_word(line), exchange.command)) return wrong("the command is malformed");
    const std::string_view outcome = take_word(line);
    const bool understood = failed ? parse_failure(outcome, exchange.failure) : parse_bytes(outcome, exchange.answer);
    if (!understood) return wrong("the answer is malformed");
    std::uint32_t microseconds = 0;
    if (!parse_number(take_word(line), microseconds)) return wrong("the duration is malformed");
    exchange.duration = std::chrono::microseconds(microseconds);
    recording_.exchanges.push_back(std::move(exchange));
    return {};
  }

  Recording recording_;
  std::size_t number_ = 1;
};

class Recorder final : public ApduObserver {
 public:
  Recorder(std::string reader, LineSink sink) : reader_(std::move(reader)), sink_(std::move(sink)) {
    // A name is one line, whatever a reader calls itself.
    std::replace_if(
        reader_.begin(), reader_.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }

  void transaction_began(ByteView atr, bool card_was_reset) noexcept override {
    if (!std::exchange(begun_, true)) {
      sink_(fmt::format("{} {}", format_name, format_version));
      sink_("reader " + reader_);
      sink_("atr " + to_hex(atr));
    }
    sink_(card_was_reset ? "begin reset" : "begin");
  }

  void exchanged(const ObservedExchange& exchange) noexcept override {
    if (exchange.failure == nullptr) {
      sink_(fmt::format("exchange {} {} {}", exchange.command, exchange.answer, exchange.duration.count()));
    } else {
      sink_(fmt::format("failure {} {} {}", exchange.command, name(recorded_code(exchange.failure->code)),
                        exchange.duration.count()));
    }
  }

 private:
  std::string reader_;
  const LineSink sink_;
  bool begun_ = false;
};

}  // namespace

bool RecordedBytes::matches(ByteView other) const {
  if (other.size() != bytes.size()) return false;
  const ByteView all = bytes;
  const std::size_t behind = hidden_at + hidden_size;
  return same_bytes(all.first(hidden_at), other.first(hidden_at)) &&
         same_bytes(all.subspan(behind), other.subspan(behind));
}

Result<Recording> parse_recording(std::string_view text) {
  return Parser().parse(text);
}

ApduObserverPtr recorder(std::string reader, LineSink sink) {
  return std::make_shared<Recorder>(std::move(reader), std::move(sink));
}

}  // namespace cardea::card
