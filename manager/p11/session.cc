#include "p11client/session.h"

#include <cstring>

#include "p11client/failure.h"
#include "p11client/printable.h"

namespace cardea::p11client {
namespace {

constexpr std::size_t one_piece_limit = std::size_t{1} << 30;

// PKCS#11 declares inputs without const.
CK_BYTE* in(ByteView bytes) {
  return const_cast<CK_BYTE*>(bytes.data());
}

}  // namespace

Input input_of(ByteView bytes) {
  return [bytes]() mutable -> Result<ByteView> { return std::exchange(bytes, ByteView{}); };
}

Result<Bytes> read_all(const Input& input) {
  Bytes whole;
  while (true) {
    CARDEA_ASSIGN(const ByteView part, input());
    if (part.empty()) return whole;
    if (whole.size() + part.size() > one_piece_limit) {
      return failure(Code::data_length,
                     "The input is longer than 1 GiB, and this mechanism takes it in one piece. Choose a key or a "
                     "mechanism with a digest of its own.");
    }
    whole.insert(whole.end(), part.begin(), part.end());
  }
}

Result<Session> Session::open(const Module& module, const TokenInfo& token, bool read_write) {
  CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (read_write ? CKF_RW_SESSION : 0);
  if (const CK_RV rv = module->C_OpenSession(token.slot, flags, nullptr, nullptr, &handle); rv != CKR_OK) {
    return p11_failure(rv, "No session can be opened on the token");
  }
  return Session(module, token, handle);
}

Session::Session(Session&& other) noexcept
    : module_(other.module_),
      token_(std::move(other.token_)),
      handle_(std::exchange(other.handle_, CK_INVALID_HANDLE)),
      context_login_(std::move(other.context_login_)) {}

Session::~Session() {
  if (handle_ != CK_INVALID_HANDLE) (*module_)->C_CloseSession(handle_);
}

CK_RV Session::login(CK_USER_TYPE user, const Pin* pin) const {
  const ByteView bytes = pin != nullptr ? pin->view() : ByteView{};
  return (*module_)->C_Login(handle_, user, in(bytes), bytes.size());
}

Result<std::vector<CK_OBJECT_HANDLE>> Session::find(Template& wanted) const {
  constexpr CK_ULONG batch = 256;
  CK_RV rv = (*module_)->C_FindObjectsInit(handle_, wanted.data(), wanted.size());
  std::vector<CK_OBJECT_HANDLE> found;
  CK_ULONG count = batch;
  while (rv == CKR_OK && count > 0) {
    CK_OBJECT_HANDLE handles[batch];
    rv = (*module_)->C_FindObjects(handle_, handles, batch, &count);
    if (rv == CKR_OK) found.insert(found.end(), handles, handles + count);
  }
  (*module_)->C_FindObjectsFinal(handle_);
  if (rv != CKR_OK) return p11_failure(rv, "The token's objects cannot be listed");
  return found;
}

std::optional<Bytes> Session::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  CK_ATTRIBUTE wanted{type, nullptr, 0};
  CK_RV rv = (*module_)->C_GetAttributeValue(handle_, object, &wanted, 1);
  if (rv != CKR_OK || wanted.ulValueLen == CK_UNAVAILABLE_INFORMATION || wanted.ulValueLen == 0) return {};
  Bytes value(wanted.ulValueLen);
  wanted.pValue = value.data();
  rv = (*module_)->C_GetAttributeValue(handle_, object, &wanted, 1);
  if (rv != CKR_OK || wanted.ulValueLen > value.size()) return {};
  value.resize(wanted.ulValueLen);
  return value;
}

std::string Session::text(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const auto value = attribute(object, type);
  return value ? printable(text_of(*value)) : "";
}

std::optional<CK_ULONG> Session::number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const auto value = attribute(object, type);
  CK_ULONG number = 0;
  if (!value || value->size() != sizeof number) return {};
  std::memcpy(&number, value->data(), sizeof number);
  return number;
}

bool Session::flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const auto value = attribute(object, type);
  return value && value->size() == 1 && value->front() != CK_FALSE;
}

Status Session::create(Template& attributes, std::string_view what) const {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const CK_RV rv = (*module_)->C_CreateObject(handle_, attributes.data(), attributes.size(), &object);
  if (rv != CKR_OK) return p11_failure(rv, what);
  return {};
}

Status Session::destroy(CK_OBJECT_HANDLE object) const {
  if (const CK_RV rv = (*module_)->C_DestroyObject(handle_, object); rv != CKR_OK) {
    return p11_failure(rv, "The object cannot be deleted");
  }
  return {};
}

Result<Bytes> Session::random(std::size_t size) const {
  Bytes bytes(size);
  if (const CK_RV rv = (*module_)->C_GenerateRandom(handle_, bytes.data(), bytes.size()); rv != CKR_OK) {
    return p11_failure(rv, "The token gives no random bytes");
  }
  return bytes;
}

Status Session::authenticate_if_asked(CK_OBJECT_HANDLE key) const {
  // PKCS#11 3.2, 4.9: a key with CKA_ALWAYS_AUTHENTICATE wants CKU_CONTEXT_SPECIFIC after each C_SignInit.
  if (!context_login_ || !flag(key, CKA_ALWAYS_AUTHENTICATE)) return {};
  return context_login_(*this);
}

Result<Bytes> Session::sign(Mechanism mechanism, CK_OBJECT_HANDLE key, const Input& input, bool multi_part) const {
  constexpr std::string_view what = "The signature could not be made";
  CK_MECHANISM raw = mechanism.raw();
  Bytes whole;
  if (!multi_part) {
    CARDEA_ASSIGN(whole, read_all(input));
  }
  CK_RV rv = (*module_)->C_SignInit(handle_, &raw, key);
  if (rv != CKR_OK) return p11_failure(rv, what);
  CARDEA_TRY(authenticate_if_asked(key));
  // SLH-DSA's largest signature has 49,856 bytes (FIPS 205, table 2), so no size query is needed.
  Bytes signature(65536);
  CK_ULONG size = signature.size();
  if (multi_part) {
    while (rv == CKR_OK) {
      CARDEA_ASSIGN(const ByteView part, input());
      if (part.empty()) break;
      rv = (*module_)->C_SignUpdate(handle_, in(part), part.size());
    }
    if (rv == CKR_OK) rv = (*module_)->C_SignFinal(handle_, signature.data(), &size);
  } else {
    rv = (*module_)->C_Sign(handle_, whole.data(), whole.size(), signature.data(), &size);
  }
  if (rv != CKR_OK) return p11_failure(rv, what);
  signature.resize(size);
  return signature;
}

Status Session::verify(Mechanism mechanism, CK_OBJECT_HANDLE key, const Input& input, ByteView signature,
                       bool multi_part) const {
  CK_MECHANISM raw = mechanism.raw();
  CK_RV rv = (*module_)->C_VerifyInit(handle_, &raw, key);
  if (multi_part) {
    while (rv == CKR_OK) {
      CARDEA_ASSIGN(const ByteView part, input());
      if (part.empty()) break;
      rv = (*module_)->C_VerifyUpdate(handle_, in(part), part.size());
    }
    if (rv == CKR_OK) rv = (*module_)->C_VerifyFinal(handle_, in(signature), signature.size());
  } else if (rv == CKR_OK) {
    CARDEA_ASSIGN(Bytes whole, read_all(input));
    rv = (*module_)->C_Verify(handle_, whole.data(), whole.size(), in(signature), signature.size());
  }
  if (rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE) {
    return failure(Code::signature_invalid,
                   "The signature does not match: the data, the signature, the key or the mechanism is another one.");
  }
  if (rv != CKR_OK) return p11_failure(rv, "The signature could not be checked");
  return {};
}

Result<Bytes> Session::encrypt(Mechanism mechanism, CK_OBJECT_HANDLE key, ByteView data) const {
  constexpr std::string_view what = "The data could not be encrypted";
  CK_MECHANISM raw = mechanism.raw();
  CK_RV rv = (*module_)->C_EncryptInit(handle_, &raw, key);
  if (rv != CKR_OK) return p11_failure(rv, what);
  // Room for a block of padding and a tag, or for the modulus.
  Bytes sealed(data.size() + 2048);
  CK_ULONG size = sealed.size();
  rv = (*module_)->C_Encrypt(handle_, in(data), data.size(), sealed.data(), &size);
  if (rv != CKR_OK) return p11_failure(rv, what);
  sealed.resize(size);
  return sealed;
}

Result<SecretBytes> Session::decrypt(Mechanism mechanism, CK_OBJECT_HANDLE key, ByteView data) const {
  constexpr std::string_view what = "The data could not be decrypted";
  CK_MECHANISM raw = mechanism.raw();
  CK_RV rv = (*module_)->C_DecryptInit(handle_, &raw, key);
  if (rv != CKR_OK) return p11_failure(rv, what);
  CARDEA_TRY(authenticate_if_asked(key));
  // No mechanism makes plain text longer than its cipher text or the modulus.
  SecretBytes plain(data.size() + 2048);
  CK_ULONG size = plain.size();
  rv = (*module_)->C_Decrypt(handle_, in(data), data.size(), plain.data(), &size);
  if (rv != CKR_OK) return p11_failure(rv, what);
  plain.truncate(size);
  return plain;
}

}  // namespace cardea::p11client
