// What the manager knows: people, tokens, credential profiles, requests, jobs and their steps, certificates, archived
// keys, certification authorities, operators and the audit log. Plain values; the store keeps them, services change
// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/bytes.h"
#include "domain/lifecycle.h"

namespace cardea::manager {

/// Of any row; given by the store, never reused, positive. 0: not stored yet.
using Id = std::int64_t;
/// Counts the changes of a row. Kept by the store, which refuses to update a row that was changed since it was read;
/// what is sent back has the revision that was read.
using Revision = std::int64_t;
/// UTC, whole seconds.
using Time = std::chrono::sys_seconds;
namespace json = boost::json;

/// Somebody who carries credentials.
struct Person {
  Id id = 0;
  std::string name = {};          ///< unique, the name at log-on; compared without regard to case
  std::string display_name = {};  ///< CN by default
  std::string email = {};
  std::string department = {};  ///< for the scope `department`
  /// What certificate attributes can be mapped from beside the above (C2): upn, employee_id, sid, uuid, fascn, ou, …
  std::map<std::string, std::string> attributes = {};
  bool enabled = true;
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// A token known to the manager. Its secrets are never stored: they follow from the master key
/// (services/token_secrets.h).
struct Token {
  Id id = 0;
  std::string kind = {};    ///< a line of token kinds: piv, gids, tpm, keystore
  std::string serial = {};  ///< unique within the kind
  std::string label = {};
  std::string model = {};
  std::string location = {};  ///< where the stock lies
  TokenState state = TokenState::stock;
  std::optional<Id> person = {};
  std::optional<Id> profile = {};
  std::string card_type = {};        ///< which factory secrets it came with; empty: the kind's usual ones
  std::uint32_t secret_version = 0;  ///< of the derived secrets it carries; 0: factory secrets
  std::uint32_t puk_version = 0;     ///< the PUK changes after every unblock, the rest does not
  bool registered_stock = false;     ///< known before it was first seen (L6)
  json::object facts = {};           ///< what the agent last read: containers, PIN state, free places
  json::object attestation = {};     ///< what was verified about where its keys were made (B4), by container
  json::object pin = {};             ///< enforced where, last changed, must change; never the PIN
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// A credential profile (template). Its document is checked when saved (profile.h); versions are kept, since a
/// credential is renewed by the rules it was issued under unless somebody says otherwise.
struct Profile {
  Id id = 0;
  std::string name = {};  ///< unique
  std::uint32_t version = 1;
  bool enabled = true;
  json::object document = {};
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// One operator's word on a request.
struct Approval {
  Id operator_id = 0;
  Time at = {};
  std::string comment = {};
};

/// What somebody wants done.
struct Request {
  Id id = 0;
  std::string kind = {};  ///< a line of job_kinds.def: issue, renew, replace, update, unblock, recover, disable,
                          ///< enable, cancel, retire
  RequestState state = RequestState::pending;
  Id person = 0;
  std::optional<Id> profile = {};
  std::optional<Id> token = {};
  std::optional<Id> requested_by = {};  ///< operator; empty: the person
  std::vector<Approval> approvals = {};
  std::uint32_t approvals_needed = 0;
  std::string reason = {};       ///< of revocation or replacement: keyCompromise, lost, damaged, …
  json::object parameters = {};  ///< what the kind needs beyond this
  /// One-time code (L3): HMAC under a key of the manager, never the code.
  Bytes code_check = {};
  std::optional<Time> code_expires = {};
  std::uint32_t code_attempts = 0;
  std::optional<Id> job = {};
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

enum class StepState : std::uint8_t { planned, running, done, failed, undone };

/// One idempotent step of a job, stored before and after it runs.
struct Step {
  std::uint32_t index = 0;
  std::string kind = {};  ///< a line of steps.def
  StepState state = StepState::planned;
  json::object parameters = {};  ///< never a secret: secrets are derived or unwrapped when the step is handed out
  json::object result = {};
  std::string problem = {};  ///< of the last attempt, a sentence
  std::uint32_t attempts = 0;
  std::optional<Time> started = {};
  std::optional<Time> finished = {};
};

/// The steps that carry a request out, and where they stand.
struct Job {
  Id id = 0;
  Id request = 0;
  std::string kind = {};
  JobState state = JobState::ready;
  std::optional<Id> token = {};
  std::vector<Step> steps = {};
  std::string waits_for = {};  ///< a sentence; empty when it does not wait
  std::optional<Time> next_attempt = {};
  std::uint32_t ca_attempts = 0;  ///< how far along the CA's retry schedule (C3)
  std::string claimed_by = {};    ///< the daemon that works on it
  std::optional<Time> claimed_until = {};
  Bytes agent_check = {};  ///< SHA-256 of the agent's session secret; empty: no agent
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// A certificate that we asked for, stored as intent before the CA is asked; or one that came from elsewhere together
/// with its archived key (key_import.h).
struct Certificate {
  Id id = 0;
  CertificateState state = CertificateState::requested;
  Id ca = 0;                 ///< 0: made elsewhere, so its issuer alone revokes it
  std::string policy = {};   ///< certificate policy of that CA; of one made elsewhere that it is treated by, or empty
  std::string serial = {};   ///< lower-case hexadecimal without leading zeros; empty before it is issued
  std::string subject = {};  ///< RFC 4514
  std::string issuer = {};
  std::optional<Id> person = {};
  std::optional<Id> token = {};
  std::string container = {};  ///< authentication, signature, encryption, card_authentication, or retired-N
  std::optional<Id> archived_key = {};
  Bytes der = {};
  Bytes public_key_hash = {};     ///< SHA-256 of the SubjectPublicKeyInfo
  json::object attestation = {};  ///< what was verified about where its key was made (B4); empty: nothing
  std::string reference = {};     ///< the CA's, while it is pending
  std::optional<Time> not_before = {};
  std::optional<Time> not_after = {};
  std::optional<Time> revoked_at = {};
  std::optional<Time> invalid_since = {};
  std::string revocation_reason = {};  ///< as in RFC 5280: keyCompromise, certificateHold, …
  /// What the CA was asked for outside of a job (open_issuances.h), until that is settled; empty: nothing is open, or a
  /// job knows.
  json::object wish = {};
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// A decryption key in the archive: AES-256-GCM under a data key that the archive key wraps, both bound to what stands
/// here.
struct ArchivedKey {
  Id id = 0;
  Id person = 0;
  std::string policy = {};  ///< certificate policy; empty for one made elsewhere that is under none
  std::optional<Id> certificate = {};
  Bytes public_key_hash = {};
  Bytes public_key = {};         ///< SubjectPublicKeyInfo
  std::string archive_key = {};  ///< label and version of the wrapping key
  Bytes wrapped_data_key = {};
  Bytes sealed_key = {};  ///< nonce, ciphertext, tag of the PKCS#8
  Time created = {};      ///< of one made elsewhere: since when its certificate is valid
  Revision revision = 0;
};

/// A configured certification authority.
struct CaRecord {
  Id id = 0;
  std::string name = {};       ///< unique
  std::string connector = {};  ///< a line of ca/connectors.def
  bool enabled = true;
  std::string retry_schedule = {};  ///< C3
  json::object settings = {};       ///< the connector's
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// A certificate policy of a CA, as enabled here (C1, C2).
struct CertificatePolicy {
  Id id = 0;
  Id ca = 0;
  std::string name = {};        ///< unique; profiles name it
  std::string ca_profile = {};  ///< the CA's own name for it
  bool enabled = true;
  json::object document = {};  ///< C1's columns and C2's attribute mapping; checked when saved (certificate_policy.h)
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// One certificate's entry in CRL and OCSP, for the embedded CA.
struct CrlState {
  Id ca = 0;
  std::uint64_t number = 0;
  Time this_update = {};
  Time next_update = {};
  Bytes der = {};
};

/// Somebody, or a script, that may act.
struct Operator {
  Id id = 0;
  std::string name = {};  ///< unique
  std::optional<Id> person = {};
  std::vector<std::string> roles = {};  ///< roles.def or custom
  std::string scope = {};               ///< all, department, own: narrows the roles' own
  std::string department = {};
  std::vector<std::string> certificates = {};  ///< SHA-256 of the certificates they log on with, hexadecimal
  bool enabled = true;
  Time created = {};
  Time updated = {};
  Revision revision = 0;
};

/// A bearer token of an operator, for scripts. Only its SHA-256 is stored.
struct AccessToken {
  Id id = 0;
  Id operator_id = 0;
  std::string name = {};
  Bytes hash = {};
  std::vector<std::string> rights = {};  ///< narrows the operator's
  Time expires = {};
  Time created = {};
  Revision revision = 0;
};

/// A custom role.
struct CustomRole {
  std::string name = {};
  std::string scope = {};
  std::vector<std::string> rights = {};
};

/// A security event. Hash chain: hash = SHA-256(previous hash || canonical form of the rest); see audit.h.
struct AuditEvent {
  std::uint64_t number = 0;  ///< without gaps
  Time at = {};
  std::string actor = {};    ///< "operator:alice", "agent:job 7", "manager"
  std::string action = {};   ///< a line of audit_actions.def
  std::string subject = {};  ///< "token:12", "person:3", …
  json::object detail = {};  ///< never a secret
  Bytes previous = {};
  Bytes hash = {};
};

/// The audit log's last event, written down apart from the events so that the loss of the last ones shows.
struct AuditTail {
  std::uint64_t number = 0;
  Bytes hash = {};
};

/// A signed head of the audit log (B5).
struct AuditHead {
  std::uint64_t number = 0;
  Time at = {};
  Bytes hash = {};
  Bytes signature = {};
};

}  // namespace cardea::manager
