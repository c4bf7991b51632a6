// What a list of each entity can be narrowed by and how it is ordered; see search.h.
#pragma once

#include <span>
#include <string_view>

#include "domain/model.h"

namespace cardea::manager::store {

/// A column that the text of a filter is looked for in, and what may stand before the text there ("cn=" of a subject).
struct Searched {
  std::string_view column;
  std::string_view before = {};
};

/// What a list can be narrowed by. An empty member: not by this. `person`, `department` and `request` are conditions in
/// SQL with one parameter.
struct Table {
  std::string_view name;
  std::string_view what;  ///< for sentences: "people"
  std::span<const Searched> searched = {};
  std::string_view time = "created";  ///< what `from` and `to` compare
  bool state = false;
  bool state_by_time = false;  ///< an index has the rows of a state in the order of time
  bool kind = false;
  std::string_view person = {};
  std::string_view token = {};
  std::string_view ca = {};
  std::string_view request = {};
  std::string_view department = {};
};

template <class T>
const Table& table_of();

}  // namespace cardea::manager::store
