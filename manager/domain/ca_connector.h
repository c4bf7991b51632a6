// How the manager asks a certification authority for certificates, whichever it is. The required part is small; what
// not every authority can is an interface of its own, which a connector may offer.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "domain/revocation.h"

namespace cardea::manager {

/// One name in subjectAltName (RFC 5280, 4.2.1.6).
struct AlternativeName {
  enum class Kind : std::uint8_t {
    rfc822,        ///< user@example.org
    dns,           ///< host.example.org
    upn,           ///< Microsoft's user principal name (otherName 1.3.6.1.4.1.311.20.2.3)
    uri,           ///< an absolute URI
    ip,            ///< 192.0.2.1 or 2001:db8::1
    directory,     ///< a distinguished name in RFC 4514 form
    fasc_n,        ///< 50 hexadecimal digits (otherName 2.16.840.1.101.3.6.6, FIPS 201-3, 4.2.1)
    uuid,          ///< RFC 4122 text, written as the URI "urn:uuid:…" (FIPS 201-3, 4.2.1)
    registered_id  ///< a dotted object identifier
  };
  Kind kind = Kind::rfc822;
  std::string value;
  bool operator==(const AlternativeName&) const = default;
};

/// The kind's word in configuration and API: "email", "dns", "upn", "uri", "ip", "directory", "fasc-n", "uuid",
/// "registered-id".
std::string_view word(AlternativeName::Kind kind);
/// The kind of that word; arguments_bad lists the words.
Result<AlternativeName::Kind> alternative_name_kind(std::string_view word);

/// Extensions that are stated by the manager and not by the holder of the key.
struct StatedExtensions {
  std::optional<std::string> sid;    ///< "S-1-5-21-…" in Microsoft's 1.3.6.1.4.1.311.25.2
  std::optional<bool> naci_pending;  ///< NACI indicator 2.16.840.1.101.3.6.9.1; true: the check is not completed
};

/// What a certificate is asked for with.
struct IssuanceRequest {
  std::string id;       ///< of the request in the journal; the ticket is for this one
  std::string profile;  ///< one of CaConnector::profiles
  Bytes csr;            ///< PKCS#10, DER (RFC 2986)
  /// RFC 4514; absent: as in the CSR. An empty text means an empty subject.
  std::optional<std::string> subject;
  /// Absent: as in the CSR where the profile allows that extension.
  std::optional<std::vector<AlternativeName>> alternative_names;
  StatedExtensions extensions;
  std::optional<std::chrono::seconds> validity;  ///< absent: as the profile says; longer ones are capped by the CA
};

/// Proof that policy passed and the intent to issue is stored. Only whoever has stored it makes one; a connector spends
/// it. Moved, never copied, so that one intent cannot lead to two certificates.
class IssuanceTicket {
 public:
  /// For Store::record_intent, after its commit, and for tests.
  static IssuanceTicket for_recorded_intent(std::string request_id) { return IssuanceTicket(std::move(request_id)); }
  IssuanceTicket(IssuanceTicket&& other) noexcept : request_id_(std::exchange(other.request_id_, {})) {}
  IssuanceTicket& operator=(IssuanceTicket&& other) noexcept {
    request_id_ = std::exchange(other.request_id_, {});
    return *this;
  }
  IssuanceTicket(const IssuanceTicket&) = delete;
  IssuanceTicket& operator=(const IssuanceTicket&) = delete;
  ~IssuanceTicket() = default;

  /// Uses the ticket up. action_prohibited when it was spent before or is another request's.
  Status spend(std::string_view request_id);

 private:
  explicit IssuanceTicket(std::string request_id) : request_id_(std::move(request_id)) {}
  std::string request_id_;
};

/// The certificate was issued.
struct Issued {
  Bytes certificate;         ///< DER
  std::vector<Bytes> chain;  ///< DER, the issuer first, the root last when the authority gives it
  std::string reference;     ///< what the authority calls it; for Revoker and KeyRecoverer
};

/// The authority decides later.
struct Pending {
  std::string reference;                            ///< for CaConnector::poll
  std::optional<std::chrono::seconds> retry_after;  ///< the authority's own wish; else the retry schedule counts
};

/// The authority refuses for good.
struct Rejected {
  std::string reason;  ///< in words
};

using EnrolmentAnswer = std::variant<Issued, Pending, Rejected>;

/// What a certificate authority offers under one name.
struct CaProfile {
  std::string id;
  std::string name;
  std::string description;
  std::string group;              ///< of requirements row C8: "smartcard", "smime", …; empty where unknown
  std::chrono::seconds validity;  ///< 0: unknown
  bool encryption = false;        ///< its keys decrypt, so that they may be archived
};

/// What became of a wish to revoke, suspend or unsuspend.
enum class RevocationOutcome : std::uint8_t {
  done,
  already,        ///< it was so before: success as well
  cannot_suspend  ///< the authority has no suspension; nothing changed
};

/// Optional: revocation.
class Revoker {
 public:
  virtual ~Revoker() = default;
  /// `invalid_since` is when the key is thought to have become bad. not_found for a certificate of another authority.
  virtual Result<RevocationOutcome> revoke(ByteView certificate, RevocationReason reason,
                                           std::optional<std::chrono::sys_seconds> invalid_since) = 0;
  virtual Result<RevocationOutcome> suspend(ByteView certificate) = 0;
  /// action_prohibited when the certificate is revoked for good.
  virtual Result<RevocationOutcome> unsuspend(ByteView certificate) = 0;
};

/// Optional: an authority that keeps decryption keys.
class KeyRecoverer {
 public:
  struct Recovered {
    SecretBytes pkcs12;
    SecretBytes password;
  };
  virtual ~KeyRecoverer() = default;
  /// The key of a certificate that this authority issued; not_found when it keeps none.
  virtual Result<Recovered> recover_key(ByteView certificate) = 0;
};

/// Optional: an authority that reports what happens to its certificates elsewhere.
class EventSource {
 public:
  struct Event {
    std::string cursor;  ///< where the next call of events_after goes on
    std::string certificate_reference;
    CertificateStatus status;
  };
  virtual ~EventSource() = default;
  /// The events behind `cursor` (empty: from the beginning), oldest first, at most a page of them.
  virtual Result<std::vector<Event>> events_after(const std::string& cursor) = 0;
};

class LocalCa;

/// A certification authority. Thread-safe. An Error means that nothing is known of the outcome (time-out, no
/// connection, no answer that can be understood): it is asked again, by poll where there is a reference. Asking again
/// with the same IssuanceRequest::id never yields a second certificate where the authority lets a connector see to it.
class CaConnector {
 public:
  CaConnector() = default;
  CaConnector(const CaConnector&) = delete;
  CaConnector& operator=(const CaConnector&) = delete;
  virtual ~CaConnector() = default;

  /// Whether the authority can be reached and knows us.
  virtual Status check() = 0;
  virtual Result<std::vector<CaProfile>> profiles() = 0;
  virtual Result<EnrolmentAnswer> enrol(const IssuanceRequest& request, IssuanceTicket&& ticket) = 0;
  /// What became of a pending request, with the request as it was made; not_found for a reference that the authority
  /// does not know.
  virtual Result<EnrolmentAnswer> poll(const IssuanceRequest& request, const std::string& reference) = 0;

  /// Null when the connector cannot.
  virtual Revoker* revoker() { return nullptr; }
  virtual KeyRecoverer* key_recoverer() { return nullptr; }
  virtual EventSource* event_source() { return nullptr; }
  /// What is run here and publishes CRLs and OCSP answers (local_ca.h); null for authorities elsewhere.
  virtual LocalCa* local() { return nullptr; }
};

}  // namespace cardea::manager
