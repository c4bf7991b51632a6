#include "domain/one_time_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/random.h"
#include "domain/ports.h"

namespace cardea::manager {

namespace {

constexpr std::string_view digits = "0123456789";
// Without what is mistaken for something else when read: 0 O 1 I L U.
constexpr std::string_view letters_too = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t longest_code = 32;

// A number below `bound` (at most 256), each as likely.
Result<unsigned> random_below(unsigned bound) {
  const unsigned unbiased = 256 / bound * bound;
  for (;;) {
    Byte drawn = 0;
    CARDEA_TRY(crypto::random_bytes({&drawn, 1}));
    if (drawn < unbiased) return drawn % bound;
  }
}

}  // namespace

Result<SecretBytes> random_code(const CodeRules& rules) {
  const std::string_view alphabet = rules.alphabet == "numeric" ? digits : letters_too;
  CARDEA_ASSIGN(const unsigned more, random_below(rules.max_length - rules.min_length + 1));
  SecretBytes code(rules.min_length + more);
  for (Byte& character : code.mutable_view()) {
    CARDEA_ASSIGN(const unsigned drawn, random_below(static_cast<unsigned>(alphabet.size())));
    character = static_cast<Byte>(alphabet[drawn]);
  }
  return code;
}

SecretBytes displayed_code(Id request, const SecretBytes& code) {
  const std::string number = std::to_string(request) + "-";
  SecretBytes out(number.size() + code.size() + (code.size() - 1) / 4);
  Byte* end = std::copy(number.begin(), number.end(), out.data());
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (i > 0 && i % 4 == 0) *end++ = ' ';
    *end++ = code.data()[i];
  }
  return out;
}

Result<TypedCode> typed_code(std::string_view text) {
  const auto wrong = [] {
    return error(Code::arguments_bad, "this is no one-time code: it is a number, a hyphen, and letters or digits");
  };
  const auto hyphen = text.find('-');
  if (hyphen == std::string_view::npos || text.size() > 200) return wrong();
  std::string number(text.substr(0, hyphen));
  number.erase(std::remove(number.begin(), number.end(), ' '), number.end());
  TypedCode typed;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), typed.request);
  if (read.ec != std::errc() || read.ptr != number.data() + number.size() || typed.request <= 0) return wrong();
  SecretBytes code(longest_code);
  std::size_t size = 0;
  for (const char c : text.substr(hyphen + 1)) {
    if (c == ' ') continue;
    const bool lower = c >= 'a' && c <= 'z';
    const bool fine = lower || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!fine || size == longest_code) return wrong();
    code.data()[size++] = static_cast<Byte>(lower ? c - 'a' + 'A' : c);
  }
  if (size == 0) return wrong();
  code.truncate(size);
  typed.code = std::move(code);
  return typed;
}

Result<Bytes> code_check(KeyToken& keys, Id request, const SecretBytes& code) {
  const std::string number = std::to_string(request) + ":";
  SecretBytes context(number.size() + code.size());
  std::copy_n(code.data(), code.size(), std::copy(number.begin(), number.end(), context.data()));
  CARDEA_ASSIGN(const SecretBytes check, keys.derive(manager_key::one_time_codes, "one-time-code", context.view(), 32));
  return to_bytes(check.view());
}

}  // namespace cardea::manager
