// Entry points: C_GetFunctionList, C_GetInterfaceList, C_GetInterface (PKCS#11 3.2, 5.4).
#include <set>

#include "conformance/check.h"

namespace cardea::conformance {
namespace {

/// Names of the functions that a list of this size and version leaves null.
std::string null_functions(const void* list, unsigned version) {
  CK_FUNCTION_LIST_3_2 functions{};
  const std::size_t size = version >= 0x0302   ? sizeof(CK_FUNCTION_LIST_3_2)
                           : version >= 0x0300 ? sizeof(CK_FUNCTION_LIST_3_0)
                                               : sizeof(CK_FUNCTION_LIST);
  std::memcpy(&functions, list, size);
  std::string names;
  const unsigned known = version >= 0x0300 ? version : 0x0228;
#define CARDEA_FUNCTION(since, name, parameters, arguments) \
  if ((since) <= known && functions.name == nullptr) names += std::string(names.empty() ? "" : ", ") + #name;
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION
  return names;
}

unsigned version_of(const void* list) {
  const auto* version = static_cast<const CK_VERSION*>(list);
  return static_cast<unsigned>(version->major) << 8 | version->minor;
}

void check_interface(Context& context, const CK_INTERFACE& interface) {
  context.require(interface.pInterfaceName != nullptr && interface.pFunctionList != nullptr, "a null pointer");
  const std::string name(reinterpret_cast<const char*>(interface.pInterfaceName));
  if (name != "PKCS 11") return;
  const std::string missing = null_functions(interface.pFunctionList, version_of(interface.pFunctionList));
  context.expect(missing.empty(), "null functions: " + missing);
}

void check_get_interface(Context& context, const CK_INTERFACE& listed) {
  const auto get = context.module().symbol<decltype(&::C_GetInterface)>("C_GetInterface");
  CK_INTERFACE* found = nullptr;
  CK_VERSION version;
  std::memcpy(&version, listed.pFunctionList, sizeof(version));
  const CK_RV rv = get(listed.pInterfaceName, &version, &found, listed.flags);
  context.require_ok("C_GetInterface of a listed interface", rv);
  context.require(found != nullptr && found->pFunctionList != nullptr, "C_GetInterface gives null");
  context.expect(version_of(found->pFunctionList) == version_of(listed.pFunctionList),
                 "another version than asked for");
  context.expect((found->flags & listed.flags) == listed.flags, "flags that were asked for are missing");
}

void check_refusals(Context& context) {
  const auto get = context.module().symbol<decltype(&::C_GetInterface)>("C_GetInterface");
  CK_INTERFACE* found = nullptr;
  CK_UTF8CHAR name[] = "PKCS 11", unknown[] = "No such interface";
  CK_VERSION future{99, 0};
  const auto refused = {CKR_FUNCTION_FAILED, CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED};
  context.expect_rv("C_GetInterface of an unknown name", get(unknown, nullptr, &found, 0), refused);
  context.expect_rv("C_GetInterface of version 99", get(name, &future, &found, 0), refused);
  context.expect_rv("C_GetInterface with unknown flags", get(name, nullptr, &found, 0x40000000), refused);
  context.expect_rv("C_GetInterface without a place", get(name, nullptr, nullptr, 0), {CKR_ARGUMENTS_BAD});
  context.require_ok("C_GetInterface of the default", get(nullptr, nullptr, &found, 0));
}

void check_lengths(Context& context) {
  const auto get = context.module().symbol<decltype(&::C_GetInterfaceList)>("C_GetInterfaceList");
  CK_ULONG count = 0;
  context.require_ok("C_GetInterfaceList for the length", get(nullptr, &count));
  context.require(count > 0, "no interface is listed");
  CK_INTERFACE one{};
  CK_ULONG less = 0;
  context.expect_rv("C_GetInterfaceList with too little room", get(&one, &less), {CKR_BUFFER_TOO_SMALL});
  context.expect(less == count, "CKR_BUFFER_TOO_SMALL does not say the length");
  context.expect_rv("C_GetInterfaceList without a count", get(nullptr, nullptr), {CKR_ARGUMENTS_BAD});
}

}  // namespace

void check_interfaces(Context& context) {
  context.step("function_list", [&] {
    const auto get = context.module().symbol<decltype(&::C_GetFunctionList)>("C_GetFunctionList");
    context.require(get != nullptr, "C_GetFunctionList is not exported");
    CK_FUNCTION_LIST* list = nullptr;
    context.require_ok("C_GetFunctionList", get(&list));
    context.require(list != nullptr, "C_GetFunctionList gives null");
    context.expect(list->version.major == 2, "C_GetFunctionList gives no 2.x list");
    const std::string missing = null_functions(list, 0x0228);
    context.expect(missing.empty(), "null functions: " + missing);
    context.expect_rv("C_GetFunctionList without a place", get(nullptr), {CKR_ARGUMENTS_BAD});
  });
  context.step("exported_functions", [&] {
    std::string missing;
    const unsigned version = context.module().version();
#define CARDEA_FUNCTION(since, name, parameters, arguments)                                                  \
  if ((since) <= (version >= 0x0300 ? version : 0x0228) && context.module().symbol<void*>(#name) == nullptr) \
    missing += std::string(" ") + #name;
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION
    context.expect(missing.empty(), "not exported:" + missing);
  });
  const auto list_interfaces = context.module().symbol<decltype(&::C_GetInterfaceList)>("C_GetInterfaceList");
  if (list_interfaces == nullptr) {
    context.step("interfaces", [&] { context.skip("a module of version 2 has no interfaces"); });
    return;
  }
  context.step("list_lengths", [&] { check_lengths(context); });
  context.step("refusals", [&] { check_refusals(context); });
  CK_ULONG count = 0;
  if (list_interfaces(nullptr, &count) != CKR_OK) return;
  std::vector<CK_INTERFACE> interfaces(count);
  if (list_interfaces(interfaces.data(), &count) != CKR_OK) return;
  for (CK_ULONG i = 0; i < count; ++i) {
    context.step("interface_" + std::to_string(i), [&] {
      check_interface(context, interfaces[i]);
      check_get_interface(context, interfaces[i]);
    });
  }
}

}  // namespace cardea::conformance
