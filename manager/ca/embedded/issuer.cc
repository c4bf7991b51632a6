#include "embedded/issuer.h"

#include <array>

#include "crypto/random.h"
#include "embedded/algorithms.h"
#include "embedded/alternative_names.h"
#include "x509/asn1.h"

namespace cardea::ca {
namespace {

using x509::context_tag;
using x509::element;
using x509::extension;
using x509::primitive_context_tag;
using x509::sequence;

constexpr std::size_t serial_size = 16;

// id-ce (2.5.29) and id-pe (1.3.6.1.5.5.7.1) with their last number, whole elements.
Bytes ce(Byte number) {
  return {0x06, 0x03, 0x55, 0x1d, number};
}
Bytes pe(Byte number) {
  return {0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, number};
}
// id-pkix-ocsp (1.3.6.1.5.5.7.48.1) itself or one below, and id-ad-caIssuers beside it.
Bytes access_method(Byte number) {
  return {0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, number};
}
constexpr std::array<Byte, 11> ocsp_no_check{0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05};
// 1.3.6.1.4.1.311.25.2 and below, the form of Microsoft's KB5014754; 2.16.840.1.101.3.6.9.1 (FIPS 201-3, B.2).
constexpr std::array<Byte, 11> sid_extension{0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02};
constexpr std::array<Byte, 12> sid_value{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02, 0x01};
constexpr std::array<Byte, 11> naci_indicator{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x06, 0x09, 0x01};

void append(Bytes& out, ByteView more) {
  out.insert(out.end(), more.begin(), more.end());
}

Bytes uri_name(const std::string& uri) {
  return element(primitive_context_tag(6), {view_of(uri)});
}

Bytes list_of(const std::vector<Bytes>& oids, bool each_in_sequence) {
  Bytes content;
  for (const Bytes& oid : oids) append(content, each_in_sequence ? sequence({oid}) : oid);
  return sequence({content});
}

// CRLDistributionPoints and AuthorityInfoAccess (RFC 5280, 4.2.1.13 and 4.2.2.1).
Bytes publication(const PublicUrls& urls) {
  Bytes result;
  if (!urls.crl.empty()) {
    const Bytes full_name = element(context_tag(0), {uri_name(urls.crl)});
    const Bytes point = sequence({element(context_tag(0), {full_name})});
    append(result, extension(ce(31), false, sequence({point})));
  }
  Bytes access;
  if (!urls.ocsp.empty()) append(access, sequence({access_method(1), uri_name(urls.ocsp)}));
  if (!urls.issuer.empty()) append(access, sequence({access_method(2), uri_name(urls.issuer)}));
  if (!access.empty()) append(result, extension(pe(1), false, sequence({access})));
  return result;
}

Bytes basic_constraints(const CertificateProfile& profile) {
  if (!profile.is_ca) return extension(ce(19), true, sequence({}));
  const Bytes length = profile.path_length ? x509::integer(std::uint64_t{*profile.path_length}) : Bytes();
  return extension(ce(19), true, sequence({x509::boolean(true), length}));
}

Bytes sid(const std::string& text) {
  const Bytes value = element(context_tag(0), {x509::octet_string(view_of(text))});
  return extension(sid_extension, false, sequence({element(context_tag(0), {sid_value, value})}));
}

bool is_sid(std::string_view text) {
  return text.starts_with("S-1-") && text.size() <= 184 && text.back() != '-' &&
         text.find_first_not_of("0123456789-", 4) == std::string_view::npos &&
         text.find("--") == std::string_view::npos;
}

// 128 random bits; 0 is no serial number (RFC 5280, 4.1.2.2).
Result<Bytes> random_serial() {
  std::array<Byte, serial_size> number{};
  do {
    CARDEA_TRY(crypto::random_bytes(number));
  } while (crypto::without_leading_zeros(number).empty());
  return x509::integer(ByteView(number));
}

}  // namespace

Issuer::Issuer(manager::KeyToken& keys, SigningIdentity identity, PublicUrls urls)
    : keys_(keys), identity_(std::move(identity)), algorithm_(signature_algorithm(identity_.scheme)) {
  authority_key_ = extension(ce(35), false, sequence({element(primitive_context_tag(0), {identity_.key_identifier})}));
  publication_ = publication(urls);
}

Result<Bytes> Issuer::extensions(const CertificateProfile& profile, const CertificateContent& content) const {
  Bytes list = authority_key_;
  CARDEA_ASSIGN(const Bytes subject_key, key_identifier(content.key_info));
  append(list, extension(ce(14), false, x509::octet_string(subject_key)));
  append(list, extension(ce(15), true, x509::named_bits(content.usage)));
  append(list, basic_constraints(profile));
  if (!content.extended_key_usage.empty()) {
    append(list, extension(ce(37), false, list_of(content.extended_key_usage, false)));
  }
  if (!profile.policies.empty()) append(list, extension(ce(32), false, list_of(profile.policies, true)));
  if (!content.alternative_names.empty()) {
    CARDEA_ASSIGN(const Bytes names, encode_alternative_names(content.alternative_names));
    // Critical when there is no other name (RFC 5280, 4.2.1.6). An empty SEQUENCE has two bytes.
    append(list, extension(ce(17), content.subject.size() <= 2, names));
  }
  if (profile.publish_status) append(list, publication_);
  if (profile.no_check) append(list, extension(ocsp_no_check, false, element(x509::tag_null, {})));
  if (content.stated.sid) {
    if (!is_sid(*content.stated.sid)) return error(Code::arguments_bad, "the SID does not look like S-1-5-21-…");
    append(list, sid(*content.stated.sid));
  }
  if (content.stated.naci_pending) {
    append(list, extension(naci_indicator, false, x509::boolean(*content.stated.naci_pending)));
  }
  return element(context_tag(3), {sequence({list})});
}

Result<Bytes> Issuer::issue(const CertificateProfile& profile, const CertificateContent& content) const {
  constexpr std::array<Byte, 5> version_3{0xa0, 0x03, 0x02, 0x01, 0x02};
  if (content.subject.size() <= 2 && content.alternative_names.empty()) {
    return error(Code::arguments_bad, "a certificate needs a subject or an alternative name");
  }
  CARDEA_ASSIGN(const Bytes serial, random_serial());
  CARDEA_ASSIGN(const Bytes list, extensions(profile, content));
  const Bytes validity = sequence({x509::time(content.not_before), x509::time(content.not_after)});
  const Bytes to_be_signed =
      sequence({version_3, serial, algorithm_, identity_.name, validity, content.subject, content.key_info, list});
  return signed_structure(keys_, identity_.key, identity_.scheme, to_be_signed);
}

Result<Bytes> make_request(manager::KeyToken& keys, const SigningIdentity& identity, ByteView key_info) {
  const Bytes info = sequence({x509::integer(std::uint64_t{0}), identity.name, key_info, element(context_tag(0), {})});
  return signed_structure(keys, identity.key, identity.scheme, info);
}

}  // namespace cardea::ca
