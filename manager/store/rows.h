// Values of the model as rows, by the columns that columns.h names.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "store/codec.h"
#include "store/columns.h"
#include "store/tables.h"

namespace cardea::manager::store {

/// Collects names and kinds. Read: those that are members; written: derived ones too.
struct ColumnNames {
  std::vector<std::string> read, written;
  std::vector<Kind> read_kinds;

  template <class T>
  void operator()(const char* column, const T&) {
    read.emplace_back(column);
    written.emplace_back(column);
    read_kinds.push_back(Codec<T>::kind);
  }
  void reference(const char* column, const Id& id) { (*this)(column, id); }
  template <class Make>
  void derived(const char* column, const Make&) {
    written.emplace_back(column);
  }
};

/// Makes the cells of ColumnNames::written.
struct RowWriter {
  std::vector<Value> cells;
  Status status = {};

  template <class T>
  void operator()(const char*, const T& member) {
    cells.push_back(Codec<T>::write(member));
  }
  void reference(const char*, const Id& id) { cells.push_back(id == 0 ? none(Kind::integer) : integer(id)); }
  template <class Make>
  void derived(const char*, const Make& make) {
    Result<Value> made = make();
    if (!made && status) status = made.error();
    cells.push_back(made ? std::move(*made) : none(Kind::text));
  }
};

/// Fills a value from the cells of ColumnNames::read.
struct RowReader {
  Row cells;
  std::size_t at = 0;
  Status status = {};

  template <class T>
  void operator()(const char*, T& member) {
    const Value& cell = cells[at++];
    if (!status) return;
    status = Codec<T>::read(cell, member);
  }
  void reference(const char* column, Id& id) { (*this)(column, id); }
  template <class Make>
  void derived(const char*, const Make&) {}
};

/// The SQL of an entity, made once for each kind.
struct EntitySql {
  std::string columns;      ///< "id, revision, …" as RowReader wants them
  std::vector<Kind> kinds;  ///< of those
  std::string insert, update, get, exists;
};

template <class T>
EntitySql make_entity_sql() {
  ColumnNames names;
  const T value{};
  columns(names, value);
  const std::string_view table = table_of<T>().name;
  std::string assignments, marks;
  for (const std::string& column : names.written) {
    assignments += fmt::format("{} = ?, ", column);
    marks += marks.empty() ? "?" : ", ?";
  }
  EntitySql sql;
  sql.columns = fmt::format("id, revision, {}", fmt::join(names.read, ", "));
  sql.kinds = {Kind::integer, Kind::integer};
  sql.kinds.insert(sql.kinds.end(), names.read_kinds.begin(), names.read_kinds.end());
  sql.insert = fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING id", table,
                           fmt::join(names.written, ", "), marks);
  sql.update = fmt::format("UPDATE {} SET {}revision = revision + 1 WHERE id = ? AND revision = ?", table, assignments);
  sql.get = fmt::format("SELECT {} FROM {} WHERE id = ?", sql.columns, table);
  sql.exists = fmt::format("SELECT revision FROM {} WHERE id = ?", table);
  return sql;
}

/// Never destroyed, so threads may use it while the process ends.
template <class T>
const EntitySql& entity_sql() {
  static const EntitySql& sql = *new EntitySql(make_entity_sql<T>());
  return sql;
}

template <class T>
Result<std::vector<Value>> cells_of(const T& value) {
  RowWriter writer;
  columns(writer, value);
  CARDEA_TRY(writer.status);
  return std::move(writer.cells);
}

template <class T>
Result<T> value_of(Row row) {
  T value;
  value.id = row[0].number;
  value.revision = row[1].number;
  RowReader reader{row.subspan(2)};
  columns(reader, value);
  CARDEA_TRY(reader.status);
  return value;
}

}  // namespace cardea::manager::store
