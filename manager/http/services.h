// What handlers can ask for. The daemon puts it together; tests put in what they need.
#pragma once

#include <functional>

#include "domain/local_ca.h"
#include "domain/ports.h"
#include "log/log.h"

namespace cardea::http {

/// Finds the authorities that the manager runs itself. Thread-safe.
class LocalCas {
 public:
  virtual ~LocalCas() = default;
  /// not_found when there is no authority of that name, or it is run elsewhere.
  virtual Result<std::shared_ptr<manager::LocalCa>> find(std::string_view name) = 0;
};

/// References outlive the server.
struct Services {
  manager::Ports ports;
  manager::Log& log;
  LocalCas& local_cas;
  /// Whether the daemon can do its work: store, key token, CAs; the error says what is missing.
  std::function<Status()> ready;
};

}  // namespace cardea::http
