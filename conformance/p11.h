// PKCS#11 from the caller's side: load any module, hold sessions, build templates. Header only; knows no module of
// ours.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cryptoki/parameters.h"

namespace cardea::p11 {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

inline Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

/// Bytes of a string of hex digits; throws std::invalid_argument on anything else.
inline Bytes from_hex(std::string_view hex) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    throw std::invalid_argument("not a hex digit");
  };
  if (hex.size() % 2 != 0) throw std::invalid_argument("odd number of hex digits");
  Bytes out(hex.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  }
  return out;
}

/// PKCS#11 takes non-const pointers for input as well.
inline CK_BYTE* in(const Bytes& bytes) {
  return const_cast<CK_BYTE*>(bytes.data());
}
inline CK_ULONG length(const Bytes& bytes) {
  return bytes.size();
}

/// What every function that a module lacks answers, so that callers need no null checks.
template <typename... Arguments>
CK_RV function_not_supported(Arguments...) {
  return CKR_FUNCTION_NOT_SUPPORTED;
}

/// A module in this process: its newest function list, completed with functions that answer CKR_FUNCTION_NOT_SUPPORTED.
class Module {
 public:
  /// Loads the shared library; throws std::runtime_error with the loader's words when it is no PKCS#11 module.
  explicit Module(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
#define CARDEA_FUNCTION(since, name, parameters, arguments) functions_.name = function_not_supported;
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION
    load_functions();
  }
  ~Module() {
    dlclose(handle_);
  }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const CK_FUNCTION_LIST_3_2* operator->() const {
    return &functions_;
  }
  const CK_FUNCTION_LIST_3_2& functions() const {
    return functions_;
  }
  /// Version of the newest interface as 0xMMmm: 0x0228, 0x0300, 0x0302.
  unsigned version() const {
    return version_;
  }

  /// An exported symbol, nullptr when the module has none of that name.
  template <typename Function>
  Function symbol(const char* name) const {
    return reinterpret_cast<Function>(dlsym(handle_, name));
  }

  CK_RV initialize() const {
    CK_C_INITIALIZE_ARGS args{};
    args.flags = CKF_OS_LOCKING_OK;
    return functions_.C_Initialize(&args);
  }

  /// Slots that have a token.
  std::vector<CK_SLOT_ID> slots() const {
    CK_ULONG count = 0;
    if (functions_.C_GetSlotList(CK_TRUE, nullptr, &count) != CKR_OK) return {};
    std::vector<CK_SLOT_ID> out(count);
    if (functions_.C_GetSlotList(CK_TRUE, out.data(), &count) != CKR_OK) return {};
    out.resize(count);
    return out;
  }

  std::vector<CK_MECHANISM_TYPE> mechanisms(CK_SLOT_ID slot) const {
    CK_ULONG count = 0;
    if (functions_.C_GetMechanismList(slot, nullptr, &count) != CKR_OK) return {};
    std::vector<CK_MECHANISM_TYPE> out(count);
    if (functions_.C_GetMechanismList(slot, out.data(), &count) != CKR_OK) return {};
    out.resize(count);
    return out;
  }

  /// Flags of a mechanism; 0 when the slot does not have it.
  CK_FLAGS mechanism_flags(CK_SLOT_ID slot, CK_MECHANISM_TYPE type) const {
    CK_MECHANISM_INFO info{};
    return functions_.C_GetMechanismInfo(slot, type, &info) == CKR_OK ? info.flags : 0;
  }

 private:
  void load_functions() {
    if (const auto get_interface = symbol<decltype(&::C_GetInterface)>("C_GetInterface"); get_interface != nullptr) {
      if (take_interface(get_interface, 3, 2, sizeof(CK_FUNCTION_LIST_3_2))) return;
      if (take_interface(get_interface, 3, 0, sizeof(CK_FUNCTION_LIST_3_0))) return;
    }
    const auto get_list = symbol<decltype(&::C_GetFunctionList)>("C_GetFunctionList");
    CK_FUNCTION_LIST* list = nullptr;
    if (get_list == nullptr || get_list(&list) != CKR_OK || list == nullptr) {
      dlclose(handle_);
      throw std::runtime_error("no PKCS#11 module: C_GetFunctionList is missing or fails");
    }
    take(list, sizeof(*list));
  }

  bool take_interface(decltype(&::C_GetInterface) get, CK_BYTE major, CK_BYTE minor, std::size_t size) {
    CK_VERSION wanted{major, minor};
    CK_INTERFACE* found = nullptr;
    CK_UTF8CHAR name[] = "PKCS 11";
    if (get(name, &wanted, &found, 0) != CKR_OK || found == nullptr || found->pFunctionList == nullptr) return false;
    take(found->pFunctionList, size);
    return true;
  }

  void take(const void* list, std::size_t size) {
    std::memcpy(&functions_, list, size);
    version_ = static_cast<unsigned>(functions_.version.major) << 8 | functions_.version.minor;
  }

  void* handle_;
  CK_FUNCTION_LIST_3_2 functions_{};
  unsigned version_ = 0;
};

/// A template that owns its values. Later entries of the same type replace earlier ones.
class Template {
 public:
  Template() = default;

  Template& bytes(CK_ATTRIBUTE_TYPE type, Bytes value) {
    without(type);
    entries_.push_back({type, std::move(value), nullptr});
    return *this;
  }
  Template& ulong(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    Bytes raw(sizeof(value));
    std::memcpy(raw.data(), &value, sizeof(value));
    return bytes(type, std::move(raw));
  }
  Template& boolean(CK_ATTRIBUTE_TYPE type, bool value) {
    return bytes(type, {static_cast<std::uint8_t>(value ? CK_TRUE : CK_FALSE)});
  }
  Template& text(CK_ATTRIBUTE_TYPE type, std::string_view value) { return bytes(type, bytes_of(value)); }
  /// An array attribute such as CKA_WRAP_TEMPLATE.
  Template& nested(CK_ATTRIBUTE_TYPE type, Template value) {
    without(type);
    entries_.push_back({type, {}, std::make_shared<Template>(std::move(value))});
    return *this;
  }
  Template& without(CK_ATTRIBUTE_TYPE type) {
    std::erase_if(entries_, [type](const Entry& entry) { return entry.type == type; });
    return *this;
  }
  Template& add(const Template& other) {
    for (const Entry& entry : other.entries_) {
      without(entry.type);
      entries_.push_back(entry);
    }
    return *this;
  }

  /// The C form; valid until the template is changed or destroyed.
  CK_ATTRIBUTE* data() {
    raw_.clear();
    for (Entry& entry : entries_) {
      if (entry.nested) {
        raw_.push_back({entry.type, entry.nested->data(), entry.nested->size() * sizeof(CK_ATTRIBUTE)});
      } else {
        raw_.push_back({entry.type, entry.value.data(), entry.value.size()});
      }
    }
    return raw_.data();
  }
  CK_ULONG size() const { return entries_.size(); }

 private:
  struct Entry {
    CK_ATTRIBUTE_TYPE type;
    Bytes value;
    std::shared_ptr<Template> nested;
  };
  std::vector<Entry> entries_;
  std::vector<CK_ATTRIBUTE> raw_;
};

/// A mechanism with a copy of its parameter structure. What the structure points to stays the caller's.
class Mechanism {
 public:
  explicit Mechanism(CK_MECHANISM_TYPE type) : raw_{type, nullptr, 0} {}
  Mechanism(CK_MECHANISM_TYPE type, Bytes parameter) : parameter_(std::move(parameter)), raw_{type, nullptr, 0} {}
  template <typename Parameter>
  requires std::is_trivially_copyable_v<Parameter> Mechanism(CK_MECHANISM_TYPE type, const Parameter& parameter)
      : parameter_(sizeof(Parameter)), raw_{type, nullptr, 0} {
    std::memcpy(parameter_.data(), &parameter, sizeof(Parameter));
  }

  /// The C form; valid while this object lives unchanged.
  operator CK_MECHANISM*() {
    raw_.pParameter = parameter_.empty() ? nullptr : parameter_.data();
    raw_.ulParameterLen = parameter_.size();
    return &raw_;
  }
  CK_MECHANISM_TYPE type() const { return raw_.mechanism; }

 private:
  Bytes parameter_;
  CK_MECHANISM raw_;
};

/// What a call with an output buffer gave.
struct Output {
  CK_RV rv = CKR_GENERAL_ERROR;
  Bytes bytes;
  bool ok() const { return rv == CKR_OK; }
};

/// Asks `call(buffer, &length)` for the length, then for the bytes (PKCS#11 3.2, 5.2: the two-call convention).
template <typename Call>
Output fetch(Call call) {
  Output out;
  CK_ULONG size = 0;
  out.rv = call(static_cast<CK_BYTE*>(nullptr), &size);
  if (out.rv != CKR_OK) return out;
  out.bytes.resize(size + 1);  // one more, so that an empty output still has a buffer
  out.rv = call(out.bytes.data(), &size);
  out.bytes.resize(out.rv == CKR_OK ? size : 0);
  return out;
}

/// An open session; closed at the end of its life.
class Session {
 public:
  Session(const Module& module, CK_SLOT_ID slot, bool writable = true) : module_(&module) {
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
    status_ = module->C_OpenSession(slot, flags, nullptr, nullptr, &handle_);
  }
  ~Session() {
    if (status_ == CKR_OK) (*module_)->C_CloseSession(handle_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// What C_OpenSession answered.
  CK_RV status() const { return status_; }
  operator CK_SESSION_HANDLE() const { return handle_; }
  const Module& module() const { return *module_; }

  CK_RV login(std::string_view pin, CK_USER_TYPE user = CKU_USER) const {
    Bytes copy = bytes_of(pin);
    return (*module_)->C_Login(handle_, user, copy.data(), copy.size());
  }
  CK_RV logout() const { return (*module_)->C_Logout(handle_); }

  CK_RV create(Template attributes, CK_OBJECT_HANDLE& object) const {
    return (*module_)->C_CreateObject(handle_, attributes.data(), attributes.size(), &object);
  }
  CK_RV generate(Mechanism mechanism, Template attributes, CK_OBJECT_HANDLE& key) const {
    return (*module_)->C_GenerateKey(handle_, mechanism, attributes.data(), attributes.size(), &key);
  }
  CK_RV generate_pair(Mechanism mechanism, Template public_half, Template private_half, CK_OBJECT_HANDLE& public_key,
                      CK_OBJECT_HANDLE& private_key) const {
    return (*module_)->C_GenerateKeyPair(handle_, mechanism, public_half.data(), public_half.size(),
                                         private_half.data(), private_half.size(), &public_key, &private_key);
  }
  CK_RV destroy(CK_OBJECT_HANDLE object) const { return (*module_)->C_DestroyObject(handle_, object); }
  CK_RV copy(CK_OBJECT_HANDLE object, Template changes, CK_OBJECT_HANDLE& made) const {
    return (*module_)->C_CopyObject(handle_, object, changes.data(), changes.size(), &made);
  }
  CK_RV set(CK_OBJECT_HANDLE object, Template changes) const {
    return (*module_)->C_SetAttributeValue(handle_, object, changes.data(), changes.size());
  }

  /// One attribute's value.
  Output get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    Output out;
    CK_ATTRIBUTE attribute{type, nullptr, 0};
    out.rv = (*module_)->C_GetAttributeValue(handle_, object, &attribute, 1);
    if (out.rv != CKR_OK) return out;
    out.bytes.resize(attribute.ulValueLen + 1);
    attribute.pValue = out.bytes.data();
    out.rv = (*module_)->C_GetAttributeValue(handle_, object, &attribute, 1);
    out.bytes.resize(out.rv == CKR_OK ? attribute.ulValueLen : 0);
    return out;
  }
  /// A CK_BBOOL attribute; `otherwise` when it cannot be read.
  bool flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool otherwise = false) const {
    const Output out = get(object, type);
    return out.ok() && out.bytes.size() == 1 ? out.bytes[0] != CK_FALSE : otherwise;
  }
  /// A CK_ULONG attribute; CK_UNAVAILABLE_INFORMATION when it cannot be read.
  CK_ULONG number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    const Output out = get(object, type);
    CK_ULONG value = CK_UNAVAILABLE_INFORMATION;
    if (out.ok() && out.bytes.size() == sizeof(value)) std::memcpy(&value, out.bytes.data(), sizeof(value));
    return value;
  }

  /// Every object that matches.
  std::vector<CK_OBJECT_HANDLE> find(Template attributes) const {
    std::vector<CK_OBJECT_HANDLE> out;
    if ((*module_)->C_FindObjectsInit(handle_, attributes.data(), attributes.size()) != CKR_OK) return out;
    CK_OBJECT_HANDLE chunk[64];
    CK_ULONG count = 0;
    while ((*module_)->C_FindObjects(handle_, chunk, 64, &count) == CKR_OK && count > 0) {
      out.insert(out.end(), chunk, chunk + count);
    }
    (*module_)->C_FindObjectsFinal(handle_);
    return out;
  }

  Output digest(Mechanism mechanism, const Bytes& data) const {
    if (const CK_RV rv = (*module_)->C_DigestInit(handle_, mechanism); rv != CKR_OK) return {rv, {}};
    return fetch(
        [&](CK_BYTE* out, CK_ULONG* size) { return (*module_)->C_Digest(handle_, in(data), length(data), out, size); });
  }
  Output sign(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data) const {
    if (const CK_RV rv = (*module_)->C_SignInit(handle_, mechanism, key); rv != CKR_OK) return {rv, {}};
    return fetch(
        [&](CK_BYTE* out, CK_ULONG* size) { return (*module_)->C_Sign(handle_, in(data), length(data), out, size); });
  }
  CK_RV verify(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data, const Bytes& signature) const {
    if (const CK_RV rv = (*module_)->C_VerifyInit(handle_, mechanism, key); rv != CKR_OK) return rv;
    return (*module_)->C_Verify(handle_, in(data), length(data), in(signature), length(signature));
  }
  Output encrypt(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data) const {
    if (const CK_RV rv = (*module_)->C_EncryptInit(handle_, mechanism, key); rv != CKR_OK) return {rv, {}};
    return fetch([&](CK_BYTE* out, CK_ULONG* size) {
      return (*module_)->C_Encrypt(handle_, in(data), length(data), out, size);
    });
  }
  Output decrypt(Mechanism mechanism, CK_OBJECT_HANDLE key, const Bytes& data) const {
    if (const CK_RV rv = (*module_)->C_DecryptInit(handle_, mechanism, key); rv != CKR_OK) return {rv, {}};
    return fetch([&](CK_BYTE* out, CK_ULONG* size) {
      return (*module_)->C_Decrypt(handle_, in(data), length(data), out, size);
    });
  }
  Output wrap(Mechanism mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key) const {
    return fetch([&](CK_BYTE* out, CK_ULONG* size) {
      return (*module_)->C_WrapKey(handle_, mechanism, wrapping_key, key, out, size);
    });
  }
  CK_RV unwrap(Mechanism mechanism, CK_OBJECT_HANDLE unwrapping_key, const Bytes& wrapped, Template attributes,
               CK_OBJECT_HANDLE& key) const {
    return (*module_)->C_UnwrapKey(handle_, mechanism, unwrapping_key, in(wrapped), length(wrapped), attributes.data(),
                                   attributes.size(), &key);
  }
  CK_RV derive(Mechanism mechanism, CK_OBJECT_HANDLE base, Template attributes, CK_OBJECT_HANDLE& key) const {
    return (*module_)->C_DeriveKey(handle_, mechanism, base, attributes.data(), attributes.size(), &key);
  }

 private:
  const Module* module_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  CK_RV status_ = CKR_GENERAL_ERROR;
};

}  // namespace cardea::p11
