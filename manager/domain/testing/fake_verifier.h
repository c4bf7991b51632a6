// Reads what FakeToken states about its keys, for tests of the domain.
#pragma once

#include <boost/test/unit_test.hpp>

#include "domain/journal_parts.h"
#include "domain/ports.h"

namespace cardea::manager::testing {

class FakeVerifier final : public AttestationVerifier {
 public:
  bool trusts(std::string_view kind) const override { return kind == "piv" || kind == "tpm"; }

  Result<AttestationFinding> verify(const AttestationClaim& claim) override {
    const json::object& said = claim.evidence;
    if (!journal::flag_of(said, "true")) return error(Code::signature_invalid, "nobody trusted said so");
    if (!same_bytes(journal::bytes_of(said, "about"), claim.spki))
      return error(Code::signature_invalid, "it is about another key");
    if (!same_bytes(journal::bytes_of(said, "nonce"), claim.nonce))
      return error(Code::signature_invalid, "it is an old one");
    AttestationFinding finding;
    finding.shown = {{"device", said.at("device")}, {"pin_policy", said.at("pin_policy")}};
    if (claim.kind == "tpm") finding.challenge = {{"credential", "AQ=="}, {"kept", "what is kept"}};
    return finding;
  }

  Status check_answer(const AttestationClaim&, const json::object& challenge, ByteView answer) override {
    BOOST_TEST(challenge.at("kept").as_string() == "what is kept");
    if (answer.size() == 1 && answer[0] == 1) return {};
    return error(Code::signature_invalid, "the answer is wrong");
  }
};

}  // namespace cardea::manager::testing
