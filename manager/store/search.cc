#include "store/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "store/cursor.h"
#include "store/fold.h"

namespace cardea::manager::store {
namespace {

constexpr std::size_t largest_page = 1000;
// Behind every text that begins with what stands before it: the last code point, in UTF-8.
constexpr std::string_view last_of_all = "\xF4\x8F\xBF\xBF";

/// One condition. Those that leave few rows come first in `conditions_of`; the first one drives the query.
struct Condition {
  std::string sql;
  std::vector<Value> parameters;
  bool few = false;      ///< leaves some hundred rows at most
  bool by_time = false;  ///< an index has what it leaves in the order of time
};

Order order_of(const Filter& filter) {
  if (!filter.text.empty()) return Order::text;
  return filter.from || filter.to ? Order::time : Order::id;
}

Error cannot_narrow(const Table& table, std::string_view by) {
  return error(Code::arguments_bad, fmt::format("{} cannot be narrowed by {}", table.what, by));
}

Result<std::vector<Condition>> conditions_of(const Table& table, const Filter& filter) {
  std::vector<Condition> out;
  const auto by_id = [&](std::string_view sql, const std::optional<Id>& id, bool few, std::string_view by) -> Status {
    if (!id) return {};
    if (sql.empty()) return cannot_narrow(table, by);
    out.push_back({std::string(sql), {integer(*id)}, few});
    return {};
  };
  CARDEA_TRY(by_id(table.request, filter.request, true, "request"));
  CARDEA_TRY(by_id(table.token, filter.token, true, "token"));
  CARDEA_TRY(by_id(table.person, filter.person, true, "person"));
  if (!filter.department.empty()) {
    if (table.department.empty()) return cannot_narrow(table, "department");
    CARDEA_ASSIGN(const std::string key, fold(filter.department));
    out.push_back({std::string(table.department), {text(key)}});
  }
  CARDEA_TRY(by_id(table.ca, filter.ca, false, "ca"));
  const auto by_word = [&](bool has, bool by_time, std::string_view column, const std::string& word) -> Status {
    if (word.empty()) return {};
    if (!has) return cannot_narrow(table, column);
    out.push_back({fmt::format("{} = ?", column), {text(word)}, false, by_time});
    return {};
  };
  CARDEA_TRY(by_word(table.state, table.state_by_time, "state", filter.state));
  CARDEA_TRY(by_word(table.kind, false, "kind", filter.kind));
  return out;
}

long long seconds(const std::optional<Time>& time, long long otherwise) {
  return time ? static_cast<long long>(time->time_since_epoch().count()) : otherwise;
}

/// A query under construction.
class Builder {
 public:
  Builder(const Table& table, std::string_view columns, Dialect dialect) : dialect_(dialect) {
    query_.sql = fmt::format("SELECT {}", columns);
    for (const Searched& searched : table.searched) query_.sql += fmt::format(", {}", searched.column);
    query_.sql += fmt::format(" FROM {} WHERE ", table.name);
  }

  /// `held`: an index must not be chosen for it. SQLite's planner knows nothing of how many rows a value has and takes
  /// a state for as good as a serial number; a plus sign hides the column from it (sqlite.org/optoverview.html, 2).
  void add(std::string_view sql, std::vector<Value> parameters, bool held) {
    if (!first_) query_.sql += " AND ";
    first_ = false;
    if (held && dialect_ == Dialect::sqlite && !sql.starts_with("id ")) query_.sql += '+';
    query_.sql += sql;
    for (Value& value : parameters) query_.parameters.push_back(std::move(value));
  }

  Query finish(std::string_view order, std::size_t limit) {
    query_.sql += fmt::format(" ORDER BY {} LIMIT ?", order);
    query_.parameters.push_back(integer(static_cast<long long>(limit)));
    return std::move(query_);
  }

 private:
  Dialect dialect_;
  Query query_;
  bool first_ = true;
};

struct Plan {
  const Table& table;
  const Filter& filter;
  std::string_view columns;
  Dialect dialect;
  Order order;
  std::optional<Position> position;
  std::vector<Condition> conditions;

  bool few() const { return !conditions.empty() && conditions.front().few; }
};

/// Conditions beside the order's own; the first drives the query unless the order does, alone or together with one that
/// has an index in this order.
void add_conditions(const Plan& plan, Builder& builder) {
  const bool order_drives = plan.order != Order::id && !plan.few();
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const Condition& one = plan.conditions[i];
    const bool together = order_drives && plan.order == Order::time && one.by_time;
    builder.add(one.sql, one.parameters, !together && (order_drives || i > 0));
  }
}

void add_times(const Plan& plan, Builder& builder) {
  if (plan.filter.from)
    builder.add(fmt::format("{} >= ?", plan.table.time), {integer(seconds(plan.filter.from, 0))}, true);
  if (plan.filter.to) builder.add(fmt::format("{} <= ?", plan.table.time), {integer(seconds(plan.filter.to, 0))}, true);
}

Query by_id(const Plan& plan) {
  Builder builder(plan.table, plan.columns, plan.dialect);
  add_conditions(plan, builder);
  builder.add("id > ?", {integer(plan.position ? plan.position->id : 0)}, false);
  return builder.finish("id", plan.filter.limit + 1);
}

Query by_time(const Plan& plan) {
  Builder builder(plan.table, plan.columns, plan.dialect);
  const std::string_view time = plan.table.time;
  const long long from = seconds(plan.filter.from, std::numeric_limits<long long>::min());
  const std::string_view hold = plan.few() && plan.dialect == Dialect::sqlite ? "+" : "";
  builder.add(fmt::format("({}{}, id) > (?, ?)", hold, time),
              {integer(plan.position ? plan.position->number : from), integer(plan.position ? plan.position->id : 0)},
              false);
  if (plan.filter.to) builder.add(fmt::format("{} <= ?", time), {integer(seconds(plan.filter.to, 0))}, plan.few());
  add_conditions(plan, builder);
  return builder.finish(fmt::format("{}, id", time), plan.filter.limit + 1);
}

/// Rows whose column begins with `beginning`, behind the position.
Query by_text(const Plan& plan, std::string_view column, const std::string& beginning) {
  Builder builder(plan.table, plan.columns, plan.dialect);
  Position behind;
  behind.text = beginning;
  // A position of another column's text stands before or behind all of this one's.
  if (plan.position && plan.position->text >= beginning) behind = *plan.position;
  const std::string_view hold = plan.few() && plan.dialect == Dialect::sqlite ? "+" : "";
  builder.add(fmt::format("({}{}, id) > (?, ?)", hold, column), {text(behind.text), integer(behind.id)}, false);
  builder.add(fmt::format("{} < ?", column), {text(beginning + std::string(last_of_all))}, plan.few());
  // The index of serial numbers leaves out what has none.
  if (column == "serial") builder.add("serial <> ''", {}, plan.few());
  add_times(plan, builder);
  add_conditions(plan, builder);
  return builder.finish(fmt::format("{}, id", column), plan.filter.limit + 1);
}

Result<Plan> plan_of(const Table& table, const Filter& filter, std::string_view columns, Dialect dialect) {
  if (filter.limit < 1 || filter.limit > largest_page)
    return error(Code::arguments_bad, fmt::format("a page has 1 to {} items", largest_page));
  if (!filter.text.empty() && table.searched.empty()) return cannot_narrow(table, "text");
  Plan plan{table, filter, columns, dialect, order_of(filter), {}, {}};
  if (!filter.cursor.empty()) {
    CARDEA_ASSIGN(plan.position, read_cursor(plan.order, filter.cursor));
  }
  CARDEA_ASSIGN(plan.conditions, conditions_of(table, filter));
  return plan;
}

}  // namespace

Result<std::vector<Query>> queries_of(const Table& table, const Filter& filter, std::string_view columns,
                                      Dialect dialect) {
  CARDEA_ASSIGN(const Plan plan, plan_of(table, filter, columns, dialect));
  std::vector<Query> out;
  if (plan.order == Order::id) out.push_back(by_id(plan));
  if (plan.order == Order::time) out.push_back(by_time(plan));
  if (plan.order == Order::text) {
    CARDEA_ASSIGN(const std::string beginning, fold(filter.text));
    for (const Searched& searched : table.searched)
      out.push_back(by_text(plan, searched.column, std::string(searched.before) + beginning));
  }
  return out;
}

namespace {

/// A row found, with what it is ordered by.
struct Hit {
  Position position;
  std::vector<Value> row;
};

bool before(const Hit& a, const Hit& b) {
  if (const int order = a.position.text.compare(b.position.text); order != 0) return order < 0;
  if (a.position.number != b.position.number) return a.position.number < b.position.number;
  return a.position.id < b.position.id;
}

/// Merges what the queries of a page found.
class Merge {
 public:
  /// `columns`: how many come before the searched ones; in the order of time the last of them is the time.
  Merge(std::size_t limit, Order order, std::size_t columns) : limit_(limit), order_(order), columns_(columns) {}

  Status take(Connection& connection, const Query& query, std::size_t source, const std::string& beginning,
              std::span<const Kind> kinds) {
    const std::size_t first = hits_.size();
    beginnings_.push_back(beginning);
    CARDEA_TRY(connection.query(query.sql, query.parameters, kinds, [&](Row row) -> Status {
      Hit hit;
      hit.row.assign(row.begin(), row.end());
      hit.position.id = row[0].number;
      if (order_ == Order::text) hit.position.text = row[columns_ + source].text;
      if (order_ == Order::time) hit.position.number = row[columns_ - 1].number;
      hits_.push_back(std::move(hit));
      return {};
    }));
    // Behind the last row of a query that was cut off there may be more: nothing further can be merged yet.
    if (hits_.size() - first > limit_ && (!end_ || before(hits_.back(), *end_))) end_ = hits_.back();
    return {};
  }

  Found finish() {
    std::sort(hits_.begin(), hits_.end(), before);
    Found found;
    std::optional<Position> last;
    bool more = false;
    for (Hit& hit : hits_) {
      more = found.rows.size() == limit_ || (end_ && before(*end_, hit));
      if (more) break;
      last = hit.position;
      if (shown_before(hit)) continue;
      hit.row.resize(columns_);
      found.rows.push_back(std::move(hit.row));
    }
    if ((more || end_) && last) found.cursor = write_cursor(order_, *last);
    return found;
  }

 private:
  /// Whether the row also begins with the text in another column that sorts earlier, where it was listed.
  bool shown_before(const Hit& hit) const {
    if (order_ != Order::text) return false;
    std::size_t here = 0;  // how many columns list it exactly here: only the first of them counts
    for (std::size_t i = 0; i < beginnings_.size(); ++i) {
      const std::string& key = hit.row[columns_ + i].text;
      if (!key.starts_with(beginnings_[i])) continue;
      if (key < hit.position.text) return true;
      if (key == hit.position.text) ++here;
    }
    if (here < 2) return false;
    const bool seen = last_here_ == hit.position.id;
    last_here_ = hit.position.id;
    return seen;
  }

  std::size_t limit_;
  Order order_;
  std::size_t columns_;
  std::vector<std::string> beginnings_;
  std::vector<Hit> hits_;
  std::optional<Hit> end_;
  mutable Id last_here_ = 0;
};

}  // namespace

namespace {

Result<Found> page(Connection& connection, const Table& table, const Filter& filter, std::string_view columns,
                   std::vector<Kind> kinds) {
  const Order order = order_of(filter);
  std::string selected(columns);
  if (order == Order::time) {
    selected += fmt::format(", {}", table.time);
    kinds.push_back(Kind::integer);
  }
  const std::size_t own = kinds.size();
  kinds.insert(kinds.end(), table.searched.size(), Kind::text);
  CARDEA_ASSIGN(const std::vector<Query> queries, queries_of(table, filter, selected, connection.dialect()));
  CARDEA_ASSIGN(const std::string beginning, fold(filter.text));
  Merge merge(filter.limit, order, own);
  for (std::size_t i = 0; i < queries.size(); ++i)
    CARDEA_TRY(merge.take(connection, queries[i], i,
                          order == Order::text ? std::string(table.searched[i].before) + beginning : "", kinds));
  return merge.finish();
}

}  // namespace

Result<Found> search(Connection& connection, const Table& table, const Filter& filter, std::string_view columns,
                     const std::vector<Kind>& kinds) {
  Filter next = filter;
  while (true) {
    CARDEA_ASSIGN(Found found, page(connection, table, next, columns, kinds));
    // A page of nothing but rows that were listed under another column is none.
    if (!found.rows.empty() || found.cursor.empty()) return found;
    next.cursor = found.cursor;
  }
}

}  // namespace cardea::manager::store
