#include "attest/tpm.h"

#include <fmt/format.h>

#include "attest/evidence.h"
#include "tpm_remote/attestation.h"
#include "tpm_text/exchange_text.h"
#include "x509/certificate.h"
#include "x509/encoding.h"

namespace cardea::manager::attest {
namespace {

Result<tpm::AttestationStatement> statement_in(const AttestationClaim& claim) {
  CARDEA_TRY(check_format(claim.evidence, "tpm"));
  return tpm::statement_from_text(text_in(claim.evidence, "statement"));
}

}  // namespace

Result<AttestationFinding> verify_tpm(const AttestationClaim& claim, const std::vector<Bytes>& roots) {
  CARDEA_ASSIGN(const tpm::AttestationStatement statement, statement_in(claim));
  // Without roots or nonce the check would be a weaker one.
  if (roots.empty() || claim.nonce.empty()) return Code::internal;
  CARDEA_ASSIGN(const tpm::AttestedKey attested, tpm::verify_attestation(statement, to_bytes(claim.nonce), roots));
  if (!same_bytes(attested.key_info, claim.spki))
    return error(Code::signature_invalid, "the TPM's statement is about another key");
  CARDEA_ASSIGN(const x509::Certificate maker, x509::read_certificate(statement.endorsement_certificate));
  CARDEA_ASSIGN(const tpm::MadeChallenge challenge, tpm::make_challenge(statement));
  AttestationFinding finding;
  finding.shown = {{"format", "tpm"},
                   {"device", "tpm:" + to_hex(challenge.kept.endorsement_key_name)},
                   {"maker", maker.issuer},
                   {"endorsement_certificate", maker.serial},
                   {"key_name", to_hex(attested.name)}};
  finding.challenge = {{"credential", x509::to_base64(tpm::credential_file(challenge.credential))},
                       {"kept", tpm::to_text(challenge.kept)}};
  return finding;
}

Status check_tpm_answer(const AttestationClaim& claim, const json::object& challenge, ByteView answer) {
  CARDEA_ASSIGN(const tpm::AttestationStatement statement, statement_in(claim));
  CARDEA_ASSIGN(const tpm::KeptChallenge kept, tpm::kept_challenge_from_text(text_in(challenge, "kept")));
  return tpm::check_answer(statement, kept, answer);
}

}  // namespace cardea::manager::attest
