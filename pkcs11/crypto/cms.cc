#include "crypto/cms.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <limits>

#include "crypto/library.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {
namespace {

void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}

using ContentInfoPtr = std::unique_ptr<CMS_ContentInfo, Releaser<CMS_ContentInfo_free>>;
using CertificatePtr = std::unique_ptr<X509, Releaser<X509_free>>;
using CertificatesPtr = std::unique_ptr<STACK_OF(X509), Releaser<free_certificates>>;
using StorePtr = std::unique_ptr<X509_STORE, Releaser<X509_STORE_free>>;
void free_list(STACK_OF(X509) * certificates) {
  sk_X509_free(certificates);
}

using SignersPtr = std::unique_ptr<STACK_OF(X509), Releaser<free_list>>;
using UsagesPtr = std::unique_ptr<EXTENDED_KEY_USAGE, Releaser<EXTENDED_KEY_USAGE_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, Releaser<ASN1_OBJECT_free>>;
using BioPtr = std::unique_ptr<BIO, Releaser<BIO_free_all>>;

Result<ContentInfoPtr> parse(ByteView encoded) {
  CMS_ContentInfo* target = CMS_ContentInfo_new_ex(context(), nullptr);
  if (target == nullptr) return Code::host_memory;
  const unsigned char* next = encoded.data();
  // On failure the target is freed by the call.
  ContentInfoPtr parsed(d2i_CMS_ContentInfo(&target, &next, static_cast<long>(encoded.size())));
  if (!parsed || next != encoded.data() + encoded.size()) {
    return error(Code::data_invalid, "the signature is no CMS message");
  }
  if (OBJ_obj2nid(CMS_get0_type(parsed.get())) != NID_pkcs7_signed) {
    return error(Code::data_invalid, "the CMS message is not SignedData");
  }
  return parsed;
}

Result<CertificatePtr> parse_certificate(ByteView der) {
  X509* target = X509_new_ex(context(), nullptr);
  if (target == nullptr) return Code::host_memory;
  const unsigned char* next = der.data();
  CertificatePtr parsed(d2i_X509(&target, &next, static_cast<long>(der.size())));
  if (!parsed || next != der.data() + der.size()) return error(Code::data_invalid, "this is no X.509 certificate");
  return parsed;
}

/// Adds to a stack, which then owns it.
Status push(STACK_OF(X509) * stack, CertificatePtr certificate) {
  if (sk_X509_push(stack, certificate.get()) == 0) return Code::host_memory;
  static_cast<void>(certificate.release());
  return {};
}

/// A store that trusts this certificate, a root or not, for whatever its chain signs.
Result<StorePtr> trusting(X509* certificate) {
  StorePtr store(X509_STORE_new());
  if (!store || X509_STORE_add_cert(store.get(), certificate) != 1 ||
      X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1 ||
      X509_STORE_set_purpose(store.get(), X509_PURPOSE_ANY) != 1) {
    return Code::host_memory;
  }
  return store;
}

Error refused() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return error(Code::signature_invalid, reason == nullptr ? std::string() : std::string(reason));
}

/// Whether the certificate names that extended key usage (RFC 5280, 4.2.1.12).
bool has_purpose(X509* certificate, const char* purpose) {
  const UsagesPtr usages(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  const ObjectPtr wanted(OBJ_txt2obj(purpose, 1));
  for (int i = 0; usages && wanted && i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    if (OBJ_cmp(sk_ASN1_OBJECT_value(usages.get(), i), wanted.get()) == 0) return true;
  }
  return false;
}

/// Checks the signers of a message whose signatures have been verified.
Status check_signers(CMS_ContentInfo* message, X509* trusted, const char* purpose) {
  const SignersPtr signers(CMS_get0_signers(message));
  if (!signers) return Code::signature_invalid;
  for (int i = 0; i < sk_X509_num(signers.get()); ++i) {
    X509* const signer = sk_X509_value(signers.get(), i);
    if (X509_cmp(signer, trusted) != 0 && !has_purpose(signer, purpose)) {
      return error(Code::signature_invalid, "the signer's certificate is not for this purpose");
    }
  }
  return {};
}

bool short_enough(ByteView bytes) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
}

}  // namespace

Result<SignedData> read_signed_data(ByteView encoded) {
  const ErrorScope errors;
  CARDEA_ASSIGN(const ContentInfoPtr message, parse(encoded));
  SignedData result;
  ASN1_OCTET_STRING** const content = CMS_get0_content(message.get());
  if (content != nullptr && *content != nullptr) {
    const unsigned char* const bytes = ASN1_STRING_get0_data(*content);
    result.content.assign(bytes, bytes + ASN1_STRING_length(*content));
  }
  const CertificatesPtr certificates(CMS_get1_certs(message.get()));
  for (int i = 0; certificates && i < sk_X509_num(certificates.get()); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(certificates.get(), i), &der);
    if (size > 0) result.certificates.emplace_back(der, der + size);
    OPENSSL_free(der);
  }
  return result;
}

Status verify_signed_data(ByteView encoded, ByteView detached, ByteView trusted, const char* purpose,
                          const std::vector<Bytes>& others) {
  const ErrorScope errors;
  if (!short_enough(detached)) return Code::data_length;
  CARDEA_ASSIGN(const ContentInfoPtr message, parse(encoded));
  CARDEA_ASSIGN(CertificatePtr anchor, parse_certificate(trusted));
  X509* const root = anchor.get();
  CARDEA_ASSIGN(const StorePtr store, trusting(root));
  const CertificatesPtr candidates(sk_X509_new_null());
  if (!candidates) return Code::host_memory;
  CARDEA_TRY(push(candidates.get(), std::move(anchor)));
  for (const Bytes& other : others) {
    CARDEA_ASSIGN(CertificatePtr certificate, parse_certificate(other));
    CARDEA_TRY(push(candidates.get(), std::move(certificate)));
  }
  ASN1_OCTET_STRING** const inside = CMS_get0_content(message.get());
  const bool is_detached = inside == nullptr || *inside == nullptr;
  // Else a good signature over something else would vouch for the content that is asked about.
  if (!is_detached && !detached.empty()) {
    const ByteView content(ASN1_STRING_get0_data(*inside), static_cast<std::size_t>(ASN1_STRING_length(*inside)));
    if (!same_bytes(content, detached)) return error(Code::signature_invalid, "other content was signed");
  }
  BioPtr content;
  if (is_detached) {
    content.reset(BIO_new_mem_buf(detached.data(), static_cast<int>(detached.size())));
    if (!content) return Code::host_memory;
  }
  if (CMS_verify(message.get(), candidates.get(), store.get(), content.get(), nullptr, CMS_BINARY) != 1) {
    return refused();
  }
  return check_signers(message.get(), root, purpose);
}

}  // namespace cardea::crypto
