// Attestation as YubiKeys do it ("PIV attestation", developers.yubico.com): a certificate about the key, signed by the
// card's attestation key F9, whose certificate the maker's authority issued.
#pragma once

#include "domain/ports.h"

namespace cardea::manager::attest {

/// The evidence has the format "yubico-piv" and two `certificates`: the key's own and that of F9. Holds when F9's leads
/// to one of the roots, F9 signed the other, that one is about this key, and its serial number is the token's where
/// the token is known by the maker's number (ten digits at most; other serial numbers are the issuer's own, SP
/// 800-73-4 part 1, 3.1.2). data_invalid, signature_invalid in words.
Result<AttestationFinding> verify_piv(const AttestationClaim& claim, const std::vector<Bytes>& roots);

}  // namespace cardea::manager::attest
