// What the daemon does without being asked: jobs that need no agent, CRLs, expiry, renewals (its own
// certificates among them), heads of the audit log.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/crl_round.h"
#include "daemon/live_server.h"
#include "daemon/system.h"

namespace cardea::manager {

class Background {
 public:
  Background(System& system, Log& log, LiveServer& server, std::chrono::seconds housekeeping);
  /// Lets what runs finish; a job's steps are stored, so whatever is left goes on at the next start.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  void work_off_jobs();
  void keep_house();
  void one_round();
  void renew_own_certificates();
  void renew_authorities();
  void renew_server_certificate();
  void note(std::string_view what, const Error& problem);
  /// False when it is time to stop.
  bool wait(std::chrono::milliseconds time);

  System& system_;
  Log& log_;
  LiveServer& server_;
  const std::chrono::seconds interval_;
  CrlRound crls_;
  std::chrono::steady_clock::time_point next_renewal_{};
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cardea::manager
