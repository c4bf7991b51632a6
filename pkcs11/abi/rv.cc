#include "abi/rv.h"

namespace cardea::abi {

// No default: -Wswitch (an error here) names a code that is missing.
CK_RV to_rv(Code code) noexcept {
  // clang-format off
  switch (code) {
    case Code::arguments_bad: return CKR_ARGUMENTS_BAD;
    case Code::not_initialized: return CKR_CRYPTOKI_NOT_INITIALIZED;
    case Code::already_initialized: return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    case Code::locking_impossible: return CKR_CANT_LOCK;
    case Code::need_to_create_threads: return CKR_NEED_TO_CREATE_THREADS;
    case Code::buffer_too_small: return CKR_BUFFER_TOO_SMALL;
    case Code::function_not_supported: return CKR_FUNCTION_NOT_SUPPORTED;
    case Code::function_not_parallel: return CKR_FUNCTION_NOT_PARALLEL;
    case Code::function_failed: return CKR_FUNCTION_FAILED;
    case Code::function_canceled: return CKR_FUNCTION_CANCELED;
    case Code::function_rejected: return CKR_FUNCTION_REJECTED;
    case Code::no_event: return CKR_NO_EVENT;
    case Code::slot_invalid: return CKR_SLOT_ID_INVALID;
    case Code::token_absent: return CKR_TOKEN_NOT_PRESENT;
    case Code::token_not_recognized: return CKR_TOKEN_NOT_RECOGNIZED;
    case Code::token_write_protected: return CKR_TOKEN_WRITE_PROTECTED;
    case Code::session_invalid: return CKR_SESSION_HANDLE_INVALID;
    case Code::session_count: return CKR_SESSION_COUNT;
    case Code::session_exists: return CKR_SESSION_EXISTS;
    case Code::session_read_only: return CKR_SESSION_READ_ONLY;
    case Code::session_read_only_exists: return CKR_SESSION_READ_ONLY_EXISTS;
    case Code::session_read_write_so_exists: return CKR_SESSION_READ_WRITE_SO_EXISTS;
    case Code::session_parallel_not_supported: return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    case Code::pin_incorrect: return CKR_PIN_INCORRECT;
    case Code::pin_invalid: return CKR_PIN_INVALID;
    case Code::pin_length: return CKR_PIN_LEN_RANGE;
    case Code::pin_locked: return CKR_PIN_LOCKED;
    case Code::pin_expired: return CKR_PIN_EXPIRED;
    case Code::pin_too_weak: return CKR_PIN_TOO_WEAK;
    case Code::user_already_logged_in: return CKR_USER_ALREADY_LOGGED_IN;
    case Code::user_another_logged_in: return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    case Code::user_not_logged_in: return CKR_USER_NOT_LOGGED_IN;
    case Code::user_pin_not_initialized: return CKR_USER_PIN_NOT_INITIALIZED;
    case Code::user_type_invalid: return CKR_USER_TYPE_INVALID;
    case Code::operation_active: return CKR_OPERATION_ACTIVE;
    case Code::operation_not_initialized: return CKR_OPERATION_NOT_INITIALIZED;
    case Code::operation_cancel_failed: return CKR_OPERATION_CANCEL_FAILED;
    case Code::mechanism_invalid: return CKR_MECHANISM_INVALID;
    case Code::mechanism_param_invalid: return CKR_MECHANISM_PARAM_INVALID;
    case Code::data_invalid: return CKR_DATA_INVALID;
    case Code::data_length: return CKR_DATA_LEN_RANGE;
    case Code::encrypted_data_invalid: return CKR_ENCRYPTED_DATA_INVALID;
    case Code::encrypted_data_length: return CKR_ENCRYPTED_DATA_LEN_RANGE;
    case Code::aead_decrypt_failed: return CKR_AEAD_DECRYPT_FAILED;
    case Code::signature_invalid: return CKR_SIGNATURE_INVALID;
    case Code::signature_length: return CKR_SIGNATURE_LEN_RANGE;
    case Code::saved_state_invalid: return CKR_SAVED_STATE_INVALID;
    case Code::state_unsaveable: return CKR_STATE_UNSAVEABLE;
    case Code::random_seed_not_supported: return CKR_RANDOM_SEED_NOT_SUPPORTED;
    case Code::key_handle_invalid: return CKR_KEY_HANDLE_INVALID;
    case Code::key_type_inconsistent: return CKR_KEY_TYPE_INCONSISTENT;
    case Code::key_size_range: return CKR_KEY_SIZE_RANGE;
    case Code::key_function_not_permitted: return CKR_KEY_FUNCTION_NOT_PERMITTED;
    case Code::key_not_needed: return CKR_KEY_NOT_NEEDED;
    case Code::key_needed: return CKR_KEY_NEEDED;
    case Code::key_changed: return CKR_KEY_CHANGED;
    case Code::key_indigestible: return CKR_KEY_INDIGESTIBLE;
    case Code::key_not_wrappable: return CKR_KEY_NOT_WRAPPABLE;
    case Code::key_unextractable: return CKR_KEY_UNEXTRACTABLE;
    case Code::wrapped_key_invalid: return CKR_WRAPPED_KEY_INVALID;
    case Code::wrapped_key_length: return CKR_WRAPPED_KEY_LEN_RANGE;
    case Code::wrapping_key_handle_invalid: return CKR_WRAPPING_KEY_HANDLE_INVALID;
    case Code::wrapping_key_size_range: return CKR_WRAPPING_KEY_SIZE_RANGE;
    case Code::wrapping_key_type_inconsistent: return CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
    case Code::unwrapping_key_handle_invalid: return CKR_UNWRAPPING_KEY_HANDLE_INVALID;
    case Code::unwrapping_key_size_range: return CKR_UNWRAPPING_KEY_SIZE_RANGE;
    case Code::unwrapping_key_type_inconsistent: return CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
    case Code::public_key_invalid: return CKR_PUBLIC_KEY_INVALID;
    case Code::domain_params_invalid: return CKR_DOMAIN_PARAMS_INVALID;
    case Code::curve_not_supported: return CKR_CURVE_NOT_SUPPORTED;
    case Code::object_handle_invalid: return CKR_OBJECT_HANDLE_INVALID;
    case Code::attribute_type_invalid: return CKR_ATTRIBUTE_TYPE_INVALID;
    case Code::attribute_value_invalid: return CKR_ATTRIBUTE_VALUE_INVALID;
    case Code::attribute_read_only: return CKR_ATTRIBUTE_READ_ONLY;
    case Code::attribute_sensitive: return CKR_ATTRIBUTE_SENSITIVE;
    case Code::template_incomplete: return CKR_TEMPLATE_INCOMPLETE;
    case Code::template_inconsistent: return CKR_TEMPLATE_INCONSISTENT;
    case Code::action_prohibited: return CKR_ACTION_PROHIBITED;
    case Code::information_sensitive: return CKR_INFORMATION_SENSITIVE;
    case Code::internal: return CKR_GENERAL_ERROR;
    case Code::host_memory: return CKR_HOST_MEMORY;
    case Code::device_error: return CKR_DEVICE_ERROR;
    case Code::device_memory: return CKR_DEVICE_MEMORY;
    case Code::device_removed: return CKR_DEVICE_REMOVED;
    case Code::timed_out: return CKR_DEVICE_ERROR;
    case Code::store_corrupt: return CKR_DEVICE_ERROR;
    case Code::store_newer: return CKR_TOKEN_NOT_RECOGNIZED;
    case Code::permission_denied: return CKR_DEVICE_ERROR;
    case Code::not_found: return CKR_OBJECT_HANDLE_INVALID;
    case Code::exists: return CKR_FUNCTION_FAILED;
  }
  // clang-format on
  return CKR_GENERAL_ERROR;
}

}  // namespace cardea::abi
