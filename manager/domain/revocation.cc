#include "domain/revocation.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "domain/words.h"

namespace cardea::manager {
namespace {

// RFC 5280, 5.3.1; 7 is not used.
constexpr std::array<std::string_view, 11> reason_words{
    "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
    "superseded",    "cessationOfOperation", "certificateHold", "",
    "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};

// "key_compromise", "KeyCompromise" and "keyCompromise" are one word.
std::string bare(std::string_view word) {
  std::string result;
  for (const char c : word) {
    if (c != '_' && c != '-') result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

}  // namespace

std::string_view word(RevocationReason reason) {
  return reason_words[static_cast<std::size_t>(reason)];
}

Result<RevocationReason> revocation_reason(std::string_view word) {
  const std::string wanted = bare(word);
  if (!wanted.empty()) {
    for (const std::string_view known : reason_words) {
      if (bare(known) == wanted) {
        return value_of_word<RevocationReason>(reason_words, known, "reason for revocation");
      }
    }
  }
  return value_of_word<RevocationReason>(reason_words, wanted.empty() ? "(nothing)" : word, "reason for revocation");
}

}  // namespace cardea::manager
