#include "token/attribute_set.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace cardea {
namespace {

constexpr std::size_t type_size = 8;
constexpr std::size_t length_size = 4;

/// Little-endian whatever the machine, so that a store can move between machines. Fixed widths, because every call of
/// the module walks through attributes several times and a load of one word costs an eighth of eight loads of a byte.
template <class Number>
Number load_little(const Byte* from) noexcept {
  Number value;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, from, sizeof value);
  } else {
    value = 0;
    for (std::size_t i = sizeof value; i-- > 0;) value = value << 8 | from[i];
  }
  return value;
}

std::uint64_t load_type(const Byte* from) noexcept {
  return load_little<std::uint64_t>(from);
}

std::uint32_t load_length(const Byte* from) noexcept {
  return load_little<std::uint32_t>(from);
}

void store_little(std::uint64_t value, Byte* to, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i, value >>= 8) to[i] = static_cast<Byte>(value);
}

}  // namespace

Result<AttributeSet> AttributeSet::parse(ByteView serialised) {
  std::optional<CK_ATTRIBUTE_TYPE> previous;
  for (std::size_t offset = 0; offset < serialised.size();) {
    const std::size_t left = serialised.size() - offset;
    if (left < header_size) return error(Code::store_corrupt, "attribute header cut short");
    const CK_ATTRIBUTE_TYPE type = load_type(&serialised[offset]);
    const std::size_t length = load_length(&serialised[offset + type_size]);
    if (length > left - header_size) return error(Code::store_corrupt, "attribute value cut short");
    if (previous && type <= *previous) return error(Code::store_corrupt, "attributes out of order");
    previous = type;
    offset += header_size + length;
  }
  AttributeSet set;
  set.block_.assign(serialised.begin(), serialised.end());
  return set;
}

AttributeSet::Entry AttributeSet::entry_at(std::size_t offset) const noexcept {
  const Byte* const header = block_.data() + offset;
  return {load_type(header), {header + header_size, load_length(header + type_size)}};
}

std::size_t AttributeSet::lower_bound(CK_ATTRIBUTE_TYPE type) const noexcept {
  std::size_t offset = 0;
  while (offset < block_.size()) {
    const Entry entry = entry_at(offset);
    if (entry.type >= type) break;
    offset += header_size + entry.value.size();
  }
  return offset;
}

std::optional<ByteView> AttributeSet::get(CK_ATTRIBUTE_TYPE type) const noexcept {
  const std::size_t offset = lower_bound(type);
  if (offset == block_.size()) return std::nullopt;
  const Entry entry = entry_at(offset);
  if (entry.type != type) return std::nullopt;
  return entry.value;
}

bool AttributeSet::get_bool(CK_ATTRIBUTE_TYPE type, bool fallback) const noexcept {
  const auto value = get(type);
  return value && value->size() == 1 ? value->front() != CK_FALSE : fallback;
}

std::optional<CK_ULONG> AttributeSet::get_ulong(CK_ATTRIBUTE_TYPE type) const noexcept {
  const auto value = get(type);
  if (!value || value->size() != type_size) return std::nullopt;
  return load_type(value->data());
}

CK_ULONG AttributeSet::get_ulong(CK_ATTRIBUTE_TYPE type, CK_ULONG fallback) const noexcept {
  return get_ulong(type).value_or(fallback);
}

void AttributeSet::set(CK_ATTRIBUTE_TYPE type, ByteView value) {
  const std::size_t offset = lower_bound(type);
  std::size_t replaced = 0;
  if (offset < block_.size()) {
    const Entry entry = entry_at(offset);
    if (entry.type == type) replaced = header_size + entry.value.size();
  }
  // A new block of exactly the right size: no slack remains in ten thousand objects, and `value` may lie in the old
  // one.
  Bytes block(block_.size() - replaced + header_size + value.size());
  Byte* to = std::copy_n(block_.data(), offset, block.data());
  store_little(type, to, type_size);
  store_little(value.size(), to + type_size, length_size);
  to = std::copy(value.begin(), value.end(), to + header_size);
  std::copy(block_.begin() + static_cast<std::ptrdiff_t>(offset + replaced), block_.end(), to);
  block_ = std::move(block);
}

void AttributeSet::set_bool(CK_ATTRIBUTE_TYPE type, bool value) {
  const Byte byte = value ? 1 : 0;
  set(type, {&byte, 1});
}

void AttributeSet::set_ulong(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  std::array<Byte, type_size> bytes{};
  store_little(value, bytes.data(), bytes.size());
  set(type, bytes);
}

void AttributeSet::erase(CK_ATTRIBUTE_TYPE type) {
  const std::size_t offset = lower_bound(type);
  if (offset == block_.size()) return;
  const Entry entry = entry_at(offset);
  if (entry.type != type) return;
  const auto first = block_.begin() + static_cast<std::ptrdiff_t>(offset);
  block_.erase(first, first + static_cast<std::ptrdiff_t>(header_size + entry.value.size()));
}

std::size_t AttributeSet::count() const noexcept {
  std::size_t count = 0;
  for_each([&count](const Entry&) { ++count; });
  return count;
}

}  // namespace cardea
