#include "card_program/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace cardea::vcard {

namespace {

constexpr std::size_t longest_line = 4096;
constexpr std::size_t most_clients = 16;
constexpr timeval answer_limit{10, 0};

std::optional<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.empty() || name.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool served(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered = probe >= 0 && ::connect(probe, generic(address), sizeof address) == 0;
  if (probe >= 0) ::close(probe);
  return answered;
}

bool send_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void limit_waiting(int descriptor) {
  (void)setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &answer_limit, sizeof answer_limit);
  (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &answer_limit, sizeof answer_limit);
}

}  // namespace

ControlServer::~ControlServer() {
  for (const Client& client : clients_) ::close(client.descriptor);
  if (listener_ < 0) return;
  ::close(listener_);
  ::unlink(path_.c_str());
}

Status ControlServer::listen(const std::filesystem::path& path) {
  const auto address = address_of(path);
  if (!address) return error(Code::arguments_bad, "the path of the control socket is empty or too long");
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode) || served(*address)) return error(Code::exists, path.string());
    ::unlink(path.c_str());
  }
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return Code::device_error;
  const mode_t usual = ::umask(0177);
  const bool bound = ::bind(listener_, generic(*address), sizeof *address) == 0;
  ::umask(usual);
  if (!bound || ::listen(listener_, static_cast<int>(most_clients)) != 0) {
    ::close(listener_);
    listener_ = -1;
    return error(Code::permission_denied, path.string());
  }
  path_ = path;
  return {};
}

void ControlServer::watch(std::vector<pollfd>& set) const {
  if (listener_ >= 0) set.push_back({listener_, POLLIN, 0});
  for (const Client& client : clients_) set.push_back({client.descriptor, POLLIN, 0});
}

void ControlServer::serve(const std::vector<pollfd>& set) {
  for (const pollfd& ready : set) {
    if (ready.revents == 0) continue;
    if (ready.fd == listener_) {
      accept_client();
      continue;
    }
    const auto client = std::find_if(clients_.begin(), clients_.end(),
                                     [&](const Client& known) { return known.descriptor == ready.fd; });
    if (client == clients_.end() || serve_client(*client)) continue;
    ::close(client->descriptor);
    clients_.erase(client);
  }
}

void ControlServer::accept_client() {
  const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (descriptor < 0) return;
  if (clients_.size() == most_clients) {
    ::close(descriptor);
    return;
  }
  limit_waiting(descriptor);
  clients_.push_back({descriptor, {}});
}

// False when the client is to be dropped.
bool ControlServer::serve_client(Client& client) {
  char buffer[1024];
  const ssize_t got = ::recv(client.descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got <= 0) return false;
  client.received.append(buffer, static_cast<std::size_t>(got));
  for (std::size_t end = client.received.find('\n'); end != std::string::npos; end = client.received.find('\n')) {
    const std::string answer = handler_(std::string_view(client.received).substr(0, end)) + "\n";
    client.received.erase(0, end + 1);
    if (!send_all(client.descriptor, answer)) return false;
  }
  return client.received.size() <= longest_line;
}

Result<std::string> ask_control(const std::filesystem::path& path, std::string_view line) {
  const auto address = address_of(path);
  if (!address) return error(Code::arguments_bad, "the path of the control socket is empty or too long");
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return Code::device_error;
  limit_waiting(descriptor);
  std::string answer;
  bool alive =
      ::connect(descriptor, generic(*address), sizeof *address) == 0 && send_all(descriptor, std::string(line) + "\n");
  const bool reached = alive;
  while (alive && answer.find('\n') == std::string::npos) {
    char buffer[4096];
    const ssize_t got = ::recv(descriptor, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    alive = got > 0;
    if (alive) answer.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(descriptor);
  if (!reached) return error(Code::device_removed, "no card is run with --control " + path.string());
  if (!alive) return Code::timed_out;
  answer.erase(answer.find('\n'));
  return answer;
}

}  // namespace cardea::vcard
