#include "embedded/creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "crypto/key_encoding.h"
#include "crypto/random.h"
#include "embedded/algorithms.h"
#include "embedded/constraints.h"
#include "embedded/request_rules.h"
#include "x509/certificate_view.h"
#include "x509/name.h"
#include "x509/signature.h"

namespace cardea::ca {
namespace {

using manager::SignatureScheme;
using manager::SigningKey;
using manager::SigningKeyType;

constexpr std::size_t longest_name = 40;
constexpr std::size_t longest_chain = 8;
// For how long another daemon on the same store may still sign with a key that was replaced: minutes would do.
constexpr std::chrono::hours still_signing{1};
constexpr std::array<Byte, 5> key_usage_oid{0x06, 0x03, 0x55, 0x1d, 0x0f};

Status check_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == ' ' || c == '.' || c == '-' || c == '_');
  });
  if (fits) return {};
  return error(Code::arguments_bad,
               "the name of a CA has 1 to 40 letters, digits, blanks, dots, hyphens and underscores");
}

// A fresh name: what was left behind by an attempt that was cut off is never taken for this CA's key.
Result<std::string> key_name(std::string_view name, std::string_view what) {
  std::array<Byte, 4> random{};
  CARDEA_TRY(crypto::random_bytes(random));
  return fmt::format("{} {} {}", what, name, to_hex(random));
}

Result<SignatureScheme> scheme_for(SigningKeyType type, std::optional<SignatureScheme> wanted) {
  const SignatureScheme scheme = wanted.value_or(default_scheme(type));
  if (fits(type, scheme)) return scheme;
  return error(Code::arguments_bad, fmt::format("a key of type {} does not sign by {}", word(type), word(scheme)));
}

Result<CertificateProfile> product_profile(std::string_view id) {
  CARDEA_ASSIGN(const auto known, read_profile_files(profile_folder()));
  for (const boost::json::object& document : known) {
    const boost::json::value* const found = document.if_contains("id");
    if (found != nullptr && *found == boost::json::string_view(id)) return read_profile(document, known);
  }
  return error(Code::not_found, fmt::format("the certificate profile '{}' is missing from the installation", id));
}

std::string_view profile_of(CaType type) {
  if (type == CaType::root) return "root-ca";
  return type == CaType::intermediate ? "intermediate-ca" : "issuing-ca";
}

/// A key that was made for something; destroyed when that comes to nothing.
class NewKey {
 public:
  NewKey(manager::KeyToken& keys, std::string name) : keys_(keys), name_(std::move(name)) {}
  ~NewKey() {
    if (!name_.empty()) static_cast<void>(keys_.destroy_key(name_));
  }
  NewKey(const NewKey&) = delete;
  NewKey& operator=(const NewKey&) = delete;
  void keep() { name_.clear(); }

 private:
  manager::KeyToken& keys_;
  std::string name_;
};

/// The key of a new CA and what it will be called.
struct Beginning {
  EmbeddedSettings settings;
  SigningKey key;
  SigningIdentity identity;
};

Result<Beginning> begin(EmbeddedParts parts, const CaCreation& wanted) {
  CARDEA_TRY(check_name(wanted.name));
  Beginning made;
  CARDEA_ASSIGN(made.settings.scheme, scheme_for(wanted.key_type, wanted.scheme));
  CARDEA_ASSIGN(made.identity.name, x509::name_der(wanted.subject));
  if (made.identity.name.size() <= 2) return error(Code::arguments_bad, "a CA must have a subject");
  CARDEA_ASSIGN(made.settings.key, key_name(wanted.name, "CA"));
  CARDEA_ASSIGN(made.key, parts.keys.generate_signing_key(made.settings.key, wanted.key_type));
  CARDEA_ASSIGN(made.identity.key_identifier, key_identifier(made.key.public_key));
  made.identity.key = made.settings.key;
  made.identity.scheme = made.settings.scheme;
  made.settings.type = wanted.type;
  made.settings.urls = wanted.urls;
  return made;
}

// Answers are signed often, so by the fastest key that is as good as the CA's: of SLH-DSA by the fast set of the same
// hash and strength (FIPS 205, table 2), which stands two places after the small one.
SigningKeyType signer_type(SigningKeyType own) {
  if (own < SigningKeyType::ml_dsa_44) return SigningKeyType::p256;
  if (own < SigningKeyType::slh_dsa_sha2_128s) return own;
  const int place = static_cast<int>(own) - static_cast<int>(SigningKeyType::slh_dsa_sha2_128s);
  const bool fast = place % 4 >= 2;
  return fast ? own : static_cast<SigningKeyType>(static_cast<int>(own) + 2);
}

Result<EmbeddedSettings> with_ocsp_signer(EmbeddedParts parts, EmbeddedSettings settings) {
  CARDEA_ASSIGN(const auto ca, EmbeddedCa::open(0, settings, parts));
  CARDEA_ASSIGN(const SigningKey own, parts.keys.signing_key(settings.key));
  SigningKeyType type = signer_type(own.type);
  if (!parts.keys.supports(type)) type = own.type;
  OcspSigner signer;
  CARDEA_ASSIGN(signer.key, key_name("signer", "OCSP"));
  signer.scheme = default_scheme(type);
  CARDEA_ASSIGN(const SigningKey key, parts.keys.generate_signing_key(signer.key, type));
  NewKey unused(parts.keys, signer.key);
  CARDEA_ASSIGN(const CertificateProfile profile, product_profile("ocsp-signer"));
  CARDEA_ASSIGN(const Bytes subject, x509::name_der(fmt::format("CN={}", signer.key)));
  CARDEA_ASSIGN(signer.certificate, ca->certify(profile, subject, key.public_key, {}));
  if (settings.ocsp) {
    const auto last_answer = parts.clock.now() + still_signing + settings.ocsp_lifetime.about();
    settings.former_signers.push_back({std::move(settings.ocsp->key), last_answer});
  }
  settings.ocsp = std::move(signer);
  unused.keep();
  return settings;
}

// A CA signs certificates and CRLs; a usage that is stated says so (RFC 5280, 4.2.1.3).
bool signs_certificates_and_crls(const x509::CertificateView& certificate) {
  const x509::Extension* const found = x509::find_extension(certificate.extensions, key_usage_oid);
  if (found == nullptr) return true;
  crypto::DerReader reader(found->value);
  const auto bits = reader.take(x509::tag_bit_string);
  constexpr Byte both = 0x06;  // bits 5 and 6, counted from the left
  return bits && bits->size() > 1 && ((*bits)[1] & both) == both;
}

// What an installed certificate must be, beside being for the key.
Status check_own(const x509::CertificateView& own, const EmbeddedSettings& before, manager::Time now) {
  if (!is_ca_certificate(own)) return error(Code::arguments_bad, "the certificate is not a CA's");
  if (!signs_certificates_and_crls(own))
    return error(Code::arguments_bad, "the certificate's key usage lacks keyCertSign or cRLSign");
  if (own.not_after <= now) return error(Code::arguments_bad, "the certificate has ended");
  if (before.certificate.empty()) return {};
  CARDEA_ASSIGN(const x509::CertificateView present, x509::view_certificate(before.certificate));
  CARDEA_ASSIGN(const bool same, x509::same_name(own.subject, present.subject));
  if (same) return {};
  return error(
      Code::arguments_bad,
      "the certificate has another subject than the present one, and what was issued names that as its issuer");
}

// Whether `upper` signed `lower`: by name and by signature.
Status check_link(ByteView lower, ByteView upper) {
  CARDEA_ASSIGN(const x509::CertificateView below, x509::view_certificate(lower));
  CARDEA_ASSIGN(const x509::CertificateView above, x509::view_certificate(upper));
  CARDEA_ASSIGN(const bool named, x509::same_name(below.issuer, above.subject));
  if (!named || !is_ca_certificate(above)) {
    return error(Code::arguments_bad, "the chain does not lead from the CA's certificate to a root");
  }
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(above.key_info));
  crypto::DerReader outer(lower);
  crypto::DerReader parts(outer.take(x509::tag_sequence).value_or(ByteView()));
  const auto to_be_signed = parts.take_whole(x509::tag_sequence);
  const auto algorithm = parts.take_whole(x509::tag_sequence);
  const auto signature = parts.take(x509::tag_bit_string);
  if (!to_be_signed || !algorithm || !signature || signature->empty()) return Code::data_invalid;
  return x509::verify_signature(*algorithm, *key, *to_be_signed, signature->subspan(1));
}

// Before the certificate is replaced by a later one.
Status remember_beginning(EmbeddedSettings& settings) {
  if (settings.since || settings.certificate.empty()) return {};
  CARDEA_ASSIGN(const x509::CertificateView first, x509::view_certificate(settings.certificate));
  settings.since = first.not_before;
  return {};
}

}  // namespace

Result<EmbeddedSettings> create_root(EmbeddedParts parts, const CaCreation& wanted) {
  CARDEA_ASSIGN(Beginning made, begin(parts, wanted));
  NewKey unused(parts.keys, made.settings.key);
  CARDEA_ASSIGN(const CertificateProfile profile, product_profile("root-ca"));
  const auto now = parts.clock.now();
  CertificateContent content;
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(made.key.public_key));
  CARDEA_TRY(apply_profile(profile, key->facts().family, content));
  content.subject = made.identity.name;
  content.key_info = made.key.public_key;
  content.not_before = now - std::chrono::minutes(5);
  content.not_after = wanted.validity.value_or(profile.validity).after(now) - std::chrono::seconds(1);
  const Issuer self(parts.keys, made.identity, {});
  CARDEA_ASSIGN(made.settings.certificate, self.issue(profile, content));
  if (wanted.ocsp_signer) {
    CARDEA_ASSIGN(made.settings, with_ocsp_signer(parts, std::move(made.settings)));
  }
  unused.keep();
  return std::move(made.settings);
}

Result<EmbeddedSettings> create_below(EmbeddedParts parts, const CaCreation& wanted, const EmbeddedCa& parent) {
  if (wanted.type == CaType::root) return error(Code::arguments_bad, "a root is below no other CA");
  CARDEA_ASSIGN(Beginning made, begin(parts, wanted));
  NewKey unused(parts.keys, made.settings.key);
  CARDEA_ASSIGN(const CertificateProfile profile, product_profile(profile_of(wanted.type)));
  CARDEA_ASSIGN(made.settings.certificate,
                parent.certify(profile, made.identity.name, made.key.public_key, wanted.validity));
  made.settings.issuer = parent.id();
  made.settings.chain.push_back(parent.certificate());
  made.settings.chain.insert(made.settings.chain.end(), parent.chain().begin(), parent.chain().end());
  if (wanted.ocsp_signer) {
    CARDEA_ASSIGN(made.settings, with_ocsp_signer(parts, std::move(made.settings)));
  }
  unused.keep();
  return std::move(made.settings);
}

Result<EmbeddedSettings> request_ca(EmbeddedParts parts, const CaCreation& wanted) {
  if (wanted.type == CaType::root) return error(Code::arguments_bad, "a root certifies itself");
  CARDEA_ASSIGN(Beginning made, begin(parts, wanted));
  NewKey unused(parts.keys, made.settings.key);
  CARDEA_ASSIGN(made.settings.request, make_request(parts.keys, made.identity, made.key.public_key));
  unused.keep();
  return std::move(made.settings);
}

Result<EmbeddedSettings> complete_ca(EmbeddedParts parts, EmbeddedSettings settings, Bytes certificate,
                                     std::vector<Bytes> chain, bool ocsp_signer) {
  CARDEA_ASSIGN(const x509::CertificateView own, x509::view_certificate(certificate));
  CARDEA_ASSIGN(const SigningKey key, parts.keys.signing_key(settings.key));
  if (!same_bytes(own.key_info, key.public_key)) {
    return error(Code::arguments_bad, "the certificate is not for this CA's key");
  }
  CARDEA_TRY(check_own(own, settings, parts.clock.now()));
  if (chain.empty() || chain.size() > longest_chain) {
    return error(Code::arguments_bad, "the certificates above are needed, from its issuer to the root, 8 at most");
  }
  CARDEA_TRY(check_link(certificate, chain.front()));
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) CARDEA_TRY(check_link(chain[i], chain[i + 1]));
  CARDEA_TRY(check_link(chain.back(), chain.back()));
  CARDEA_TRY(check_path_lengths(chain));
  for (const Bytes& one : chain) {
    CARDEA_ASSIGN(const x509::CertificateView above, x509::view_certificate(one));
    if (above.not_after <= parts.clock.now())
      return error(Code::arguments_bad, "a certificate above has ended: give those that hold");
  }
  CARDEA_TRY(remember_beginning(settings));
  settings.certificate = std::move(certificate);
  settings.chain = std::move(chain);
  if (!ocsp_signer) return settings;
  return with_ocsp_signer(parts, std::move(settings));
}

Result<EmbeddedSettings> renew_certificate(EmbeddedParts parts, EmbeddedSettings settings, const EmbeddedCa& parent,
                                           std::optional<manager::IsoDuration> validity) {
  CARDEA_ASSIGN(const x509::CertificateView own, x509::view_certificate(settings.certificate));
  CARDEA_ASSIGN(const x509::CertificateView above, x509::view_certificate(parent.certificate()));
  const manager::IsoDuration as_before{0, 0, (own.not_after - own.not_before).count()};
  const manager::IsoDuration length = validity.value_or(as_before);
  if (above.not_after <= own.not_after) {
    return error(Code::action_prohibited, "the CA above ends no later than the present certificate");
  }
  CARDEA_ASSIGN(const CertificateProfile profile, product_profile(profile_of(settings.type)));
  const auto now = parts.clock.now();
  if (std::min(length.after(now), profile.validity.after(now)) <= own.not_after) {
    return error(Code::action_prohibited, "the new certificate would end no later than the present one");
  }
  CARDEA_ASSIGN(Bytes renewed, parent.certify(profile, own.subject, own.key_info, length));
  CARDEA_TRY(remember_beginning(settings));
  settings.certificate = std::move(renewed);
  settings.chain = {parent.certificate()};
  settings.chain.insert(settings.chain.end(), parent.chain().begin(), parent.chain().end());
  return settings;
}

Result<EmbeddedSettings> renew_ocsp_signer(EmbeddedParts parts, EmbeddedSettings settings) {
  return with_ocsp_signer(parts, std::move(settings));
}

}  // namespace cardea::ca
