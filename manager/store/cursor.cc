#include "store/cursor.h"

#include <fmt/format.h>

#include <charconv>

#include "store/fold.h"

namespace cardea::manager::store {
namespace {

constexpr std::string_view letters = "int";

bool number_of(std::string_view text, long long& out) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string write_cursor(Order order, const Position& position) {
  const char letter = letters[static_cast<std::size_t>(order)];
  if (order == Order::id) return fmt::format("{}{}", letter, position.id);
  if (order == Order::time) return fmt::format("{}{}.{}", letter, position.id, position.number);
  return fmt::format("{}{}.{}", letter, position.id, to_hex(view_of(position.text)));
}

Result<Position> read_cursor(Order order, std::string_view cursor) {
  Position position;
  const std::size_t dot = cursor.find('.');
  const std::string_view key = dot == cursor.npos ? std::string_view() : cursor.substr(dot + 1);
  bool right = !cursor.empty() && cursor[0] == letters[static_cast<std::size_t>(order)];
  long long id = 0;
  right = right && number_of(cursor.substr(1, dot == cursor.npos ? dot : dot - 1), id) && id >= 0;
  right = right && (order == Order::id) == (dot == cursor.npos);
  position.id = id;
  if (order == Order::time) right = right && number_of(key, position.number);
  if (order == Order::text) {
    Bytes raw;
    right = right && from_hex(key, raw) && check_text(text_of(raw));
    position.text = std::string(text_of(raw));
  }
  if (!right) return error(Code::arguments_bad, "the cursor does not belong to this list");
  return position;
}

}  // namespace cardea::manager::store
