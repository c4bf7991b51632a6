// Health, readiness, version.
#include <boost/json.hpp>

#include "http/route.h"
#include "http/services.h"

namespace cardea::http {

Result<HttpResponse> show_health(RequestContext&) {
  return json_answer({{"status", "alive"}});
}

Result<HttpResponse> show_readiness(RequestContext& context) {
  const Status ready = context.services.ready();
  if (ready) return json_answer({{"status", "ready"}});
  context.services.log.warning("not ready", {{"why", describe(ready.error())}});
  HttpResponse response = problem(Problem::unavailable,
                                  "Store, key token or a certification authority does not work; "
                                  "the server's log says which.");
  response.headers.emplace_back("Retry-After", "10");
  return response;
}

Result<HttpResponse> show_version(RequestContext&) {
  return json_answer({{"program", "cardea-manager"}, {"version", CARDEA_VERSION}, {"api", "v1"}});
}

}  // namespace cardea::http
