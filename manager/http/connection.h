// One client's connection: requests in, answers out, one after the other.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
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

/// Bytes that may be held at a time by all connections together, so that many clients that send or read slowly cannot
/// fill the memory. Shares give back what they took.
class Room {
 public:
  explicit Room(std::int64_t bytes) : free_(bytes) {}

  class Share {
   public:
    Share() = default;
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { give_back(); }

    /// Takes that many instead of what was held before. False when there is no room: nothing is held then.
    bool take(Room& room, std::int64_t bytes) {
      give_back();
      // What is small is bounded by the number of connections.
      if (bytes <= small) return true;
      if (room.free_.fetch_sub(bytes) < bytes) {
        room.free_.fetch_add(bytes);
        return false;
      }
      room_ = &room;
      bytes_ = bytes;
      return true;
    }
    void give_back() {
      if (room_ != nullptr) room_->free_.fetch_add(bytes_);
      room_ = nullptr;
    }

   private:
    static constexpr std::int64_t small = 64 * 1024;
    Room* room_ = nullptr;
    std::int64_t bytes_ = 0;
  };

 private:
  std::atomic<std::int64_t> free_;
};

/// What all connections of a server share.
struct Shared {
  Shared(Application& the_application, const Limits& the_limits, boost::asio::any_io_executor the_workers)
      : application(the_application),
        limits(the_limits),
        workers(std::move(the_workers)),
        bodies(the_limits.body_bytes),
        answers(the_limits.answer_bytes) {}
  Application& application;
  const Limits limits;
  const boost::asio::any_io_executor workers;  ///< on which requests that came by TLS are answered
  std::atomic<bool> stopping = false;
  std::atomic<std::int64_t> device_sessions = 0;
  std::atomic<std::size_t> open = 0;
  Room bodies;
  Room answers;
  Guarded<std::unordered_map<const Connection*, std::weak_ptr<Connection>>> connections;
  /// Called when a connection has ended.
  std::function<void()> on_end;
};

/// A connection on a socket that was accepted; with a TLS context it begins with the handshake.
std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared,
                                            std::shared_ptr<TlsContext> tls);

}  // namespace cardea::http
