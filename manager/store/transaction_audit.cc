// The audit log's rows.
#include <limits>

#include "domain/audit.h"
#include "store/cursor.h"
#include "store/transaction.h"
#include "store/transaction_rows.h"

namespace cardea::manager::store {
namespace {

constexpr Kind event_kinds[] = {Kind::integer, Kind::integer, Kind::text,  Kind::text,
                                Kind::text,    Kind::text,    Kind::bytes, Kind::bytes};

Result<AuditEvent> event_of(Row row) {
  AuditEvent event;
  event.number = static_cast<std::uint64_t>(row[0].number);
  event.at = Time(std::chrono::seconds(row[1].number));
  event.actor = row[2].text;
  event.action = row[3].text;
  event.subject = row[4].text;
  CARDEA_TRY(read_document(row[5].text, event.detail));
  event.previous = to_bytes(view_of(row[6].text));
  event.hash = to_bytes(view_of(row[7].text));
  return event;
}

/// The log has no other columns to be narrowed by.
Status only_times(const Filter& filter) {
  if (filter.limit < 1 || filter.limit > 1000) return error(Code::arguments_bad, "a page has 1 to 1000 items");
  if (filter.text.empty() && filter.state.empty() && filter.kind.empty() && !filter.person && !filter.token &&
      !filter.ca && !filter.request && filter.department.empty())
    return {};
  return error(Code::arguments_bad, "the audit log can be narrowed by subject, action and time only");
}

}  // namespace

Result<std::vector<AuditEvent>> SqlTransaction::events(const std::string& rest, std::span<const Value> parameters) {
  std::vector<AuditEvent> out;
  CARDEA_TRY(query("SELECT number, at, actor, action, subject, detail, previous, hash FROM audit " + rest, parameters,
                   event_kinds, [&](Row row) -> Status {
                     CARDEA_ASSIGN(AuditEvent event, event_of(row));
                     out.push_back(std::move(event));
                     return {};
                   }));
  return out;
}

Status SqlTransaction::append(AuditEvent event) {
  // Behind the last one that was appended, not behind the last one that is there: what was cut off stays missing.
  CARDEA_ASSIGN(const auto tail, audit_tail());
  event.number = tail ? tail->number + 1 : 1;
  event.previous = tail ? tail->hash : audit_chain_start();
  CARDEA_ASSIGN(event.hash, audit_hash(event));
  const Value parameters[] = {integer(static_cast<long long>(event.number)),
                              integer(event.at.time_since_epoch().count()),
                              text(event.actor),
                              text(event.action),
                              text(event.subject),
                              text(canonical_json(event.detail)),
                              bytes(event.previous),
                              bytes(event.hash)};
  auto done = execute(
      "INSERT INTO audit (number, at, actor, action, subject, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      parameters);
  if (!done) return std::move(done).error();
  const Value last[] = {integer(static_cast<long long>(event.number)), bytes(event.hash)};
  done = execute(
      "INSERT INTO audit_tail (one, number, hash) VALUES (1, ?, ?) "
      "ON CONFLICT (one) DO UPDATE SET number = excluded.number, hash = excluded.hash",
      last);
  return done ? Status() : std::move(done).error();
}

Result<std::optional<AuditTail>> SqlTransaction::audit_tail() {
  std::optional<AuditTail> out;
  const Kind kinds[] = {Kind::integer, Kind::bytes};
  CARDEA_TRY(query("SELECT number, hash FROM audit_tail", {}, kinds, [&](Row row) -> Status {
    out = AuditTail{static_cast<std::uint64_t>(row[0].number), to_bytes(view_of(row[1].text))};
    return {};
  }));
  return out;
}

Result<std::vector<AuditEvent>> SqlTransaction::audit(std::uint64_t from_number, std::size_t limit) {
  constexpr auto greatest = static_cast<std::uint64_t>(std::numeric_limits<long long>::max());
  const Value parameters[] = {integer(static_cast<long long>(std::min(from_number, greatest))),
                              integer(static_cast<long long>(std::min<std::uint64_t>(limit, greatest)))};
  return events("WHERE number >= ? ORDER BY number LIMIT ?", parameters);
}

Result<Page<AuditEvent>> SqlTransaction::audit_events(const Filter& filter, std::string_view subject,
                                                      std::string_view action) {
  CARDEA_TRY(only_times(filter));
  const bool by_time = (filter.from || filter.to) && subject.empty() && action.empty();
  const Order order = by_time ? Order::time : Order::id;
  Position behind;
  behind.number = std::numeric_limits<long long>::min();
  if (filter.from) behind.number = filter.from->time_since_epoch().count();
  if (!filter.cursor.empty()) {
    CARDEA_ASSIGN(behind, read_cursor(order, filter.cursor));
  }
  // As in search.cc: what must not choose the index is hidden from SQLite's planner.
  const std::string_view hold = connection_.dialect() == Dialect::sqlite ? "+" : "";
  std::string rest = by_time ? "WHERE (at, number) > (?, ?)" : "WHERE number > ?";
  std::vector<Value> parameters;
  if (by_time) parameters.push_back(integer(behind.number));
  parameters.push_back(integer(behind.id));
  const auto add = [&](std::string_view condition, std::string_view held, Value value) {
    rest += fmt::format(" AND {}{}", held, condition);
    parameters.push_back(std::move(value));
  };
  if (!subject.empty()) add("subject = ?", "", text(subject));
  if (!action.empty()) add("action = ?", subject.empty() ? "" : hold, text(action));
  if (filter.from && !by_time) add("at >= ?", hold, integer(filter.from->time_since_epoch().count()));
  if (filter.to) add("at <= ?", by_time ? "" : hold, integer(filter.to->time_since_epoch().count()));
  rest += by_time ? " ORDER BY at, number LIMIT ?" : " ORDER BY number LIMIT ?";
  parameters.push_back(integer(static_cast<long long>(filter.limit) + 1));
  Page<AuditEvent> page;
  CARDEA_ASSIGN(page.items, events(rest, parameters));
  if (page.items.size() > filter.limit) {
    page.items.pop_back();
    const AuditEvent& last = page.items.back();
    page.cursor = write_cursor(order, {static_cast<Id>(last.number), "", last.at.time_since_epoch().count()});
  }
  return page;
}

Status SqlTransaction::put(const AuditHead& head) {
  const Value parameters[] = {integer(static_cast<long long>(head.number)), integer(head.at.time_since_epoch().count()),
                              bytes(head.hash), bytes(head.signature)};
  auto done = execute("INSERT INTO audit_heads (number, at, hash, signature) VALUES (?, ?, ?, ?)", parameters);
  return done ? Status() : std::move(done).error();
}

Result<std::optional<AuditHead>> SqlTransaction::last_audit_head() {
  std::optional<AuditHead> out;
  const Kind kinds[] = {Kind::integer, Kind::integer, Kind::bytes, Kind::bytes};
  CARDEA_TRY(query("SELECT number, at, hash, signature FROM audit_heads ORDER BY number DESC LIMIT 1", {}, kinds,
                   [&](Row row) -> Status {
                     out =
                         AuditHead{static_cast<std::uint64_t>(row[0].number), Time(std::chrono::seconds(row[1].number)),
                                   to_bytes(view_of(row[2].text)), to_bytes(view_of(row[3].text))};
                     return {};
                   }));
  return out;
}

}  // namespace cardea::manager::store
