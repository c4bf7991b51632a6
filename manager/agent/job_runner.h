// Carries one job from its one-time code to its end.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "agent/local_tokens.h"
#include "agent/server.h"
#include "agent/user.h"

namespace cardea::agent {

struct RunnerOptions {
  std::string server;               ///< its address, by which jobs that were cut off are remembered
  std::string device;               ///< as TokenSteps' `wanted`
  std::filesystem::path directory;  ///< where what is remembered lies: jobs that were cut off, former PINs
  int attempts = 5;                 ///< how often what may pass by itself is tried again
  std::chrono::seconds interval{10};
  /// Waits that long; false to give up. Replaced in tests.
  std::function<bool(std::chrono::seconds)> wait;
};

class JobRunner {
 public:
  JobRunner(Server& server, LocalTokens& tokens, User& user, RunnerOptions options)
      : server_(server), tokens_(tokens), user_(user), options_(std::move(options)) {}

  /// Runs the code's job to its end, or as far as it goes now; calling it again goes on from there. function_failed
  /// with the daemon's words when the job was undone; the last problem when it did not pass in all attempts.
  Status collect(std::string_view code);

 private:
  class Run;

  Server& server_;
  LocalTokens& tokens_;
  User& user_;
  const RunnerOptions options_;
};

}  // namespace cardea::agent
