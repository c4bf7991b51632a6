#include "attest/verifier.h"

#include <fmt/format.h>

#include "attest/piv.h"
#include "attest/tpm.h"

namespace cardea::manager {
namespace {

class Verifier final : public AttestationVerifier {
 public:
  explicit Verifier(AttestationRoots roots) : roots_(std::move(roots)) {}

  bool trusts(std::string_view kind) const override {
    return (kind == "piv" && !roots_.piv.empty()) || (kind == "tpm" && !roots_.tpm.empty());
  }

  Result<AttestationFinding> verify(const AttestationClaim& claim) override {
    CARDEA_TRY(known(claim));
    return claim.kind == "piv" ? attest::verify_piv(claim, roots_.piv) : attest::verify_tpm(claim, roots_.tpm);
  }

  Status check_answer(const AttestationClaim& claim, const json::object& challenge, ByteView answer) override {
    CARDEA_TRY(known(claim));
    if (claim.kind == "tpm") return attest::check_tpm_answer(claim, challenge, answer);
    return error(Code::data_invalid, "such a token is asked nothing");
  }

 private:
  Status known(const AttestationClaim& claim) const {
    if (trusts(claim.kind)) return {};
    return error(Code::signature_invalid, fmt::format("no maker of tokens of the kind {} is trusted", claim.kind));
  }

  const AttestationRoots roots_;
};

}  // namespace

std::unique_ptr<AttestationVerifier> make_attestation_verifier(AttestationRoots roots) {
  return std::make_unique<Verifier>(std::move(roots));
}

}  // namespace cardea::manager
