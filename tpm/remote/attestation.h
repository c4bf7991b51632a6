// What the side without a TPM makes of a TPM's word about a key: checks it, and challenges the TPM that gave it.
//
// A statement alone cannot prove that its attestation key lies in a TPM: anybody can make such a key in software, and
// an endorsement certificate is public. That is what the challenge is for. Its secret comes out of one TPM only: the
// one that has the endorsement key, and only while that TPM also has the attestation key (TPM 2.0 Library, part 1, 24).
#pragma once

#include <optional>
#include <vector>

#include "base/secret.h"
#include "tpm_remote/structures.h"

namespace cardea::tpm {

/// A TPM's word about one of its keys, with all that is needed to check it.
struct AttestationStatement {
  Bytes endorsement_key;          ///< TPM2B_PUBLIC
  Bytes endorsement_certificate;  ///< X.509, DER; empty when the TPM has none
  Bytes attestation_key;          ///< TPM2B_PUBLIC
  Bytes key;                      ///< TPM2B_PUBLIC of the key in question
  Bytes certification;            ///< TPMS_ATTEST
  Bytes signature;                ///< TPMT_SIGNATURE over it, by the attestation key

  bool operator==(const AttestationStatement&) const = default;
};

/// What a statement says that holds.
struct AttestedKey {
  PublicArea area;
  Bytes key_info;              ///< SubjectPublicKeyInfo
  Bytes name;                  ///< of the key
  Bytes attestation_key_name;  ///< whom a challenge must be made for
  bool fresh = false;          ///< a nonce was expected, and it is the one
  bool endorsed = false;       ///< roots were given, and the endorsement certificate leads to one of them
};

/// Checks everything about a statement that can be checked without the TPM: the certification is the attestation key's,
/// about this key, with that nonce; the attestation key signs nothing but what its TPM made itself; the key was made in
/// that TPM and never leaves it; the endorsement certificate is the endorsement key's, and leads to one of the roots.
///
/// `roots` are certificates in DER; each is trusted by itself. Empty: nobody asks for the certificate's issuer.
/// data_invalid for a damaged statement, signature_invalid (in words) for one that does not hold.
Result<AttestedKey> verify_attestation(const AttestationStatement& statement,
                                       const std::optional<Bytes>& expected_nonce, const std::vector<Bytes>& roots);

/// A secret that only the TPM with both keys gives out, as TPM2_ActivateCredential wants it.
struct Credential {
  Bytes id_object;         ///< content of TPM2B_ID_OBJECT
  Bytes encrypted_secret;  ///< content of TPM2B_ENCRYPTED_SECRET
};

/// TPM2_MakeCredential in software. `secret` is as long as a digest at most. data_invalid for an endorsement key that
/// is none.
Result<Credential> make_credential(ByteView endorsement_key, ByteView attestation_key_name, ByteView secret);

/// The file that `tpm2_makecredential` writes and `tpm2_activatecredential` reads.
Bytes credential_file(const Credential& credential);
/// data_invalid.
Result<Credential> parse_credential_file(ByteView bytes);

/// What the challenger keeps until the answer comes. It does not tell the answer.
struct KeptChallenge {
  Bytes endorsement_key_name;
  Bytes attestation_key_name;
  Bytes answer_digest;  ///< SHA-256

  bool operator==(const KeptChallenge&) const = default;
};

/// A challenge for the TPM that is said to have made a statement.
struct MadeChallenge {
  Credential credential;
  KeptChallenge kept;
};
/// data_invalid, signature_invalid as verify_attestation: a statement that does not hold is worth no challenge.
Result<MadeChallenge> make_challenge(const AttestationStatement& statement);

/// Whether the answer shows that one TPM has the statement's endorsement and attestation keys. signature_invalid in
/// words.
Status check_answer(const AttestationStatement& statement, const KeptChallenge& kept, ByteView answer);

}  // namespace cardea::tpm
