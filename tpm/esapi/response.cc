#include "esapi/response.h"

#include <fmt/format.h>
#include <tss2/tss2_tpm2_types.h>

namespace cardea::tpm {
namespace {

constexpr TSS2_RC layer_mask = TSS2_RC_LAYER(0xff);
// Format 1 answers carry the number of a handle, session or parameter beside the code (part 2, 6.6.2).
constexpr TSS2_RC format_1_mask = TPM2_RC_FMT1 | 0x3f;

Code code_of_format_1(TSS2_RC code) {
  switch (code) {
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
      return Code::pin_incorrect;
    case TPM2_RC_INTEGRITY:
    case TPM2_RC_BINDING:
      return Code::wrapped_key_invalid;
    case TPM2_RC_HANDLE:  // it was loaded once: the TPM was restarted behind our back
      return Code::device_removed;
    case TPM2_RC_ECC_POINT:
      return Code::public_key_invalid;
    case TPM2_RC_CURVE:
      return Code::curve_not_supported;
    case TPM2_RC_KEY_SIZE:
      return Code::key_size_range;
    case TPM2_RC_VALUE:
    case TPM2_RC_SIZE:
      return Code::data_invalid;
    default:
      return Code::device_error;
  }
}

Code code_of_format_0(TSS2_RC code) {
  switch (code) {
    case TPM2_RC_LOCKOUT:
      return Code::pin_locked;
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_SESSION_MEMORY:
    case TPM2_RC_MEMORY:
    case TPM2_RC_SESSION_HANDLES:
    case TPM2_RC_OBJECT_HANDLES:
      return Code::device_memory;
    case TPM2_RC_NO_RESULT:  // what some answer to a wrong padding
      return Code::data_invalid;
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
      return Code::timed_out;
    default:
      // The same, said in another way (part 2, 6.6.3).
      if (code >= TPM2_RC_REFERENCE_H0 && code <= TPM2_RC_REFERENCE_S6) return Code::device_removed;
      return Code::device_error;
  }
}

/// The software between us and the TPM.
Code code_of_software(TSS2_RC response) {
  switch (response & ~layer_mask) {
    case TSS2_BASE_RC_IO_ERROR:
    case TSS2_BASE_RC_NO_CONNECTION:
    case TSS2_BASE_RC_BAD_SEQUENCE:  // what ESAPI answers after a broken exchange
    case TSS2_BASE_RC_MALFORMED_RESPONSE:
    case TSS2_BASE_RC_INSUFFICIENT_RESPONSE:
      return Code::device_removed;
    case TSS2_BASE_RC_MEMORY:
      return Code::host_memory;
    default:
      return Code::device_error;
  }
}

bool from_tpm(TSS2_RC response) {
  const TSS2_RC layer = response & layer_mask;
  // tpm2-abrmd gives a TPM's codes under its own layer as well, for what it refuses in the TPM's stead.
  const bool resource_manager = layer == TSS2_RESMGR_RC_LAYER && (response & ~layer_mask) >= TPM2_RC_FMT1;
  return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER || resource_manager;
}

Code code_of(TSS2_RC response) {
  if (!from_tpm(response)) return code_of_software(response);
  const TSS2_RC answer = response & ~layer_mask;
  return (answer & TPM2_RC_FMT1) != 0 ? code_of_format_1(answer & format_1_mask) : code_of_format_0(answer);
}

}  // namespace

Error response_error(TSS2_RC response, SourcePlace where) {
  const Code code = code_of(response);
  if (code == Code::device_removed) {
    return error(code, fmt::format("the connection to the TPM was lost (0x{:x})", response), where);
  }
  return error(code, fmt::format("the {} answered 0x{:x}", from_tpm(response) ? "TPM" : "TPM's software", response),
               where);
}

}  // namespace cardea::tpm
