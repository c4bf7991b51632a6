#include "http/route.h"

#include <algorithm>
#include <array>

namespace cardea::http {
namespace {

constexpr std::size_t usual_body_limit = 1024 * 1024;

constexpr std::size_t body_limit_of(std::string_view operation) {
#define BODY_LIMIT(handler, bytes) \
  if (operation == #handler) return bytes;
#include "http/body_limits.def"
#undef BODY_LIMIT
  static_cast<void>(operation);
  return usual_body_limit;
}

constexpr std::string_view rights[] = {
#define CARDEA_RIGHT(name, words) #name,
#include "domain/rights.def"
#undef CARDEA_RIGHT
};

constexpr Route table[] = {
#define ROUTE(method, pattern, handler, access, summary) \
  {Method::method, pattern, #handler, handler, #access, summary, body_limit_of(#handler)},
#include "http/routes.def"
#undef ROUTE
};

constexpr bool is_right(std::string_view access) {
  return std::find(std::begin(rights), std::end(rights), access) != std::end(rights);
}

constexpr bool is_access(std::string_view access) {
  return access == "open" || access == "published" || access == "anyone" || access == "agent" || is_right(access);
}
// A slip in the table would lock a route, or open it.
static_assert(std::ranges::all_of(table, [](const Route& route) { return is_access(route.access); }));

std::string_view next_segment(std::string_view& pattern) {
  pattern.remove_prefix(1);
  const std::string_view segment = pattern.substr(0, pattern.find('/'));
  pattern.remove_prefix(segment.size());
  return segment;
}

bool is_name(std::string_view segment) {
  return segment.starts_with('{');
}
bool is_tail(std::string_view segment) {
  return segment.ends_with("...}");
}

bool matches(std::string_view pattern, const std::vector<std::string>& segments) {
  std::size_t at = 0;
  while (!pattern.empty()) {
    const std::string_view wanted = next_segment(pattern);
    if (at == segments.size()) return false;
    if (is_tail(wanted)) return true;
    if (is_name(wanted) ? segments[at].empty() : wanted != segments[at]) return false;
    ++at;
  }
  return at == segments.size();
}

std::vector<std::pair<std::string_view, std::string>> parts_of(std::string_view pattern,
                                                               const std::vector<std::string>& segments) {
  std::vector<std::pair<std::string_view, std::string>> parts;
  for (std::size_t at = 0; !pattern.empty(); ++at) {
    const std::string_view wanted = next_segment(pattern);
    if (is_tail(wanted)) {
      std::string rest = segments[at];
      for (std::size_t i = at + 1; i < segments.size(); ++i) rest += "/" + segments[i];
      parts.emplace_back(wanted.substr(1, wanted.size() - 5), std::move(rest));
    } else if (is_name(wanted)) {
      parts.emplace_back(wanted.substr(1, wanted.size() - 2), segments[at]);
    }
  }
  return parts;
}

}  // namespace

bool Route::needs_right() const {
  return is_right(access);
}

std::span<const Route> routes() {
  return table;
}

Match find_route(Method method, const std::vector<std::string>& segments) {
  Match match;
  const Method wanted = method == Method::head ? Method::get : method;
  for (const Route& route : table) {
    if (!matches(route.pattern, segments)) continue;
    // A fixed segment stands before {name} in the table, and wins.
    if (route.method == wanted && match.route == nullptr) {
      match.route = &route;
      match.parts = parts_of(route.pattern, segments);
    }
    match.allowed += (match.allowed.empty() ? "" : ", ") + std::string(name(route.method));
  }
  return match;
}

}  // namespace cardea::http
