// Lists and single rows, as every kind of row has them: narrowed by the caller's scope, in pages.
#pragma once

#include <boost/json/array.hpp>

#include "domain/store.h"
#include "http/context.h"
#include "http/services.h"
#include "http/shapes.h"

namespace cardea::http {

/// Whether the caller's right reaches this row (a job: its request). Rows about nobody are for those whose right
/// reaches everybody.
template <class T>
Result<bool> reaches(manager::Transaction& store, const manager::Actor& actor, manager::Right right, const T& row) {
  if constexpr (requires { person_of(row); }) {
    if (actor.scopes[static_cast<std::size_t>(right)] == manager::Scope::all) return true;
    const auto id = person_of(row);
    if (!id) return false;
    CARDEA_ASSIGN(const manager::Person person, store.person(*id));
    return manager::may(actor, right, person);
  } else if constexpr (std::is_same_v<T, manager::Job>) {
    // It is about whom its request is about.
    if (actor.scopes[static_cast<std::size_t>(right)] == manager::Scope::all) return true;
    CARDEA_ASSIGN(const manager::Request request, store.request(row.request));
    return reaches(store, actor, right, request);
  } else {
    return true;
  }
}

template <class T>
using ListFunction = Result<manager::Page<T>> (manager::Transaction::*)(const manager::Filter&);
template <class T>
using RowFunction = Result<T> (manager::Transaction::*)(manager::Id);

/// A page: {"items": […], "next": cursor or null}. Rows that the caller's scope does not reach are left out and further
/// ones looked at instead, up to a bound: a page that is shorter than its limit and has a cursor is not the last.
template <class T>
Result<HttpResponse> list_rows(RequestContext& context, manager::Right right, ListFunction<T> list) {
  constexpr int most_looks = 100;
  const manager::Filter asked = context.query_filter();
  CARDEA_TRY(context.query_done());
  boost::json::array items;
  std::string next;
  CARDEA_TRY(context.ports().store.read([&](manager::Transaction& store) -> Status {
    manager::Filter filter = asked;
    items.clear();
    for (int looks = 0; looks < most_looks; ++looks) {
      filter.limit = asked.limit - items.size();
      CARDEA_ASSIGN(const manager::Page<T> page, (store.*list)(filter));
      for (const T& row : page.items) {
        CARDEA_ASSIGN(const bool seen, reaches(store, context.actor(), right, row));
        if (seen) items.push_back(shape(row));
      }
      filter.cursor = next = page.cursor;
      if (next.empty() || items.size() >= asked.limit) break;
    }
    return {};
  }));
  boost::json::object body{{"items", std::move(items)}};
  body["next"] = next.empty() ? boost::json::value(nullptr) : boost::json::value(next);
  return json_answer(body);
}

/// The row whose id stands in the path. not_found; permission_denied when the caller's scope does not reach it.
template <class T>
Result<T> find_row(RequestContext& context, manager::Right right, RowFunction<T> find) {
  CARDEA_ASSIGN(const manager::Id id, context.id_part("id"));
  std::optional<T> found;
  CARDEA_TRY(context.ports().store.read([&](manager::Transaction& store) -> Status {
    CARDEA_ASSIGN(T row, (store.*find)(id));
    CARDEA_ASSIGN(const bool seen, reaches(store, context.actor(), right, row));
    if (!seen) return error(Code::permission_denied, "your rights do not reach this person");
    found = std::move(row);
    return {};
  }));
  return std::move(*found);
}

template <class T>
Result<HttpResponse> show_row(RequestContext& context, manager::Right right, RowFunction<T> find) {
  CARDEA_TRY(context.query_done());
  CARDEA_ASSIGN(const T row, find_row<T>(context, right, find));
  return entity_answer(shape(row));
}

}  // namespace cardea::http
