// One client's connection: requests in, answers out, one after the other.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <unordered_map>

#include "base/guarded.h"
#include "http/server.h"
#include "http/tls.h"

namespace cardea::http {

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  /// Ends the connection when no request is being worked on, otherwise after its answer. From any thread.
  virtual void finish() = 0;
  /// Ends it now. From any thread.
  virtual void abort() = 0;
};

/// What all connections of a server share.
struct Shared {
  Shared(Application& the_application, const Limits& the_limits) : application(the_application), limits(the_limits) {}
  Application& application;
  const Limits limits;
  std::atomic<bool> stopping = false;
  std::atomic<std::int64_t> device_sessions = 0;
  std::atomic<std::size_t> open = 0;
  Guarded<std::unordered_map<const Connection*, std::weak_ptr<Connection>>> connections;
  /// Called when a connection has ended.
  std::function<void()> on_end;
};

/// A connection on a socket that was accepted; with a TLS context it begins with the handshake.
std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared,
                                            TlsContext* tls);

}  // namespace cardea::http
