// What a handler gets: the request, who asks, and the services that do the work.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/model.h"
#include "domain/ports.h"
#include "domain/rights.h"
#include "http/json_reader.h"
#include "http/message.h"
#include "http/problem.h"

namespace cardea::http {

struct Services;

/// One request being answered.
class RequestContext {
 public:
  RequestContext(const HttpRequest& the_request, Services& the_services, std::string the_id)
      : request(the_request), services(the_services), id(std::move(the_id)) {}

  const HttpRequest& request;
  Services& services;
  const std::string id;                  ///< of the request: in the log and in the answer's X-Request-Id
  std::optional<manager::Actor> caller;  ///< nothing: nobody is logged on
  std::vector<std::pair<std::string_view, std::string>> path;  ///< what the route's {names} stand for
  std::vector<FieldError> errors;                              ///< what is wrong in body and query
  bool shows_secret = false;  ///< the answer holds what is shown once and must not be kept
  bool takes_secret = false;  ///< the body holds what is wiped when the answer is there; set it before body()

  /// Who asks; only where the route's access makes sure that somebody does.
  const manager::Actor& actor() const { return *caller; }
  const manager::Ports& ports() const;

  /// What {name} of the route stands for.
  const std::string& part(std::string_view name) const;
  /// The same as the id of a row; not_found when it is no positive number.
  Result<manager::Id> id_part(std::string_view name) const;

  /// The body as a JSON object; empty when there is no body. data_invalid otherwise.
  Result<boost::json::object> body() const;

  /// Query parameters: each name must be read by one of these, before query_done().
  std::string query_text(std::string_view name, std::size_t max = 256);
  std::optional<std::int64_t> query_number(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<manager::Time> query_time(std::string_view name);
  bool query_flag(std::string_view name);
  /// The parameters that all lists have: q, state, kind, person, token, ca, request, from, to, cursor, limit.
  manager::Filter query_filter();
  /// data_invalid when a parameter was wrong or is unknown here.
  Status query_done();

  /// An empty If-Match matches; otherwise it must name the ETag of this representation (RFC 9110, 13.1.1). key_changed
  /// when it does not.
  Status if_match(const boost::json::object& current) const;

 private:
  std::vector<std::string> asked_;
};

/// 200 (or another status) with a JSON body.
HttpResponse json_answer(const boost::json::object& body, unsigned status = 200);
/// The same with the representation's ETag.
HttpResponse entity_answer(const boost::json::object& body, unsigned status = 200);
/// 201 with Location.
HttpResponse created(std::string_view location, const boost::json::object& body);
/// 204.
HttpResponse no_content();

/// A strong entity tag of what is shown (RFC 9110, 8.8.3).
std::string etag(const boost::json::object& body);

/// RFC 3339 in UTC, whole seconds.
std::string format_time(manager::Time time);
std::optional<manager::Time> parse_time(std::string_view text);

}  // namespace cardea::http
