// The agent that stays on a workstation: sees tokens come, asks the daemon what waits for them, and carries it out.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/contacts.h"
#include "agent/job_runner.h"

namespace cardea::agent {

struct ResidentOptions {
  std::string server;                 ///< as RunnerOptions
  std::string device;                 ///< a kind, serial number or part of a place; empty: every token
  std::filesystem::path directory;    ///< as RunnerOptions
  std::chrono::seconds again{300};    ///< between two questions about a token that stays
  std::chrono::seconds interval{10};  ///< before what failed for the moment is tried again, within a job
  int attempts = 5;
  /// Waits that long; false when the agent is to end. Replaced in tests.
  std::function<bool(std::chrono::seconds)> wait;
  /// Whether the agent is to end: looked at between two steps, so that none is cut off.
  std::function<bool()> ending;
};

/// One thread. Nothing of a token or person is kept but tickets, in memory, and what JobRunner keeps.
class ResidentAgent {
 public:
  /// All references must outlive the object.
  ResidentAgent(Server& server, Contacts& contacts, LocalTokens& tokens, User& user, ResidentOptions options)
      : server_(server), contacts_(contacts), tokens_(tokens), user_(user), options_(std::move(options)) {}

  /// Until `wait` says that it is over: a round at once, when a card comes or goes, and when it is time again.
  void stay();
  /// Looks at every token that is due at `now`; one that came is. Failures are told to the person and end nothing;
  /// answers whether there were none.
  bool round(std::chrono::steady_clock::time_point now);

 private:
  /// What is known of a token as long as it stays.
  struct Known {
    std::string ticket;
    std::chrono::steady_clock::time_point due{};
    bool put_off = false;  ///< nobody gave the PIN: not asked again before the token is inserted anew
    std::string told;      ///< the last sentence about it, which is not repeated
    bool there = true;
  };

  bool visit(const LocalToken& token, Known& known);
  Status ask(const LocalToken& token, Known& known, User& user);
  Result<ContactProof> prove(const LocalToken& token, User& user);
  Status carry_out(const LocalToken& token, const ContactProof& proof, const WaitingJob& job, User& user);
  /// Goes on with what an agent that was cut off began on this token, by the secret of its session: with a fresh key
  /// and no certificate yet the token can prove nothing.
  Status go_on(const LocalToken& token, User& user);
  RunnerOptions runner_options(const LocalToken& token) const;
  void tell_once(Known& known, const LocalToken& token, const std::string& sentence);

  Server& server_;
  Contacts& contacts_;
  LocalTokens& tokens_;
  User& user_;
  const ResidentOptions options_;
  std::map<std::string, Known> known_;  ///< by kind and serial number
};

}  // namespace cardea::agent
