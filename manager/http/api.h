// The interface as a whole: finds a request's route, who asks and whether they may, and turns what handlers answer into
// HTTP.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "http/route.h"
#include "http/server.h"
#include "http/services.h"

namespace cardea::http {

class Api : public Application {
 public:
  explicit Api(Services& services) : services_(services) {}

  BodyRule before_body(const HttpRequest& request) override;
  HttpResponse answer(HttpRequest& request) override;
  void refused(const Peer& peer, std::string_view why) override;

 private:
  HttpResponse route(RequestContext& context);
  HttpResponse authorised(RequestContext& context, const Route& route);
  HttpResponse handled(RequestContext& context, const Route& route);
  HttpResponse once(RequestContext& context, const Route& route, const std::string& key);
  void log(const RequestContext& context, const HttpResponse& response, std::chrono::microseconds took);

  Services& services_;
  std::mutex mutex_;
  std::set<std::string> running_;  ///< idempotency keys of requests that are being worked on
};

}  // namespace cardea::http
