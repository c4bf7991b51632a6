// A software TPM with a fault: a filter in front of swtpm that refuses raw RSA, as some TPMs do.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <thread>
#include <vector>

#include "swtpm/swtpm.h"

namespace cardea::tpm {

/// Listens on a socket of its own and hands on to that swtpm, one connection at a time as swtpm itself does. Answers
/// TPM2_RSA_Decrypt without scheme with TPM_RC_SCHEME. Ends with the object.
class RawRsaFilter {
 public:
  explicit RawRsaFilter(const Swtpm& swtpm) : behind_((swtpm.folder() / "tpm").string()), path_(behind_ + "-filter") {
    // tpm2-tss wants the control socket, too, which needs no filter.
    std::filesystem::create_symlink(behind_ + ".ctrl", path_ + ".ctrl");
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path_);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_, 8) != 0) {
      throw std::runtime_error("the filter cannot listen");
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~RawRsaFilter() {
    ending_ = true;
    thread_.join();
    close(listener_);
  }
  RawRsaFilter(const RawRsaFilter&) = delete;
  RawRsaFilter& operator=(const RawRsaFilter&) = delete;

  std::string tcti() const { return "swtpm:path=" + path_; }
  /// How many commands it has refused.
  int refused() const { return refused_; }

 private:
  using Message = std::vector<unsigned char>;
  static constexpr int glance = 50;  // milliseconds after which it looks whether to end

  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return address;
  }
  bool wait_for(int descriptor) const {
    while (!ending_) {
      pollfd wanted{descriptor, POLLIN, 0};
      if (poll(&wanted, 1, glance) > 0) return true;
    }
    return false;
  }
  bool read_exactly(int from, unsigned char* to, std::size_t size) const {
    while (size > 0) {
      const ssize_t got = wait_for(from) ? recv(from, to, size, 0) : 0;
      if (got <= 0) return false;
      to += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  }
  /// A command or an answer: both begin with tag, size and code (TPM 2.0 Library, part 1, 18).
  bool read_message(int from, Message& message) const {
    message.resize(10);
    if (!read_exactly(from, message.data(), 10)) return false;
    const std::size_t size = number(message, 2, 4);
    if (size < 10 || size > 4096) return false;
    message.resize(size);
    return read_exactly(from, message.data() + 10, size - 10);
  }
  static std::size_t number(const Message& message, std::size_t place, std::size_t size) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < size && place + i < message.size(); ++i) value = value << 8 | message[place + i];
    return value;
  }
  static bool is_raw_rsa(const Message& command) {
    constexpr std::size_t rsa_decrypt = 0x159, null_scheme = 0x10;
    if (number(command, 6, 4) != rsa_decrypt) return false;
    const std::size_t ciphertext = 10 + 4 + 4 + number(command, 14, 4);  // behind handle and authorisations
    return number(command, ciphertext + 2 + number(command, ciphertext, 2), 2) == null_scheme;
  }
  static bool send_all(int to, const Message& message) {
    return send(to, message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
  }

  void serve() {
    while (wait_for(listener_)) {
      const int client = accept(listener_, nullptr, nullptr);
      const int tpm = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_un address = address_of(behind_);
      if (connect(tpm, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) serve(client, tpm);
      close(tpm);
      close(client);
    }
  }
  void serve(int client, int tpm) {
    const Message refusal{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x02, 0xd2};  // TPM_RC_SCHEME, parameter 2
    Message message;
    while (read_message(client, message)) {
      if (is_raw_rsa(message)) {
        ++refused_;
        message = refusal;
      } else if (!send_all(tpm, message) || !read_message(tpm, message)) {
        return;
      }
      if (!send_all(client, message)) return;
    }
  }

  const std::string behind_;
  const std::string path_;
  int listener_ = -1;
  std::atomic<bool> ending_{false};
  std::atomic<int> refused_{0};
  std::thread thread_;
};

}  // namespace cardea::tpm
