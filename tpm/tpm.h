// The TPM as all virtual cards of a process share it: one connection, one command sequence at a time.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/config.h"
#include "esapi/tpm_connection.h"
#include "tpm/fair_mutex.h"

namespace cardea::tpm {

/// Keys that stay loaded between their uses, those used last first. As few as fit beside a storage key and a sealed
/// secret: a TPM has room for three objects, and the kernel's resource manager swaps each at every command.
class LoadedKeys {
 public:
  /// The key of that name, or null.
  const Loaded* find(const std::string& name);
  const Loaded* add(const std::string& name, Loaded key);
  /// Flushes all but that one.
  void keep_only(const std::string& name);
  /// Flushes those whose names begin so.
  void drop(const std::string& prefix);
  void clear() { keys_.clear(); }
  bool empty() const noexcept { return keys_.empty(); }

 private:
  static constexpr std::size_t most = 2;
  struct Entry {
    std::string name;
    Loaded key;
  };
  std::list<Entry> keys_;
};

/// What work on the TPM has at hand.
struct TpmAccess {
  TpmConnection connection;
  LoadedKeys keys = {};
  /// The storage key of the card used last, from its login to the first use of a key, so that those make it only once.
  std::optional<Loaded> storage_key = {};
  std::string storage_key_of = {};

  void release_storage_key() { storage_key.reset(); }
};

/// Thread-safe. Connects when it is first needed, and anew after the TPM or its resource manager went away.
class Tpm {
 public:
  explicit Tpm(const TpmSettings& settings) : settings_(settings) {}

  const TpmSettings& settings() const noexcept { return settings_; }

  /// Runs work that may be begun anew: once more when the connection turned out to be lost, and once more with nothing
  /// else loaded when the TPM had no room. token_absent and permission_denied when there is no TPM to connect
  /// to, device_error when it has gone and stays away; else what the work answers.
  Status run(const std::function<Status(TpmAccess&)>& work);

  /// The same for what only makes sense on a connection that there is, and need not succeed.
  void tidy(const std::function<void(TpmAccess&)>& work);

  /// Closes the connection when nothing is loaded over it: for who needs the TPM once in a long while, so that on a TPM
  /// without resource manager other processes get their turn.
  void release();

  /// What the owner hierarchy asks for; empty without a file in the settings. permission_denied.
  Result<SecretBytes> hierarchy_auth() const;
  /// The same for the endorsement hierarchy.
  Result<SecretBytes> endorsement_auth() const;

 private:
  const TpmSettings settings_;
  FairMutex mutex_;
  std::optional<TpmAccess> access_;  // this and the next under mutex_
  bool connected_before_ = false;
};

/// The one that everybody in this process uses for that TCTI: a TPM without resource manager has only one connection to
/// give. It ends with its last user.
std::shared_ptr<Tpm> shared_tpm(const TpmSettings& settings);

}  // namespace cardea::tpm
