#include "domain/ca_connector.h"

#include "domain/words.h"

namespace cardea::manager {
namespace {

constexpr std::array<std::string_view, 9> kind_words{"email",     "dns",    "upn",  "uri",          "ip",
                                                     "directory", "fasc-n", "uuid", "registered-id"};

}  // namespace

std::string_view word(AlternativeName::Kind kind) {
  return kind_words[static_cast<std::size_t>(kind)];
}

Result<AlternativeName::Kind> alternative_name_kind(std::string_view word) {
  return value_of_word<AlternativeName::Kind>(kind_words, word, "kind of alternative name");
}

Status IssuanceTicket::spend(std::string_view request_id) {
  if (request_id_.empty()) return error(Code::action_prohibited, "the ticket for this issuance was spent before");
  if (request_id_ != request_id) return error(Code::action_prohibited, "the ticket is for another request");
  request_id_.clear();
  return {};
}

}  // namespace cardea::manager
