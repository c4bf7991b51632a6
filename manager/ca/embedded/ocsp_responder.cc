#include "embedded/ocsp_responder.h"

#include "crypto/digest.h"
#include "embedded/algorithms.h"
#include "embedded/ocsp_request.h"
#include "x509/asn1.h"
#include "x509/certificate_view.h"

namespace cardea::ca {
namespace {

using manager::CertificateStatus;
using x509::context_tag;
using x509::element;
using x509::extension;
using x509::primitive_context_tag;
using x509::sequence;

// OCSPResponseStatus (RFC 6960, 4.2.1).
enum class ResponseStatus : Byte { successful = 0, malformed = 1, internal_error = 2, try_later = 3, unauthorized = 6 };

// id-pkix-ocsp and one below: 1 basic, 2 nonce, 6 archive cutoff.
Bytes ocsp_oid(Byte number) {
  return {0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, number};
}

void append(Bytes& out, ByteView more) {
  out.insert(out.end(), more.begin(), more.end());
}

Bytes error_answer(ResponseStatus status) {
  const auto number = static_cast<Byte>(status);
  return sequence({element(x509::tag_enumerated, {ByteView(&number, 1)})});
}

// CertStatus: good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL, all implicit.
Bytes status_choice(const CertificateStatus& status) {
  using enum CertificateStatus::State;
  if (status.state == good) return element(primitive_context_tag(0), {});
  if (status.state == unknown) return element(primitive_context_tag(2), {});
  Bytes reason;
  if (status.reason != manager::RevocationReason::unspecified) {
    const auto number = static_cast<Byte>(status.reason);
    reason = element(context_tag(0), {element(x509::tag_enumerated, {ByteView(&number, 1)})});
  }
  return element(context_tag(1), {x509::generalized_time(status.revoked_at), reason});
}

}  // namespace

Result<OcspResponder> OcspResponder::make(manager::KeyToken& keys, manager::StatusSource& status,
                                          ResponderSettings settings) {
  OcspResponder responder(keys, status, std::move(settings));
  const ResponderSettings& facts = responder.settings_;
  const std::array<std::pair<Hash, Bytes>, 4> functions{{
      {Hash::sha1, {0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a}},
      {Hash::sha256, {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}},
      {Hash::sha384, {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}},
      {Hash::sha512, {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}},
  }};
  for (std::size_t i = 0; i < functions.size(); ++i) {
    IssuerHash& hash = responder.hashes_[i];
    hash.oid = functions[i].second;
    CARDEA_ASSIGN(hash.name_hash, crypto::digest(functions[i].first, facts.ca_name));
    CARDEA_ASSIGN(hash.key_hash, crypto::digest(functions[i].first, x509::key_bits(facts.ca_key_info)));
  }
  // ResponderID byKey is always SHA-1 over the key's bits (RFC 6960, 4.2.1).
  CARDEA_ASSIGN(const Bytes key_hash, crypto::digest(Hash::sha1, x509::key_bits(facts.signer_key_info)));
  responder.responder_id_ = element(context_tag(2), {x509::octet_string(key_hash)});
  responder.algorithm_ = signature_algorithm(facts.signer.scheme);
  const Bytes cutoff = extension(ocsp_oid(6), false, x509::generalized_time(facts.cutoff));
  responder.cutoff_ = element(context_tag(1), {sequence({cutoff})});
  if (!facts.signer_certificate.empty()) {
    responder.certificates_ = element(context_tag(0), {sequence({facts.signer_certificate})});
  }
  return responder;
}

bool OcspResponder::is_ours(ByteView oid, ByteView name_hash, ByteView key_hash) const {
  for (const IssuerHash& hash : hashes_) {
    if (same_bytes(hash.oid, oid)) return same_bytes(hash.name_hash, name_hash) && same_bytes(hash.key_hash, key_hash);
  }
  return false;
}

Result<Bytes> OcspResponder::answer(ByteView request, std::chrono::sys_seconds now) const {
  const auto parsed = read_ocsp_request(request);
  if (!parsed) return error_answer(ResponseStatus::malformed);
  const Bytes this_update = x509::generalized_time(now);
  const Bytes next_update = element(context_tag(0), {x509::generalized_time(now + settings_.lifetime)});
  Bytes answers;
  bool any_ours = false;
  for (const OcspQuestion& question : parsed->questions) {
    CertificateStatus status;
    if (is_ours(question.hash_algorithm, question.name_hash, question.key_hash)) {
      any_ours = true;
      const auto found = status_->status(settings_.ca, question.serial);
      if (!found) return error_answer(ResponseStatus::try_later);
      status = *found;
    }
    append(answers, sequence({question.certificate_id, status_choice(status), this_update, next_update, cutoff_}));
  }
  // RFC 6960, 2.3: we do not answer for other CAs.
  if (!any_ours) return error_answer(ResponseStatus::unauthorized);
  Bytes nonce;
  if (!parsed->nonce.empty()) {
    nonce = element(context_tag(1), {sequence({extension(ocsp_oid(2), false, parsed->nonce)})});
  }
  const Bytes data = sequence({responder_id_, this_update, sequence({answers}), nonce});
  const auto signature = keys_->sign(settings_.signer.key, settings_.signer.scheme, data);
  if (!signature && signature.code() == Code::not_found) return signature.error();
  if (!signature) return error_answer(ResponseStatus::internal_error);
  const Bytes basic = sequence({data, algorithm_, x509::bit_string(*signature), certificates_});
  const Bytes typed = sequence({ocsp_oid(1), x509::octet_string(basic)});
  constexpr Byte successful = static_cast<Byte>(ResponseStatus::successful);
  return sequence({element(x509::tag_enumerated, {ByteView(&successful, 1)}), element(context_tag(0), {typed})});
}

}  // namespace cardea::ca
