// The route table and how a request finds its handler.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/context.h"

namespace cardea::http {

using Handler = Result<HttpResponse> (*)(RequestContext&);

/// One line of routes.def.
struct Route {
  Method method;
  std::string_view pattern;
  std::string_view operation;  ///< the handler's name
  Handler handler;
  std::string_view access;
  std::string_view summary;
  std::size_t body_limit;

  /// Whether access is a right of domain/rights.def.
  bool needs_right() const;
};

/// The whole table.
std::span<const Route> routes();

/// Where a request goes.
struct Match {
  const Route* route = nullptr;  ///< null: no route has this path, or none has this method
  std::vector<std::pair<std::string_view, std::string>> parts;
  std::string allowed;  ///< the methods of the path, for Allow; empty when there is no such path
};

/// HEAD goes where GET goes (RFC 9110, 9.3.2).
Match find_route(Method method, const std::vector<std::string>& segments);

#define ROUTE(method, pattern, handler, access, summary) Result<HttpResponse> handler(RequestContext& context);
#include "http/routes.def"
#undef ROUTE

}  // namespace cardea::http
