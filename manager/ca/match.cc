#include "ca/match.h"

#include <array>

#include "embedded/alternative_names.h"
#include "x509/certificate_view.h"
#include "x509/name.h"
#include "x509/request_reader.h"

namespace cardea::ca {
namespace {

constexpr std::chrono::hours tolerance{24};
constexpr std::array<Byte, 5> alternative_name_oid{0x06, 0x03, 0x55, 0x1d, 0x11};

Error differs(std::string_view what) {
  return error(Code::data_invalid, "the CA's certificate is not what was asked for: " + std::string(what));
}

Status match_names(const manager::IssuanceRequest& request, const x509::CertificateView& certificate) {
  if (request.subject) {
    CARDEA_ASSIGN(const Bytes wanted, x509::name_der(*request.subject));
    CARDEA_ASSIGN(const bool same, x509::same_name(wanted, certificate.subject));
    if (!same) return differs("it has another subject");
  }
  if (!request.alternative_names) return {};
  const x509::Extension* const found = x509::find_extension(certificate.extensions, alternative_name_oid);
  DecodedNames names;
  if (found != nullptr) {
    CARDEA_ASSIGN(names, decode_alternative_names(found->value));
  }
  if (!names.complete) return differs("it has an alternative name of a kind that was not asked for");
  if (!same_alternative_names(*request.alternative_names, names.names)) {
    return differs("its alternative names are others");
  }
  return {};
}

Status match_validity(const manager::IssuanceRequest& request, const x509::CertificateView& certificate,
                      std::chrono::sys_seconds now) {
  if (certificate.not_after <= now) return differs("it has expired");
  if (certificate.not_before > now + tolerance) return differs("it is not valid yet");
  if (request.validity && certificate.not_after > now + *request.validity + tolerance) {
    return differs("it is valid for longer");
  }
  return {};
}

}  // namespace

Status match_certificate(const manager::IssuanceRequest& request, ByteView certificate, std::chrono::sys_seconds now) {
  const auto seen = x509::view_certificate(certificate);
  if (!seen) return differs(seen.error().detail);
  CARDEA_ASSIGN(const ByteView key_info, x509::request_key_info(request.csr));
  if (!same_bytes(seen->key_info, key_info)) return differs("it is for another key");
  CARDEA_TRY(match_names(request, *seen));
  return match_validity(request, *seen, now);
}

}  // namespace cardea::ca
