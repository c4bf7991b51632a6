#include "fakes/host.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace cardea::test {

namespace {

CK_BYTE* bytes_of(std::string_view text) {
  return reinterpret_cast<CK_BYTE*>(const_cast<char*>(text.data()));
}

std::string hexadecimal(CK_RV rv) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%lx", rv);
  return text;
}

bool has_label(const CK_TOKEN_INFO& info, std::string_view label) {
  std::string padded(label);
  padded.resize(sizeof info.label, ' ');
  return std::memcmp(padded.data(), info.label, sizeof info.label) == 0;
}

}  // namespace

CallFailed::CallFailed(const char* call, CK_RV rv)
    : std::runtime_error(std::string(call) + " answered " + hexadecimal(rv)), rv_(rv) {}

void expect_ok(CK_RV rv, const char* call) {
  if (rv != CKR_OK) throw CallFailed(call, rv);
}

void Host::start(const std::string& reserved) const {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  if (!reserved.empty()) arguments.pReserved = const_cast<char*>(reserved.c_str());
  expect_ok(functions().C_Initialize(&arguments), "C_Initialize");
}

void Host::finalize() const {
  expect_ok(functions().C_Finalize(nullptr), "C_Finalize");
}

CK_SLOT_ID Host::slot(std::string_view label) const {
  for (const CK_SLOT_ID candidate : slots()) {
    CK_TOKEN_INFO info{};
    if (functions().C_GetTokenInfo(candidate, &info) == CKR_OK && has_label(info, label)) return candidate;
  }
  throw std::runtime_error("no token labelled " + std::string(label));
}

CK_SLOT_ID Host::make_token(std::string_view label, std::string_view so_pin, std::string_view pin) const {
  std::string padded(label);
  padded.resize(32, ' ');
  for (const CK_SLOT_ID candidate : slots()) {
    CK_TOKEN_INFO info{};
    if (functions().C_GetTokenInfo(candidate, &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) != 0) continue;
    expect_ok(functions().C_InitToken(candidate, bytes_of(so_pin), so_pin.size(), bytes_of(padded)), "C_InitToken");
    const CK_SLOT_ID made = slot(label);  // some modules move the new token to another slot
    const CK_SESSION_HANDLE session = open(made);
    expect_ok(functions().C_Login(session, CKU_SO, bytes_of(so_pin), so_pin.size()), "C_Login of the SO");
    expect_ok(functions().C_InitPIN(session, bytes_of(pin), pin.size()), "C_InitPIN");
    expect_ok(functions().C_CloseSession(session), "C_CloseSession");
    return made;
  }
  throw std::runtime_error("no uninitialised token is offered");
}

CK_SESSION_HANDLE Host::open(CK_SLOT_ID slot) const {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  expect_ok(functions().C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
            "C_OpenSession");
  return session;
}

CK_RV Host::try_login(CK_SESSION_HANDLE session, std::string_view pin) const {
  return functions().C_Login(session, CKU_USER, bytes_of(pin), pin.size());
}

void Host::login(CK_SESSION_HANDLE session, std::string_view pin) const {
  const CK_RV rv = try_login(session, pin);
  if (rv != CKR_USER_ALREADY_LOGGED_IN) expect_ok(rv, "C_Login");
}

KeyPair Host::make_p256(CK_SESSION_HANDLE session, const Blob& id, bool on_token) const {
  Attributes public_template;
  public_template.boolean(CKA_TOKEN, on_token).bytes(CKA_ID, id).bytes(CKA_EC_PARAMS, p256_parameters());
  public_template.boolean(CKA_VERIFY, true);
  Attributes private_template;
  private_template.boolean(CKA_TOKEN, on_token)
      .boolean(CKA_PRIVATE, true)
      .boolean(CKA_SENSITIVE, true)
      .bytes(CKA_ID, id);
  private_template.boolean(CKA_SIGN, true).boolean(CKA_DERIVE, true);
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  KeyPair pair;
  expect_ok(functions().C_GenerateKeyPair(session, &mechanism, public_template.data(), public_template.size(),
                                          private_template.data(), private_template.size(), &pair.public_key,
                                          &pair.private_key),
            "C_GenerateKeyPair of P-256");
  return pair;
}

KeyPair Host::make_rsa2048(CK_SESSION_HANDLE session, const Blob& id) const {
  Attributes public_template;
  public_template.boolean(CKA_TOKEN, true).bytes(CKA_ID, id).ulong(CKA_MODULUS_BITS, 2048);
  public_template.bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}).boolean(CKA_VERIFY, true).boolean(CKA_ENCRYPT, true);
  Attributes private_template;
  private_template.boolean(CKA_TOKEN, true).boolean(CKA_PRIVATE, true).boolean(CKA_SENSITIVE, true).bytes(CKA_ID, id);
  private_template.boolean(CKA_SIGN, true).boolean(CKA_DECRYPT, true);
  CK_MECHANISM mechanism{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  KeyPair pair;
  expect_ok(functions().C_GenerateKeyPair(session, &mechanism, public_template.data(), public_template.size(),
                                          private_template.data(), private_template.size(), &pair.public_key,
                                          &pair.private_key),
            "C_GenerateKeyPair of RSA-2048");
  return pair;
}

CK_OBJECT_HANDLE Host::make_aes256(CK_SESSION_HANDLE session, const Blob& id) const {
  Attributes attributes;
  attributes.boolean(CKA_TOKEN, true).bytes(CKA_ID, id).ulong(CKA_VALUE_LEN, 32);
  attributes.boolean(CKA_ENCRYPT, true).boolean(CKA_DECRYPT, true);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  expect_ok(functions().C_GenerateKey(session, &mechanism, attributes.data(), attributes.size(), &key),
            "C_GenerateKey of AES-256");
  return key;
}

CK_OBJECT_HANDLE Host::create(CK_SESSION_HANDLE session, Attributes attributes) const {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  expect_ok(functions().C_CreateObject(session, attributes.data(), attributes.size(), &object), "C_CreateObject");
  return object;
}

std::vector<CK_OBJECT_HANDLE> Host::find(CK_SESSION_HANDLE session, Attributes attributes) const {
  expect_ok(functions().C_FindObjectsInit(session, attributes.data(), attributes.size()), "C_FindObjectsInit");
  std::vector<CK_OBJECT_HANDLE> all;
  CK_OBJECT_HANDLE some[256];
  CK_ULONG count = 0;
  do {
    expect_ok(functions().C_FindObjects(session, some, std::size(some), &count), "C_FindObjects");
    all.insert(all.end(), some, some + count);
  } while (count > 0);
  expect_ok(functions().C_FindObjectsFinal(session), "C_FindObjectsFinal");
  return all;
}

Blob Host::value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  expect_ok(functions().C_GetAttributeValue(session, object, &attribute, 1), "C_GetAttributeValue");
  Blob value(attribute.ulValueLen);
  attribute.pValue = value.data();
  expect_ok(functions().C_GetAttributeValue(session, object, &attribute, 1), "C_GetAttributeValue");
  value.resize(attribute.ulValueLen);
  return value;
}

Blob Host::sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE type, const Blob& data) const {
  CK_MECHANISM mechanism{type, nullptr, 0};
  expect_ok(functions().C_SignInit(session, &mechanism, key), "C_SignInit");
  Blob signature(1024);
  CK_ULONG length = signature.size();
  expect_ok(functions().C_Sign(session, const_cast<CK_BYTE*>(data.data()), data.size(), signature.data(), &length),
            "C_Sign");
  signature.resize(length);
  return signature;
}

CK_RV Host::verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE type, const Blob& data,
                   const Blob& signature) const {
  CK_MECHANISM mechanism{type, nullptr, 0};
  expect_ok(functions().C_VerifyInit(session, &mechanism, key), "C_VerifyInit");
  return functions().C_Verify(session, const_cast<CK_BYTE*>(data.data()), data.size(),
                              const_cast<CK_BYTE*>(signature.data()), signature.size());
}

Blob p256_parameters() {
  return {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
}

}  // namespace cardea::test
