// The audit log.
#include <boost/json.hpp>

#include "domain/audit_log.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {

using manager::AuditEvent;
using manager::Transaction;

Result<HttpResponse> list_audit_events(RequestContext& context) {
  const std::string subject = context.query_text("subject");
  const std::string action = context.query_text("action");
  const manager::Filter filter = context.query_filter();
  CARDEA_TRY(context.query_done());
  CARDEA_TRY(manager::require_over_all(context.actor(), manager::Right::audit_read));
  boost::json::array items;
  std::string next;
  CARDEA_TRY(context.ports().store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const auto page, store.audit_events(filter, subject, action));
    items.clear();
    for (const AuditEvent& event : page.items) items.push_back(shape(event));
    next = page.cursor;
    return {};
  }));
  boost::json::object body{{"items", std::move(items)}};
  body["next"] = next.empty() ? boost::json::value(nullptr) : boost::json::value(next);
  return json_answer(body);
}

Result<HttpResponse> verify_audit(RequestContext& context) {
  CARDEA_TRY(context.query_done());
  CARDEA_ASSIGN(const manager::AuditVerdict verdict, manager::verify_audit_log(context.ports(), context.actor()));
  return json_answer({{"events", verdict.events},
                      {"intact", verdict.intact},
                      {"problem", verdict.problem},
                      {"head_verified", verdict.head_verified}});
}

// In pieces of a bounded size: the client asks again from where one ended.
Result<HttpResponse> export_audit(RequestContext& context) {
  constexpr std::size_t largest_piece = 4 * 1024 * 1024;
  const auto from = context.query_number("from", 1, std::numeric_limits<std::int64_t>::max()).value_or(1);
  CARDEA_TRY(context.query_done());
  HttpResponse response;
  response.content_type = "application/jsonl";
  std::int64_t next = from;
  bool full = false;
  const Status exported = manager::export_audit_log(
      context.ports(), context.actor(), static_cast<std::uint64_t>(from), [&](std::string_view line) -> Status {
        if (!response.body.empty() && response.body.size() + line.size() > largest_piece) {
          full = true;
          return error(Code::function_canceled);
        }
        response.body += line;
        response.body += '\n';
        ++next;
        return {};
      });
  if (!exported && !full) return exported.error();
  if (full) response.headers.emplace_back("Cardea-Next", std::to_string(next));
  return response;
}

}  // namespace cardea::http
