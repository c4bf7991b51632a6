#include "card_program/reader_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "base/secret.h"

namespace cardea::vcard {

namespace {

constexpr std::size_t length_size = 2;
constexpr std::size_t largest_message = 0xFFFF;
constexpr timeval send_limit{5, 0};

void set_flag(int socket, int option) {
  const int on = 1;
  // Only speed is lost where the kernel refuses.
  (void)setsockopt(socket, IPPROTO_TCP, option, &on, sizeof on);
}

}  // namespace

Status ReaderConnection::connect(const std::string& host, std::uint16_t port) {
  close();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return error(Code::arguments_bad, host + " is no IPv4 address");
  }
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return Code::device_error;
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close();
    return error(Code::device_removed, "no virtual reader listens on " + host + ":" + std::to_string(port));
  }
  set_flag(socket_, TCP_NODELAY);
  (void)setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof send_limit);
  return {};
}

void ReaderConnection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  wipe(received_);
  received_.clear();
}

Status ReaderConnection::receive() {
  Byte buffer[4096];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  if (got <= 0) return Code::device_removed;
  // vpcd sends length and content apart; a delayed acknowledgement of the first would cost 40 ms each time. The kernel
  // forgets the flag, so it is set after every read.
  set_flag(socket_, TCP_QUICKACK);
  received_.insert(received_.end(), buffer, buffer + got);
  wipe({buffer, static_cast<std::size_t>(got)});
  return {};
}

std::optional<Bytes> ReaderConnection::take_message() {
  if (received_.size() < length_size) return std::nullopt;
  const std::size_t length = static_cast<std::size_t>(received_[0] << 8 | received_[1]);
  if (received_.size() < length_size + length) return std::nullopt;
  const auto begin = received_.begin() + length_size;
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  Bytes message(begin, end);
  received_.erase(received_.begin(), end);
  return message;
}

Status ReaderConnection::send(ByteView message) {
  if (message.size() > largest_message) return Code::data_length;
  Bytes framed = {static_cast<Byte>(message.size() >> 8), static_cast<Byte>(message.size())};
  framed.insert(framed.end(), message.begin(), message.end());
  std::size_t done = 0;
  while (done < framed.size()) {
    const ssize_t sent = ::send(socket_, framed.data() + done, framed.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return Code::device_removed;
    done += static_cast<std::size_t>(sent);
  }
  return {};
}

}  // namespace cardea::vcard
