// Health, readiness, version.
#include <boost/json.hpp>

#include "domain/cause.h"
#include "http/route.h"
#include "http/services.h"

namespace cardea::http {

// It asks nobody, so that it is answered whatever else has failed: clock and authorities are as housekeeping last found
// them.
Result<HttpResponse> show_health(RequestContext& context) {
  const std::int64_t behind = context.services.clock_behind;
  boost::json::object answer{{"status", "alive"}, {"clock", behind == 0 ? "right" : "behind"}};
  if (behind != 0) answer["clock_behind_seconds"] = behind;
  const auto failing = context.services.failing_authorities.read([](const auto& names) { return names; });
  answer["authorities"] = failing.empty() ? "working" : "failing";
  if (!failing.empty()) answer["failing_authorities"] = boost::json::array(failing.begin(), failing.end());
  return json_answer(std::move(answer));
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
