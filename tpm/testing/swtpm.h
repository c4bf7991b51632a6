// A software TPM of the test's own (swtpm) on Unix sockets in a temporary folder.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cardea::tpm {

/// Runs from start() to stop() or the end of the object; its state lives as long as the object. Ends with the test,
/// too, when that is killed.
class Swtpm {
 public:
  Swtpm() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cardea-tpm-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = pattern;
    start();
  }
  ~Swtpm() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  /// Whether there is a program to run.
  static bool installed() { return access("/usr/bin/swtpm", X_OK) == 0; }

  std::string tcti() const { return "swtpm:path=" + socket_path(); }
  const std::filesystem::path& folder() const { return folder_; }

  /// Powers it on. With `cleared` it is as new, and knows nothing that it made before.
  void start(bool cleared = false) {
    const auto state = folder_ / "state";
    if (cleared) std::filesystem::remove_all(state);
    std::filesystem::create_directories(state);
    std::filesystem::remove(socket_path());
    std::filesystem::remove(socket_path() + ".ctrl");
    id_ = fork();
    if (id_ == 0) run();
    if (id_ < 0) throw std::runtime_error("fork failed");
    for (int tries = 0; tries < 500; ++tries) {
      if (listening()) return;
      usleep(20000);
    }
    throw std::runtime_error("swtpm does not come up");
  }

  /// Powers it off, at once and wherever it is.
  void stop() {
    if (id_ <= 0) return;
    kill(id_, SIGKILL);
    while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
  }

  /// Lets it hear commands and answer none, until resume().
  void mute() { kill(id_, SIGSTOP); }
  void resume() { kill(id_, SIGCONT); }

  /// How many commands it has answered so far.
  std::size_t commands() const {
    std::size_t count = 0;
    if (std::FILE* const log = std::fopen((folder_ / "log").c_str(), "re")) {
      std::array<char, 256> line{};
      while (std::fgets(line.data(), line.size(), log) != nullptr) {
        if (std::string_view(line.data()).find("SWTPM_IO_Read") != std::string_view::npos) ++count;
      }
      std::fclose(log);
    }
    return count;
  }

 private:
  std::string socket_path() const { return (folder_ / "tpm").string(); }

  /// Looked up, not tried: a connection would occupy the TPM.
  bool listening() const { return listens_at(socket_path()) && listens_at(socket_path() + ".ctrl"); }
  static bool listens_at(const std::string& path) {
    constexpr std::string_view accepts = " 00010000 ";  // __SO_ACCEPTCON, among the flags of proc(5), /proc/net/unix
    std::ifstream sockets("/proc/net/unix");
    for (std::string line; std::getline(sockets, line);) {
      if (line.ends_with(" " + path) && line.find(accepts) != std::string::npos) return true;
    }
    return false;
  }

  [[noreturn]] void run() const {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string server = "type=unixio,path=" + socket_path();
    const std::string control = server + ".ctrl";
    const std::string state = "dir=" + (folder_ / "state").string();
    const std::string log = "level=20,file=" + (folder_ / "log").string();
    execl("/usr/bin/swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state.c_str(), "--server", server.c_str(),
          "--ctrl", control.c_str(), "--flags", "not-need-init,startup-clear", "--log", log.c_str(), nullptr);
    _exit(127);
  }

  std::filesystem::path folder_;
  pid_t id_ = 0;
};

}  // namespace cardea::tpm
