#include "http/server.h"

#include <unistd.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/guarded.h"
#include "http/problem.h"
#include "http/testing/identities.h"

namespace http = cardea::http;
namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

// Answers with what it was asked, so that a test sees which request was understood.
class Echo : public http::Application {
 public:
  http::BodyRule before_body(const http::HttpRequest& request) override {
    http::BodyRule rule;
    rule.limit = body_limit;
    rule.device = request.path == "/device";
    return rule;
  }
  http::HttpResponse answer(http::HttpRequest& request) override {
    begin(request.path == "/wait");
    http::HttpResponse response;
    response.content_type = "text/plain";
    response.body = std::string(name(request.method)) + " " + request.path + " " + request.body;
    if (request.peer.certificate)
      response.body += request.peer.certificate->subject + "|" + request.peer.certificate->mistrust;
    return response;
  }
  void refused(const http::Peer&, std::string_view) override { ++refusals; }

  /// Whether so many requests came to be answered in good time.
  bool has_begun(int requests) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, bound_, [&] { return begun_ >= requests; });
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  /// Ends the waiting of those who asked for /wait.
  void let_go() {
    {
      const std::lock_guard lock(mutex_);
      let_go_ = true;
    }
    changed_.notify_all();
  }

  std::size_t body_limit = 1000;
  std::atomic<int> refusals = 0;

 private:
  void begin(bool waits) {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    if (waits) changed_.wait_for(lock, bound_, [&] { return let_go_; });
  }

  static constexpr std::chrono::seconds bound_{60};
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  bool let_go_ = false;
};

struct Fixture {
  Fixture() : folder(std::filesystem::temp_directory_path() / ("cardea-http-" + unique())) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "cert.pem") << http::testing::server_certificate;
    std::ofstream(folder / "key.pem") << http::testing::server_key;
    settings.port = 0;
    settings.plain = true;
    settings.plain_port = 0;
    settings.certificate_file = folder / "cert.pem";
    settings.key_file = folder / "key.pem";
    settings.threads = 4;
  }
  ~Fixture() {
    echo.let_go();
    server.reset();
    std::filesystem::remove_all(folder);
  }
  static std::string unique() {
    static std::atomic<int> number = 0;
    return std::to_string(getpid()) + "-" + std::to_string(++number);
  }
  void start() {
    auto started = http::Server::start(settings, echo);
    BOOST_REQUIRE_MESSAGE(started.ok(), (started.ok() ? "" : started.error().detail));
    server = std::move(*started);
  }
  tcp::socket connect(std::uint16_t port) {
    tcp::socket socket(io);
    socket.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), port));
    timeval bound{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    return socket;
  }
  tcp::socket connect() { return connect(server->plain_port()); }

  asio::io_context io;
  std::filesystem::path folder;
  Echo echo;
  http::ServerSettings settings;
  std::unique_ptr<http::Server> server;
};

template <class Stream>
void send(Stream& stream, std::string_view text) {
  boost::system::error_code ignored;
  asio::write(stream, asio::buffer(text), ignored);
}

// Everything until the server closes the connection.
template <class Stream>
std::string receive_all(Stream& stream) {
  std::string text;
  boost::system::error_code failed;
  asio::read(stream, asio::dynamic_buffer(text), failed);
  return text;
}

template <class Stream>
std::string receive_until(Stream& stream, std::string_view mark) {
  std::string text;
  boost::system::error_code failed;
  asio::read_until(stream, asio::dynamic_buffer(text), mark, failed);
  return text;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server, Fixture)

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  start();
  tcp::socket socket = connect();
  send(socket,
       "GET /one HTTP/1.1\r\nHost: h\r\n\r\nPOST /two HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
       "GET /three HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string text = receive_all(socket);
  const auto one = text.find("GET /one "), two = text.find("POST /two abc"), three = text.find("GET /three ");
  BOOST_TEST(one != std::string::npos);
  BOOST_TEST(two != std::string::npos);
  BOOST_TEST(three != std::string::npos);
  BOOST_TEST((one < two && two < three));
}

BOOST_AUTO_TEST_CASE(what_is_no_http_gets_a_problem_and_no_handler) {
  start();
  for (const char* text :
       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", "nonsense\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET http://x/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    BOOST_TEST_CONTEXT(text) {
      tcp::socket socket = connect();
      send(socket, text);
      const std::string answer = receive_all(socket);
      BOOST_TEST(answer.starts_with("HTTP/1.1 400"));
      BOOST_TEST(contains(answer, "urn:cardea:problem:malformed-request"));
    }
  }
  BOOST_TEST(echo.begun() == 0);
}

BOOST_AUTO_TEST_CASE(headers_and_bodies_have_limits) {
  start();
  tcp::socket long_header = connect();
  send(long_header, "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  BOOST_TEST(receive_all(long_header).starts_with("HTTP/1.1 431"));
  tcp::socket announced = connect();
  send(announced, "POST / HTTP/1.1\r\nContent-Length: 104857600\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(receive_all(announced).starts_with("HTTP/1.1 413"));
  tcp::socket chunked = connect();
  send(chunked, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" + std::string(0x800, 'x') + "\r\n");
  BOOST_TEST(receive_all(chunked).starts_with("HTTP/1.1 413"));
  tcp::socket bad_chunk = connect();
  send(bad_chunk, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  BOOST_TEST(receive_all(bad_chunk).starts_with("HTTP/1.1 400"));
  BOOST_TEST(echo.begun() == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_waits_for_permission_gets_it) {
  start();
  tcp::socket socket = connect();
  send(socket, "POST /x HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  BOOST_TEST(receive_until(socket, "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  send(socket, "ok");
  BOOST_TEST(contains(receive_all(socket), "POST /x ok"));
}

BOOST_AUTO_TEST_CASE(slow_clients_are_let_go) {
  settings.limits.header = 1s;
  settings.limits.body = 1s;
  settings.limits.handshake = 1s;
  settings.limits.idle = 1s;
  start();
  tcp::socket half_header = connect();
  send(half_header, "GET / HT");
  tcp::socket half_body = connect();
  send(half_body, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  tcp::socket silent = connect();
  tcp::socket silent_tls = connect(server->port());
  for (tcp::socket* socket : {&half_header, &half_body}) {
    const std::string answer = receive_all(*socket);
    BOOST_TEST(answer.starts_with("HTTP/1.1 408"));
    BOOST_TEST(contains(answer, "Connection: close"));
    BOOST_TEST(contains(answer, "urn:cardea:problem:request-timeout"));
  }
  // Who has asked for nothing is told nothing.
  for (tcp::socket* socket : {&silent, &silent_tls}) BOOST_TEST(receive_all(*socket) == "");
  BOOST_TEST(echo.begun() == 0);
}

BOOST_AUTO_TEST_CASE(a_slow_client_is_told_so_over_tls) {
  settings.limits.body = 1s;
  start();
  asio::ssl::context context(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp::socket> stream(connect(server->port()), context);
  stream.handshake(asio::ssl::stream_base::client);
  send(stream, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  const std::string answer = receive_all(stream);
  BOOST_TEST(answer.starts_with("HTTP/1.1 408"));
  BOOST_TEST(contains(answer, "urn:cardea:problem:request-timeout"));
  BOOST_TEST(echo.begun() == 0);
}

BOOST_AUTO_TEST_CASE(large_bodies_together_have_a_limit_and_small_ones_pass) {
  echo.body_limit = 100'000;
  settings.limits.body_bytes = 150'000;
  start();
  const std::string large = "POST /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n";
  tcp::socket first = connect();
  send(first, large + "half");
  // The first may not have been read yet: whoever comes after that is refused.
  std::string refused = "HTTP/1.1 200";
  for (int tries = 0; tries < 1000 && refused.starts_with("HTTP/1.1 200"); ++tries) {
    tcp::socket other = connect();
    send(other, "POST /large HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n");
    refused = receive_all(other);
  }
  BOOST_TEST(refused.starts_with("HTTP/1.1 503"));
  BOOST_TEST(contains(refused, "Retry-After: 5"));
  BOOST_TEST(contains(refused, "urn:cardea:problem:unavailable"));
  tcp::socket small = connect();
  send(small, "POST /small HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  BOOST_TEST(contains(receive_all(small), "POST /small ok"));
  send(first, std::string(99'996, 'x'));
  BOOST_TEST(receive_all(first).starts_with("HTTP/1.1 200"));
  tcp::socket later = connect();
  send(later, large + std::string(100'000, 'x'));
  BOOST_TEST(receive_all(later).starts_with("HTTP/1.1 200"));
}

BOOST_AUTO_TEST_CASE(large_answers_that_nobody_reads_have_a_limit) {
  echo.body_limit = 8'000'000;
  settings.limits.answer_bytes = 9'000'000;
  start();
  const std::string large = "POST /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 8000000\r\n\r\n" +
                            std::string(8'000'000, 'x');
  tcp::socket reader = connect();
  send(reader, large);
  BOOST_REQUIRE(echo.has_begun(1));
  std::string refused;
  for (int tries = 0; tries < 1000 && !refused.starts_with("HTTP/1.1 503"); ++tries) {
    tcp::socket other = connect();
    send(other, large);
    refused = receive_all(other);
  }
  BOOST_TEST(refused.starts_with("HTTP/1.1 503"));
  BOOST_TEST(receive_all(reader).size() > 8'000'000U);
  tcp::socket later = connect();
  send(later, large);
  BOOST_TEST(receive_all(later).starts_with("HTTP/1.1 200"));
}

BOOST_AUTO_TEST_CASE(a_head_request_gets_no_body) {
  start();
  tcp::socket socket = connect();
  send(socket, "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string text = receive_all(socket);
  BOOST_TEST(text.starts_with("HTTP/1.1 200"));
  BOOST_TEST(contains(text, "Content-Length: "));
  BOOST_TEST(text.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(too_many_devices_are_asked_to_come_back_and_others_are_not) {
  settings.limits.device_sessions = 1;
  start();
  constexpr std::string_view device = "GET /device HTTP/1.1\r\nHost: h\r\n\r\n";
  tcp::socket first = connect();
  send(first, device);
  BOOST_TEST(receive_until(first, "GET /device ").starts_with("HTTP/1.1 200"));
  tcp::socket second = connect();
  send(second, device);
  const std::string refused = receive_all(second);
  BOOST_TEST(refused.starts_with("HTTP/1.1 503"));
  BOOST_TEST(contains(refused, "Retry-After: "));
  BOOST_TEST(contains(refused, "urn:cardea:problem:too-many-sessions"));
  tcp::socket browser = connect();
  send(browser, "GET /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  BOOST_TEST(receive_all(browser).starts_with("HTTP/1.1 200"));
  // The first goes on on its own connection.
  send(first, device);
  BOOST_TEST(receive_until(first, "GET /device ").starts_with("HTTP/1.1 200"));
}

BOOST_AUTO_TEST_CASE(more_connections_than_the_limit_wait_for_their_turn) {
  settings.limits.connections = 1;
  start();
  tcp::socket first = connect();
  send(first, "GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
  BOOST_TEST(contains(receive_until(first, "GET /first "), "200"));
  tcp::socket second = connect();
  send(second, "GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  first.close();
  BOOST_TEST(contains(receive_all(second), "GET /second "));
}

BOOST_AUTO_TEST_CASE(the_last_connection_that_is_allowed_gets_its_answer) {
  settings.limits.connections = 1;
  start();
  for (int i = 0; i < 2; ++i) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    asio::ssl::stream<tcp::socket> stream(connect(server->port()), context);
    stream.handshake(asio::ssl::stream_base::client);
    send(stream, "GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    BOOST_REQUIRE(echo.has_begun(i + 1));
    echo.let_go();
    BOOST_TEST(receive_all(stream).starts_with("HTTP/1.1 200"));
  }
}

BOOST_AUTO_TEST_CASE(a_stop_lets_requests_finish_and_closes_idle_connections) {
  start();
  tcp::socket idle = connect();
  send(idle, "GET /idle HTTP/1.1\r\nHost: h\r\n\r\n");
  receive_until(idle, "GET /idle ");
  tcp::socket busy = connect();
  send(busy, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  BOOST_REQUIRE(echo.has_begun(2));
  std::thread stopping([this] { BOOST_TEST(server->stop(20s)); });
  BOOST_TEST(receive_all(idle) == "");
  echo.let_go();
  const std::string answer = receive_all(busy);
  BOOST_TEST(contains(answer, "GET /wait "));
  BOOST_TEST(contains(answer, "Connection: close"));
  stopping.join();
}

BOOST_AUTO_TEST_CASE(a_stop_does_not_wait_longer_than_told) {
  start();
  tcp::socket busy = connect();
  send(busy, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  BOOST_REQUIRE(echo.has_begun(1));
  BOOST_TEST(!server->stop(50ms));
}

BOOST_AUTO_TEST_CASE(certificates_of_clients_are_judged) {
  start();
  const auto ask = [this](bool with_certificate) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    if (with_certificate) {
      context.use_certificate(asio::buffer(std::string_view(http::testing::client_certificate)),
                              asio::ssl::context::pem);
      context.use_private_key(asio::buffer(std::string_view(http::testing::client_key)), asio::ssl::context::pem);
    }
    asio::ssl::stream<tcp::socket> stream(connect(server->port()), context);
    stream.handshake(asio::ssl::stream_base::client);
    send(stream, "GET /who HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    return receive_all(stream);
  };
  BOOST_TEST(ask(false).ends_with("GET /who "));
  BOOST_TEST(contains(ask(true), "CN=Test operator|self-signed certificate"));
  BOOST_REQUIRE(server->trust_client_ca(http::testing::client_certificate).ok());
  BOOST_TEST(ask(true).ends_with("CN=Test operator|"));
  BOOST_TEST(!server->trust_client_ca("no certificate").ok());
}

BOOST_AUTO_TEST_CASE(a_new_certificate_is_taken_while_it_runs) {
  start();
  const auto greeted = [](asio::ssl::stream<tcp::socket>& stream) {
    X509* const shown = SSL_get1_peer_certificate(stream.native_handle());
    BOOST_REQUIRE(shown != nullptr);
    std::string name(256, '\0');
    name.resize(static_cast<std::size_t>(X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName,
                                                                   name.data(), static_cast<int>(name.size()))));
    X509_free(shown);
    return name;
  };
  asio::ssl::context context(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp::socket> before(connect(server->port()), context);
  before.handshake(asio::ssl::stream_base::client);
  BOOST_TEST(greeted(before) == "localhost");

  std::ofstream(folder / "other.pem") << http::testing::client_certificate;
  std::ofstream(folder / "other.key") << http::testing::client_key;
  http::ServerSettings wanted = settings;
  wanted.certificate_file = folder / "other.pem";
  BOOST_TEST(!server->reload(wanted).ok());  // the key is the old one's
  wanted.key_file = folder / "other.key";
  BOOST_TEST(server->reload(wanted).ok());

  asio::ssl::stream<tcp::socket> after(connect(server->port()), context);
  after.handshake(asio::ssl::stream_base::client);
  BOOST_TEST(greeted(after) == "Test operator");
  // Who was there before is served on.
  send(before, "GET /kept HTTP/1.1\r\nHost: h\r\n\r\n");
  BOOST_TEST(contains(receive_until(before, "/kept"), "GET /kept"));
}

BOOST_AUTO_TEST_CASE(old_tls_is_refused) {
  start();
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(context.native_handle(), "ALL:@SECLEVEL=0");
  asio::ssl::stream<tcp::socket> stream(connect(server->port()), context);
  boost::system::error_code failed;
  stream.handshake(asio::ssl::stream_base::client, failed);
  BOOST_TEST(failed.failed());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_used_is_told_at_the_start) {
  http::ServerSettings broken = settings;
  broken.address = "nowhere";
  BOOST_TEST((http::Server::start(broken, echo).code() == cardea::Code::arguments_bad));
  broken = settings;
  broken.key_file = folder / "none.pem";
  BOOST_TEST((http::Server::start(broken, echo).code() == cardea::Code::arguments_bad));
  start();
  broken = settings;
  broken.port = server->port();
  BOOST_TEST((http::Server::start(broken, echo).code() == cardea::Code::exists));
}

BOOST_AUTO_TEST_SUITE_END()
