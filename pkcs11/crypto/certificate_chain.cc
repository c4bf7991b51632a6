#include "crypto/certificate_chain.h"

#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "crypto/key_der.h"
#include "crypto/library.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {
namespace {

using X509Ptr = std::unique_ptr<X509, Releaser<X509_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, Releaser<ASN1_OBJECT_free>>;
using UsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, Releaser<EXTENDED_KEY_USAGE_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Releaser<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Releaser<X509_STORE_CTX_free>>;

Result<X509Ptr> parse(ByteView der) {
  X509* target = X509_new_ex(context(), nullptr);
  if (target == nullptr) return openssl_error(Code::host_memory);
  const unsigned char* next = der.data();
  // On failure d2i_X509 frees the target itself.
  X509Ptr parsed(d2i_X509(&target, &next, static_cast<long>(der.size())));
  if (!parsed || next != der.data() + der.size()) return error(Code::data_invalid, "this is no X.509 certificate");
  return parsed;
}

}  // namespace

Status verify_certificate_chain(ByteView certificate, const std::vector<Bytes>& trusted) {
  const ErrorScope errors;
  CARDEA_ASSIGN(const X509Ptr leaf, parse(certificate));
  const StorePtr store(X509_STORE_new());
  const StoreContextPtr verification(X509_STORE_CTX_new_ex(context(), nullptr));
  if (!store || !verification) return openssl_error(Code::host_memory);
  for (const Bytes& each : trusted) {
    CARDEA_ASSIGN(const X509Ptr anchor, parse(each));
    if (X509_STORE_add_cert(store.get(), anchor.get()) != 1) return openssl_error(Code::host_memory);
  }
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_STORE_CTX_init(verification.get(), store.get(), leaf.get(), nullptr) != 1) {
    return openssl_error(Code::host_memory);
  }
  if (X509_verify_cert(verification.get()) == 1) return {};
  const int reason = X509_STORE_CTX_get_error(verification.get());
  return error(Code::signature_invalid,
               std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(reason));
}

Result<bool> has_extended_key_usage(ByteView certificate, const char* purpose) {
  const ErrorScope errors;
  CARDEA_ASSIGN(const X509Ptr parsed, parse(certificate));
  const ObjectPtr wanted(OBJ_txt2obj(purpose, /*no_name=*/1));
  if (!wanted) return openssl_error(Code::internal);
  const UsagePtr usage(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(parsed.get(), NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; usage && i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    if (OBJ_cmp(sk_ASN1_OBJECT_value(usage.get(), i), wanted.get()) == 0) return true;
  }
  return false;
}

Result<ByteView> public_key_bits(ByteView key_info) {
  DerReader outer(key_info);
  const auto content = outer.take(der_sequence);
  if (content && outer.at_end()) {
    DerReader fields(*content);
    const bool has_algorithm = fields.take(der_sequence).has_value();
    const auto bits = fields.take(der_bit_string);
    if (has_algorithm && bits && fields.at_end()) return *bits;
  }
  return error(Code::data_invalid, "this is no public key");
}

}  // namespace cardea::crypto
