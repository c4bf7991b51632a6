// The exported C functions and their lists, generated from functions.def.
#include <algorithm>
#include <array>

#include "abi/functions.h"
#include "abi/guard.h"

#define CARDEA_ARGUMENTS(...) __VA_ARGS__
#define CARDEA_FUNCTION(since, name, parameters, arguments)                                         \
  extern "C" __attribute__((visibility("default"))) CK_RV name parameters {                         \
    return cardea::abi::guarded(#name, #arguments, &cardea::abi::name, CARDEA_ARGUMENTS arguments); \
  }
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION

namespace cardea::abi {
namespace {

// The lists are handed out as non-const because the standard's types say so; nobody writes them.
#define CARDEA_FUNCTION(since, name, parameters, arguments) ::name,
#define CARDEA_FUNCTION_LIST_2_40 1
CK_FUNCTION_LIST function_list_2_40 = {
    {2, 40},
#include "cryptoki/functions.def"
};
#define CARDEA_FUNCTION_LIST_3_0 1
CK_FUNCTION_LIST_3_0 function_list_3_0 = {
    {3, 0},
#include "cryptoki/functions.def"
};
#define CARDEA_FUNCTION_LIST_3_2 1
CK_FUNCTION_LIST_3_2 function_list_3_2 = {
    {3, 2},
#include "cryptoki/functions.def"
};
#undef CARDEA_FUNCTION

// The name must be writable memory for the same reason.
CK_UTF8CHAR standard_name[] = "PKCS 11";
CK_UTF8CHAR keystore_name[] = CARDEA_KEYSTORE_INTERFACE;
CK_UTF8CHAR tpm_name[] = CARDEA_TPM_INTERFACE;
CK_UTF8CHAR seal_name[] = CARDEA_SEAL_INTERFACE;

// The newest first: it is the default (PKCS#11 3.2, 5.4.6).
std::array<CK_INTERFACE, 6> interfaces{{{standard_name, &function_list_3_2, 0},
                                        {standard_name, &function_list_3_0, 0},
                                        {standard_name, &function_list_2_40, 0},
                                        {tpm_name, &tpm_functions, 0},
                                        {seal_name, &seal_functions, 0},
                                        {keystore_name, &keystore_functions, 0}}};

std::string_view text(const CK_UTF8CHAR* name) {
  return reinterpret_cast<const char*>(name);
}

bool answers(const CK_INTERFACE& interface, const CK_UTF8CHAR* name, const CK_VERSION* version, CK_FLAGS flags) {
  // Who names none wants a standard one, whatever the version.
  if (text(name != nullptr ? name : standard_name) != text(interface.pInterfaceName)) return false;
  const auto& offered = *static_cast<const CK_VERSION*>(interface.pFunctionList);
  if (version != nullptr && (version->major != offered.major || version->minor != offered.minor)) return false;
  return (flags & ~interface.flags) == 0;
}

}  // namespace

Status C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR function_list) {
  if (function_list == nullptr) return Code::arguments_bad;
  *function_list = &function_list_2_40;
  return {};
}

Status C_GetInterfaceList(CK_INTERFACE_PTR interfaces_list, CK_ULONG_PTR count) {
  if (count == nullptr) return Code::arguments_bad;
  const CK_ULONG room = *count;
  *count = interfaces.size();
  if (interfaces_list == nullptr) return {};
  if (room < interfaces.size()) return Code::buffer_too_small;
  std::copy(interfaces.begin(), interfaces.end(), interfaces_list);
  return {};
}

Status C_GetInterface(CK_UTF8CHAR_PTR interface_name_wanted, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface,
                      CK_FLAGS flags) {
  if (interface == nullptr) return Code::arguments_bad;
  for (CK_INTERFACE& each : interfaces) {
    if (!answers(each, interface_name_wanted, version, flags)) continue;
    *interface = &each;
    return {};
  }
  return Code::function_failed;
}

}  // namespace cardea::abi
