#include "cli/terminal.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "cli/exit_status.h"

namespace cardea::cli {
namespace {

volatile std::sig_atomic_t caught_signal = 0;

void remember_signal(int number) {
  caught_signal = number;
}

class Terminal {
 public:
  Terminal() : fd_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}
  ~Terminal() {
    if (fd_ >= 0) close(fd_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  void say(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR && caught_signal == 0) continue;
      if (written <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

 private:
  int fd_;
};

// Echo is off while this lives. Signals that would end or stop the program are only noted, so that the terminal never
// stays without echo; they are delivered again afterwards.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd) {
    caught_signal = 0;
    struct sigaction noting {};
    noting.sa_handler = remember_signal;
    sigemptyset(&noting.sa_mask);
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &noting, &before_[i]);
    silent_ = tcgetattr(fd_, &saved_) == 0;
    if (!silent_) return;
    termios quiet = saved_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    quiet.c_lflag |= ICANON;
    silent_ = tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  ~EchoOff() {
    if (silent_) tcsetattr(fd_, TCSAFLUSH, &saved_);
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before_[i], nullptr);
    if (caught_signal != 0) raise(caught_signal);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  bool silent() const { return silent_; }

 private:
  static constexpr std::array signals = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};
  int fd_;
  termios saved_{};
  std::array<struct sigaction, signals.size()> before_{};
  bool silent_ = false;
};

// One line into locked memory; nullopt-like false at the end of input or on a signal.
bool read_line(int fd, SecretBytes& line, std::size_t& size) {
  size = 0;
  while (caught_signal == 0) {
    Byte byte = 0;
    const ssize_t count = read(fd, &byte, 1);
    if (count < 0 && errno == EINTR && caught_signal == 0) continue;
    if (count <= 0) return false;
    if (byte == '\n' || byte == '\r') return true;
    if (size < line.size()) line.data()[size++] = byte;
  }
  return false;
}

constexpr std::size_t longest_line = 1024;

}  // namespace

bool has_terminal() {
  return static_cast<bool>(Terminal());
}

Result<Pin> ask_pin(const std::string& prompt) {
  const Terminal terminal;
  if (!terminal) {
    return failure(
        Code::user_not_logged_in,
        "A PIN is needed and there is no terminal to ask for it. Give it with --pin-file FILE or --pin-stdin "
        "(for other PINs --so-pin-file and --new-pin-file).");
  }
  SecretBytes line(longest_line);
  std::size_t size = 0;
  bool complete = false;
  {
    const EchoOff quiet(terminal.fd());
    if (!quiet.silent()) {
      return failure(Code::device_error,
                     "The terminal's echo cannot be switched off, so no PIN is asked for. Use "
                     "--pin-file or --pin-stdin.");
    }
    terminal.say(prompt);
    complete = read_line(terminal.fd(), line, size);
    terminal.say("\n");
  }
  if (!complete) return failure(Code::function_canceled, "Cancelled; nothing was sent to the token.");
  return Pin(line.view().first(size));
}

Result<std::string> ask_line(const std::string& prompt) {
  const Terminal terminal;
  if (!terminal) return failure(Code::user_not_logged_in, "There is no terminal to ask on.");
  terminal.say(prompt);
  SecretBytes line(longest_line);
  std::size_t size = 0;
  caught_signal = 0;
  if (!read_line(terminal.fd(), line, size)) return failure(Code::function_canceled, "Cancelled.");
  return std::string(text_of(line.view().first(size)));
}

bool confirm(const std::string& question) {
  const Terminal terminal;
  if (!terminal) return false;
  terminal.say(question + " Type \"yes\" to go on: ");
  SecretBytes line(longest_line);
  std::size_t size = 0;
  caught_signal = 0;
  return read_line(terminal.fd(), line, size) && text_of(line.view().first(size)) == "yes";
}

}  // namespace cardea::cli
