#include "p11client/vendor_call.h"

#include <dlfcn.h>

#include "p11client/failure.h"

namespace cardea::p11client {
namespace {

Code code_called(std::string_view wanted) {
#define CARDEA_ERROR(code, words) \
  if (wanted == #code) return Code::code;
#include "base/errors.def"
#undef CARDEA_ERROR
  return Code::device_error;
}

}  // namespace

Error told_failure(std::string_view name, const char* detail, CK_LONG tries_left) {
  Error error = failure(code_called(name), detail);
  if (tries_left >= 0) error.retries_left = static_cast<int>(tries_left);
  return error;
}

Error silent_failure(CK_RV rv) {
  return error(code_of(rv));
}

void* vendor_functions(const std::string& module, const char* interface_name) {
  // Never closed: the module stays mapped in any case.
  void* const library = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  const auto get = reinterpret_cast<decltype(&::C_GetInterface)>(dlsym(library, "C_GetInterface"));
  std::string name = interface_name;
  CK_VERSION version{1, 0};
  CK_INTERFACE* found = nullptr;
  const auto text = reinterpret_cast<CK_UTF8CHAR*>(name.data());
  if (get == nullptr || get(text, &version, &found, 0) != CKR_OK || found == nullptr) return nullptr;
  return found->pFunctionList;
}

}  // namespace cardea::p11client
