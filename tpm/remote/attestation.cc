#include "tpm_remote/attestation.h"

#include "crypto/certificate.h"
#include "crypto/certificate_chain.h"
#include "crypto/key_encoding.h"

namespace cardea::tpm {
namespace {

/// tcg-kp-EKCertificate (TCG EK Credential Profile, 3.2.16).
constexpr const char* endorsement_purpose = "2.23.133.8.1";

Error refused(std::string words) {
  return error(Code::signature_invalid, std::move(words));
}

/// An endorsement key takes secrets for its TPM, and does nothing else.
Result<PublicArea> endorsement_key_of(const AttestationStatement& statement) {
  CARDEA_ASSIGN(PublicArea area, parse_public_area(statement.endorsement_key));
  if (area.has(attribute::fixed_tpm | attribute::fixed_parent | attribute::restricted | attribute::decrypt) &&
      !area.has(attribute::sign)) {
    return area;
  }
  return refused("the endorsement key is not one");
}

/// Restricted: it signs no data from outside that look as if the TPM had made them (part 1, 25.1.3).
Result<PublicArea> attestation_key_of(const AttestationStatement& statement) {
  CARDEA_ASSIGN(PublicArea area, parse_public_area(statement.attestation_key));
  constexpr std::uint32_t wanted =
      attribute::fixed_tpm | attribute::fixed_parent | attribute::made_in_tpm | attribute::restricted | attribute::sign;
  if (area.has(wanted) && !area.has(attribute::decrypt)) return area;
  return refused("the attestation key also signs what its TPM did not make");
}

/// The attestation key lies in the endorsement hierarchy: on top of it, as ours do, or under the endorsement key.
Status check_signer(const PublicArea& attestation_key, ByteView name, const PublicArea& endorsement_key,
                    ByteView signer) {
  Bytes top;
  append_number(top, number::endorsement, 4);
  CARDEA_ASSIGN(const Bytes primary, qualified_name(attestation_key.name_algorithm, top, name));
  if (same_bytes(signer, primary)) return {};
  CARDEA_ASSIGN(const Bytes endorsement_name, object_name(endorsement_key.name_algorithm, endorsement_key.area));
  CARDEA_ASSIGN(const Bytes parent, qualified_name(endorsement_key.name_algorithm, top, endorsement_name));
  CARDEA_ASSIGN(const Bytes child, qualified_name(attestation_key.name_algorithm, parent, name));
  if (same_bytes(signer, child)) return {};
  return refused("the attestation key is not of this TPM's endorsement hierarchy");
}

Status check_key(const PublicArea& area) {
  if (!area.has(attribute::made_in_tpm)) return refused("the key was made outside the TPM");
  if (!area.has(attribute::fixed_tpm | attribute::fixed_parent)) return refused("the key may leave the TPM");
  return {};
}

/// Whether the certificate is for that key. Some makers name RSA keys by the identifier of OAEP, so for these the
/// numbers alone are compared (TCG EK Credential Profile, 3.2.7).
Result<bool> certifies(ByteView certificate, const PublicArea& area) {
  CARDEA_ASSIGN(const crypto::CertificateParts parts, crypto::certificate_parts(certificate));
  CARDEA_ASSIGN(const Bytes ours, crypto::subject_public_key_info(*area.key));
  if (same_bytes(parts.key_info, ours)) return true;
  if (area.type != number::rsa) return false;
  CARDEA_ASSIGN(const ByteView in_certificate, crypto::public_key_bits(parts.key_info));
  CARDEA_ASSIGN(const ByteView in_area, crypto::public_key_bits(ours));
  return same_bytes(in_certificate, in_area);
}

Result<bool> check_endorsement(const AttestationStatement& statement, const PublicArea& endorsement_key,
                               const std::vector<Bytes>& roots) {
  const Bytes& certificate = statement.endorsement_certificate;
  if (!certificate.empty()) {
    CARDEA_ASSIGN(const bool fits, certifies(certificate, endorsement_key));
    if (!fits) return refused("the endorsement certificate is of another endorsement key");
  }
  if (roots.empty()) return false;
  if (certificate.empty()) return refused("the TPM has no endorsement certificate");
  CARDEA_TRY(crypto::verify_certificate_chain(certificate, roots));
  // The makers' other certificates, for platforms and machines, lead to the same roots.
  CARDEA_ASSIGN(const bool for_endorsement, crypto::has_extended_key_usage(certificate, endorsement_purpose));
  if (!for_endorsement) return refused("the certificate is not one for an endorsement key");
  return true;
}

}  // namespace

Result<AttestedKey> verify_attestation(const AttestationStatement& statement,
                                       const std::optional<Bytes>& expected_nonce, const std::vector<Bytes>& roots) {
  AttestedKey attested;
  CARDEA_ASSIGN(const PublicArea endorsement_key, endorsement_key_of(statement));
  CARDEA_ASSIGN(const PublicArea attestation_key, attestation_key_of(statement));
  CARDEA_ASSIGN(attested.area, parse_public_area(statement.key));
  CARDEA_ASSIGN(attested.attestation_key_name, object_name(attestation_key.name_algorithm, attestation_key.area));
  if (!verify_signature(attestation_key, statement.certification, statement.signature)) {
    return refused("the certification is not signed by the attestation key");
  }
  CARDEA_ASSIGN(const Certification certification, parse_certification(statement.certification));
  CARDEA_TRY(check_signer(attestation_key, attested.attestation_key_name, endorsement_key, certification.signer));
  CARDEA_ASSIGN(attested.name, object_name(attested.area.name_algorithm, attested.area.area));
  if (!same_bytes(certification.name, attested.name)) return refused("the certification is about another key");
  CARDEA_TRY(check_key(attested.area));
  if (expected_nonce) {
    if (!same_bytes(certification.nonce, *expected_nonce)) return refused("the certification has another nonce");
    attested.fresh = true;
  }
  CARDEA_ASSIGN(attested.endorsed, check_endorsement(statement, endorsement_key, roots));
  CARDEA_ASSIGN(attested.key_info, crypto::subject_public_key_info(*attested.area.key));
  return attested;
}

}  // namespace cardea::tpm
