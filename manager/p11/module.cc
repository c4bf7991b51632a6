#include "p11client/module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "p11client/failure.h"
#include "p11client/printable.h"

namespace cardea::p11client {
namespace {

template <std::size_t size>
std::string unpadded(const CK_BYTE (&text)[size]) {
  std::string_view value(reinterpret_cast<const char*>(text), size);
  const auto last = value.find_last_not_of(std::string_view(" \0", 2));
  return printable(value.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

Result<const CK_FUNCTION_LIST*> open_library(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    return failure(Code::not_found,
                   fmt::format("The PKCS#11 module cannot be loaded: {}. Name another with --module PATH "
                               "or in CARDEA_MODULE.",
                               reason != nullptr ? reason : path));
  }
  const auto get = reinterpret_cast<decltype(&::C_GetFunctionList)>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr) {
    return failure(Code::not_found, fmt::format("{} is no PKCS#11 module: it has no C_GetFunctionList that works. Name "
                                                "another with --module PATH or in CARDEA_MODULE.",
                                                path));
  }
  return functions;
}

}  // namespace

bool matches(const Uri& uri, const TokenInfo& token) {
  const auto fits = [](const std::optional<std::string>& wanted, const std::string& value) {
    return !wanted || *wanted == value;
  };
  return fits(uri.token, token.label) && fits(uri.manufacturer, token.manufacturer) && fits(uri.model, token.model) &&
         fits(uri.serial, token.serial) && (!uri.slot_id || *uri.slot_id == token.slot);
}

Result<std::unique_ptr<Module>> Module::load(const std::string& path) {
  CARDEA_ASSIGN(const CK_FUNCTION_LIST* functions, open_library(path));
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV rv = functions->C_Initialize(&arguments);
  if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return p11_failure(rv, fmt::format("The module {} does not start", path));
  }
  return std::unique_ptr<Module>(new Module(path, functions));
}

Module::~Module() {
  functions_->C_Finalize(nullptr);
}

Result<CK_INFO> Module::info() const {
  CK_INFO info{};
  if (const CK_RV rv = functions_->C_GetInfo(&info); rv != CKR_OK) {
    return p11_failure(rv, "The module does not describe itself");
  }
  return info;
}

Result<TokenInfo> Module::token(CK_SLOT_ID slot) const {
  CK_TOKEN_INFO info{};
  if (const CK_RV rv = functions_->C_GetTokenInfo(slot, &info); rv != CKR_OK) {
    return p11_failure(rv, fmt::format("The token in slot {} does not describe itself", slot));
  }
  return TokenInfo{slot,
                   unpadded(info.label),
                   unpadded(info.manufacturerID),
                   unpadded(info.model),
                   unpadded(info.serialNumber),
                   info.flags,
                   info.ulMinPinLen,
                   info.ulMaxPinLen};
}

Result<std::vector<TokenInfo>> Module::tokens() const {
  CK_ULONG count = 0;
  CK_RV rv = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
  std::vector<CK_SLOT_ID> slots;
  // A token may arrive between the two calls.
  for (int attempt = 0; attempt < 3 && rv == CKR_OK; ++attempt) {
    count += 4;
    slots.resize(count);
    rv = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (rv != CKR_BUFFER_TOO_SMALL) break;
    rv = CKR_OK;
  }
  if (rv != CKR_OK) return p11_failure(rv, "The module does not list its slots");
  slots.resize(std::min<std::size_t>(count, slots.size()));
  std::vector<TokenInfo> result;
  for (const CK_SLOT_ID slot : slots) {
    auto info = token(slot);
    // One token that cannot answer must not hide the others.
    if (info) result.push_back(std::move(*info));
  }
  return result;
}

Result<std::vector<MechanismInfo>> Module::mechanisms(CK_SLOT_ID slot) const {
  CK_ULONG count = 0;
  CK_RV rv = functions_->C_GetMechanismList(slot, nullptr, &count);
  std::vector<CK_MECHANISM_TYPE> types(count);
  if (rv == CKR_OK) rv = functions_->C_GetMechanismList(slot, types.data(), &count);
  if (rv != CKR_OK) return p11_failure(rv, "The token does not list its mechanisms");
  types.resize(std::min<std::size_t>(count, types.size()));
  std::vector<MechanismInfo> result;
  for (const CK_MECHANISM_TYPE type : types) {
    MechanismInfo mechanism{type, {}};
    if (functions_->C_GetMechanismInfo(slot, type, &mechanism.info) == CKR_OK) result.push_back(mechanism);
  }
  return result;
}

CK_FLAGS Module::mechanism_flags(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism) const {
  CK_MECHANISM_INFO info{};
  return functions_->C_GetMechanismInfo(slot, mechanism, &info) == CKR_OK ? info.flags : 0;
}

std::string module_path(const std::string& argument) {
  if (!argument.empty()) return argument;
  if (const char* const named = secure_getenv("CARDEA_MODULE"); named != nullptr && *named != '\0') return named;
  return own_module_path();
}

std::string own_module_path() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
  const fs::path built = prefix / "lib" / "libcardea-pkcs11.so";
  if (fs::exists(built, ignored)) return built.string();
  return (prefix / CARDEA_INSTALL_LIBDIR / "pkcs11" / "libcardea-pkcs11.so").string();
}

}  // namespace cardea::p11client
