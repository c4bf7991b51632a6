// What an authority that the manager runs itself offers beside issuing: its certificate, CRLs and OCSP answers, for
// whoever serves them.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::manager {

/// Thread-safe.
class LocalCa {
 public:
  LocalCa() = default;
  LocalCa(const LocalCa&) = delete;
  LocalCa& operator=(const LocalCa&) = delete;
  virtual ~LocalCa() = default;

  /// The CA's row.
  virtual std::int64_t id() const = 0;
  /// The CA's certificate, DER.
  virtual const Bytes& certificate() const = 0;
  /// What is above it, DER: its issuer first, the root last; empty for a root.
  virtual const std::vector<Bytes>& chain() const = 0;

  /// A fresh full CRL, DER (RFC 5280, 5). `number` must be larger than that of every CRL before; `now` becomes
  /// thisUpdate. Errors of the status source and the key token.
  virtual Result<Bytes> make_crl(std::uint64_t number, std::chrono::sys_seconds now) = 0;
  /// How long a CRL is valid, and how soon the next is due.
  virtual std::chrono::seconds crl_lifetime() const = 0;
  virtual std::chrono::seconds crl_interval() const = 0;

  /// The OCSP answer (RFC 6960), DER, to a request as it came, whatever it holds: what cannot be answered is told by an
  /// OCSP error inside. not_found for a CA that does not answer OCSP; else fails only when not even such an answer can
  /// be made.
  virtual Result<Bytes> answer_ocsp(ByteView request, std::chrono::sys_seconds now) = 0;
};

}  // namespace cardea::manager
