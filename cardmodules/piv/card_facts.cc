#include "piv/card_facts.h"

#include <algorithm>

#include "piv/commands.h"
#include "piv/data_objects.h"

namespace cardea::card::piv {

bool is_about_object(const Error& error) noexcept {
  switch (error.code) {
    case Code::device_removed:
    case Code::token_absent:
    case Code::timed_out:
    case Code::device_error:
    case Code::host_memory:
      return false;
    default:
      return true;
  }
}

Result<Extensions> CardFacts::extensions(CardTransaction& transaction) {
  if (extensions_) return *extensions_;
  CARDEA_ASSIGN(const Response answer, transaction.transmit(Command{.ins = instruction::version}));
  Extensions found;
  found.present = answer.ok() && answer.data.size() == found.version.size();
  if (found.present) std::copy(answer.data.begin(), answer.data.end(), found.version.begin());
  extensions_ = found;
  return found;
}

Result<Discovery> CardFacts::discovery(CardTransaction& transaction) {
  if (discovery_) return *discovery_;
  Discovery found;
  const Result<Bytes> content = get_data(transaction, object::discovery);
  if (!content && !is_about_object(content.error())) return content.error();
  if (content) {
    const Result<Discovery> parsed = parse_discovery(*content);
    if (parsed) found = *parsed;
  }
  discovery_ = found;
  return found;
}

Result<Metadata> CardFacts::metadata(CardTransaction& transaction, Byte reference) {
  CARDEA_ASSIGN(const Extensions has, extensions(transaction));
  if (!has.has_metadata()) return Code::function_not_supported;
  CARDEA_ASSIGN(const Response answer, transaction.call(Command{.ins = instruction::metadata, .p2 = reference}));
  return parse_metadata(answer.data);
}

Result<std::optional<std::uint32_t>> CardFacts::vendor_serial(CardTransaction& transaction) {
  CARDEA_ASSIGN(const Response answer, transaction.transmit(Command{.ins = instruction::serial}));
  if (!answer.ok() || answer.data.size() != sizeof(std::uint32_t)) return std::optional<std::uint32_t>();
  std::uint32_t serial = 0;
  for (const Byte byte : answer.data) serial = serial << 8 | byte;
  return std::optional(serial);
}

Result<KeyHistory> CardFacts::key_history(CardTransaction& transaction) {
  const Result<Bytes> content = get_data(transaction, object::key_history);
  if (!content && !is_about_object(content.error())) return content.error();
  if (!content) return KeyHistory();
  Result<KeyHistory> parsed = parse_key_history(*content);
  return parsed ? std::move(*parsed) : KeyHistory();
}

}  // namespace cardea::card::piv
