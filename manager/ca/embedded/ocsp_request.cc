#include "embedded/ocsp_request.h"

#include <array>
#include <optional>

#include "x509/asn1.h"

namespace cardea::ca {
namespace {

using crypto::DerReader;

constexpr std::array<Byte, 11> nonce_oid{0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};
// RFC 9654, 2.1: a nonce has 1 to 128 bytes.
constexpr std::size_t longest_nonce = 128;

// 4.4.3: which kinds of answers the client understands; all do the basic one.
constexpr std::array<Byte, 11> acceptable_responses_oid{0x06, 0x09, 0x2b, 0x06, 0x01, 0x05,
                                                        0x05, 0x07, 0x30, 0x01, 0x04};

Error malformed() {
  return error(Code::data_invalid, "the OCSP request is malformed");
}

// CertID (RFC 6960, 4.1.1).
std::optional<OcspQuestion> read_certificate_id(ByteView whole, ByteView content) {
  DerReader reader(content);
  const auto algorithm = reader.take(x509::tag_sequence);
  const auto name_hash = reader.take(x509::tag_octet_string);
  const auto key_hash = reader.take(x509::tag_octet_string);
  const auto serial = reader.take_unsigned();
  if (!algorithm || !name_hash || !key_hash || !serial || !reader.at_end()) return {};
  DerReader inner(*algorithm);
  const auto oid = inner.take_whole(x509::tag_oid);
  if (!oid) return {};
  return OcspQuestion{whole, *oid, *name_hash, *key_hash, *serial};
}

// What is not understood is ignored unless it is critical (RFC 6960, 4.1.2).
Result<std::vector<x509::Extension>> read_extensions_in(ByteView tagged) {
  DerReader reader(tagged);
  const auto list = reader.take(x509::tag_sequence);
  if (!list || !reader.at_end()) return malformed();
  CARDEA_ASSIGN(std::vector<x509::Extension> extensions, x509::read_extensions(*list));
  for (const x509::Extension& one : extensions) {
    const bool known = same_bytes(one.oid, nonce_oid) || same_bytes(one.oid, acceptable_responses_oid);
    if (one.critical && !known) return malformed();
  }
  return extensions;
}

Result<OcspQuestion> read_question(ByteView content) {
  DerReader reader(content);
  DerReader again = reader;
  const auto whole = reader.take_whole(x509::tag_sequence);
  const auto inside = again.take(x509::tag_sequence);
  if (!whole || !inside) return malformed();
  if (!reader.at_end()) {
    const auto extensions = reader.take(x509::context_tag(0));
    if (!extensions || !reader.at_end()) return malformed();
    CARDEA_TRY(read_extensions_in(*extensions));
  }
  const auto question = read_certificate_id(*whole, *inside);
  if (!question) return malformed();
  return *question;
}

Result<ByteView> read_nonce(ByteView content) {
  CARDEA_ASSIGN(const std::vector<x509::Extension> extensions, read_extensions_in(content));
  const x509::Extension* const nonce = x509::find_extension(extensions, nonce_oid);
  if (nonce == nullptr) return ByteView();
  DerReader value(nonce->value);
  const auto octets = value.take(x509::tag_octet_string);
  if (!octets || octets->empty() || octets->size() > longest_nonce || !value.at_end()) return malformed();
  return nonce->value;
}

}  // namespace

Result<OcspRequest> read_ocsp_request(ByteView der) {
  DerReader outer(der);
  const auto body = outer.take(x509::tag_sequence);
  if (!body || !outer.at_end()) return malformed();
  DerReader parts(*body);
  const auto to_be_signed = parts.take(x509::tag_sequence);
  if (!to_be_signed) return malformed();
  if (!parts.at_end() && !parts.take(x509::context_tag(0))) return malformed();
  if (!parts.at_end()) return malformed();
  DerReader reader(*to_be_signed);
  if (reader.next_tag() == x509::context_tag(0)) {
    const auto wrapped = reader.take(x509::context_tag(0));
    DerReader version(wrapped.value_or(ByteView()));
    const auto number = version.take_unsigned();
    if (!number || !number->empty()) return malformed();  // v1 is 0
  }
  if (reader.next_tag() == x509::context_tag(1) && !reader.take(x509::context_tag(1))) return malformed();
  const auto list = reader.take(x509::tag_sequence);
  if (!list) return malformed();
  OcspRequest request;
  for (DerReader questions(*list); !questions.at_end();) {
    const auto content = questions.take(x509::tag_sequence);
    if (!content || request.questions.size() == most_ocsp_questions) return malformed();
    CARDEA_ASSIGN(const OcspQuestion question, read_question(*content));
    request.questions.push_back(question);
  }
  if (request.questions.empty()) return malformed();
  if (reader.at_end()) return request;
  const auto extensions = reader.take(x509::context_tag(2));
  if (!extensions || !reader.at_end()) return malformed();
  CARDEA_ASSIGN(request.nonce, read_nonce(*extensions));
  return request;
}

}  // namespace cardea::ca
