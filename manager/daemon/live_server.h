// The running server and what it can take anew without a restart: its certificate, its key, and whom it trusts.
#pragma once

#include <filesystem>
#include <mutex>

#include "daemon/settings.h"
#include "daemon/system.h"
#include "http/api.h"

namespace cardea::manager {

/// Thread-safe.
class LiveServer {
 public:
  /// Starts the server by the settings, with at most that many connections; everything given must live longer.
  static Result<std::unique_ptr<LiveServer>> start(const DaemonSettings& settings, std::size_t connections,
                                                   System& system, Log& log, http::Application& application);

  http::Server& server() { return *server_; }
  /// Reads the settings file again and takes what can be taken; the log names what takes a restart. When the file or
  /// what it names is no good, everything stays as it was, and the log says why.
  void read_again();
  /// Takes the files that the settings name as they are now.
  Status take_files();
  /// Where they are.
  std::filesystem::path certificate_file();
  std::filesystem::path key_file();

 private:
  LiveServer(DaemonSettings settings, System& system, Log& log)
      : settings_(std::move(settings)), system_(system), log_(log) {}
  Status take(const DaemonSettings& settings);

  std::mutex mutex_;
  DaemonSettings settings_;
  System& system_;
  Log& log_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace cardea::manager
