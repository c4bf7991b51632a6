#include "esapi/tss2_api.h"

#include <dlfcn.h>

#include "esapi/quiet_tss2.h"

namespace cardea::tpm {
namespace {

struct Libraries {
  void* loader = nullptr;
  void* marshal = nullptr;
  void* sapi = nullptr;
  void* esys = nullptr;
};

/// Null when a library or a function is missing. Never freed: threads of the host may be inside while the process ends.
const Tss2Api* load() {
  quiet_tss2();
  const auto open = [](const char* name) { return dlopen(name, RTLD_NOW | RTLD_LOCAL); };
  const Libraries from{open("libtss2-tctildr.so.0"), open("libtss2-mu.so.0"), open("libtss2-sys.so.1"),
                       open("libtss2-esys.so.0")};
  if (from.loader == nullptr || from.marshal == nullptr || from.sapi == nullptr || from.esys == nullptr) return nullptr;
  auto* const api = new Tss2Api;
  bool complete = true;
#define CARDEA_TSS2_FIND(library, function)                                                  \
  api->function = reinterpret_cast<decltype(api->function)>(dlsym(from.library, #function)); \
  complete = complete && api->function != nullptr;
  CARDEA_TSS2_FUNCTIONS(CARDEA_TSS2_FIND)
#undef CARDEA_TSS2_FIND
  if (complete) return api;
  delete api;
  return nullptr;
}

}  // namespace

Result<const Tss2Api*> tss2_api() {
  static const Tss2Api* const api = load();
  if (api == nullptr) return error(Code::token_absent, "the libraries of tpm2-tss are not installed (libtss2-esys)");
  return api;
}

}  // namespace cardea::tpm
