// A Unix socket on which tests steer a running card: one command a line in, one line of JSON out.
#pragma once

#include <poll.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cardea::vcard {

class ControlServer {
 public:
  using Handler = std::function<std::string(std::string_view line)>;

  explicit ControlServer(Handler handler) : handler_(std::move(handler)) {}
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Listens on a path that only this user can reach; a socket that nobody serves any more is replaced.
  /// Codes: exists when somebody serves it, arguments_bad for a path that is too long, permission_denied.
  Status listen(const std::filesystem::path& path);

  /// Adds what to wait for.
  void watch(std::vector<pollfd>& set) const;
  /// Serves what is ready: new clients, lines, ends.
  void serve(const std::vector<pollfd>& set);

 private:
  struct Client {
    int descriptor;
    std::string received;
  };
  void accept_client();
  bool serve_client(Client& client);

  Handler handler_;
  std::filesystem::path path_;
  int listener_ = -1;
  std::vector<Client> clients_;
};

/// Sends one line to a control socket and returns the answering line. Waits at most ten seconds.
/// Codes: device_removed when nobody serves the socket, timed_out.
Result<std::string> ask_control(const std::filesystem::path& path, std::string_view line);

}  // namespace cardea::vcard
