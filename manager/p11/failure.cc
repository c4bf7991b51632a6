#include "p11client/failure.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "cryptoki/names.h"

namespace cardea::p11client {
namespace {

using enum Code;

// Several CK_RV share a code where a person would do the same about them.
constexpr std::array<std::pair<CK_RV, Code>, 66> return_values{{
    {CKR_CANCEL, function_canceled},
    {CKR_HOST_MEMORY, host_memory},
    {CKR_SLOT_ID_INVALID, slot_invalid},
    {CKR_GENERAL_ERROR, internal},
    {CKR_FUNCTION_FAILED, device_error},
    {CKR_ARGUMENTS_BAD, arguments_bad},
    {CKR_NEED_TO_CREATE_THREADS, need_to_create_threads},
    {CKR_CANT_LOCK, locking_impossible},
    {CKR_ATTRIBUTE_READ_ONLY, attribute_read_only},
    {CKR_ATTRIBUTE_SENSITIVE, attribute_sensitive},
    {CKR_ATTRIBUTE_TYPE_INVALID, attribute_type_invalid},
    {CKR_ATTRIBUTE_VALUE_INVALID, attribute_value_invalid},
    {CKR_ACTION_PROHIBITED, action_prohibited},
    {CKR_DATA_INVALID, data_invalid},
    {CKR_DATA_LEN_RANGE, data_length},
    {CKR_DEVICE_ERROR, device_error},
    {CKR_DEVICE_MEMORY, device_memory},
    {CKR_DEVICE_REMOVED, device_removed},
    {CKR_ENCRYPTED_DATA_INVALID, encrypted_data_invalid},
    {CKR_ENCRYPTED_DATA_LEN_RANGE, encrypted_data_length},
    {CKR_AEAD_DECRYPT_FAILED, aead_decrypt_failed},
    {CKR_FUNCTION_CANCELED, function_canceled},
    {CKR_FUNCTION_NOT_PARALLEL, function_not_parallel},
    {CKR_FUNCTION_NOT_SUPPORTED, function_not_supported},
    {CKR_KEY_HANDLE_INVALID, key_handle_invalid},
    {CKR_KEY_SIZE_RANGE, key_size_range},
    {CKR_KEY_TYPE_INCONSISTENT, key_type_inconsistent},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, key_function_not_permitted},
    {CKR_KEY_UNEXTRACTABLE, key_unextractable},
    {CKR_MECHANISM_INVALID, mechanism_invalid},
    {CKR_MECHANISM_PARAM_INVALID, mechanism_param_invalid},
    {CKR_OBJECT_HANDLE_INVALID, object_handle_invalid},
    {CKR_OPERATION_ACTIVE, operation_active},
    {CKR_OPERATION_NOT_INITIALIZED, operation_not_initialized},
    {CKR_PIN_INCORRECT, pin_incorrect},
    {CKR_PIN_INVALID, pin_invalid},
    {CKR_PIN_LEN_RANGE, pin_length},
    {CKR_PIN_EXPIRED, pin_expired},
    {CKR_PIN_LOCKED, pin_locked},
    {CKR_PIN_TOO_WEAK, pin_too_weak},
    {CKR_SESSION_CLOSED, session_invalid},
    {CKR_SESSION_COUNT, session_count},
    {CKR_SESSION_HANDLE_INVALID, session_invalid},
    {CKR_SESSION_READ_ONLY, session_read_only},
    {CKR_SESSION_EXISTS, session_exists},
    {CKR_SESSION_READ_ONLY_EXISTS, session_read_only_exists},
    {CKR_SESSION_READ_WRITE_SO_EXISTS, session_read_write_so_exists},
    {CKR_SIGNATURE_INVALID, signature_invalid},
    {CKR_SIGNATURE_LEN_RANGE, signature_length},
    {CKR_TEMPLATE_INCOMPLETE, template_incomplete},
    {CKR_TEMPLATE_INCONSISTENT, template_inconsistent},
    {CKR_TOKEN_NOT_PRESENT, token_absent},
    {CKR_TOKEN_NOT_RECOGNIZED, token_not_recognized},
    {CKR_TOKEN_WRITE_PROTECTED, token_write_protected},
    {CKR_USER_ALREADY_LOGGED_IN, user_already_logged_in},
    {CKR_USER_NOT_LOGGED_IN, user_not_logged_in},
    {CKR_USER_PIN_NOT_INITIALIZED, user_pin_not_initialized},
    {CKR_USER_TYPE_INVALID, user_type_invalid},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, user_another_logged_in},
    {CKR_USER_TOO_MANY_TYPES, user_another_logged_in},
    {CKR_DOMAIN_PARAMS_INVALID, domain_params_invalid},
    {CKR_CURVE_NOT_SUPPORTED, curve_not_supported},
    {CKR_BUFFER_TOO_SMALL, buffer_too_small},
    {CKR_CRYPTOKI_NOT_INITIALIZED, not_initialized},
    {CKR_CRYPTOKI_ALREADY_INITIALIZED, already_initialized},
    {CKR_FUNCTION_REJECTED, function_rejected},
}};

std::string tries_left_words(std::optional<int> tries) {
  if (!tries) return "";
  if (*tries == 0) return "; no try is left";
  return *tries == 1 ? "; 1 try is left" : fmt::format("; {} tries are left", *tries);
}

}  // namespace

std::string sentence(std::string_view what, std::string_view why, std::string_view next) {
  return next.empty() ? fmt::format("{}: {}.", what, why) : fmt::format("{}: {}. {}", what, why, next);
}

Error failure(Code code, std::string sentence, SourcePlace where) {
  return error(code, std::move(sentence), where);
}

Code code_of(CK_RV rv) {
  for (const auto& [value, code] : return_values) {
    if (value == rv) return code;
  }
  return device_error;
}

std::string_view advice(Code code) {
  switch (code) {
    case pin_incorrect:
      return "Check the PIN before you try again: every wrong PIN brings the lock nearer.";
    case pin_locked:
      return "The security officer unlocks it with `cardea token pin unlock`.";
    case pin_length:
      return "`cardea token show` tells how short and how long a PIN may be.";
    case pin_expired:
      return "Set a new one with `cardea token pin change`.";
    case pin_too_weak:
      return "Choose a longer or less regular PIN.";
    case user_pin_not_initialized:
      return "The security officer sets it with `cardea token pin set`.";
    case user_not_logged_in:
      return "Log in with the PIN: on a terminal, with --pin-file or with --pin-stdin.";
    case key_function_not_permitted:
      return "`cardea key list --login` shows what the key may be used for; take another key.";
    case key_type_inconsistent:
    case mechanism_invalid:
      return "Choose another with --mechanism; `cardea token show` lists what the token has.";
    case mechanism_param_invalid:
      return "Choose another --digest; older tokens know only sha1 with OAEP.";
    case token_write_protected:
    case session_read_only:
      return "Make the token's storage writable, or choose another token.";
    case device_memory:
      return "Free space on the disk or delete objects from the token.";
    case permission_denied:
      return "Check who owns the files with `cardea doctor`.";
    case data_length:
    case encrypted_data_length:
      return "Check that the input is the right file and fits the key.";
    case encrypted_data_invalid:
    case aead_decrypt_failed:
      return "Check that the data was encrypted for this key and in this way.";
    case session_exists:
      return "Close the other programs that use the token and try again.";
    case action_prohibited:
      return "The object was made so that this is forbidden.";
    case function_canceled:
      return "Run the command again.";
    case not_found:
    case arguments_bad:
      return "";
    default:
      return "`cardea doctor` looks for the cause.";
  }
}

Error p11_failure(CK_RV rv, std::string_view what, std::optional<int> tries_left) {
  const Code code = code_of(rv);
  const std::string why =
      fmt::format("{} ({}){}", words(code), constant_text(ConstantKind::CKR, rv), tries_left_words(tries_left));
  Error result = error(code, sentence(what, why, advice(code)));
  result.retries_left = tries_left;
  return result;
}

}  // namespace cardea::p11client
