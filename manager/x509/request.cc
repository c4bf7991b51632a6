#include "x509/request.h"

#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

#include "crypto/library.h"
#include "x509/extensions.h"
#include "x509/name.h"

namespace cardea::x509 {
namespace {

struct Free {
  void operator()(X509_REQ* p) const { X509_REQ_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509_ALGOR* p) const { X509_ALGOR_free(p); }
  void operator()(RSA_PSS_PARAMS* p) const { RSA_PSS_PARAMS_free(p); }
  void operator()(ASN1_STRING* p) const { ASN1_STRING_free(p); }
  void operator()(unsigned char* p) const { OPENSSL_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

int digest_nid(Hash hash) {
  const EVP_MD* md = crypto::hash_md(hash);
  return md != nullptr ? EVP_MD_get_type(md) : NID_undef;
}

Owned<X509_ALGOR> digest_algorithm(Hash hash) {
  Owned<X509_ALGOR> algorithm(X509_ALGOR_new());
  if (algorithm) X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(digest_nid(hash)), V_ASN1_NULL, nullptr);
  return algorithm;
}

// RSASSA-PSS-params (RFC 4055, 3.1): mask by MGF1 with the same hash, salt as long as the hash.
Result<Owned<X509_ALGOR>> pss_algorithm(Hash hash) {
  const Owned<RSA_PSS_PARAMS> parameters(RSA_PSS_PARAMS_new());
  Owned<X509_ALGOR> algorithm(X509_ALGOR_new());
  Owned<X509_ALGOR> mask(X509_ALGOR_new());
  const Owned<X509_ALGOR> mask_hash = digest_algorithm(hash);
  if (!parameters || !algorithm || !mask || !mask_hash) return crypto::openssl_error(Code::host_memory);
  ASN1_STRING* const packed_hash = ASN1_item_pack(mask_hash.get(), ASN1_ITEM_rptr(X509_ALGOR), nullptr);
  if (packed_hash == nullptr) return crypto::openssl_error(Code::host_memory);
  X509_ALGOR_set0(mask.get(), OBJ_nid2obj(NID_mgf1), V_ASN1_SEQUENCE, packed_hash);
  parameters->hashAlgorithm = digest_algorithm(hash).release();
  parameters->maskGenAlgorithm = mask.release();
  parameters->saltLength = ASN1_INTEGER_new();
  const auto salt = static_cast<long>(crypto::hash_size(hash));
  if (parameters->saltLength == nullptr || ASN1_INTEGER_set(parameters->saltLength, salt) != 1) {
    return crypto::openssl_error(Code::host_memory);
  }
  ASN1_STRING* const packed = ASN1_item_pack(parameters.get(), ASN1_ITEM_rptr(RSA_PSS_PARAMS), nullptr);
  if (packed == nullptr) return crypto::openssl_error(Code::host_memory);
  X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_rsassaPss), V_ASN1_SEQUENCE, packed);
  return algorithm;
}

Result<Owned<X509_ALGOR>> signature_algorithm(Scheme scheme, Hash hash, const EVP_PKEY* key) {
  if (scheme == Scheme::rsa_pss) return pss_algorithm(hash);
  int nid = NID_undef;
  if (scheme == Scheme::eddsa || scheme == Scheme::post_quantum) {
    // The key's own identifier is also the signature's (RFC 8410, 3; RFC 9881, 2; RFC 9909, 3).
    nid = OBJ_txt2nid(EVP_PKEY_get0_type_name(key));
  } else {
    const int key_nid = scheme == Scheme::rsa_pkcs1 ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey;
    if (OBJ_find_sigid_by_algs(&nid, digest_nid(hash), key_nid) != 1) nid = NID_undef;
  }
  Owned<X509_ALGOR> algorithm(X509_ALGOR_new());
  if (nid == NID_undef || !algorithm) {
    (void)crypto::openssl_error(Code::mechanism_invalid);
    return error(Code::mechanism_invalid, "certificates have no signature algorithm for this key and digest");
  }
  // RFC 3279 wants a NULL with RSA; the others have no parameter.
  const int parameter = scheme == Scheme::rsa_pkcs1 ? V_ASN1_NULL : V_ASN1_UNDEF;
  X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(nid), parameter, nullptr);
  return algorithm;
}

Status sign(X509_REQ* request, EVP_PKEY* key, X509_ALGOR* algorithm, const Signer& signer) {
  if (X509_REQ_set1_signature_algo(request, algorithm) != 1) return crypto::openssl_error(Code::host_memory);
  unsigned char* raw = nullptr;
  const int size = i2d_re_X509_REQ_tbs(request, &raw);
  const Owned<unsigned char> to_be_signed(raw);
  if (size <= 0) return crypto::openssl_error(Code::host_memory);
  CARDEA_ASSIGN(const Bytes signature, signer({to_be_signed.get(), static_cast<std::size_t>(size)}));
  Owned<ASN1_BIT_STRING> bits(ASN1_BIT_STRING_new());
  if (!bits || ASN1_STRING_set(bits.get(), signature.data(), static_cast<int>(signature.size())) != 1) {
    return crypto::openssl_error(Code::host_memory);
  }
  // No unused bits, whatever the last byte is.
  bits->flags = (bits->flags & ~0x07L) | ASN1_STRING_FLAG_BITS_LEFT;
  X509_REQ_set0_signature(request, bits.release());
  if (X509_REQ_verify(request, key) == 1) return {};
  (void)crypto::openssl_error(Code::signature_invalid);
  return error(Code::signature_invalid, "the token's signature does not verify with the token's public key");
}

Result<Owned<EVP_PKEY>> parse_key(ByteView key_info) {
  const unsigned char* next = key_info.data();
  Owned<EVP_PKEY> key(d2i_PUBKEY_ex(nullptr, &next, static_cast<long>(key_info.size()), crypto::context(), nullptr));
  if (key) return key;
  (void)crypto::openssl_error(Code::mechanism_invalid);
  return error(Code::mechanism_invalid, "this machine's OpenSSL does not know the key's algorithm");
}

}  // namespace

Result<Bytes> make_request(const RequestSpec& spec, ByteView key_info, Scheme scheme, Hash hash, const Signer& signer) {
  CARDEA_ASSIGN(const auto key, parse_key(key_info));
  CARDEA_ASSIGN(const NamePtr subject, parse_name(spec.subject));
  CARDEA_ASSIGN(const Extensions extensions, make_extensions(spec));
  const Owned<X509_REQ> request(X509_REQ_new_ex(crypto::context(), nullptr));
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(request.get(), subject.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1) {
    return crypto::openssl_error(Code::host_memory);
  }
  if (!extensions.empty() && X509_REQ_add_extensions(request.get(), extensions.get()) != 1) {
    return crypto::openssl_error(Code::host_memory);
  }
  CARDEA_ASSIGN(const auto algorithm, signature_algorithm(scheme, hash, key.get()));
  CARDEA_TRY(sign(request.get(), key.get(), algorithm.get(), signer));
  unsigned char* raw = nullptr;
  const int size = i2d_X509_REQ(request.get(), &raw);
  const Owned<unsigned char> der(raw);
  if (size <= 0) return crypto::openssl_error(Code::host_memory);
  return Bytes(der.get(), der.get() + size);
}

}  // namespace cardea::x509
