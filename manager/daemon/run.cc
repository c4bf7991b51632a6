#include "daemon/run.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "daemon/background.h"
#include "daemon/live_server.h"
#include "daemon/system.h"
#include "http/api.h"

namespace cardea::manager {
namespace {

// sd_notify(3): one datagram to the socket that systemd named.
void notify_systemd(std::string_view state) {
  const char* const place = std::getenv("NOTIFY_SOCKET");
  if (place == nullptr || (place[0] != '/' && place[0] != '@')) return;
  const std::string_view path(place);
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  if (place[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  // A service manager that does not listen is no reason to end.
  static_cast<void>(
      sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size));
  close(descriptor);
}

// Signals to the daemon are waited for by one thread; all others, which begin later, have them blocked.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// As many connections as there are descriptors for, besides those that the daemon needs for its own work: whoever opens
// more has to wait, and the database can still be opened.
std::size_t connections_within(std::size_t wanted, Log& log) {
  constexpr rlim_t own = 128;
  constexpr rlim_t least = 16;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = std::min<rlim_t>(wanted + own, limit.rlim_max);
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted + own) return wanted;
  const rlim_t possible = limit.rlim_cur > own + least ? limit.rlim_cur - own : least;
  log.warning("fewer connections than set",
              {{"connections", std::to_string(possible)}, {"descriptors", std::to_string(limit.rlim_cur)}});
  return possible;
}

// The signal that ends the daemon; SIGHUP does not.
int wait_for_end(const sigset_t& signals, LiveServer& live) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) return signal;
    notify_systemd("RELOADING=1");
    live.read_again();
    notify_systemd("READY=1");
  }
}

}  // namespace

Status run(const DaemonSettings& settings) {
  const sigset_t signals = block_signals();
  CARDEA_ASSIGN(const auto log, Log::open(settings.log));
  CARDEA_ASSIGN(const auto system, System::open(settings, *log));
  CARDEA_TRY(ensure_manager_keys(system->ports().keys));
  http::Api api(system->services());
  const std::size_t connections = connections_within(settings.server.limits.connections, *log);
  CARDEA_ASSIGN(const auto live, LiveServer::start(settings, connections, *system, *log, api));
  http::Server& server = live->server();
  {
    const Background background(*system, *log, *live, settings.housekeeping);
    log->info("started", {{"version", CARDEA_VERSION},
                          {"https", fmt::format("{}:{}", settings.server.address, server.port())},
                          {"http", server.plain_port() == 0
                                       ? std::string("off")
                                       : fmt::format("{}:{}", settings.server.plain_address, server.plain_port())}});
    log->flush();
    notify_systemd("READY=1");
    const int signal = wait_for_end(signals, *live);
    notify_systemd("STOPPING=1");
    log->info("stopping", {{"signal", std::to_string(signal)}});
    if (!server.stop(settings.drain)) log->warning("requests were cut off", {});
  }
  log->info("stopped");
  log->flush();
  return {};
}

}  // namespace cardea::manager
