// The commands of the PIV card application that several parts of the module send (SP 800-73-4 part 2, 3).
#pragma once

#include <chrono>

#include "pcsc/card_transaction.h"

namespace cardea::card::piv {

namespace instruction {
inline constexpr Byte select = 0xa4;
inline constexpr Byte verify = 0x20;
inline constexpr Byte change_reference = 0x24;
inline constexpr Byte reset_retry = 0x2c;
inline constexpr Byte generate = 0x47;
inline constexpr Byte authenticate = 0x87;
inline constexpr Byte get_data = 0xcb;
inline constexpr Byte put_data = 0xdb;
// Yubico's, also on cards of others.
inline constexpr Byte move_key = 0xf6;
inline constexpr Byte metadata = 0xf7;
inline constexpr Byte serial = 0xf8;
inline constexpr Byte attest = 0xf9;
inline constexpr Byte set_tries = 0xfa;
inline constexpr Byte reset = 0xfb;
inline constexpr Byte version = 0xfd;
inline constexpr Byte import_key = 0xfe;
inline constexpr Byte set_management_key = 0xff;
}  // namespace instruction

/// How long cards may take where it is longer than usual.
namespace patience {
inline constexpr std::chrono::milliseconds generation{180'000};  ///< RSA keys of 4096 bits, unlucky
inline constexpr std::chrono::milliseconds touch{20'000};        ///< YubiKeys wait 15 s for a finger
inline constexpr std::chrono::milliseconds long_work{10'000};    ///< import, attestation, reset, large RSA keys
}  // namespace patience

/// Fields of the dynamic authentication template (part 2, table 7).
namespace authentication {
inline constexpr std::uint32_t whole = 0x7c;
inline constexpr std::uint32_t witness = 0x80;
inline constexpr std::uint32_t challenge = 0x81;
inline constexpr std::uint32_t response = 0x82;
inline constexpr std::uint32_t exponentiation = 0x85;
}  // namespace authentication

/// The content of a data object without its outer tag. not_found when it is absent or empty, user_not_logged_in when it
/// needs the PIN, data_invalid.
Result<Bytes> get_data(CardTransaction& transaction, std::uint32_t tag);

/// Takes the outer tag off what GET DATA answered for the object; errors as get_data.
Result<Bytes> data_object_content(std::uint32_t tag, ByteView answer);

/// Writes a data object; empty removes its content.
Status put_data(CardTransaction& transaction, std::uint32_t tag, ByteView content);

/// One field for the card and the field that is wanted of it; answers that field of the card's template.
/// data_invalid when it is not there.
struct Authentication {
  Byte algorithm = 0;
  Byte key = 0;
  std::uint32_t field = 0;  ///< what `data` is
  ByteView data = {};
  bool secret_answer = false;
  std::chrono::milliseconds patience = usual_patience;
};
Result<SecretBytes> authenticate_for_response(CardTransaction& transaction, const Authentication& request);

/// GENERAL AUTHENTICATE with this template content; any status word is a success.
Result<Response> general_authenticate(CardTransaction& transaction, Byte algorithm, Byte key, ByteView fields,
                                      bool secret_answer = false, std::chrono::milliseconds patience = usual_patience);

/// The field of a template that the card answered; data_invalid, also when the template has no such field.
Result<ByteView> authentication_field(ByteView answer, std::uint32_t field);

}  // namespace cardea::card::piv
