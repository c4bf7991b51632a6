// Cursors as clients hold them: opaque to them, checked when they come back.
#pragma once

#include <string>
#include <string_view>

#include "store/search.h"

namespace cardea::manager::store {

/// What a list is in the order of.
enum class Order : std::uint8_t { id, time, text };

std::string write_cursor(Order order, const Position& position);
/// arguments_bad for one that no list in that order gave.
Result<Position> read_cursor(Order order, std::string_view cursor);

}  // namespace cardea::manager::store
