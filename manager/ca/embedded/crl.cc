#include "embedded/crl.h"

#include <array>

#include "embedded/algorithms.h"
#include "x509/asn1.h"

namespace cardea::ca {
namespace {

using manager::RevocationReason;
using manager::RevokedCertificate;
using x509::extension;
using x509::sequence;

Bytes ce(Byte number) {
  return {0x06, 0x03, 0x55, 0x1d, number};
}

void append(Bytes& out, ByteView more) {
  out.insert(out.end(), more.begin(), more.end());
}

// CRLEntryExtensions: reasonCode and invalidityDate (RFC 5280, 5.3.1 and 5.3.2).
Bytes entry_extensions(const RevokedCertificate& entry) {
  Bytes list;
  // An unspecified reason is left out, as RFC 5280, 5.3.1 wants it.
  if (entry.reason != RevocationReason::unspecified) {
    const auto reason = static_cast<Byte>(entry.reason);
    append(list, extension(ce(21), false, x509::element(x509::tag_enumerated, {ByteView(&reason, 1)})));
  }
  if (entry.invalid_since) append(list, extension(ce(24), false, x509::generalized_time(*entry.invalid_since)));
  return list.empty() ? list : sequence({list});
}

/// Entries that differ only in number and date are the most, and their extensions are made once.
class EntryWriter {
 public:
  explicit EntryWriter(Bytes& out) : out_(out) {}

  void write(const RevokedCertificate& entry) {
    const bool same = known_ && !entry.invalid_since && reason_ == entry.reason;
    if (!same) {
      extensions_ = entry_extensions(entry);
      known_ = !entry.invalid_since;
      reason_ = entry.reason;
    }
    append(out_, sequence({x509::integer(entry.serial), x509::time(entry.revoked_at), extensions_}));
  }

 private:
  Bytes& out_;
  Bytes extensions_;
  RevocationReason reason_ = RevocationReason::unspecified;
  bool known_ = false;
};

Bytes list_extensions(const SigningIdentity& identity, const CrlContent& content) {
  Bytes list =
      extension(ce(35), false, sequence({x509::element(x509::primitive_context_tag(0), {identity.key_identifier})}));
  append(list, extension(ce(20), false, x509::integer(content.number)));
  if (content.expired_since) append(list, extension(ce(60), false, x509::generalized_time(*content.expired_since)));
  return x509::element(x509::context_tag(0), {sequence({list})});
}

}  // namespace

Result<Bytes> make_crl(manager::KeyToken& keys, const SigningIdentity& identity, manager::StatusSource& status,
                       std::int64_t ca, const CrlContent& content) {
  Bytes revoked;
  EntryWriter writer(revoked);
  CARDEA_TRY(status.each_revoked(ca, content.expired_since.has_value(), [&](const RevokedCertificate& entry) -> Status {
    writer.write(entry);
    return {};
  }));
  // An empty list is left out (RFC 5280, 5.1.2.6).
  if (!revoked.empty()) revoked = sequence({revoked});
  constexpr std::array<Byte, 3> version_2{0x02, 0x01, 0x01};
  const Bytes to_be_signed =
      sequence({version_2, signature_algorithm(identity.scheme), identity.name, x509::time(content.this_update),
                x509::time(content.next_update), revoked, list_extensions(identity, content)});
  return signed_structure(keys, identity.key, identity.scheme, to_be_signed);
}

}  // namespace cardea::ca
