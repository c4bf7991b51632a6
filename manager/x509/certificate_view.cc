#include "x509/certificate_view.h"

namespace cardea::x509 {
namespace {

using crypto::DerReader;

Error malformed() {
  return error(Code::data_invalid, "this is no X.509 certificate, it is cut off, or something follows it");
}

bool read_validity(ByteView content, CertificateView& certificate) {
  DerReader reader(content);
  const auto not_before = take_time(reader);
  const auto not_after = take_time(reader);
  if (!not_before || !not_after || !reader.at_end()) return false;
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  return true;
}

Result<CertificateView> read_to_be_signed(ByteView content) {
  DerReader reader(content);
  CertificateView certificate;
  const auto version = reader.take(context_tag(0));
  const auto serial = reader.take_unsigned();
  const auto algorithm = reader.take(tag_sequence);
  const auto issuer = reader.take_whole(tag_sequence);
  const auto validity = reader.take(tag_sequence);
  const auto subject = reader.take_whole(tag_sequence);
  const auto key_info = reader.take_whole(tag_sequence);
  DerReader number(version.value_or(ByteView()));
  const auto version_number = number.take_unsigned();
  constexpr Byte version_3[] = {2};
  if (!version_number || !same_bytes(*version_number, version_3) || !number.at_end()) return malformed();
  if (!serial || !algorithm || !issuer || !validity || !subject || !key_info) return malformed();
  if (!read_validity(*validity, certificate)) return malformed();
  certificate.serial = *serial;
  certificate.issuer = *issuer;
  certificate.subject = *subject;
  certificate.key_info = *key_info;
  if (reader.at_end()) return certificate;
  const auto wrapped = reader.take(context_tag(3));
  DerReader inner(wrapped.value_or(ByteView()));
  const auto extensions = inner.take(tag_sequence);
  if (!wrapped || !extensions || !inner.at_end() || !reader.at_end()) return malformed();
  CARDEA_ASSIGN(certificate.extensions, read_extensions(*extensions));
  return certificate;
}

}  // namespace

Result<CertificateView> view_certificate(ByteView der) {
  DerReader outer(der);
  const auto body = outer.take(tag_sequence);
  if (!body || !outer.at_end()) return malformed();
  DerReader reader(*body);
  const auto to_be_signed = reader.take(tag_sequence);
  const auto algorithm = reader.take(tag_sequence);
  const auto signature = reader.take(tag_bit_string);
  if (!to_be_signed || !algorithm || !signature || !reader.at_end()) return malformed();
  return read_to_be_signed(*to_be_signed);
}

ByteView key_bits(ByteView key_info) {
  DerReader outer(key_info);
  DerReader reader(outer.take(tag_sequence).value_or(ByteView()));
  if (!reader.take(tag_sequence)) return {};
  const auto bits = reader.take(tag_bit_string);
  return bits && !bits->empty() ? bits->subspan(1) : ByteView();
}

}  // namespace cardea::x509
