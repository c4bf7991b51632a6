// CRLs on schedule, and which authorities of ours do not work.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "daemon/authorities.h"
#include "domain/ports.h"
#include "log/log.h"

namespace cardea::manager {

/// One thread at a time. The references must live longer.
class CrlRound {
 public:
  /// `failing` is what the interface shows: names of authorities that the last round found not to work.
  CrlRound(const Ports& ports, Authorities& authorities, Log& log, Guarded<std::vector<std::string>>& failing)
      : ports_(ports), authorities_(authorities), log_(log), failing_(failing) {}

  /// Announces every authority of ours and makes its next CRL if that is due. What fails with one keeps nobody from the
  /// others; it is a warning in the log when it begins and when its reason changes, and said when it is over. Errors of
  /// the store.
  Status run();

 private:
  Status work(const Authorities::Local& one);
  void tell(const std::map<std::string, std::string>& found);

  const Ports& ports_;
  Authorities& authorities_;
  Log& log_;
  Guarded<std::vector<std::string>>& failing_;
  std::map<std::string, std::string> told_;  ///< why, by name
};

}  // namespace cardea::manager
