// Reading SoftHSM2's tokens (version 2.x): its object files, its SQLite database, its key under a PIN.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "token/object.h"

namespace cardea::keystore::softhsm {

/// Attribute types of the object that describes a token (src/lib/object_store/OSAttributes.h there).
inline constexpr CK_ATTRIBUTE_TYPE token_label = CKA_VENDOR_DEFINED + 0x5348 + 1;
inline constexpr CK_ATTRIBUTE_TYPE token_serial = CKA_VENDOR_DEFINED + 0x5348 + 2;
inline constexpr CK_ATTRIBUTE_TYPE so_pin_blob = CKA_VENDOR_DEFINED + 0x5348 + 4;
inline constexpr CK_ATTRIBUTE_TYPE user_pin_blob = CKA_VENDOR_DEFINED + 0x5348 + 5;

using Numbers = std::vector<std::uint64_t>;
/// bool; number; bytes (encrypted in private objects); mechanisms; attribute array.
using Value = std::variant<bool, std::uint64_t, SecretBytes, Numbers, AttributeSet>;

struct SourceObject {
  std::string name;  ///< for reports: the file's name or the row's number
  std::map<CK_ATTRIBUTE_TYPE, Value> values;

  /// The bytes of an attribute; empty when it is absent or of another kind.
  ByteView bytes(CK_ATTRIBUTE_TYPE type) const;
  std::uint64_t number(CK_ATTRIBUTE_TYPE type, std::uint64_t fallback) const;
  bool flag(CK_ATTRIBUTE_TYPE type) const;
};

struct SourceToken {
  SourceObject description;
  std::vector<SourceObject> objects;
  std::vector<std::string> damaged;  ///< one sentence for each object that cannot be read
};

/// Reads a token's directory, whichever back end wrote it. not_found when it holds no token, store_corrupt when its
/// description cannot be read.
Result<SourceToken> read_token(const std::filesystem::path& directory);
/// Only the description.
Result<SourceObject> read_description(const std::filesystem::path& directory);

Result<SourceObject> parse_object_file(std::string name, ByteView content);
/// An attribute array as the database back end lays it out.
Result<AttributeSet> parse_native_array(ByteView content);

bool has_database(const std::filesystem::path& directory);
/// All objects of the SQLite back end; the token's description is the object with the name "1".
Result<std::vector<SourceObject>> read_database(const std::filesystem::path& directory);

/// The token's key from the blob kept under a PIN. pin_incorrect, store_corrupt.
Result<SecretBytes> unlock(ByteView blob, const Pin& pin);
/// A value of a private object. store_corrupt.
Result<SecretBytes> decrypt(const SecretBytes& key, ByteView value);

}  // namespace cardea::keystore::softhsm
