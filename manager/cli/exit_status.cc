#include "cli/exit_status.h"

namespace cardea::cli {

using enum Code;

ExitStatus exit_status(Code code) {
  switch (code) {
    case arguments_bad:
      return exit_usage;
    case not_found:
    case token_absent:
    case slot_invalid:
    case object_handle_invalid:
    case key_handle_invalid:
      return exit_not_found;
    case pin_incorrect:
    case pin_invalid:
    case pin_length:
    case pin_locked:
    case pin_expired:
    case pin_too_weak:
    case user_not_logged_in:
    case user_pin_not_initialized:
      return exit_pin;
    case signature_invalid:
    case signature_length:
      return exit_mismatch;
    default:
      return exit_failed;
  }
}

Error library_failure(const Error& cause, std::string_view what) {
  Error result = error(cause.code, sentence(what, describe(cause), advice(cause.code)), cause.where);
  result.retries_left = cause.retries_left;
  return result;
}

}  // namespace cardea::cli
