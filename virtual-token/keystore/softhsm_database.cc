// The SQLite back end: attributes in one table a kind, in the byte order of the machine that wrote them
// (src/lib/object_store/DBObject.cpp there).
#include <cstring>

#include "keystore/schema.h"
#include "keystore/softhsm.h"

namespace cardea::keystore::softhsm {
namespace {

constexpr std::string_view file_name = "sqlite3.db";

/// Takes native values from the front of a blob.
class NativeReader {
 public:
  explicit NativeReader(ByteView left) : left_(left) {}
  bool done() const { return left_.empty(); }

  Result<ByteView> take(std::uint64_t size) {
    if (size > left_.size()) return error(Code::store_corrupt, "an attribute array is cut short");
    const ByteView taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }

  template <class T>
  Result<T> value() {
    CARDEA_ASSIGN(const ByteView bytes, take(sizeof(T)));
    T out{};
    std::memcpy(&out, bytes.data(), sizeof(T));
    return out;
  }

 private:
  ByteView left_;
};

/// Calls add(object id, type, cursor) for each row; the value is column 2.
template <class F>
Status read_table(Connection& connection, const char* sql, F&& add) {
  CARDEA_ASSIGN(sqlite3_stmt* const statement, connection.prepare(sql));
  Status outcome;
  {
    Cursor cursor(statement);
    for (;;) {
      auto row = cursor.next();
      if (!row) {
        outcome = std::move(row).error();
        break;
      }
      if (!*row) break;
      outcome = add(cursor.number(0), static_cast<CK_ATTRIBUTE_TYPE>(cursor.number(1)), cursor);
      if (!outcome) break;
    }
  }
  sqlite3_finalize(statement);
  return outcome;
}

Value bytes_value(CK_ATTRIBUTE_TYPE type, ByteView bytes) {
  if (type != CKA_ALLOWED_MECHANISMS) return SecretBytes(bytes);
  Numbers numbers(bytes.size() / sizeof(std::uint64_t));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(std::uint64_t));
  return numbers;
}

}  // namespace

Result<AttributeSet> parse_native_array(ByteView content) {
  constexpr std::uint32_t kind_boolean = 1;
  constexpr std::uint32_t kind_number = 2;
  constexpr std::uint32_t kind_bytes = 3;
  constexpr std::uint32_t kind_mechanisms = 5;
  AttributeSet set;
  for (NativeReader reader(content); !reader.done();) {
    CARDEA_ASSIGN(const auto type, reader.value<std::uint64_t>());
    CARDEA_ASSIGN(const auto kind, reader.value<std::uint32_t>());
    if (kind == kind_boolean) {
      CARDEA_ASSIGN(const auto value, reader.value<Byte>());
      set.set_bool(type, value != 0);
    } else if (kind == kind_number) {
      CARDEA_ASSIGN(const auto value, reader.value<std::uint64_t>());
      set.set_ulong(type, value);
    } else if (kind == kind_bytes || kind == kind_mechanisms) {
      CARDEA_ASSIGN(const auto size, reader.value<std::uint64_t>());
      CARDEA_ASSIGN(const ByteView value, reader.take(size));
      set.set(type, value);
    } else {
      return error(Code::store_corrupt, "an attribute array has a value of an unknown kind");
    }
  }
  return set;
}

bool has_database(const std::filesystem::path& directory) {
  std::error_code failed;
  return std::filesystem::is_regular_file(directory / file_name, failed);
}

Result<std::vector<SourceObject>> read_database(const std::filesystem::path& directory) {
  CARDEA_ASSIGN(Connection connection, Connection::open(directory / file_name, Connection::Mode::read_only));
  std::map<std::int64_t, SourceObject> objects;
  const auto put = [&](std::int64_t id, CK_ATTRIBUTE_TYPE type, Value value) {
    const auto found = objects.find(id);
    if (found != objects.end()) found->second.values.insert_or_assign(type, std::move(value));
    return Status();
  };
  CARDEA_TRY(read_table(connection, "SELECT id, 0 FROM object ORDER BY id", [&](std::int64_t id, auto, Cursor&) {
    objects[id].name = std::to_string(id);
    return Status();
  }));
  CARDEA_TRY(read_table(connection, "SELECT object_id, type, value FROM attribute_boolean",
                        [&](auto id, auto type, Cursor& row) { return put(id, type, row.number(2) != 0); }));
  CARDEA_TRY(read_table(
      connection, "SELECT object_id, type, value FROM attribute_integer",
      [&](auto id, auto type, Cursor& row) { return put(id, type, static_cast<std::uint64_t>(row.number(2))); }));
  CARDEA_TRY(
      read_table(connection, "SELECT object_id, type, value FROM attribute_binary",
                 [&](auto id, auto type, Cursor& row) { return put(id, type, bytes_value(type, row.bytes(2))); }));
  CARDEA_TRY(read_table(connection, "SELECT object_id, type, value FROM attribute_array",
                        [&](auto id, auto type, Cursor& row) -> Status {
                          CARDEA_ASSIGN(AttributeSet value, parse_native_array(row.bytes(2)));
                          return put(id, type, std::move(value));
                        }));
  std::vector<SourceObject> list;
  for (auto& [id, object] : objects) list.push_back(std::move(object));
  return list;
}

}  // namespace cardea::keystore::softhsm
