// The CA that comes with the manager: its keys in the key token, its certificates' state in the store.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/key_algorithm.h"
#include "domain/ca_connector.h"
#include "domain/clock.h"
#include "domain/key_token.h"
#include "domain/local_ca.h"
#include "domain/revocation.h"
#include "embedded/issuer.h"
#include "embedded/ocsp_responder.h"
#include "embedded/settings.h"
#include "x509/request_reader.h"

namespace cardea::ca {

/// What an embedded CA stands on; all must live longer than it.
struct EmbeddedParts {
  manager::KeyToken& keys;
  manager::StatusSource& status;
  manager::Clock& clock;
};

/// A certificate together with the key that was made for it.
struct IssuedWithKey {
  manager::Issued issued;
  SecretBytes private_key;  ///< PrivateKeyInfo (RFC 5958), for crypto/pkcs12.h
};

/// Thread-safe. Revoking through it changes nothing by itself: CRLs and OCSP answers read the store's rows, so the row
/// is the revocation and there is nothing that could disagree. It says whether the row may be changed so.
class EmbeddedCa final : public manager::CaConnector, public manager::Revoker, public manager::LocalCa {
 public:
  /// `id` is the CA's row. arguments_bad for settings that cannot work, a CA without certificate among them;
  /// data_invalid; errors of the key token.
  static Result<std::unique_ptr<EmbeddedCa>> open(std::int64_t id, EmbeddedSettings settings, EmbeddedParts parts);

  // CaConnector. Never pending: an answer is Issued or Rejected.
  Status check() override;
  Result<std::vector<manager::CaProfile>> profiles() override;
  Result<manager::EnrolmentAnswer> enrol(const manager::IssuanceRequest& request,
                                         manager::IssuanceTicket&& ticket) override;
  Result<manager::EnrolmentAnswer> poll(const manager::IssuanceRequest& request, const std::string& reference) override;
  manager::Revoker* revoker() override { return this; }
  manager::LocalCa* local() override { return this; }

  /// As enrol, for a key that is made here in locked memory (request.csr is not looked at).
  Result<IssuedWithKey> enrol_with_key(const manager::IssuanceRequest& request, manager::IssuanceTicket&& ticket,
                                       crypto::KeyAlgorithm algorithm, std::size_t rsa_bits = 2048);

  // Revoker.
  Result<manager::RevocationOutcome> revoke(ByteView certificate, manager::RevocationReason reason,
                                            std::optional<std::chrono::sys_seconds> invalid_since) override;
  Result<manager::RevocationOutcome> suspend(ByteView certificate) override;
  Result<manager::RevocationOutcome> unsuspend(ByteView certificate) override;

  // LocalCa.
  std::int64_t id() const override { return id_; }
  const Bytes& certificate() const override { return settings_.certificate; }
  const std::vector<Bytes>& chain() const override { return settings_.chain; }
  Result<Bytes> make_crl(std::uint64_t number, std::chrono::sys_seconds now) override;
  std::chrono::seconds crl_lifetime() const override { return settings_.crl_lifetime.about(); }
  std::chrono::seconds crl_interval() const override { return settings_.crl_interval.about(); }
  Result<Bytes> answer_ocsp(ByteView request, std::chrono::sys_seconds now) override;

  const EmbeddedSettings& settings() const { return settings_; }
  /// Null when there is no such profile.
  const CertificateProfile* profile(std::string_view id) const;
  /// A certificate for a key that is trusted already: of a CA below, or of an OCSP signer. action_prohibited in words
  /// when the profile is not for this CA, or its own certificate was revoked by the CA of ours above it; arguments_bad
  /// when a path length allows no CA below it.
  Result<Bytes> certify(const CertificateProfile& profile, ByteView subject, ByteView key_info,
                        std::optional<manager::IsoDuration> validity) const;

 private:
  EmbeddedCa(std::int64_t id, EmbeddedSettings settings, EmbeddedParts parts)
      : id_(id), settings_(std::move(settings)), parts_(parts) {}
  Status prepare();
  Status prepare_responders(ByteView key_info);
  Status check_time() const;
  Status check_not_revoked() const;
  Result<const CertificateProfile*> usable_profile(std::string_view id) const;
  Result<const CertificateProfile*> offered_profile(std::string_view id) const;
  Status set_validity(const CertificateProfile& profile, const manager::IssuanceRequest& request,
                      CertificateContent& content) const;
  Result<manager::Issued> issue(const CertificateProfile& profile, const manager::IssuanceRequest& request,
                                CertificateContent content) const;
  Result<manager::Issued> issue_for_csr(const manager::IssuanceRequest& request) const;
  Result<manager::CertificateStatus> status_of(ByteView certificate) const;

  std::int64_t id_;
  EmbeddedSettings settings_;
  EmbeddedParts parts_;
  ProfilesById profiles_;
  std::optional<Issuer> issuer_;
  Bytes key_info_;
  Bytes serial_;
  std::chrono::sys_seconds not_before_;
  std::chrono::sys_seconds not_after_;
  std::optional<OcspResponder> direct_;     ///< signed by the CA itself
  std::optional<OcspResponder> delegated_;  ///< signed by settings_.ocsp while its certificate is valid
  std::chrono::sys_seconds delegated_until_;
  mutable std::atomic<std::chrono::sys_seconds> seen_good_{};  ///< when the CA above was last asked about this one
};

}  // namespace cardea::ca
