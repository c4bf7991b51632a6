// Health, readiness, version.
#include <boost/json.hpp>

#include "domain/cause.h"
#include "http/route.h"
#include "http/services.h"

namespace cardea::http {

// It asks nobody, so that it is answered whatever else has failed: the clock is as housekeeping last found it.
Result<HttpResponse> show_health(RequestContext& context) {
  const std::int64_t behind = context.services.clock_behind;
  if (behind == 0) return json_answer({{"status", "alive"}, {"clock", "right"}});
  return json_answer({{"status", "alive"}, {"clock", "behind"}, {"clock_behind_seconds", behind}});
}

Result<HttpResponse> show_readiness(RequestContext& context) {
  const Status ready = context.services.ready();
  if (ready) return json_answer({{"status", "ready"}});
  context.services.log.warning("not ready", {{"why", manager::cause(ready.error())}});
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
