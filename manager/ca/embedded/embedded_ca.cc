#include "embedded/embedded_ca.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/key_encoding.h"
#include "embedded/algorithms.h"
#include "embedded/constraints.h"
#include "embedded/crl.h"
#include "embedded/request_rules.h"
#include "x509/certificate_view.h"
#include "x509/name.h"

namespace cardea::ca {
namespace {

using manager::CaProfile;
using manager::CertificateStatus;
using manager::EnrolmentAnswer;
using manager::IssuanceRequest;
using manager::IssuanceTicket;
using manager::Issued;
using manager::Rejected;
using manager::RevocationOutcome;
using manager::RevocationReason;

// Clocks of relying parties may be behind.
constexpr std::chrono::minutes backdated{5};

// id-ce 14: the CA's own identifier is what its certificates' authority key identifiers must say.
constexpr std::array<Byte, 5> subject_key_oid{0x06, 0x03, 0x55, 0x1d, 0x0e};

Result<Bytes> own_key_identifier(const x509::CertificateView& certificate) {
  const x509::Extension* const found = x509::find_extension(certificate.extensions, subject_key_oid);
  if (found == nullptr) return key_identifier(certificate.key_info);
  crypto::DerReader reader(found->value);
  const auto octets = reader.take(x509::tag_octet_string);
  if (!octets) return error(Code::data_invalid, "the CA's subject key identifier is malformed");
  return to_bytes(*octets);
}

bool is_offered(const CertificateProfile& profile) {
  return !profile.is_ca && !profile.no_check;
}

// What the authority will say no to for ever, as opposed to what may work later.
bool is_refusal(Code code) {
  switch (code) {
    case Code::arguments_bad:
    case Code::data_invalid:
    case Code::signature_invalid:
    case Code::mechanism_invalid:
    case Code::public_key_invalid:
    case Code::curve_not_supported:
    case Code::domain_params_invalid:
    case Code::attribute_value_invalid:
    case Code::key_size_range:
    case Code::action_prohibited:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<std::unique_ptr<EmbeddedCa>> EmbeddedCa::open(std::int64_t id, EmbeddedSettings settings, EmbeddedParts parts) {
  if (settings.certificate.empty()) {
    return error(Code::arguments_bad, "the CA has no certificate yet: the authority above it must issue one");
  }
  std::unique_ptr<EmbeddedCa> ca(new EmbeddedCa(id, std::move(settings), parts));
  CARDEA_TRY(ca->prepare());
  return ca;
}

Status EmbeddedCa::prepare() {
  CARDEA_ASSIGN(const x509::CertificateView own, x509::view_certificate(settings_.certificate));
  CARDEA_ASSIGN(const manager::SigningKey key, parts_.keys.signing_key(settings_.key));
  if (!same_bytes(key.public_key, own.key_info)) {
    return error(Code::arguments_bad, "the CA's certificate is for another key than the one in the key token");
  }
  if (!fits(key.type, settings_.scheme)) {
    return error(Code::arguments_bad, fmt::format("the CA's key does not sign by {}", word(settings_.scheme)));
  }
  key_info_ = to_bytes(own.key_info);
  serial_ = to_bytes(own.serial);
  not_before_ = own.not_before;
  not_after_ = own.not_after;
  CARDEA_ASSIGN(Bytes identifier, own_key_identifier(own));
  SigningIdentity identity{settings_.key, settings_.scheme, to_bytes(own.subject), std::move(identifier)};
  issuer_.emplace(parts_.keys, std::move(identity), settings_.urls);
  CARDEA_ASSIGN(profiles_, profiles_with(settings_.profiles));
  return prepare_responders(own.key_info);
}

Status EmbeddedCa::prepare_responders(ByteView key_info) {
  ResponderSettings facts{id_,
                          issuer_->identity().name,
                          to_bytes(key_info),
                          issuer_->identity(),
                          to_bytes(key_info),
                          {},
                          settings_.ocsp_lifetime.about(),
                          settings_.since.value_or(not_before_)};
  CARDEA_ASSIGN(direct_, OcspResponder::make(parts_.keys, parts_.status, facts));
  if (!settings_.ocsp) return {};
  CARDEA_ASSIGN(const x509::CertificateView signer, x509::view_certificate(settings_.ocsp->certificate));
  facts.signer = {settings_.ocsp->key, settings_.ocsp->scheme, to_bytes(signer.subject), {}};
  facts.signer_key_info = to_bytes(signer.key_info);
  facts.signer_certificate = settings_.ocsp->certificate;
  delegated_until_ = signer.not_after;
  CARDEA_ASSIGN(delegated_, OcspResponder::make(parts_.keys, parts_.status, std::move(facts)));
  return {};
}

const CertificateProfile* EmbeddedCa::profile(std::string_view id) const {
  const auto found = profiles_.find(id);
  return found == profiles_.end() ? nullptr : &found->second;
}

// The key may have gone after the CA was opened, so it signs: what no certificate and no CRL begins with.
Status EmbeddedCa::check() {
  CARDEA_TRY(parts_.keys.check());
  CARDEA_TRY(check_time());
  CARDEA_TRY(check_not_revoked());
  CARDEA_TRY(parts_.keys.sign(settings_.key, settings_.scheme, view_of("does this key sign?")));
  return {};
}

// A machine that starts with a clock of long ago is put right sooner or later, so requests wait for that.
Status EmbeddedCa::check_time() const {
  const auto now = parts_.clock.now();
  if (now < not_before_ - backdated)
    return error(Code::timed_out, "the CA's certificate is not valid yet: is this machine's clock right?");
  if (now < not_after_) return {};
  return error(Code::action_prohibited, "the CA's certificate is not valid any more");
}

Result<std::vector<CaProfile>> EmbeddedCa::profiles() {
  std::vector<CaProfile> offered;
  for (const auto& [id, profile] : profiles_) {
    if (!usable_profile(id) || !is_offered(profile)) continue;
    offered.push_back(
        {id, profile.name, profile.description, profile.group, profile.validity.about(), profile.encryption});
  }
  return offered;
}

Result<const CertificateProfile*> EmbeddedCa::usable_profile(std::string_view id) const {
  const CertificateProfile* const found = profile(id);
  if (found == nullptr) {
    return error(Code::arguments_bad, fmt::format("the CA has no certificate profile '{}'", id));
  }
  if (std::ranges::find(found->ca_types, settings_.type) == found->ca_types.end()) {
    return error(Code::action_prohibited, fmt::format("by the profile '{}' no {} CA issues", id, word(settings_.type)));
  }
  return found;
}

// CAs and OCSP signers are made by the manager for keys of its own: whoever asks by a request must not become one.
Result<const CertificateProfile*> EmbeddedCa::offered_profile(std::string_view id) const {
  CARDEA_ASSIGN(const CertificateProfile* const found, usable_profile(id));
  if (!is_offered(*found)) {
    return error(Code::action_prohibited, fmt::format("by the profile '{}' nothing is issued to others", id));
  }
  return found;
}

// Whatever a revoked CA issues is worth nothing, and who revoked it expects no more of it.
Status EmbeddedCa::check_not_revoked() const {
  const auto now = parts_.clock.now();
  // Not once for each of thousands of certificates in a second: what was good stays so for the rest of it.
  if (settings_.issuer == 0 || seen_good_.load() == now) return {};
  CARDEA_ASSIGN(const CertificateStatus own, parts_.status.status(settings_.issuer, serial_));
  if (own.state == CertificateStatus::State::revoked) {
    return error(Code::action_prohibited, fmt::format("the CA's own certificate is revoked ({})", word(own.reason)));
  }
  seen_good_ = now;
  return {};
}

Status EmbeddedCa::set_validity(const CertificateProfile& profile, const IssuanceRequest& request,
                                CertificateContent& content) const {
  const auto now = parts_.clock.now();
  CARDEA_TRY(check_time());
  // Answers that tell of the revocation go on being signed.
  if (!profile.no_check) CARDEA_TRY(check_not_revoked());
  content.not_before = std::max<std::chrono::sys_seconds>(now - backdated, not_before_);
  // Both ends belong to the time (RFC 5280, 4.1.2.5), so the last second is one before.
  auto end = profile.validity.after(now);
  if (request.validity) {
    if (request.validity->count() <= 0) return error(Code::arguments_bad, "the validity wanted is not positive");
    end = std::min(end, now + *request.validity);
  }
  content.not_after = std::min(end - std::chrono::seconds(1), not_after_);
  return {};
}

Result<Issued> EmbeddedCa::issue(const CertificateProfile& profile, const IssuanceRequest& request,
                                 CertificateContent content) const {
  if (same_bytes(content.key_info, key_info_)) {
    return error(Code::arguments_bad, "the request is for the CA's own key");
  }
  CARDEA_TRY(x509::check_name_der(content.subject));
  CARDEA_TRY(set_validity(profile, request, content));
  if (request.alternative_names) content.alternative_names = *request.alternative_names;
  content.stated = request.extensions;
  Issued issued;
  CARDEA_ASSIGN(issued.certificate, issuer_->issue(profile, content));
  CARDEA_ASSIGN(const x509::CertificateView made, x509::view_certificate(issued.certificate));
  issued.reference = to_hex(made.serial);
  issued.chain.push_back(settings_.certificate);
  issued.chain.insert(issued.chain.end(), settings_.chain.begin(), settings_.chain.end());
  return issued;
}

Result<Issued> EmbeddedCa::issue_for_csr(const IssuanceRequest& request) const {
  CARDEA_ASSIGN(const CertificateProfile* const profile, offered_profile(request.profile));
  CARDEA_ASSIGN(const x509::CertificateRequest asked, x509::read_request(request.csr));
  // The key goes into the certificate as it came, so it must say nothing but the key.
  CARDEA_ASSIGN(const Bytes usual_form, crypto::subject_public_key_info(*asked.key));
  if (!same_bytes(usual_form, asked.key_info)) {
    return error(Code::public_key_invalid, "the public key is not in its usual form");
  }
  CertificateContent content;
  CARDEA_TRY(apply_request(*profile, asked, request.alternative_names.has_value(), content));
  Bytes subject;
  if (request.subject) {
    CARDEA_ASSIGN(subject, x509::name_der(*request.subject));
  }
  content.subject = request.subject ? ByteView(subject) : asked.subject;
  content.key_info = asked.key_info;
  return issue(*profile, request, std::move(content));
}

Result<EnrolmentAnswer> EmbeddedCa::enrol(const IssuanceRequest& request, IssuanceTicket&& ticket) {
  CARDEA_TRY(ticket.spend(request.id));
  auto issued = issue_for_csr(request);
  if (issued) return EnrolmentAnswer(std::move(*issued));
  if (is_refusal(issued.code())) return EnrolmentAnswer(Rejected{describe(issued.error())});
  return std::move(issued).error();
}

Result<EnrolmentAnswer> EmbeddedCa::poll(const IssuanceRequest& /*request*/, const std::string& reference) {
  return error(Code::not_found, fmt::format("this CA decides at once; nothing is pending as '{}'", reference));
}

Result<IssuedWithKey> EmbeddedCa::enrol_with_key(const IssuanceRequest& request, IssuanceTicket&& ticket,
                                                 crypto::KeyAlgorithm algorithm, std::size_t rsa_bits) {
  CARDEA_TRY(ticket.spend(request.id));
  CARDEA_ASSIGN(const CertificateProfile* const profile, offered_profile(request.profile));
  if (!request.subject) return error(Code::arguments_bad, "without a request the subject must be given");
  constexpr std::array<Byte, 3> f4{1, 0, 1};
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, algorithm == crypto::KeyAlgorithm::rsa
                                                        ? crypto::AsymmetricKey::generate_rsa(rsa_bits, f4)
                                                        : crypto::AsymmetricKey::generate(algorithm));
  CertificateContent content;
  CARDEA_TRY(apply_profile(*profile, key->facts().family, content));
  CARDEA_ASSIGN(const Bytes subject, x509::name_der(*request.subject));
  CARDEA_ASSIGN(const Bytes key_info, crypto::subject_public_key_info(*key));
  content.subject = subject;
  content.key_info = key_info;
  IssuedWithKey made;
  CARDEA_ASSIGN(made.issued, issue(*profile, request, std::move(content)));
  CARDEA_ASSIGN(made.private_key, crypto::private_key_info(*key));
  return made;
}

Result<Bytes> EmbeddedCa::certify(const CertificateProfile& profile, ByteView subject, ByteView key_info,
                                  std::optional<manager::IsoDuration> validity) const {
  CARDEA_TRY(usable_profile(profile.id));
  if (profile.is_ca) {
    std::vector<Bytes> above{settings_.certificate};
    above.insert(above.end(), settings_.chain.begin(), settings_.chain.end());
    CARDEA_TRY(check_path_lengths(above));
  }
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(key_info));
  CertificateContent content;
  CARDEA_TRY(apply_profile(profile, key->facts().family, content));
  content.subject = subject;
  content.key_info = key_info;
  IssuanceRequest bounds;
  if (validity) bounds.validity = validity->after(parts_.clock.now()) - parts_.clock.now();
  CARDEA_TRY(set_validity(profile, bounds, content));
  return issuer_->issue(profile, content);
}

Result<CertificateStatus> EmbeddedCa::status_of(ByteView certificate) const {
  CARDEA_ASSIGN(const x509::CertificateView seen, x509::view_certificate(certificate));
  const Error foreign = error(Code::not_found, "the certificate is not of this CA");
  CARDEA_ASSIGN(const bool same, x509::same_name(seen.issuer, issuer_->identity().name));
  if (!same) return foreign;
  CARDEA_ASSIGN(const CertificateStatus status, parts_.status.status(id_, seen.serial));
  if (status.state == CertificateStatus::State::unknown) return foreign;
  return status;
}

Result<RevocationOutcome> EmbeddedCa::revoke(ByteView certificate, RevocationReason reason,
                                             std::optional<std::chrono::sys_seconds> /*invalid_since*/) {
  if (reason == RevocationReason::certificate_hold || reason == RevocationReason::remove_from_crl) {
    return error(Code::arguments_bad, fmt::format("{} is no reason to revoke for good", word(reason)));
  }
  CARDEA_ASSIGN(const CertificateStatus status, status_of(certificate));
  const bool ended = status.state == CertificateStatus::State::revoked;
  return ended && status.reason != RevocationReason::certificate_hold ? RevocationOutcome::already
                                                                      : RevocationOutcome::done;
}

Result<RevocationOutcome> EmbeddedCa::suspend(ByteView certificate) {
  CARDEA_ASSIGN(const CertificateStatus status, status_of(certificate));
  if (status.state == CertificateStatus::State::good) return RevocationOutcome::done;
  if (status.reason == RevocationReason::certificate_hold) return RevocationOutcome::already;
  return error(Code::action_prohibited, "the certificate is revoked for good");
}

Result<RevocationOutcome> EmbeddedCa::unsuspend(ByteView certificate) {
  CARDEA_ASSIGN(const CertificateStatus status, status_of(certificate));
  if (status.state == CertificateStatus::State::good) return RevocationOutcome::already;
  if (status.reason == RevocationReason::certificate_hold) return RevocationOutcome::done;
  return error(Code::action_prohibited, "the certificate is revoked for good");
}

Result<Bytes> EmbeddedCa::make_crl(std::uint64_t number, std::chrono::sys_seconds now) {
  // As crl_lifetime() says: months have a length there, so that none is over before the next CRL is due.
  CrlContent content{number, now, now + crl_lifetime(), {}};
  if (settings_.keep_expired) content.expired_since = settings_.since.value_or(not_before_);
  return ca::make_crl(parts_.keys, issuer_->identity(), parts_.status, id_, content);
}

Result<Bytes> EmbeddedCa::answer_ocsp(ByteView request, std::chrono::sys_seconds now) {
  if (!settings_.answers_ocsp) return error(Code::not_found, "this certification authority does not answer OCSP");
  if (delegated_ && now <= delegated_until_) {
    auto answer = delegated_->answer(request, now);
    // The signer's key is gone when a backup from before its renewal was restored.
    if (answer || answer.code() != Code::not_found) return answer;
  }
  return direct_->answer(request, now);
}

}  // namespace cardea::ca
