// The state of certificates as the store has it, for those who sign CRLs and OCSP answers. For a CA that the manager
// runs itself, the row is the truth: a certificate is revoked at the moment its row is.
#pragma once

#include "domain/revocation.h"
#include "domain/store.h"

namespace cardea::manager {

class StoreStatus : public StatusSource {
 public:
  /// The store must live longer.
  explicit StoreStatus(Store& store) : store_(store) {}

  Result<CertificateStatus> status(std::int64_t ca, ByteView serial) override;
  /// The transaction of the store is open while `use` runs.
  Status each_revoked(std::int64_t ca, bool expired_too,
                      const std::function<Status(const RevokedCertificate&)>& use) override;

 private:
  Store& store_;
};

}  // namespace cardea::manager
