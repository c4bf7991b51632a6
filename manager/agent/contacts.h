// The daemon as an agent that stays sees it beside Server (docs/manager.md, "An agent that stays").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/server.h"

namespace cardea::agent {

/// A signature by a token's key over what the daemon wanted signed.
struct ContactProof {
  Bytes certificate;  ///< DER
  std::string nonce;
  std::string mechanism;  ///< as KeySignature
  Bytes signature;
};

/// Something that the daemon has for a token and gives out without a code.
struct WaitingJob {
  std::int64_t request = 0;
  std::string kind;
  std::string text;  ///< for the person
};

struct Contact {
  std::string ticket;  ///< asks again whether something waits, without the token
  std::vector<WaitingJob> jobs;
};

/// Errors of all: as Server. permission_denied: the token's certificate does not count (any more), in words.
class Contacts {
 public:
  virtual ~Contacts() = default;
  virtual Result<std::string> nonce() = 0;
  virtual Result<Contact> contact(const ContactProof& proof) = 0;
  virtual Result<Contact> contact(const std::string& ticket) = 0;
  /// A session for one of the jobs. `resume`: the secret of an earlier one; empty without. session_exists: another
  /// agent works on it.
  virtual Result<AgentSession> open(const ContactProof& proof, std::int64_t request, ByteView resume) = 0;
};

/// What is signed: no other signature that a token gives out looks like it.
Bytes contact_message(std::string_view nonce);

}  // namespace cardea::agent
