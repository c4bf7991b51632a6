#include <fmt/format.h>

#include "pcsc/apdu.h"

namespace cardea::card {
namespace {

struct StatusMeaning {
  std::uint16_t status;
  std::uint16_t mask;  // which bits of the status word count
  Code code;
  std::string_view words;
};

// ISO 7816-4, tables 5 and 6, and what PIV (SP 800-73-4 part 2, 3) and PKCS#15-like cards mean by them. The first line
// that fits wins.
constexpr StatusMeaning meanings[]{
    {0x9000, 0xffff, Code::internal, "the card reported success"},
    {0x6281, 0xffff, Code::data_invalid, "a part of the answer may be corrupted"},
    {0x6282, 0xffff, Code::data_invalid, "the end of the file was reached before all was read"},
    {0x6283, 0xffff, Code::function_failed, "the selected file or application is deactivated"},
    {0x6285, 0xffff, Code::function_failed, "the selected file or application is terminated"},
    {0x6300, 0xffff, Code::pin_incorrect, "the verification failed"},
    {0x6381, 0xffff, Code::device_memory, "the file is filled up by the last write"},
    {0x6400, 0xffff, Code::device_error, "the card could not execute the command"},
    {0x6581, 0xffff, Code::device_error, "the card's memory failed"},
    {0x6700, 0xffff, Code::data_length, "the card does not take data of this length"},
    {0x6881, 0xffff, Code::function_not_supported, "the card has no logical channels"},
    {0x6882, 0xffff, Code::function_not_supported, "the card has no secure messaging"},
    {0x6883, 0xffff, Code::device_error, "the card waits for the end of a command chain"},
    {0x6884, 0xffff, Code::function_not_supported, "the card has no command chaining"},
    {0x6981, 0xffff, Code::function_not_supported, "the command does not fit the kind of file"},
    {0x6982, 0xffff, Code::user_not_logged_in, "the card wants a PIN or an administrator's key first"},
    {0x6983, 0xffff, Code::pin_locked, "the PIN or key is locked"},
    {0x6984, 0xffff, Code::function_failed, "the PIN or key cannot be used now"},
    {0x6985, 0xffff, Code::function_failed, "the card's present state does not allow this"},
    {0x6986, 0xffff, Code::function_failed, "no file is selected"},
    {0x6987, 0xffff, Code::data_invalid, "an object of secure messaging is missing"},
    {0x6988, 0xffff, Code::data_invalid, "an object of secure messaging is wrong"},
    {0x6a80, 0xffff, Code::data_invalid, "the card finds the data wrong"},
    {0x6a81, 0xffff, Code::function_not_supported, "the card does not have this function"},
    {0x6a82, 0xffff, Code::not_found, "the card has no such object or application"},
    {0x6a83, 0xffff, Code::not_found, "the card has no such record"},
    {0x6a84, 0xffff, Code::device_memory, "the card is full"},
    {0x6a86, 0xffff, Code::function_not_supported, "the card does not know these parameters"},
    {0x6a87, 0xffff, Code::data_length, "the length does not fit the parameters"},
    {0x6a88, 0xffff, Code::not_found, "the card has no such key or data"},
    {0x6a89, 0xffff, Code::exists, "the card has this object already"},
    {0x6a8a, 0xffff, Code::exists, "the card has an application of this name already"},
    {0x6b00, 0xffff, Code::function_not_supported, "the card does not know these parameters"},
    {0x6d00, 0xffff, Code::function_not_supported, "the card does not know this command"},
    {0x6e00, 0xffff, Code::function_not_supported, "the card does not know this class of commands"},
    {0x6f00, 0xffff, Code::device_error, "the card failed and does not say why"},
    {0x6100, 0xff00, Code::device_error, "the card holds back a part of its answer"},
    {0x6c00, 0xff00, Code::data_length, "the card wants another length of answer"},
    {0x6200, 0xff00, Code::device_error, "the card warns that its memory did not change"},
    {0x6300, 0xff00, Code::device_error, "the card warns that its memory changed"},
    {0x6400, 0xff00, Code::device_error, "the card could not execute the command; its memory did not change"},
    {0x6500, 0xff00, Code::device_error, "the card could not execute the command; its memory changed"},
    {0x6600, 0xff00, Code::device_error, "a matter of the card's security"},
    {0x6800, 0xff00, Code::function_not_supported, "the card does not have what the class byte asks for"},
    {0x6900, 0xff00, Code::function_failed, "the card does not allow the command"},
    {0x6a00, 0xff00, Code::data_invalid, "the card finds the parameters wrong"},
};

// 63 Cx: a counter, which for a verification is the tries left (ISO 7816-4, 11.6.6). None left is a locked PIN.
Error tries_left(std::uint16_t status, SourcePlace where) {
  const int tries = status & 0x0f;
  Error failure = error(tries == 0 ? Code::pin_locked : Code::pin_incorrect,
                        fmt::format("the card answered {:04X}", status), where);
  failure.retries_left = tries;
  return failure;
}

}  // namespace

Error status_error(std::uint16_t status, SourcePlace where) {
  if ((status & 0xfff0) == 0x63c0) return tries_left(status, where);
  for (const StatusMeaning& meaning : meanings) {
    if ((status & meaning.mask) == meaning.status)
      return error(meaning.code, fmt::format("the card answered {:04X}: {}", status, meaning.words), where);
  }
  return error(Code::device_error, fmt::format("the card answered {:04X}, which no standard explains", status), where);
}

}  // namespace cardea::card
