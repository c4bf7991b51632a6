#include "agent/root_store.h"

#include <array>

#include "crypto/cms.h"
#include "x509/asn1.h"

namespace cardea::agent {
namespace {

// Whole OBJECT IDENTIFIER elements: id-data and id-signedData (RFC 5652, 4 and 5.1).
constexpr std::array<Byte, 11> id_data{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
constexpr std::array<Byte, 11> id_signed_data{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};

}  // namespace

Bytes make_root_store(std::span<const Bytes> certificates) {
  Bytes all;
  for (const Bytes& certificate : certificates) all.insert(all.end(), certificate.begin(), certificate.end());
  constexpr std::uint64_t version = 1;  // X.509 certificates and no signer (RFC 5652, 5.1)
  const Bytes nobody = x509::element(x509::tag_set, {});
  const Bytes signed_data = x509::sequence({x509::integer(version), nobody, x509::sequence({ByteView(id_data)}),
                                            x509::element(x509::context_tag(0), {all}), nobody});
  return x509::sequence({ByteView(id_signed_data), x509::element(x509::context_tag(0), {signed_data})});
}

Result<std::vector<Bytes>> read_root_store(ByteView file) {
  if (file.empty()) return std::vector<Bytes>();
  CARDEA_ASSIGN(crypto::SignedData store, crypto::read_signed_data(file));
  return std::move(store.certificates);
}

}  // namespace cardea::agent
