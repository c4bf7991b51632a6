// The file back end: one file an object, big-endian numbers (src/lib/object_store/ObjectFile.cpp and File.cpp there).
#include <algorithm>
#include <fstream>
#include <iterator>

#include "keystore/softhsm.h"

namespace cardea::keystore::softhsm {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = 16 * 1024 * 1024;
constexpr std::size_t most_mechanisms = 4096;

// Kinds of values in a file; inside an attribute array other numbers are used for the last two.
constexpr std::uint64_t kind_boolean = 1;
constexpr std::uint64_t kind_number = 2;
constexpr std::uint64_t kind_bytes = 3;
constexpr std::uint64_t kind_array = 4;
constexpr std::uint64_t kind_mechanisms = 5;

Error damaged() {
  return error(Code::store_corrupt, "the object is cut short or not SoftHSM2's");
}

/// Takes values from the front of a file's content.
class Reader {
 public:
  explicit Reader(ByteView left) : left_(left) {}
  bool done() const { return left_.empty(); }

  Result<ByteView> take(std::uint64_t size) {
    if (size > left_.size()) return damaged();
    const ByteView taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }

  Result<std::uint64_t> number() {
    CARDEA_ASSIGN(const ByteView bytes, take(8));
    std::uint64_t value = 0;
    for (const Byte byte : bytes) value = value << 8 | byte;
    return value;
  }

  Result<ByteView> counted_bytes() {
    CARDEA_ASSIGN(const std::uint64_t size, number());
    return take(size);
  }

  Result<Numbers> numbers() {
    CARDEA_ASSIGN(const std::uint64_t count, number());
    if (count > most_mechanisms) return damaged();
    Numbers values;
    for (std::uint64_t i = 0; i < count; ++i) {
      CARDEA_ASSIGN(const std::uint64_t value, number());
      values.push_back(value);
    }
    return values;
  }

 private:
  ByteView left_;
};

void set_numbers(AttributeSet& set, CK_ATTRIBUTE_TYPE type, const Numbers& numbers) {
  Bytes bytes;
  for (std::uint64_t number : numbers) {
    for (int i = 0; i < 8; ++i, number >>= 8) bytes.push_back(static_cast<Byte>(number));
  }
  set.set(type, bytes);
}

Result<AttributeSet> read_array(ByteView content) {
  AttributeSet set;
  for (Reader reader(content); !reader.done();) {
    CARDEA_ASSIGN(const std::uint64_t type, reader.number());
    CARDEA_ASSIGN(const std::uint64_t kind, reader.number());
    if (kind == kind_boolean) {
      CARDEA_ASSIGN(const ByteView value, reader.take(1));
      set.set_bool(type, value.front() != 0);
    } else if (kind == kind_number) {
      CARDEA_ASSIGN(const std::uint64_t value, reader.number());
      set.set_ulong(type, value);
    } else if (kind == kind_bytes) {
      CARDEA_ASSIGN(const ByteView value, reader.counted_bytes());
      set.set(type, value);
    } else if (kind == kind_mechanisms) {
      CARDEA_ASSIGN(const Numbers value, reader.numbers());
      set_numbers(set, type, value);
    } else {
      return damaged();
    }
  }
  return set;
}

Result<Value> read_value(Reader& reader, std::uint64_t kind) {
  switch (kind) {
    case kind_boolean: {
      CARDEA_ASSIGN(const ByteView value, reader.take(1));
      return Value(value.front() != 0);
    }
    case kind_number: {
      CARDEA_ASSIGN(const std::uint64_t value, reader.number());
      return Value(value);
    }
    case kind_bytes: {
      CARDEA_ASSIGN(const ByteView value, reader.counted_bytes());
      return Value(SecretBytes(value));
    }
    case kind_array: {
      CARDEA_ASSIGN(const ByteView content, reader.counted_bytes());
      CARDEA_ASSIGN(AttributeSet value, read_array(content));
      return Value(std::move(value));
    }
    case kind_mechanisms: {
      CARDEA_ASSIGN(Numbers value, reader.numbers());
      return Value(std::move(value));
    }
    default:
      return damaged();
  }
}

/// Through memory that is wiped: values of public secret keys stand in the file in clear.
Result<SecretBytes> read_file(const fs::path& file) {
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(file, failed);
  if (failed) return error(Code::store_corrupt, file.string() + ": " + failed.message());
  if (size > largest_file) return error(Code::store_corrupt, file.string() + " is too large");
  SecretBytes content(size);
  std::ifstream stream(file, std::ios::binary);
  stream.rdbuf()->pubsetbuf(nullptr, 0);
  stream.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(size));
  if (!stream) return error(Code::store_corrupt, file.string() + " cannot be read");
  return content;
}

Result<SourceObject> read_object(const fs::path& file) {
  CARDEA_ASSIGN(const SecretBytes content, read_file(file));
  return parse_object_file(file.filename().string(), content.view());
}

}  // namespace

ByteView SourceObject::bytes(CK_ATTRIBUTE_TYPE type) const {
  const auto found = values.find(type);
  if (found == values.end()) return {};
  const auto* const value = std::get_if<SecretBytes>(&found->second);
  return value == nullptr ? ByteView() : value->view();
}

std::uint64_t SourceObject::number(CK_ATTRIBUTE_TYPE type, std::uint64_t fallback) const {
  const auto found = values.find(type);
  if (found == values.end()) return fallback;
  const auto* const value = std::get_if<std::uint64_t>(&found->second);
  return value == nullptr ? fallback : *value;
}

bool SourceObject::flag(CK_ATTRIBUTE_TYPE type) const {
  const auto found = values.find(type);
  if (found == values.end()) return false;
  const auto* const value = std::get_if<bool>(&found->second);
  return value != nullptr && *value;
}

Result<SourceObject> parse_object_file(std::string name, ByteView content) {
  SourceObject object{.name = std::move(name), .values = {}};
  Reader reader(content);
  CARDEA_ASSIGN(const std::uint64_t generation, reader.number());
  static_cast<void>(generation);
  while (!reader.done()) {
    CARDEA_ASSIGN(const std::uint64_t type, reader.number());
    CARDEA_ASSIGN(const std::uint64_t kind, reader.number());
    CARDEA_ASSIGN(Value value, read_value(reader, kind));
    object.values.insert_or_assign(type, std::move(value));
  }
  return object;
}

Result<SourceObject> read_description(const fs::path& directory) {
  std::error_code failed;
  if (fs::exists(directory / "token.object", failed)) return read_object(directory / "token.object");
  if (!has_database(directory)) return error(Code::not_found, directory.string() + " holds no SoftHSM2 token");
  CARDEA_ASSIGN(std::vector<SourceObject> objects, read_database(directory));
  const auto found =
      std::find_if(objects.begin(), objects.end(), [](const auto& object) { return object.name == "1"; });
  if (found == objects.end()) return error(Code::store_corrupt, directory.string() + " lacks its description");
  return std::move(*found);
}

Result<SourceToken> read_token(const fs::path& directory) {
  SourceToken token;
  CARDEA_ASSIGN(token.description, read_description(directory));
  std::error_code failed;
  if (!fs::exists(directory / "token.object", failed)) {
    CARDEA_ASSIGN(token.objects, read_database(directory));
    std::erase_if(token.objects, [](const SourceObject& object) { return object.name == "1"; });
    return token;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    if (entry.path().extension() == ".object" && entry.path().filename() != "token.object") files.push_back(entry);
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    auto object = read_object(file);
    if (object) {
      token.objects.push_back(std::move(*object));
    } else {
      token.damaged.push_back(file.filename().string() + ": " + describe(object.error()));
    }
  }
  return token;
}

}  // namespace cardea::keystore::softhsm
