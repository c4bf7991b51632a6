// What the agent remembers of a job that was cut off, so that it goes on where it stopped and on the same token.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "agent/local_tokens.h"

namespace cardea::agent {

struct RememberedJob {
  SecretBytes session;              ///< what resumes the session
  std::optional<LocalToken> token;  ///< the one that the job began with
  std::int64_t job = 0;             ///< the daemon's number of it; 0: not known
};

/// One file a job and daemon, readable by its user alone; neither the file nor its name tells the code.
class JobMemory {
 public:
  /// `code` is a one-time code, or what else the agent calls the job by; letters before the first hyphen make it the
  /// latter.
  JobMemory(const std::filesystem::path& directory, std::string_view server, std::string_view code);

  /// Nothing when there is none, or it cannot be read: the job then begins as if it were new.
  std::optional<RememberedJob> load() const;
  Status save(const RememberedJob& job) const;
  void forget() const;

 private:
  std::filesystem::path file_;
};

}  // namespace cardea::agent
