// What goes into and comes out of a row, independent of database and driver.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::manager::store {

enum class Kind : std::uint8_t { integer, text, bytes };

/// One cell. `text` holds the bytes of the kind `bytes` as well.
struct Value {
  Kind kind = Kind::integer;
  bool null = false;
  long long number = 0;
  std::string text = {};
};

inline Value integer(long long number) {
  return {.kind = Kind::integer, .number = number};
}
inline Value text(std::string_view text) {
  return {.kind = Kind::text, .text = std::string(text)};
}
inline Value bytes(ByteView bytes) {
  return {.kind = Kind::bytes, .text = std::string(text_of(bytes))};
}
inline Value none(Kind kind) {
  return {.kind = kind, .null = true};
}

/// The cells of one row; valid during the call only.
using Row = std::span<const Value>;
/// Takes a row; an error ends the query and is its result.
using RowSink = std::function<Status(Row)>;

}  // namespace cardea::manager::store
