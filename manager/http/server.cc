#include "http/server.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
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

// Handlers wait for the store's disk, so there are more of them than processors; a store that groups its commits gets
// its groups from them, and the slower the disk, the larger these must be.
unsigned thread_count(unsigned wanted) {
  if (wanted != 0) return wanted;
  return std::max(32U, 8 * std::thread::hardware_concurrency());
}

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
  Listener(tcp::acceptor acceptor, std::shared_ptr<Shared> shared, Guarded<std::shared_ptr<TlsContext>>* tls)
      : acceptor_(std::move(acceptor)), retry_(acceptor_.get_executor()), shared_(std::move(shared)), tls_(tls) {}

  std::uint16_t port() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  // Runs on the strand, as everything here.
  void accept() {
    if (shared_->stopping || accepting_) return;
    if (shared_->open >= shared_->limits.connections) return;
    accepting_ = true;
    acceptor_.async_accept(asio::make_strand(io()), [this](error_code failed, tcp::socket socket) {
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

  asio::any_io_executor executor() { return acceptor_.get_executor(); }

 private:
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

  asio::io_context& io() { return static_cast<asio::io_context&>(asio::query(executor(), asio::execution::context)); }

  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::shared_ptr<Shared> shared_;
  Guarded<std::shared_ptr<TlsContext>>* tls_;
  bool accepting_ = false;
};

class RunningServer : public Server {
 public:
  RunningServer(const ServerSettings& settings, Application& application)
      : io_(static_cast<int>(thread_count(settings.threads))),
        strand_(asio::make_strand(io_)),
        shared_(std::make_shared<Shared>(application, settings.limits)) {}

  ~RunningServer() override {
    begin_stop();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  Status open(const ServerSettings& settings) {
    CARDEA_TRY(reload(settings));
    CARDEA_TRY(add_listener(secure_, settings.address, settings.port, &tls_));
    if (settings.plain) CARDEA_TRY(add_listener(plain_, settings.plain_address, settings.plain_port, nullptr));
    shared_->on_end = [this] { connection_ended(); };
    for (Listener* listener : listeners()) asio::post(strand_, [listener] { listener->accept(); });
    for (unsigned i = 0; i < thread_count(settings.threads); ++i) threads_.emplace_back([this] { io_.run(); });
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
  Status add_listener(std::unique_ptr<Listener>& place, const std::string& address, std::uint16_t port,
                      Guarded<std::shared_ptr<TlsContext>>* tls) {
    CARDEA_ASSIGN(tcp::acceptor plain, listen_on(io_, address, port));
    // The same socket under the strand on which listeners run.
    const auto protocol = plain.local_endpoint().protocol();
    tcp::acceptor acceptor(strand_, protocol, plain.release());
    place = std::make_unique<Listener>(std::move(acceptor), shared_, tls);
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
    asio::post(strand_, [this] {
      for (Listener* listener : listeners()) listener->close();
    });
  }

  void connection_ended() {
    if (!shared_->stopping) {
      asio::post(strand_, [this] {
        for (Listener* listener : listeners()) listener->accept();
      });
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
  asio::io_context io_;
  asio::any_io_executor strand_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Listener> secure_;
  std::unique_ptr<Listener> plain_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& settings, Application& application) {
  auto server = std::make_unique<RunningServer>(settings, application);
  CARDEA_TRY(server->open(settings));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace cardea::http
