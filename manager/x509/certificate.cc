#include "x509/certificate.h"

#include <fmt/format.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "crypto/library.h"
#include "x509/name.h"

namespace cardea::x509 {
namespace {

// Runs one of OpenSSL's i2d functions.
template <class Encode>
Bytes encoded(Encode encode) {
  unsigned char* raw = nullptr;
  const int size = encode(&raw);
  Bytes bytes(raw, raw + (size > 0 ? size : 0));
  OPENSSL_free(raw);
  return bytes;
}

std::string day(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "";
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

}  // namespace

Result<Certificate> read_certificate(ByteView der) {
  const unsigned char* next = der.data();
  X509* target = X509_new_ex(crypto::context(), nullptr);
  if (target == nullptr) return crypto::openssl_error(Code::host_memory);
  // On failure d2i_X509 frees the target itself.
  const std::unique_ptr<X509, decltype(&X509_free)> parsed(d2i_X509(&target, &next, static_cast<long>(der.size())),
                                                           X509_free);
  if (!parsed) return crypto::openssl_error(Code::data_invalid);
  if (next != der.data() + der.size()) return error(Code::data_invalid, "something follows the certificate");
  X509* const x = parsed.get();
  Certificate result;
  result.der = to_bytes(der);
  result.subject = name_text(X509_get_subject_name(x));
  result.issuer = name_text(X509_get_issuer_name(x));
  const ASN1_INTEGER* serial = X509_get0_serialNumber(x);
  result.serial = to_hex({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
  result.not_before = day(X509_get0_notBefore(x));
  result.not_after = day(X509_get0_notAfter(x));
  result.subject_der = encoded([&](unsigned char** out) { return i2d_X509_NAME(X509_get_subject_name(x), out); });
  result.issuer_der = encoded([&](unsigned char** out) { return i2d_X509_NAME(X509_get_issuer_name(x), out); });
  result.serial_der = encoded([&](unsigned char** out) { return i2d_ASN1_INTEGER(serial, out); });
  result.key_info = encoded([&](unsigned char** out) { return i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), out); });
  result.is_authority = X509_check_ca(x) > 0;
  return result;
}

}  // namespace cardea::x509
