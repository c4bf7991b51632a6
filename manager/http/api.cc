#include "http/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <exception>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "domain/cause.h"
#include "domain/outside_text.h"
#include "http/authentication.h"

namespace cardea::http {
namespace {

using manager::LogLevel;
using manager::Transaction;
using KeptAnswer = Transaction::KeptAnswer;

// What KeptAnswer::status says beside the status of an answer.
constexpr int begun = 0;           // nobody knows how it ended
constexpr int to_be_repeated = 1;  // the server failed before anything was done

constexpr std::size_t longest_idempotency_key = 128;

std::string new_request_id() {
  Bytes bytes(8);
  return crypto::random_bytes(bytes) ? to_hex(bytes) : "unknown";
}

bool is_json(std::string_view content_type) {
  std::string kind(content_type.substr(0, content_type.find(';')));
  while (kind.ends_with(' ')) kind.pop_back();
  std::ranges::transform(kind, kind.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return kind == "application/json";
}

HttpResponse no_such_method(const Match& match) {
  HttpResponse response = problem(Problem::method_not_allowed, fmt::format("Here there is {}.", match.allowed));
  response.headers.emplace_back("Allow", match.allowed);
  return response;
}

HttpResponse not_logged_on(std::string_view why) {
  HttpResponse response = problem(Problem::not_authenticated, why);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// Whether the request may go to the route at all, as far as its header tells.
std::optional<HttpResponse> objection(const HttpRequest& request, const Match& match) {
  if (match.allowed.empty())
    return problem(Problem::not_found, "There is nothing at this path; /docs lists all paths.");
  if (match.route == nullptr) return no_such_method(match);
  const std::string_view access = match.route->access;
  if (!request.peer.tls && access != "published")
    return problem(Problem::not_permitted, "This is served over HTTPS only.");
  const bool identified = request.peer.certificate || request.header("Authorization");
  if ((access == "anyone" || match.route->needs_right()) && !identified)
    return not_logged_on(
        "Log on with an operator's certificate in the TLS handshake, or send an access token as "
        "'Authorization: Bearer …'.");
  const auto type = request.header("Content-Type");
  if (type && match.route->pattern.starts_with("/v1/") && !is_json(*type))
    return problem(Problem::wrong_content_type, "Send the body as application/json.");
  return std::nullopt;
}

std::string kept_who(const RequestContext& context) {
  return context.actor().name;
}

Result<Bytes> request_hash(const RequestContext& context) {
  const HttpRequest& request = context.request;
  std::string text = fmt::format("{} {}\n", name(request.method), request.path);
  for (const auto& [key, value] : request.query) text += fmt::format("{}={}\n", key, value);
  text += '\n';
  // In two parts: a body may hold a secret, and a copy of it would stay behind in memory.
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  CARDEA_TRY(digest.update(view_of(text)));
  CARDEA_TRY(digest.update(view_of(request.body)));
  Bytes hash(digest.size());
  CARDEA_TRY(digest.finish(hash));
  return hash;
}

HttpResponse replayed(const KeptAnswer& kept) {
  HttpResponse response;
  response.status = static_cast<unsigned>(kept.status);
  if (!kept.body.empty())
    response.content_type = response.status >= 400 ? "application/problem+json" : "application/json";
  response.body = kept.body;
  if (!kept.location.empty()) response.headers.emplace_back("Location", kept.location);
  if (!kept.etag.empty()) response.headers.emplace_back("ETag", kept.etag);
  response.headers.emplace_back("Idempotent-Replayed", "true");
  return response;
}

std::string header_of(const HttpResponse& response, std::string_view name) {
  const auto found = std::ranges::find(response.headers, name, [](const auto& header) { return header.first; });
  return found == response.headers.end() ? std::string() : found->second;
}

KeptAnswer to_keep(const Bytes& hash, const RequestContext& context, const HttpResponse& response) {
  if (response.status >= 500) return {hash, to_be_repeated, {}};
  if (context.shows_secret && response.status < 400) {
    const HttpResponse told = problem(
        Problem::conflict, "This was carried out before; what it showed was shown once. Ask for a new one instead.");
    return {hash, static_cast<int>(told.status), told.body};
  }
  return {hash, static_cast<int>(response.status), response.body, header_of(response, "Location"),
          header_of(response, "ETag")};
}

}  // namespace

BodyRule Api::before_body(const HttpRequest& request) {
  const Match match = find_route(request.method, request.segments);
  BodyRule rule;
  rule.deny = objection(request, match);
  if (match.route != nullptr) {
    rule.limit = match.route->body_limit;
    rule.device = match.route->access == "agent";
  }
  return rule;
}

HttpResponse Api::answer(HttpRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  RequestContext context(request, services_, new_request_id());
  HttpResponse response;
  try {
    response = route(context);
  } catch (const std::exception& failure) {
    services_.log.error("unexpected", {{"request", context.id}, {"why", failure.what()}});
    response = problem(error(Code::internal), context.id);
  }
  if (context.takes_secret) wipe({reinterpret_cast<Byte*>(request.body.data()), request.body.size()});
  response.headers.emplace_back("X-Request-Id", context.id);
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  const bool cacheable =
      std::ranges::any_of(response.headers, [](const auto& header) { return header.first == "Cache-Control"; });
  if (!cacheable) response.headers.emplace_back("Cache-Control", "no-store");
  log(context, response,
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start));
  return response;
}

void Api::refused(const Peer& peer, std::string_view why) {
  services_.log.debug("refused", {{"from", peer.address}, {"why", std::string(why)}});
}

HttpResponse Api::route(RequestContext& context) {
  Match match = find_route(context.request.method, context.request.segments);
  if (auto no = objection(context.request, match)) return std::move(*no);
  context.path = std::move(match.parts);
  if (!context.request.body.empty() && match.route->pattern.starts_with("/v1/") &&
      !context.request.header("Content-Type"))
    return problem(Problem::wrong_content_type, "Send the body as application/json and say so in Content-Type.");
  return authorised(context, *match.route);
}

HttpResponse Api::authorised(RequestContext& context, const Route& route) {
  if (route.access != "anyone" && !route.needs_right()) return handled(context, route);
  Result<Authentication> authentication = authenticate(context.request, services_.ports);
  if (!authentication) return problem(authentication.error(), context.id);
  if (!authentication->actor) return not_logged_on(authentication->problem);
  context.caller = std::move(authentication->actor);
  if (route.needs_right()) {
    const auto right = manager::right_of(route.access);
    if (!right) return problem(right.error(), context.id);
    if (const Status allowed = manager::require(context.actor(), *right); !allowed)
      return problem(allowed.error(), context.id);
  }
  const auto key = context.request.header("Idempotency-Key");
  if (!key || context.request.method != Method::post) return handled(context, route);
  if (key->empty() || key->size() > longest_idempotency_key)
    return problem(Problem::malformed_request,
                   fmt::format("An Idempotency-Key has 1 to {} bytes.", longest_idempotency_key));
  return once(context, route, std::string(*key));
}

HttpResponse Api::handled(RequestContext& context, const Route& route) {
  Result<HttpResponse> answer = route.handler(context);
  if (answer) return std::move(*answer);
  if (!context.errors.empty() && answer.code() == Code::data_invalid)
    return problem(Problem::invalid_content, "Put right what is listed in 'errors', then send it again.",
                   context.errors);
  HttpResponse response = problem(answer.error(), context.id);
  if (response.status >= 500) {
    services_.log.error("failed", {{"request", context.id},
                                   {"operation", std::string(route.operation)},
                                   {"why", manager::cause(answer.error())}});
  }
  return response;
}

// The key is stored before the work begins and the answer after it, so that a request that was cut off in between is
// never carried out twice: its repetition is told to look first.
HttpResponse Api::once(RequestContext& context, const Route& route, const std::string& key) {
  const std::string who = kept_who(context);
  const std::string running = who + '\n' + key;
  {
    const std::lock_guard lock(mutex_);
    if (!running_.insert(running).second)
      return problem(Problem::conflict, "A request with this Idempotency-Key is being worked on; wait for its answer.");
  }
  const auto done = [&](void*) {
    const std::lock_guard lock(mutex_);
    running_.erase(running);
  };
  const std::unique_ptr<void, decltype(done)> guard(this, done);

  const Result<Bytes> hash = request_hash(context);
  if (!hash) return problem(hash.error(), context.id);
  std::optional<KeptAnswer> kept;
  const Status stored = services_.ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(kept, store.kept_answer(who, key));
    if (kept && kept->status != to_be_repeated) return {};
    return store.keep_answer(who, key, KeptAnswer{*hash, begun, {}});
  });
  if (!stored) return problem(stored.error(), context.id);
  if (kept && kept->body_hash != *hash)
    return problem(Problem::idempotency_key_reused, "Use a new Idempotency-Key for a new request.");
  if (kept && kept->status == begun)
    return problem(Problem::conflict,
                   "This request was begun and cut off. See whether it was carried out; if not, send it with a new "
                   "Idempotency-Key.");
  if (kept && kept->status != to_be_repeated) return replayed(*kept);

  HttpResponse response = handled(context, route);
  const KeptAnswer answer = to_keep(*hash, context, response);
  const Status recorded =
      services_.ports.store.transact([&](Transaction& store) { return store.keep_answer(who, key, answer); });
  if (!recorded)
    services_.log.warning("answer not kept", {{"request", context.id}, {"why", manager::cause(recorded.error())}});
  return response;
}

void Api::log(const RequestContext& context, const HttpResponse& response, std::chrono::microseconds took) {
  // Fetching CRLs and asking for health is of no interest by itself.
  const bool worth_a_line = context.caller || context.request.method != Method::get;
  const LogLevel level = response.status >= 500 ? LogLevel::warning : worth_a_line ? LogLevel::info : LogLevel::debug;
  if (!services_.log.shows(level)) return;
  services_.log.write(level, "request",
                      {{"request", context.id},
                       {"method", std::string(name(context.request.method))},
                       {"path", manager::kept_text(context.request.path, 256)},
                       {"status", std::to_string(response.status)},
                       {"ms", fmt::format("{:.1f}", static_cast<double>(took.count()) / 1000)},
                       {"who", context.caller ? context.caller->name : "nobody"},
                       {"from", context.request.peer.address}});
}

}  // namespace cardea::http
