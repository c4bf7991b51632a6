#include "fuzz/rig.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace cardea::fuzz {

namespace fs = std::filesystem;

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "the fuzz program cannot start: %s\n", what);
  std::abort();
}

std::vector<CK_BYTE> bytes_of(const char* text) {
  return {text, text + std::strlen(text)};
}

// What a template for a session key has in common.
struct KeyTemplate {
  std::vector<CK_ATTRIBUTE> list;
  Memory memory;

  KeyTemplate& bytes(CK_ATTRIBUTE_TYPE type, const std::vector<CK_BYTE>& value) {
    list.push_back({type, memory.copy(value), value.size()});
    return *this;
  }
  KeyTemplate& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    list.push_back({type, memory.copy(value), sizeof value});
    return *this;
  }
  KeyTemplate& flags(std::initializer_list<CK_ATTRIBUTE_TYPE> types, bool value) {
    for (const CK_ATTRIBUTE_TYPE type : types) bytes(type, {static_cast<CK_BYTE>(value)});
    return *this;
  }
};

void make_secret(CK_SESSION_HANDLE session, CK_KEY_TYPE type, const std::vector<CK_BYTE>& value, bool sensitive,
                 Handles& handles) {
  KeyTemplate key;
  key.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type).bytes(CKA_VALUE, value);
  key.flags({CKA_SENSITIVE}, sensitive).flags({CKA_TOKEN}, false);
  key.flags({CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE}, true);
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  if (C_CreateObject(session, key.list.data(), key.list.size(), &handle) == CKR_OK) handles.push_back(handle);
}

void make_pair(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, KeyTemplate& public_key, Handles& handles) {
  KeyTemplate private_key;
  private_key.flags({CKA_TOKEN}, false).flags({CKA_EXTRACTABLE}, true);
  CK_MECHANISM mechanism{type, nullptr, 0};
  CK_OBJECT_HANDLE made[2]{};
  if (C_GenerateKeyPair(session, &mechanism, public_key.list.data(), public_key.list.size(), private_key.list.data(),
                        private_key.list.size(), &made[0], &made[1]) == CKR_OK) {
    handles.insert(handles.end(), made, made + 2);
  }
}

void make_curve_pair(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, const std::vector<CK_BYTE>& curve,
                     Handles& handles) {
  KeyTemplate public_key;
  public_key.bytes(CKA_EC_PARAMS, curve).flags({CKA_TOKEN}, false);
  make_pair(session, type, public_key, handles);
}

// Token keys that live as long as the process: generating RSA keys for every input would take all the time.
void make_lasting_keys(CK_SESSION_HANDLE session) {
  Handles ignored;
  KeyTemplate rsa;
  rsa.number(CKA_MODULUS_BITS, 2048).flags({CKA_TOKEN, CKA_WRAP, CKA_ENCRYPT, CKA_VERIFY}, true);
  KeyTemplate private_key;
  private_key.flags({CKA_TOKEN, CKA_UNWRAP, CKA_DECRYPT, CKA_SIGN}, true);
  CK_MECHANISM mechanism{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE made[2]{};
  require(C_GenerateKeyPair(session, &mechanism, rsa.list.data(), rsa.list.size(), private_key.list.data(),
                            private_key.list.size(), &made[0], &made[1]) == CKR_OK,
          "no RSA key");
}

CK_SLOT_ID the_slot = 0;

}  // namespace

const fs::path& home() {
  static const auto* const folder = [] {
    const fs::path path = fs::temp_directory_path() / ("cardea-fuzz-" + std::to_string(getpid()));
    fs::remove_all(path);
    fs::create_directories(path / "home");
    fs::permissions(path / "home", fs::perms::owner_all);
    std::ofstream(path / "cardea.toml") << "[keystore]\nretry_limit = 0\nso_retry_limit = 0\n"
                                           "pin_cost = { memory_kib = 8, iterations = 1, lanes = 1 }\n";
    setenv("CARDEA_HOME", (path / "home").c_str(), 1);
    setenv("CARDEA_CONF", (path / "cardea.toml").c_str(), 1);
    return new fs::path(path);
  }();
  return *folder;
}

void make_rig() {
  home();
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  require(C_Initialize(&arguments) == CKR_OK, "C_Initialize fails");
  CK_ULONG count = 1;
  require(C_GetSlotList(CK_TRUE, &the_slot, &count) == CKR_OK, "there is no slot");
  std::vector<CK_BYTE> so = bytes_of("87654321"), user = bytes_of(pin), label(32, ' ');
  require(C_InitToken(the_slot, so.data(), so.size(), label.data()) == CKR_OK, "C_InitToken fails");
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  require(C_OpenSession(the_slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) == CKR_OK,
          "C_OpenSession fails");
  require(C_Login(session, CKU_SO, so.data(), so.size()) == CKR_OK, "C_Login fails");
  require(C_InitPIN(session, user.data(), user.size()) == CKR_OK, "C_InitPIN fails");
  require(C_Logout(session) == CKR_OK && C_Login(session, CKU_USER, user.data(), user.size()) == CKR_OK,
          "the user cannot log in");
  make_lasting_keys(session);
  C_CloseSession(session);
}

CK_SLOT_ID slot() {
  return the_slot;
}

const std::vector<CK_MECHANISM_TYPE>& mechanisms() {
  static const auto* const all = [] {
    CK_ULONG count = 0;
    C_GetMechanismList(the_slot, nullptr, &count);
    auto* const list = new std::vector<CK_MECHANISM_TYPE>(count);
    C_GetMechanismList(the_slot, list->data(), &count);
    return list;
  }();
  return *all;
}

Rig::Rig() {
  require(C_OpenSession(the_slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_) == CKR_OK,
          "C_OpenSession fails");
  std::vector<CK_BYTE> user = bytes_of(pin);
  require(C_Login(session_, CKU_USER, user.data(), user.size()) == CKR_OK, "C_Login fails");
  make_secret(session_, CKK_AES, planted(), true, handles);
  make_secret(session_, CKK_AES, std::vector<CK_BYTE>(32, 7), false, handles);
  make_secret(session_, CKK_GENERIC_SECRET, std::vector<CK_BYTE>(48, 9), false, handles);
  make_secret(session_, CKK_CHACHA20, std::vector<CK_BYTE>(32, 5), false, handles);
  make_secret(session_, CKK_AES_XTS, planted(), true, handles);
  make_curve_pair(session_, CKM_EC_KEY_PAIR_GEN, {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}, handles);
  make_curve_pair(session_, CKM_EC_EDWARDS_KEY_PAIR_GEN, {0x06, 0x03, 0x2b, 0x65, 0x70}, handles);
  make_curve_pair(session_, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, {0x06, 0x03, 0x2b, 0x65, 0x6e}, handles);
  CK_OBJECT_HANDLE lasting[8];
  CK_ULONG count = 0;
  CK_ULONG rsa = CKK_RSA;
  CK_ATTRIBUTE wanted{CKA_KEY_TYPE, &rsa, sizeof rsa};
  require(C_FindObjectsInit(session_, &wanted, 1) == CKR_OK, "C_FindObjectsInit fails");
  C_FindObjects(session_, lasting, 8, &count);
  C_FindObjectsFinal(session_);
  handles.insert(handles.end(), lasting, lasting + count);
}

// Leaves the token as it was: what an input made on it goes, but the RSA keys stay.
Rig::~Rig() {
  C_CloseAllSessions(the_slot);
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  require(C_OpenSession(the_slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) == CKR_OK,
          "C_OpenSession fails");
  std::vector<CK_BYTE> user = bytes_of(pin);
  require(C_Login(session, CKU_USER, user.data(), user.size()) == CKR_OK, "C_Login fails");
  CK_OBJECT_HANDLE found[256];
  CK_ULONG count = 0;
  CK_BYTE yes = CK_TRUE;
  CK_ATTRIBUTE wanted{CKA_TOKEN, &yes, 1};
  C_FindObjectsInit(session, &wanted, 1);
  C_FindObjects(session, found, 256, &count);
  C_FindObjectsFinal(session);
  for (CK_ULONG i = 0; i < count; ++i) {
    if (std::find(handles.begin(), handles.end(), found[i]) == handles.end()) C_DestroyObject(session, found[i]);
  }
  C_CloseAllSessions(the_slot);
}

const std::vector<CK_BYTE>& planted() {
  static const auto* const value = [] {
    auto* const bytes = new std::vector<CK_BYTE>(32);
    for (std::size_t i = 0; i < bytes->size(); ++i) (*bytes)[i] = static_cast<CK_BYTE>(0xa7 + 31 * i);
    return bytes;
  }();
  return *value;
}

void expect_not_planted(const CK_BYTE* bytes, std::size_t size) {
  const std::vector<CK_BYTE>& secret = planted();
  const auto half = static_cast<std::ptrdiff_t>(secret.size() / 2);
  const bool first = std::search(bytes, bytes + size, secret.begin(), secret.begin() + half) != bytes + size;
  const bool second = std::search(bytes, bytes + size, secret.begin() + half, secret.end()) != bytes + size;
  require(!first && !second, "a sensitive key came out in clear");
}

}  // namespace cardea::fuzz
