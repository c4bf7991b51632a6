// The attributes of an object, in one compact block of memory, and the attributes that must stay secret.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "cryptoki/cryptoki.h"

namespace cardea {

/// Attribute values by type, sorted by type, in one allocation: ten thousand objects must fit in a few megabytes.
/// Booleans are one byte, numbers eight bytes little-endian, dates eight characters or empty, everything else bytes.
/// Attribute arrays (CKA_WRAP_TEMPLATE and its kin) hold a nested serialised AttributeSet; CKA_ALLOWED_MECHANISMS holds
/// numbers one after the other. The block itself is the serialised form that stores keep.
class AttributeSet {
 public:
  /// One attribute while iterating.
  struct Entry {
    CK_ATTRIBUTE_TYPE type;
    ByteView value;
  };

  AttributeSet() = default;

  /// Reads a serialised block; store_corrupt when it is truncated, unsorted or contradicts itself.
  static Result<AttributeSet> parse(ByteView serialised);
  ByteView serialised() const noexcept { return block_; }

  std::optional<ByteView> get(CK_ATTRIBUTE_TYPE type) const noexcept;
  bool has(CK_ATTRIBUTE_TYPE type) const noexcept { return get(type).has_value(); }
  bool get_bool(CK_ATTRIBUTE_TYPE type, bool fallback = false) const noexcept;
  std::optional<CK_ULONG> get_ulong(CK_ATTRIBUTE_TYPE type) const noexcept;
  CK_ULONG get_ulong(CK_ATTRIBUTE_TYPE type, CK_ULONG fallback) const noexcept;

  void set(CK_ATTRIBUTE_TYPE type, ByteView value);
  void set_text(CK_ATTRIBUTE_TYPE type, std::string_view text) { set(type, view_of(text)); }
  void set_bool(CK_ATTRIBUTE_TYPE type, bool value);
  void set_ulong(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  void erase(CK_ATTRIBUTE_TYPE type);

  std::size_t count() const noexcept;
  std::size_t memory() const noexcept { return block_.capacity(); }

  /// Calls visit(Entry) in ascending order of type.
  template <class F>
  void for_each(F&& visit) const {
    for (std::size_t offset = 0; offset < block_.size();) {
      const Entry entry = entry_at(offset);
      offset += header_size + entry.value.size();
      visit(entry);
    }
  }

  bool operator==(const AttributeSet& other) const noexcept { return block_ == other.block_; }

 private:
  static constexpr std::size_t header_size = 12;  // type: 8 bytes little-endian, length: 4 bytes little-endian
  Entry entry_at(std::size_t offset) const noexcept;
  std::size_t lower_bound(CK_ATTRIBUTE_TYPE type) const noexcept;

  Bytes block_;
};

/// Secret values by attribute type (CKA_VALUE of a secret key, CKA_PRIVATE_EXPONENT …). Move-only, like its values.
using SecretAttributes = std::map<CK_ATTRIBUTE_TYPE, SecretBytes>;

}  // namespace cardea
