#include "domain/store_status.h"

namespace cardea::manager {
namespace {

// What CRL and OCSP say of a row. One that the CA has not answered yet is not issued.
Result<CertificateStatus> status_of(const Certificate& row) {
  using enum CertificateState;
  CertificateStatus status;
  if (row.state == requested || row.state == pending || row.state == rejected) return status;
  status.state = CertificateStatus::State::good;
  const bool ended = row.state == revoked || row.state == suspended || (row.state == expired && row.revoked_at);
  if (!ended) return status;
  status.state = CertificateStatus::State::revoked;
  status.revoked_at = row.revoked_at.value_or(row.updated);
  if (!row.revocation_reason.empty()) {
    CARDEA_ASSIGN(status.reason, revocation_reason(row.revocation_reason));
  }
  return status;
}

// A serial number in the store is hexadecimal without leading zeros, so it may have an odd number of digits.
std::string store_serial(ByteView serial) {
  std::string text = to_hex(serial);
  text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
  return text;
}

bool number_of(std::string_view text, Bytes& out) {
  out.clear();
  return from_hex(text.size() % 2 == 0 ? std::string(text) : "0" + std::string(text), out) && !out.empty();
}

}  // namespace

Result<CertificateStatus> StoreStatus::status(std::int64_t ca, ByteView serial) {
  CertificateStatus found;
  CARDEA_TRY(store_.read([&](Transaction& transaction) -> Status {
    const auto row = transaction.certificate_by_serial(ca, store_serial(serial));
    if (!row) return row.code() == Code::not_found ? Status() : Status(row.error());
    CARDEA_ASSIGN(found, status_of(*row));
    return {};
  }));
  return found;
}

Status StoreStatus::each_revoked(std::int64_t ca, bool expired_too,
                                 const std::function<Status(const RevokedCertificate&)>& use) {
  return store_.read([&](Transaction& transaction) {
    Bytes serial;
    return transaction.revoked(ca, expired_too, [&](const Transaction::RevokedEntry& row) -> Status {
      if (!number_of(row.serial, serial)) return error(Code::store_corrupt, "a serial number is no hexadecimal number");
      RevokedCertificate entry{serial, row.revoked_at, RevocationReason::unspecified, row.invalid_since};
      if (!row.reason.empty()) {
        CARDEA_ASSIGN(entry.reason, revocation_reason(row.reason));
      }
      return use(entry);
    });
  });
}

}  // namespace cardea::manager
