// The part of SqlTransaction that is the same for every entity.
#pragma once

#include "store/rows.h"
#include "store/search.h"
#include "store/transaction.h"

namespace cardea::manager::store {

template <class T>
Result<Id> SqlTransaction::insert_row(const T& value) {
  CARDEA_ASSIGN(const std::vector<Value> cells, cells_of(value));
  Id id = 0;
  const Kind column[] = {Kind::integer};
  CARDEA_TRY(query(entity_sql<T>().insert, cells, column, [&](Row row) -> Status {
    id = row[0].number;
    return {};
  }));
  if (id == 0) return error(Code::exists, fmt::format("there is another among the {}", table_of<T>().what));
  changed_[{&table_of<T>(), id}] = 0;
  return id;
}

template <class T>
Error SqlTransaction::not_updated(Id id) {
  bool there = false;
  const Value parameters[] = {integer(id)};
  const Kind column[] = {Kind::integer};
  const Status asked = query(entity_sql<T>().exists, parameters, column, [&](Row) -> Status {
    there = true;
    return {};
  });
  if (!asked) return asked.error();
  if (!there) return error(Code::not_found, fmt::format("number {} is not among the {}", id, table_of<T>().what));
  return error(Code::key_changed, fmt::format("number {} of the {} was changed meanwhile", id, table_of<T>().what));
}

template <class T>
Status SqlTransaction::update_row(const T& value) {
  CARDEA_ASSIGN(std::vector<Value> cells, cells_of(value));
  const auto known = changed_.find({&table_of<T>(), value.id});
  const Revision revision = known == changed_.end() ? value.revision : known->second;
  cells.push_back(integer(value.id));
  cells.push_back(integer(revision));
  CARDEA_ASSIGN(const long long rows, execute(entity_sql<T>().update, cells));
  if (rows == 0) return not_updated<T>(value.id);
  changed_[{&table_of<T>(), value.id}] = revision + 1;
  return {};
}

template <class T>
Result<std::optional<T>> SqlTransaction::find(std::string_view condition, std::span<const Value> parameters) {
  std::optional<T> found;
  const EntitySql& sql = entity_sql<T>();
  CARDEA_TRY(query(
      fmt::format("SELECT {} FROM {} WHERE {} ORDER BY id DESC LIMIT 1", sql.columns, table_of<T>().name, condition),
      parameters, sql.kinds, [&](Row row) -> Status {
        CARDEA_ASSIGN(found, value_of<T>(row));
        return {};
      }));
  return found;
}

template <class T>
Result<T> SqlTransaction::need(std::string_view condition, std::span<const Value> parameters, std::string_view what) {
  CARDEA_ASSIGN(std::optional<T> found, find<T>(condition, parameters));
  if (!found) return error(Code::not_found, fmt::format("{} is not among the {}", what, table_of<T>().what));
  return std::move(*found);
}

template <class T>
Result<T> SqlTransaction::by_name(std::string_view name, std::string_view what) {
  CARDEA_ASSIGN(const std::string key, fold(name));
  const Value parameters[] = {text(key)};
  return need<T>("name_key = ?", parameters, what);
}

template <class T>
Result<Page<T>> SqlTransaction::list(const Filter& filter) {
  CARDEA_TRY(state_);
  const EntitySql& sql = entity_sql<T>();
  Result<Found> found = search(connection_, table_of<T>(), filter, sql.columns, sql.kinds);
  if (!found) {
    // A filter that makes no sense harms nobody.
    if (found.code() != Code::arguments_bad && found.code() != Code::data_invalid) state_ = found.error();
    return std::move(found).error();
  }
  Page<T> page;
  page.cursor = std::move(found->cursor);
  for (const std::vector<Value>& row : found->rows) {
    CARDEA_ASSIGN(T value, value_of<T>(row));
    page.items.push_back(std::move(value));
  }
  return page;
}

}  // namespace cardea::manager::store
