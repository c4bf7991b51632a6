// The store file, damaged in two ways: bytes of the file, and values in its rows. The module may refuse any of it in
// any words, but must not crash, hang, or let the planted key out.
#include <sqlite3.h>

#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/rig.h"

using namespace cardea::fuzz;
namespace fs = std::filesystem;

namespace {

std::vector<CK_BYTE> content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const fs::path& path, const std::vector<CK_BYTE>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

fs::path store_path() {
  for (const auto& entry : fs::recursive_directory_iterator(home())) {
    if (entry.path().filename() == "store.sqlite") return entry.path();
  }
  std::abort();
}

// The sound store, with some objects in it; made once.
struct Sound {
  fs::path path;
  std::vector<CK_BYTE> bytes;
  std::vector<std::string> tables;
};
const Sound* sound = nullptr;

void add_token_key() {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session);
  std::vector<CK_BYTE> user{'1', '2', '3', '4', '5', '6'}, value = planted();
  C_Login(session, CKU_USER, user.data(), user.size());
  CK_ULONG object_class = CKO_SECRET_KEY, type = CKK_AES;
  CK_BYTE yes = CK_TRUE;
  CK_ATTRIBUTE attributes[]{{CKA_CLASS, &object_class, sizeof object_class},
                            {CKA_KEY_TYPE, &type, sizeof type},
                            {CKA_TOKEN, &yes, 1},
                            {CKA_SENSITIVE, &yes, 1},
                            {CKA_EXTRACTABLE, &yes, 1},
                            {CKA_ENCRYPT, &yes, 1},
                            {CKA_VALUE, value.data(), value.size()}};
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  if (C_CreateObject(session, attributes, std::size(attributes), &made) != CKR_OK) std::abort();
  C_Finalize(nullptr);
}

std::vector<std::string> tables_of(const fs::path& path) {
  std::vector<std::string> names;
  sqlite3* database = nullptr;
  sqlite3_open(path.c_str(), &database);
  const auto take = [](void* list, int, char** values, char**) {
    static_cast<std::vector<std::string>*>(list)->emplace_back(values[0]);
    return 0;
  };
  sqlite3_exec(database, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", take,
               &names, nullptr);
  sqlite3_close(database);
  return names;
}

// A costly PIN is no damage, only slow: what a configuration may ask for becomes cheap.
void make_pins_cheap(sqlite3* database) {
  sqlite3_exec(database,
               "UPDATE unlock_method SET memory_kib = 8 * lanes WHERE memory_kib BETWEEN 1024 AND 4194304;"
               "UPDATE unlock_method SET iterations = 1 WHERE iterations BETWEEN 16 AND 10000",
               nullptr, nullptr, nullptr);
}

void flip_bytes(Input& input) {
  std::vector<CK_BYTE> bytes = sound->bytes;
  for (CK_ULONG edits = input.up_to(6) + 1; edits > 0; --edits) {
    const std::vector<CK_BYTE> patch = input.bytes(16);
    const CK_ULONG at = input.rarely(3) ? input.up_to(120) : input.up_to(bytes.size() - 1);
    for (std::size_t i = 0; i < patch.size() && at + i < bytes.size(); ++i) bytes[at + i] = patch[i];
  }
  if (input.rarely()) bytes.resize(input.up_to(bytes.size()));
  put(sound->path, bytes);
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(sound->path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    make_pins_cheap(database);
  }
  sqlite3_close(database);
}

std::vector<std::string> columns_of(sqlite3* database, const std::string& table) {
  std::vector<std::string> names;
  const auto take = [](void* list, int, char** values, char**) {
    static_cast<std::vector<std::string>*>(list)->emplace_back(values[1]);
    return 0;
  };
  sqlite3_exec(database, ("PRAGMA table_info(" + table + ")").c_str(), take, &names, nullptr);
  return names;
}

// Sets one value of one row to anything, as somebody with an SQLite shell could.
void edit_row(Input& input) {
  put(sound->path, sound->bytes);
  sqlite3* database = nullptr;
  sqlite3_open(sound->path.c_str(), &database);
  for (CK_ULONG edits = input.up_to(3) + 1; edits > 0; --edits) {
    const std::string table = input.one_of(sound->tables);
    const std::vector<std::string> columns = columns_of(database, table);
    if (columns.empty()) continue;
    const std::string sql = "UPDATE " + table + " SET " + input.one_of(columns) +
                            " = ? WHERE rowid = " + "(SELECT rowid FROM " + table + " LIMIT 1 OFFSET " +
                            std::to_string(input.up_to(4)) + ")";
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) continue;
    const std::vector<CK_BYTE> value = input.bytes(200);
    if (input.chance()) {
      sqlite3_bind_blob(statement, 1, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    } else if (!input.rarely(6)) {
      sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(input.number()));
    }
    sqlite3_step(statement);
    sqlite3_finalize(statement);
  }
  make_pins_cheap(database);
  sqlite3_close(database);
}

void read_everything(CK_SESSION_HANDLE session) {
  CK_OBJECT_HANDLE found[32];
  CK_ULONG count = 0;
  CK_OBJECT_CLASS wanted_class = CKO_SECRET_KEY;
  CK_ATTRIBUTE by_class{CKA_CLASS, &wanted_class, sizeof wanted_class};
  if (C_FindObjectsInit(session, &by_class, 1) == CKR_OK) C_FindObjectsFinal(session);
  if (C_FindObjectsInit(session, nullptr, 0) != CKR_OK) return;
  C_FindObjects(session, found, 32, &count);
  C_FindObjectsFinal(session);
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_BYTE value[512]{};
    CK_ATTRIBUTE wanted[]{
        {CKA_VALUE, value, sizeof value}, {CKA_LABEL, value, sizeof value}, {CKA_ID, value, sizeof value}};
    for (CK_ATTRIBUTE& attribute : wanted) {
      C_GetAttributeValue(session, found[i], &attribute, 1);
      expect_not_planted(value, sizeof value);
    }
    CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
    CK_BYTE signature[600];
    CK_ULONG size = sizeof signature;
    if (C_SignInit(session, &mechanism, found[i]) == CKR_OK) C_Sign(session, value, 20, signature, &size);
    CK_ATTRIBUTE label{CKA_LABEL, value, 3};
    C_SetAttributeValue(session, found[i], &label, 1);
  }
  if (count > 0) C_DestroyObject(session, found[0]);
}

void write_something(CK_SESSION_HANDLE session, Input& input) {
  CK_OBJECT_CLASS data = CKO_DATA;
  CK_BYTE yes = CK_TRUE, secret = input.chance() ? CK_TRUE : CK_FALSE;
  CK_ATTRIBUTE attributes[]{{CKA_CLASS, &data, sizeof data}, {CKA_TOKEN, &yes, 1}, {CKA_PRIVATE, &secret, 1}};
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  C_CreateObject(session, attributes, std::size(attributes), &made);
  C_CopyObject(session, made, nullptr, 0, &made);
}

// What each role does with its PIN.
void use_pins(CK_SLOT_ID slot, CK_SESSION_HANDLE session, Input& input) {
  std::vector<CK_BYTE> user{'1', '2', '3', '4', '5', '6'}, officer{'8', '7', '6', '5', '4', '3', '2', '1'}, label(32);
  C_Logout(session);
  switch (input.up_to(3)) {
    case 0:
      C_SetPIN(session, user.data(), user.size(), officer.data(), officer.size());
      break;
    case 1:
      C_Login(session, CKU_SO, officer.data(), officer.size());
      C_InitPIN(session, user.data(), user.size());
      break;
    case 2:
      C_CloseAllSessions(slot);
      C_InitToken(slot, officer.data(), officer.size(), label.data());
      break;
    default:
      C_Login(session, CKU_USER, officer.data(), officer.size());
  }
}

void use_module(Input& input) {
  if (C_Initialize(nullptr) != CKR_OK) return;
  CK_SLOT_ID slots[8];
  CK_ULONG count = 8;
  if (C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK) {
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info{};
      C_GetTokenInfo(slots[i], &info);
      CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
      if (C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) != CKR_OK) continue;
      std::vector<CK_BYTE> user{'1', '2', '3', '4', '5', '6'};
      C_Login(session, CKU_USER, user.data(), user.size());
      read_everything(session);
      write_something(session, input);
      use_pins(slots[i], session, input);
    }
  }
  C_Finalize(nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  make_rig();
  add_token_key();
  const fs::path path = store_path();
  sound = new Sound{path, content(path), tables_of(path)};
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  for (const auto& entry : fs::directory_iterator(sound->path.parent_path())) fs::remove_all(entry.path());
  if (input.chance()) {
    flip_bytes(input);
  } else {
    edit_row(input);
  }
  use_module(input);
  return 0;
}
