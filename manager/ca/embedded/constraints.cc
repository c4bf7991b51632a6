#include "embedded/constraints.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "x509/asn1.h"
#include "x509/name.h"

namespace cardea::ca {
namespace {

constexpr std::array<Byte, 5> basic_constraints_oid{0x06, 0x03, 0x55, 0x1d, 0x13};

struct Constraints {
  bool is_ca = false;
  std::optional<std::size_t> path_length;
};

Constraints constraints_of(const x509::CertificateView& certificate) {
  const x509::Extension* const found = x509::find_extension(certificate.extensions, basic_constraints_oid);
  if (found == nullptr) return {};
  crypto::DerReader outer(found->value);
  crypto::DerReader reader(outer.take(x509::tag_sequence).value_or(ByteView()));
  Constraints read;
  read.is_ca = x509::take_boolean(reader).value_or(false);
  // Longer than a byte is longer than any chain.
  const auto length = reader.take_unsigned();
  if (length && length->size() <= 1) read.path_length = length->empty() ? 0 : (*length)[0];
  return read;
}

}  // namespace

bool is_ca_certificate(const x509::CertificateView& certificate) {
  return constraints_of(certificate).is_ca;
}

Status check_path_lengths(const std::vector<Bytes>& above) {
  // Self-issued ones do not count (RFC 5280, 6.1.4 (l)).
  std::size_t below = 1;
  for (const Bytes& one : above) {
    CARDEA_ASSIGN(const x509::CertificateView seen, x509::view_certificate(one));
    const auto most = constraints_of(seen).path_length;
    if (most && *most < below) {
      CARDEA_ASSIGN(const std::string name, x509::name_text_of(seen.subject));
      return error(
          Code::arguments_bad,
          fmt::format("the certificate of '{}' allows {} CAs below it (path length), and this would be one more", name,
                      *most));
    }
    CARDEA_ASSIGN(const bool self_issued, x509::same_name(seen.subject, seen.issuer));
    if (!self_issued) ++below;
  }
  return {};
}

}  // namespace cardea::ca
