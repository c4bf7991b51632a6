#include "keystore/recovery_code.h"

#include <string_view>

#include "crypto/random.h"

namespace cardea::keystore {
namespace {

constexpr std::size_t digit_count = 32;
constexpr std::size_t group = 4;
constexpr std::string_view digits = "0123456789abcdef";

}  // namespace

Result<Pin> new_recovery_code() {
  SecretBytes random(digit_count / 2);
  CARDEA_TRY(crypto::random_bytes(random.mutable_view()));
  SecretBytes code(digit_count + digit_count / group - 1);
  Byte* to = code.data();
  for (std::size_t i = 0; i < digit_count; ++i) {
    if (i > 0 && i % group == 0) *to++ = '-';
    const Byte pair = random.view()[i / 2];
    *to++ = static_cast<Byte>(digits[i % 2 == 0 ? pair >> 4 : pair & 0x0f]);
  }
  return Pin(code.view());
}

Result<Pin> read_recovery_code(const Pin& typed) {
  SecretBytes code(digit_count + digit_count / group - 1);
  std::size_t found = 0;
  std::size_t size = 0;
  for (const Byte byte : typed.view()) {
    if (byte == '-' || byte == ' ') continue;
    const char lower = static_cast<char>(byte >= 'A' && byte <= 'F' ? byte - 'A' + 'a' : byte);
    if (found == digit_count || digits.find(lower) == std::string_view::npos) {
      found = 0;
      break;
    }
    if (found > 0 && found % group == 0) code.data()[size++] = '-';
    code.data()[size++] = static_cast<Byte>(lower);
    ++found;
  }
  if (found == digit_count) return Pin(code.view());
  return error(Code::pin_invalid, "a recovery code has 32 digits from 0 to 9 and a to f, in groups of four");
}

}  // namespace cardea::keystore
