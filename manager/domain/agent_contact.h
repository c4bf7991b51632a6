// Agents that stay (docs/manager.md, "An agent that stays"): they show the certificate on a token in place of a
// one-time code, prove that they can use its key, and get the jobs that wait for that very token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/journal.h"

namespace cardea::manager {

/// A signature by the key of a token's certificate.
struct ContactProof {
  Bytes certificate;      ///< DER
  std::string nonce;      ///< of contact_nonce
  std::string mechanism;  ///< as check_key_proof
  Bytes signature;        ///< over contact_message(nonce)
};

/// Something that can be done on the token without a code.
struct WaitingJob {
  Id request = 0;
  std::string kind;
  std::string text;  ///< for the person who watches
};

/// What an agent learns that proved to hold a token.
struct Contact {
  std::string token_kind;
  std::string token_serial;
  std::string ticket;  ///< asks again whether something waits, for 12 hours, and is good for nothing else
  std::vector<WaitingJob> jobs;
};

/// A nonce that any daemon of this manager takes back within five minutes.
Result<std::string> contact_nonce(const Ports& ports);
/// What is signed: no other signature that a token gives out looks like it.
Bytes contact_message(std::string_view nonce);

/// Checks the proof: the certificate is one that we issued for `authentication` or `signature`, active or just written
/// by a renewal, its key made on the token, the token issued, its person enabled. permission_denied in words.
Result<Contact> make_contact(const Ports& ports, const ContactProof& proof);
/// The same by a ticket.
Result<Contact> renew_contact(const Ports& ports, std::string_view ticket);
/// Opens a session for one of the contact's jobs; audited. `resume` as open_agent_session. permission_denied,
/// session_exists; not_found when nothing waits under that number.
Result<AgentSession> open_contact_session(const Ports& ports, const ContactProof& proof, Id request,
                                          std::string_view resume, std::string_view host);

}  // namespace cardea::manager
