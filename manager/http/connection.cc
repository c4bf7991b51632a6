#include "http/connection.h"

#include <fmt/format.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/wiping_memory.h"
#include "http/problem.h"

namespace cardea::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

// A client that was told no may still be sending; cutting the line at once would take the answer away from it
// (RFC 9112, 9.6).
constexpr std::size_t most_discarded = 8 * 1024 * 1024;

Method method_of(bhttp::verb verb) {
  switch (verb) {
    case bhttp::verb::get:
      return Method::get;
    case bhttp::verb::head:
      return Method::head;
    case bhttp::verb::post:
      return Method::post;
    case bhttp::verb::put:
      return Method::put;
    case bhttp::verb::patch:
      return Method::patch;
    case bhttp::verb::delete_:
      return Method::del;
    default:
      return Method::other;
  }
}

template <class Stream>
class HttpConnection : public Connection, public std::enable_shared_from_this<HttpConnection<Stream>> {
 public:
  static constexpr bool is_tls = std::is_same_v<Stream, TlsStream>;

  HttpConnection(asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared,
                 std::shared_ptr<TlsContext> tls) requires is_tls : stream_(std::move(socket), tls->context()),
                                                                    deadline_(stream_.get_executor()),
                                                                    shared_(std::move(shared)),
                                                                    tls_(std::move(tls)) {}
  HttpConnection(asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared) requires(!is_tls)
      : stream_(std::move(socket)), deadline_(stream_.get_executor()), shared_(std::move(shared)) {}

  ~HttpConnection() override {
    if (device_) shared_->device_sessions.fetch_sub(1);
    shared_->connections.with([this](auto& all) { all.erase(this); });
    shared_->open.fetch_sub(1);
    shared_->on_end();
  }

  void start() override {
    error_code ignored;
    lowest().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto remote = lowest().socket().remote_endpoint(ignored);
    peer_.address = ignored ? "" : remote.address().to_string();
    peer_.tls = is_tls;
    if constexpr (is_tls) {
      expire(shared_->limits.handshake);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = self()](error_code failed) {
        if (failed) return self->shared_->application.refused(self->peer_, "TLS handshake: " + failed.message());
        self->peer_.certificate = self->tls_->peer(self->stream_.native_handle());
        self->wait_for_request();
      });
    } else {
      asio::dispatch(stream_.get_executor(), [self = self()] { self->wait_for_request(); });
    }
  }

  void finish() override {
    asio::post(stream_.get_executor(), [self = self()] {
      if (self->idle_) self->lowest().cancel();
    });
  }

  void abort() override {
    asio::post(stream_.get_executor(), [self = self()] { self->lowest().close(); });
  }

 private:
  std::shared_ptr<HttpConnection> self() { return this->shared_from_this(); }
  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }
  template <class Duration>
  void expire(Duration duration) {
    lowest().expires_after(duration);
  }

  // The stream's own time-out closes it; a request that takes too long to arrive is told so first.
  void expect_within(std::chrono::seconds time) {
    late_ = false;
    lowest().expires_never();
    deadline_.expires_after(time);
    deadline_.async_wait([weak = this->weak_from_this()](error_code failed) {
      const auto self = weak.lock();
      if (failed || !self || self->deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
      self->late_ = true;
      // Should a part arrive at this very moment, reading goes on, but not for long.
      self->expire(self->shared_->limits.linger);
      self->lowest().cancel();
    });
  }

  void too_late(std::string_view what) {
    last_words(problem(Problem::request_timeout,
                       fmt::format("The {} did not arrive in time; send it again, faster or in smaller parts.", what)));
  }

  // Between requests a connection may be idle for long; once the first byte is there, the header has its own, short
  // time. A request that was pipelined is in the buffer already (RFC 9112, 9.3.2).
  void wait_for_request() {
    if (buffer_.size() > 0) return read_header();
    if (shared_->stopping) return close();
    idle_ = true;
    expire(first_ ? std::chrono::seconds(shared_->limits.header) : shared_->limits.idle);
    stream_.async_read_some(buffer_.prepare(4096), [self = self()](error_code failed, std::size_t size) {
      self->idle_ = false;
      if (failed == asio::error::operation_aborted && self->shared_->stopping) return self->close();
      if (failed) return;
      self->buffer_.commit(size);
      self->read_header();
    });
  }

  void read_header() {
    first_ = false;
    request_ = {};
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_->limits.header_bytes));
    parser_->body_limit(boost::none);
    expect_within(shared_->limits.header);
    bhttp::async_read_header(stream_, buffer_, *parser_, [self = self()](error_code failed, std::size_t) {
      self->deadline_.cancel();
      if (failed) return self->refuse_header(failed);
      self->header_arrived();
    });
  }

  void refuse_header(error_code failed) {
    if (failed == bhttp::error::end_of_stream || failed == asio::error::eof) return close();
    shared_->application.refused(peer_, "request header: " + failed.message());
    if (failed == beast::error::timeout) return;  // the stream is closed already
    if (late_ && failed == asio::error::operation_aborted) return too_late("request's header");
    if (failed == bhttp::error::header_limit)
      return last_words(problem(Problem::headers_too_large,
                                fmt::format("Send at most {} bytes of header.", shared_->limits.header_bytes)));
    if (failed.category() == bhttp::make_error_code(bhttp::error::bad_method).category())
      return last_words(problem(Problem::malformed_request, "This is not an HTTP/1.1 request that can be understood."));
  }

  void header_arrived() {
    const auto& header = parser_->get();
    request_.method = method_of(header.method());
    request_.peer = peer_;
    for (const auto& field : header) request_.headers.emplace_back(field.name_string(), field.value());
    const std::string_view target(header.target().data(), header.target().size());
    if (const Status parsed = parse_target(target, request_); !parsed)
      return last_words(problem(Problem::malformed_request,
                                fmt::format("The request's target is not right: {}.", parsed.error().detail)));
    // RFC 9112, 6.1: with both a length and a coding somebody may be smuggling a request past a proxy.
    if (header.count(bhttp::field::content_length) + header.count(bhttp::field::transfer_encoding) > 1)
      return last_words(problem(Problem::malformed_request, "Give the body's length once, and in one way."));
    const BodyRule rule = shared_->application.before_body(request_);
    if (rule.device && !take_device_session()) return last_words(too_many_sessions());
    if (rule.deny) return last_words(*rule.deny);
    const auto length = parser_->content_length();
    if (length && *length > rule.limit) return last_words(body_too_large(rule.limit));
    if (!body_.take(shared_->bodies, static_cast<std::int64_t>(length.value_or(header.chunked() ? rule.limit : 0))))
      return last_words(no_room("bodies"));
    parser_->body_limit(rule.limit);
    body_limit_ = rule.limit;
    read_body();
  }

  static HttpResponse no_room(std::string_view of) {
    HttpResponse response = problem(Problem::unavailable,
                                    fmt::format("Too many large {} are under way at the moment; try again soon.", of));
    response.headers.emplace_back("Retry-After", "5");
    return response;
  }

  bool take_device_session() {
    if (device_ || shared_->limits.device_sessions < 0) return true;
    if (shared_->device_sessions.fetch_add(1) >= shared_->limits.device_sessions) {
      shared_->device_sessions.fetch_sub(1);
      shared_->application.refused(peer_, "too many device sessions");
      return false;
    }
    device_ = true;
    return true;
  }

  HttpResponse too_many_sessions() const {
    HttpResponse response = problem(Problem::too_many_sessions, "Try again in half a minute; nothing was lost.");
    response.headers.emplace_back("Retry-After", "30");
    return response;
  }

  static HttpResponse body_too_large(std::size_t limit) {
    return problem(Problem::body_too_large, fmt::format("Send at most {} bytes here.", limit));
  }

  void read_body() {
    expect_within(shared_->limits.body);
    const auto& header = parser_->get();
    if (!beast::iequals(header[bhttp::field::expect], "100-continue") || parser_->is_done()) return read_rest();
    continue_ = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(continue_), [self = self()](error_code failed, std::size_t) {
      if (!failed) self->read_rest();
    });
  }

  void read_rest() {
    bhttp::async_read(stream_, buffer_, *parser_, [self = self()](error_code failed, std::size_t) {
      self->deadline_.cancel();
      if (!failed) return self->request_arrived();
      self->shared_->application.refused(self->peer_, "request body: " + failed.message());
      if (self->late_ && failed == asio::error::operation_aborted) return self->too_late("request's body");
      if (failed == bhttp::error::body_limit) return self->last_words(body_too_large(self->body_limit_));
      if (failed.category() == bhttp::make_error_code(bhttp::error::bad_chunk).category())
        self->last_words(problem(Problem::malformed_request, "The body does not arrive as its header says."));
    });
  }

  void request_arrived() {
    request_.body = std::move(parser_->get().body());
    lowest().expires_never();
    // What is answered in plain HTTP is read and signed; everything else may wait for the store's disk, and would keep
    // other connections' bytes waiting with it.
    if constexpr (is_tls) {
      asio::post(shared_->workers, [self = self()] { self->work(); });
    } else {
      answered(shared_->application.answer(request_));
    }
  }

  void work() {
    asio::post(stream_.get_executor(), [self = self(), response = shared_->application.answer(request_)]() mutable {
      self->answered(std::move(response));
    });
  }

  void answered(HttpResponse response) {
    request_.body = {};
    body_.give_back();
    write(std::move(response), parser_->keep_alive() && !shared_->stopping);
  }

  void write(HttpResponse response, bool keep) {
    if (!answer_.take(shared_->answers, static_cast<std::int64_t>(response.body.size()))) response = no_room("answers");
    response_ = std::move(response);
    const unsigned version = parser_ && parser_->is_header_done() ? parser_->get().version() : 11;
    message_.emplace();
    auto& message = *message_;
    message.version(version);
    message.result(response_.status);
    for (const auto& [field, value] : response_.headers) message.set(field, value);
    if (!response_.content_type.empty()) message.set(bhttp::field::content_type, response_.content_type);
    if constexpr (is_tls) message.set("Strict-Transport-Security", "max-age=31536000");
    message.keep_alive(keep);
    const bool head = request_.method == Method::head;
    if (!head) message.body() = {response_.body.data(), response_.body.size()};
    // A status of 204 or 304 has no body and no length (RFC 9110, 8.6).
    if (response_.status != 204 && response_.status != 304) message.content_length(response_.body.size());
    expire(shared_->limits.write);
    serializer_.emplace(message);
    if (head) serializer_->split(true);
    auto done = [self = self(), keep](error_code failed, std::size_t) {
      if (failed) return;
      self->response_.body = {};
      self->answer_.give_back();
      if (keep) return self->wait_for_request();
      self->end_politely();
    };
    if (head) return bhttp::async_write_header(stream_, *serializer_, std::move(done));
    bhttp::async_write(stream_, *serializer_, std::move(done));
  }

  // An answer after which the connection cannot go on, since where the next request begins is not known.
  void last_words(HttpResponse response) { write(std::move(response), false); }

  void end_politely() {
    expire(shared_->limits.linger);
    if constexpr (is_tls) {
      // It fails when the client is still sending; our half is closed then all the same.
      stream_.async_shutdown([self = self()](error_code) { self->discard(0); });
    } else {
      error_code ignored;
      lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      discard(0);
    }
  }

  void discard(std::size_t so_far) {
    if (so_far > most_discarded) return;
    buffer_.clear();
    lowest().async_read_some(buffer_.prepare(64 * 1024), [self = self(), so_far](error_code failed, std::size_t size) {
      if (!failed) self->discard(so_far + size);
    });
  }

  void close() {
    expire(shared_->limits.linger);
    if constexpr (is_tls) {
      stream_.async_shutdown([self = self()](error_code) {});
    } else {
      error_code ignored;
      lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    }
  }

  Stream stream_;
  asio::steady_timer deadline_;
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<TlsContext> tls_;  ///< as it was when the connection began
  Peer peer_;
  beast::basic_flat_buffer<WipingAllocator<char>> buffer_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  HttpRequest request_;
  HttpResponse response_;
  std::optional<bhttp::response<bhttp::span_body<const char>>> message_;
  std::optional<bhttp::response_serializer<bhttp::span_body<const char>>> serializer_;
  Room::Share body_;
  Room::Share answer_;
  std::string continue_;
  std::size_t body_limit_ = 0;
  bool idle_ = false;
  bool first_ = true;
  bool device_ = false;
  bool late_ = false;  ///< the request did not arrive in time
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared,
                                            std::shared_ptr<TlsContext> tls) {
  std::shared_ptr<Connection> made;
  if (tls != nullptr) {
    made = std::make_shared<HttpConnection<TlsStream>>(std::move(socket), shared, std::move(tls));
  } else {
    made = std::make_shared<HttpConnection<beast::tcp_stream>>(std::move(socket), shared);
  }
  shared->open.fetch_add(1);
  shared->connections.with([&](auto& all) { all.emplace(made.get(), made); });
  return made;
}

}  // namespace cardea::http
