// Null, absurd and unknown arguments: every function, each in a process of its own.
//
// The arguments are made up from the parameters' types, so that no function is forgotten: functions.def gives them all.
#include <limits>
#include <type_traits>

#include "conformance/check.h"

namespace cardea::conformance {
namespace {

/// How a round of calls fills arguments. The session is valid in all but the last.
enum class Fill { nulls, null_with_length, empty, unknown_session };
constexpr Fill fills[] = {Fill::nulls, Fill::null_with_length, Fill::empty, Fill::unknown_session};
constexpr CK_ULONG unknown_handle = 0x7ffffff1;

/// One argument of type T. Pointers are null, or in the round `empty` point at zeroed memory with lengths of zero.
template <typename T>
T argument(Fill fill, CK_SESSION_HANDLE session, bool first, void* memory) {
  if constexpr (std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>) {
    return nullptr;
  } else if constexpr (std::is_pointer_v<T>) {
    return fill == Fill::empty ? static_cast<T>(memory) : nullptr;
  } else {
    if (first) return static_cast<T>(fill == Fill::unknown_session ? unknown_handle : session);
    if constexpr (sizeof(T) == 1) return CK_TRUE;
    // 2^20 entries and the greatest length there is: neither may be read or allocated.
    return fill == Fill::null_with_length ? static_cast<T>(std::numeric_limits<T>::max() / 64) : T{};
  }
}

template <typename... Arguments, std::size_t... Index>
CK_RV call_with(CK_RV (*function)(Arguments...), Fill fill, CK_SESSION_HANDLE session, std::index_sequence<Index...>) {
  alignas(16) static unsigned char memory[sizeof...(Arguments) + 1][4096];
  std::memset(memory, 0, sizeof(memory));
  return function(argument<Arguments>(fill, session, Index == 0, memory[Index])...);
}

template <typename... Arguments>
CK_RV call_with(CK_RV (*function)(Arguments...), Fill fill, CK_SESSION_HANDLE session) {
  return call_with(function, fill, session, std::index_sequence_for<Arguments...>{});
}

template <typename First, typename... Rest>
constexpr bool takes_session(CK_RV (*)(First, Rest...)) {
  return std::is_same_v<First, CK_SESSION_HANDLE>;
}

/// Functions whose first number is a slot, or that end the process' use of the module, get their own checks elsewhere.
bool is_left_out(const std::string& name) {
  for (const char* other : {"C_Initialize", "C_Finalize", "C_WaitForSlotEvent", "C_InitToken", "C_CloseAllSessions",
                            "C_GetSlotInfo", "C_GetTokenInfo", "C_GetMechanismList", "C_GetMechanismInfo",
                            "C_GetSlotList", "C_OpenSession", "C_GetFunctionStatus", "C_CancelFunction"}) {
    if (name == other) return true;
  }
  return false;
}

template <typename Function>
void try_function(Context& context, const std::string& name, Function function) {
  const auto session = context.target().pin.empty() ? context.session() : context.user_session();
  for (const Fill fill : fills) {
    // Closing the session is the whole effect of this one, whatever stands beside its handle.
    if (name == "C_CloseSession" && fill != Fill::unknown_session) continue;
    const CK_RV rv = call_with(function, fill, *session);
    if (fill != Fill::unknown_session || !takes_session(function) || rv == CKR_FUNCTION_NOT_SUPPORTED) continue;
    context.expect_rv(name + " with an unknown session", rv, {CKR_SESSION_HANDLE_INVALID, CKR_ARGUMENTS_BAD});
  }
  CK_SESSION_INFO info{};
  context.require_ok("the session afterwards", context.module()->C_GetSessionInfo(*session, &info));
}

void try_slot_functions(Context& context) {
  const CK_SLOT_ID slot = context.slot();
  const p11::Module& module = context.module();
  const auto bad = [&](const char* call, CK_RV rv) { context.expect_rv(call, rv, {CKR_ARGUMENTS_BAD}); };
  bad("C_GetInfo", module->C_GetInfo(nullptr));
  bad("C_GetSlotList", module->C_GetSlotList(CK_TRUE, nullptr, nullptr));
  bad("C_GetSlotInfo", module->C_GetSlotInfo(slot, nullptr));
  bad("C_GetTokenInfo", module->C_GetTokenInfo(slot, nullptr));
  bad("C_GetMechanismList", module->C_GetMechanismList(slot, nullptr, nullptr));
  bad("C_GetMechanismInfo", module->C_GetMechanismInfo(slot, CKM_RSA_PKCS, nullptr));
  bad("C_OpenSession", module->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, nullptr));
}

void try_templates(Context& context) {
  const auto session = context.user_session();
  const p11::Module& module = context.module();
  CK_OBJECT_HANDLE object = 0;
  CK_ATTRIBUTE attribute{CKA_LABEL, nullptr, 5};
  context.expect(module->C_CreateObject(*session, &attribute, 1, &object) != CKR_OK,
                 "a null value with a length works");
  attribute = {CKA_WRAP_TEMPLATE, nullptr, sizeof(CK_ATTRIBUTE)};
  context.expect(module->C_CreateObject(*session, &attribute, 1, &object) != CKR_OK, "a null template works");
  std::vector<CK_ATTRIBUTE> many(1u << 20, CK_ATTRIBUTE{CKA_LABEL, nullptr, 0});
  context.expect(module->C_CreateObject(*session, many.data(), many.size(), &object) != CKR_OK,
                 "a template of 2^20 entries works");
  context.expect(module->C_FindObjectsInit(*session, nullptr, 3) != CKR_OK, "a search by a null template works");
  CK_ATTRIBUTE self{CKA_WRAP_TEMPLATE, nullptr, sizeof(CK_ATTRIBUTE)};
  self.pValue = &self;  // a template within itself must not recurse without end
  context.expect(module->C_CreateObject(*session, &self, 1, &object) != CKR_OK, "a template within itself works");
}

void try_mechanism_parameters(Context& context, CK_MECHANISM_TYPE type) {
  const auto session = context.user_session();
  const p11::Module& module = context.module();
  CK_BYTE zeros[256] = {};
  p11::Template secret;
  secret.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, false);
  secret.bytes(CKA_VALUE, p11::Bytes(32, 1)).boolean(CKA_DERIVE, true);
  CK_OBJECT_HANDLE key = 0, made = 0;
  context.require_ok("C_CreateObject", session->create(secret, key));
  CK_MECHANISM mechanisms[] = {
      {type, nullptr, 0}, {type, nullptr, sizeof(CK_ULONG)}, {type, zeros, 1}, {type, zeros, sizeof(zeros)}};
  std::memset(zeros, 0xff, 64);  // lengths of 2^64-1 beside pointers to nowhere, where a structure begins with them
  std::memset(zeros, 0, 16);
  p11::Template attributes;
  attributes.boolean(CKA_TOKEN, false).ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  for (CK_MECHANISM& mechanism : mechanisms) {
    module->C_DigestInit(*session, &mechanism);
    module->C_EncryptInit(*session, &mechanism, key);
    module->C_SignInit(*session, &mechanism, key);
    module->C_GenerateKey(*session, &mechanism, attributes.data(), attributes.size(), &made);
    if (mechanism.ulParameterLen <= sizeof(CK_ULONG)) {
      module->C_DeriveKey(*session, &mechanism, key, attributes.data(), attributes.size(), &made);
    }
    CK_ULONG size = 0;
    module->C_WrapKey(*session, &mechanism, key, key, nullptr, &size);
  }
  CK_SESSION_INFO info{};
  context.require_ok("the session afterwards", module->C_GetSessionInfo(*session, &info));
}

}  // namespace

void check_arguments(Context& context) {
#define CARDEA_FUNCTION(since, name, parameters, arguments)                                                 \
  if (!is_left_out(#name)) {                                                                                \
    context.isolated_step(#name, [&] { try_function(context, #name, context.module().functions().name); }); \
  }
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION
  context.isolated_step("slot_functions", [&] { try_slot_functions(context); });
  context.isolated_step("templates", [&] { try_templates(context); });
  context.isolated_step("parameters", [&] {
    for (const CK_MECHANISM_TYPE type : context.module().mechanisms(context.slot()))
      try_mechanism_parameters(context, type);
  });
}

}  // namespace cardea::conformance
