// The audit log's hash chain: the canonical form of an event, and how a chain is checked (requirement B5).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "domain/model.h"

namespace cardea::manager {

/// What stands before the first event.
Bytes audit_chain_start();

/// SHA-256 over the words "cardea audit 1", `previous`, number, time, actor, action, subject and detail: each text and
/// byte string behind its length in 8 bytes, numbers in 8 bytes, all big-endian; detail as canonical_json writes it.
/// Does not look at event.hash.
Result<Bytes> audit_hash(const AuditEvent& event);

/// JSON without white space, members in ascending order of their names' bytes, at every depth.
std::string canonical_json(const json::value& value);

/// Checks events handed over in ascending order, part by part, so that a long log needs no memory.
class AuditChain {
 public:
  /// Begins before the first event.
  AuditChain() : next_(1), previous_(audit_chain_start()) {}
  /// Begins behind an event that is trusted, say by a signed head.
  AuditChain(std::uint64_t number, Bytes hash) : next_(number + 1), previous_(std::move(hash)) {}

  /// Says which event was written down as the last one before reading began; later ones may follow it.
  void expect(AuditTail tail) { tail_ = std::move(tail); }

  /// The next event. data_invalid with a sentence that names the event that is changed or missing; every further call
  /// fails the same way.
  Status take(const AuditEvent& event);

  /// Behind the last event: data_invalid when the one that was expected is not there; every further call fails as take
  /// does.
  Status end();

  /// The number of the last event that was right; 0: none.
  std::uint64_t last() const noexcept { return next_ - 1; }
  /// Its hash.
  const Bytes& hash() const noexcept { return previous_; }

 private:
  Status broken(std::string sentence);

  std::uint64_t next_;
  Bytes previous_;
  std::optional<AuditTail> tail_;
  std::optional<Error> broken_;
};

}  // namespace cardea::manager
