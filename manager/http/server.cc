#include "http/server.h"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/guarded.h"
#include "http/connection.h"
#include "http/tls.h"

namespace cardea::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Requests wait for the store's disk, so more of them are worked on than there are processors; a store that groups its
// commits gets its groups from them, and the slower the disk, the larger these must be.
unsigned worker_count(unsigned wanted) {
  if (wanted != 0) return wanted;
  return std::max(32U, 8 * std::thread::hardware_concurrency());
}

// Reading, writing and TLS wait for nothing; more threads than that would only wake each other.
unsigned loop_threads() {
  return 2 * std::max(2U, std::thread::hardware_concurrency());
}

// The connections of one listener, and threads that serve them.
class Loop {
 public:
  Loop() : io_(static_cast<int>(loop_threads())), work_(io_.get_executor()) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { stop(); }

  asio::io_context& io() { return io_; }
  void run() {
    for (unsigned i = 0; i < loop_threads(); ++i) threads_.emplace_back([this] { io_.run(); });
  }
  void stop() {
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  asio::io_context io_;
  // While no connection is accepted and all requests are with the workers, there is nothing to do here, yet.
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

Result<tcp::acceptor> listen_on(asio::io_context& io, const std::string& address, std::uint16_t port) {
  error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  if (failed) return error(Code::arguments_bad, fmt::format("'{}' is no IP address to listen on", address));
  const tcp::endpoint endpoint(ip, port);
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (!failed) return acceptor;
  const bool taken = failed == asio::error::address_in_use;
  return error(taken ? Code::exists : Code::permission_denied,
               fmt::format("cannot listen on {} port {}: {}", address, port, failed.message()));
}

// Accepts from one address as long as there is room.
class Listener {
 public:
  /// `tls` gives the context of a new connection; null for plain ones.
  Listener(asio::io_context& io, tcp::acceptor acceptor, std::shared_ptr<Shared> shared,
           Guarded<std::shared_ptr<TlsContext>>* tls)
      : io_(io),
        acceptor_(std::move(acceptor)),
        retry_(acceptor_.get_executor()),
        shared_(std::move(shared)),
        tls_(tls) {}

  std::uint16_t port() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  // From any thread.
  void begin_accept() {
    asio::post(acceptor_.get_executor(), [this] { accept(); });
  }
  void begin_close() {
    asio::post(acceptor_.get_executor(), [this] { close(); });
  }

 private:
  // These run on the acceptor's strand.
  void accept() {
    if (shared_->stopping || accepting_) return;
    if (shared_->open >= shared_->limits.connections) return;
    accepting_ = true;
    acceptor_.async_accept(asio::make_strand(io_), [this](error_code failed, tcp::socket socket) {
      accepting_ = false;
      if (shared_->stopping) return;
      if (failed) return accept_later();
      make_connection(std::move(socket), shared_, tls())->start();
      accept();
    });
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
  }

  // Out of descriptors, most likely: some come back when connections end.
  void accept_later() {
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([this](error_code failed) {
      if (!failed) accept();
    });
  }

  std::shared_ptr<TlsContext> tls() const {
    return tls_ == nullptr ? nullptr : tls_->with([](const auto& current) { return current; });
  }

  asio::io_context& io_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::shared_ptr<Shared> shared_;
  Guarded<std::shared_ptr<TlsContext>>* tls_;
  bool accepting_ = false;
};

class RunningServer : public Server {
 public:
  RunningServer(const ServerSettings& settings, Application& application)
      : workers_(worker_count(settings.threads)),
        shared_(std::make_shared<Shared>(application, settings.limits, workers_.executor())) {}

  ~RunningServer() override {
    begin_stop();
    secure_loop_.stop();
    plain_loop_.stop();
    workers_.stop();
    workers_.join();
  }

  Status open(const ServerSettings& settings) {
    CARDEA_TRY(reload(settings));
    CARDEA_TRY(add_listener(secure_, secure_loop_.io(), settings.address, settings.port, &tls_));
    if (settings.plain)
      CARDEA_TRY(add_listener(plain_, plain_loop_.io(), settings.plain_address, settings.plain_port, nullptr));
    shared_->on_end = [this] { connection_ended(); };
    for (Listener* listener : listeners()) listener->begin_accept();
    secure_loop_.run();
    if (plain_) plain_loop_.run();
    return {};
  }

  std::uint16_t port() const override { return secure_->port(); }
  std::uint16_t plain_port() const override { return plain_ ? plain_->port() : 0; }
  Status trust_client_ca(const std::string& pem) override {
    return tls_.with([&](const auto& current) { return current->trust(pem); });
  }

  Status reload(const ServerSettings& settings) override {
    CARDEA_ASSIGN(std::shared_ptr<TlsContext> fresh,
                  TlsContext::make(settings.certificate_file, settings.key_file, settings.client_ca_pems));
    tls_.with([&](auto& current) { current = std::move(fresh); });
    return {};
  }

  bool stop(std::chrono::milliseconds drain) override {
    begin_stop();
    for_each_connection([](Connection& connection) { connection.finish(); });
    std::unique_lock lock(mutex_);
    const bool drained = ended_.wait_for(lock, drain, [this] { return shared_->open == 0; });
    lock.unlock();
    for_each_connection([](Connection& connection) { connection.abort(); });
    return drained;
  }

 private:
  Status add_listener(std::unique_ptr<Listener>& place, asio::io_context& io, const std::string& address,
                      std::uint16_t port, Guarded<std::shared_ptr<TlsContext>>* tls) {
    CARDEA_ASSIGN(tcp::acceptor plain, listen_on(io, address, port));
    // The same socket under a strand, since accepting and closing are asked for from other threads.
    const auto protocol = plain.local_endpoint().protocol();
    tcp::acceptor acceptor(asio::make_strand(io), protocol, plain.release());
    place = std::make_unique<Listener>(io, std::move(acceptor), shared_, tls);
    return {};
  }

  std::vector<Listener*> listeners() const {
    std::vector<Listener*> all{secure_.get()};
    if (plain_) all.push_back(plain_.get());
    return all;
  }

  void begin_stop() {
    if (shared_->stopping.exchange(true)) return;
    if (!secure_) return;
    for (Listener* listener : listeners()) listener->begin_close();
  }

  void connection_ended() {
    if (!shared_->stopping) {
      for (Listener* listener : listeners()) listener->begin_accept();
      return;
    }
    const std::lock_guard lock(mutex_);
    ended_.notify_all();
  }

  void for_each_connection(const std::function<void(Connection&)>& use) {
    std::vector<std::shared_ptr<Connection>> living;
    shared_->connections.with([&](auto& all) {
      for (const auto& [key, weak] : all) {
        if (auto connection = weak.lock()) living.push_back(std::move(connection));
      }
    });
    for (const auto& connection : living) use(*connection);
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  Guarded<std::shared_ptr<TlsContext>> tls_;
  asio::thread_pool workers_;
  Loop secure_loop_;
  Loop plain_loop_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Listener> secure_;
  std::unique_ptr<Listener> plain_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& settings, Application& application) {
  auto server = std::make_unique<RunningServer>(settings, application);
  CARDEA_TRY(server->open(settings));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace cardea::http
