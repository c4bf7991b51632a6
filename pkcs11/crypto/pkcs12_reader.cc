// Reading PKCS#12 (RFC 7292, 4) bag by bag: PKCS12_parse() takes the first of several keys, says nothing of why it
// cannot decipher, and derives keys with however many rounds the file asks for.
#include <fmt/format.h>
#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/library.h"
#include "crypto/openssl_ptr.h"
#include "crypto/pkcs12.h"

namespace cardea::crypto {

namespace {

using X509Ptr = std::unique_ptr<X509, Releaser<X509_free>>;
using KeyInfoPtr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Releaser<PKCS8_PRIV_KEY_INFO_free>>;
using FilePtr = std::unique_ptr<PKCS12, Releaser<PKCS12_free>>;
using PbeParameters = std::unique_ptr<PBEPARAM, Releaser<PBEPARAM_free>>;
using Pbe2Parameters = std::unique_ptr<PBE2PARAM, Releaser<PBE2PARAM_free>>;
using Pbkdf2Parameters = std::unique_ptr<PBKDF2PARAM, Releaser<PBKDF2PARAM_free>>;

struct FreeSafes {
  void operator()(STACK_OF(PKCS7) * safes) const { sk_PKCS7_pop_free(safes, PKCS7_free); }
};
struct FreeBags {
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
};

// Every part of a file asks for rounds of its own; this is about two seconds of one core.
constexpr std::int64_t most_rounds = 4'000'000;
constexpr std::size_t most_certificates = 64;

constexpr std::array known_digests = {NID_sha1, NID_sha224, NID_sha256, NID_sha384, NID_sha512};
constexpr std::array known_ciphers = {NID_aes_128_cbc, NID_aes_192_cbc, NID_aes_256_cbc, NID_des_ede3_cbc};

template <std::size_t count>
bool among(const std::array<int, count>& known, const ASN1_OBJECT* algorithm) {
  return std::find(known.begin(), known.end(), OBJ_obj2nid(algorithm)) != known.end();
}

Error unreadable() {
  return error(Code::data_invalid, "this is no PKCS#12 file, or it is damaged");
}

Error not_supported(const ASN1_OBJECT* algorithm) {
  std::array<char, 80> name{};
  OBJ_obj2txt(name.data(), static_cast<int>(name.size()), algorithm, 0);
  return error(
      Code::mechanism_invalid,
      fmt::format("the PKCS#12 file is protected by {}, which is not taken: write it anew with AES", name.data()));
}

class Reader {
 public:
  explicit Reader(const SecretBytes& password) : text_(password.size() + 1) {
    // OpenSSL wants a terminated text.
    std::copy_n(password.data(), password.size(), text_.data());
    text_.data()[password.size()] = 0;
    size_ = static_cast<int>(password.size());
  }

  Result<Pkcs12Contents> read(ByteView der) {
    PKCS12* target = PKCS12_init_ex(NID_pkcs7_data, context(), nullptr);
    if (target == nullptr) return openssl_error(Code::host_memory);
    const unsigned char* next = der.data();
    // On failure d2i_PKCS12 frees the target itself.
    const FilePtr file(d2i_PKCS12(&target, &next, static_cast<long>(der.size())));
    if (!file || next != der.data() + der.size()) return unreadable();
    CARDEA_TRY(check_integrity(*file));
    const std::unique_ptr<STACK_OF(PKCS7), FreeSafes> safes(PKCS12_unpack_authsafes(file.get()));
    if (!safes) return unreadable();
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) CARDEA_TRY(read_safe(*sk_PKCS7_value(safes.get(), i)));
    if (contents_.private_key_info.empty()) return error(Code::data_invalid, "the PKCS#12 file holds no private key");
    return std::move(contents_);
  }

 private:
  const char* password() const { return no_password_ ? nullptr : reinterpret_cast<const char*>(text_.data()); }

  Status spend(const ASN1_INTEGER* rounds) {
    std::int64_t count = 1;
    if (rounds != nullptr && (ASN1_INTEGER_get_int64(&count, rounds) != 1 || count < 1)) return unreadable();
    if (count > most_rounds - spent_)
      return error(Code::data_invalid,
                   fmt::format("the PKCS#12 file asks for more than {} rounds of key derivation", most_rounds));
    spent_ += count;
    return {};
  }

  Status check_integrity(PKCS12& file) {
    if (PKCS12_mac_present(&file) != 1)
      return error(Code::data_invalid, "the PKCS#12 file's integrity is not protected by a password");
    const X509_ALGOR* algorithm = nullptr;
    const ASN1_INTEGER* rounds = nullptr;
    PKCS12_get0_mac(nullptr, &algorithm, nullptr, &rounds, &file);
    const ASN1_OBJECT* digest = nullptr;
    X509_ALGOR_get0(&digest, nullptr, nullptr, algorithm);
    if (!among(known_digests, digest)) return not_supported(digest);
    CARDEA_TRY(spend(rounds));
    if (PKCS12_verify_mac(&file, password(), size_) == 1) return {};
    // Where there is no password some programs hash nothing and others an empty text (RFC 7292, B.1).
    no_password_ = size_ == 0;
    if (no_password_ && PKCS12_verify_mac(&file, nullptr, 0) == 1) return {};
    return error(Code::encrypted_data_invalid, "the password of the PKCS#12 file is wrong, or the file was changed");
  }

  // Before anything is deciphered: which algorithm, and how much work.
  Status check_protection(const X509_ALGOR* algorithm) {
    const ASN1_OBJECT* oid = nullptr;
    const void* value = nullptr;
    int type = V_ASN1_UNDEF;
    X509_ALGOR_get0(&oid, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE) return not_supported(oid);
    const auto* const parameter = static_cast<const ASN1_STRING*>(value);
    const int kind = OBJ_obj2nid(oid);
    if (kind == NID_pbes2) return check_pbes2(parameter);
    if (kind != NID_pbe_WithSHA1And3_Key_TripleDES_CBC && kind != NID_pbe_WithSHA1And2_Key_TripleDES_CBC)
      return not_supported(oid);
    const PbeParameters pbe(static_cast<PBEPARAM*>(ASN1_item_unpack(parameter, ASN1_ITEM_rptr(PBEPARAM))));
    return pbe ? spend(pbe->iter) : unreadable();
  }

  // RFC 8018, A.4
  Status check_pbes2(const ASN1_STRING* parameter) {
    const Pbe2Parameters pbe(static_cast<PBE2PARAM*>(ASN1_item_unpack(parameter, ASN1_ITEM_rptr(PBE2PARAM))));
    if (!pbe) return unreadable();
    const ASN1_OBJECT* cipher = nullptr;
    X509_ALGOR_get0(&cipher, nullptr, nullptr, pbe->encryption);
    if (!among(known_ciphers, cipher)) return not_supported(cipher);
    const ASN1_OBJECT* derivation = nullptr;
    const void* value = nullptr;
    int type = V_ASN1_UNDEF;
    X509_ALGOR_get0(&derivation, &type, &value, pbe->keyfunc);
    if (OBJ_obj2nid(derivation) != NID_id_pbkdf2 || type != V_ASN1_SEQUENCE) return not_supported(derivation);
    const Pbkdf2Parameters rounds(static_cast<PBKDF2PARAM*>(
        ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(PBKDF2PARAM))));
    return rounds ? spend(rounds->iter) : unreadable();
  }

  Status read_safe(PKCS7& safe) {
    std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), FreeBags> bags;
    if (PKCS7_type_is_data(&safe)) {
      bags.reset(PKCS12_unpack_p7data(&safe));
    } else if (PKCS7_type_is_encrypted(&safe) && safe.d.encrypted != nullptr) {
      CARDEA_TRY(check_protection(safe.d.encrypted->enc_data->algorithm));
      bags.reset(PKCS12_unpack_p7encdata(&safe, password(), size_));
    } else {
      return error(Code::data_invalid, "a part of the PKCS#12 file is protected by a public key, not by a password");
    }
    if (!bags) return unreadable();
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags.get()); ++i)
      CARDEA_TRY(read_bag(*sk_PKCS12_SAFEBAG_value(bags.get(), i)));
    return {};
  }

  // CRLs and whatever else there may be are left alone.
  Status read_bag(PKCS12_SAFEBAG& bag) {
    const int kind = PKCS12_SAFEBAG_get_nid(&bag);
    if (kind == NID_keyBag) return take_key(PKCS12_SAFEBAG_get0_p8inf(&bag));
    if (kind == NID_pkcs8ShroudedKeyBag) {
      const X509_SIG* const shrouded = PKCS12_SAFEBAG_get0_pkcs8(&bag);
      if (shrouded == nullptr) return unreadable();
      const X509_ALGOR* algorithm = nullptr;
      X509_SIG_get0(shrouded, &algorithm, nullptr);
      CARDEA_TRY(check_protection(algorithm));
      const KeyInfoPtr key(PKCS12_decrypt_skey_ex(&bag, password(), size_, context(), nullptr));
      return take_key(key.get());
    }
    if (kind == NID_certBag && PKCS12_SAFEBAG_get_bag_nid(&bag) == NID_x509Certificate) return take_certificate(bag);
    return {};
  }

  Status take_key(const PKCS8_PRIV_KEY_INFO* key) {
    if (key == nullptr) return unreadable();
    if (!contents_.private_key_info.empty())
      return error(Code::data_invalid, "the PKCS#12 file holds several private keys: it must be one");
    unsigned char* encoded = nullptr;
    const int size = i2d_PKCS8_PRIV_KEY_INFO(key, &encoded);
    if (size <= 0) return unreadable();
    contents_.private_key_info = SecretBytes(ByteView(encoded, static_cast<std::size_t>(size)));
    OPENSSL_clear_free(encoded, static_cast<std::size_t>(size));
    return {};
  }

  Status take_certificate(const PKCS12_SAFEBAG& bag) {
    const X509Ptr certificate(PKCS12_SAFEBAG_get1_cert(&bag));
    if (!certificate) return unreadable();
    if (contents_.certificates.size() == most_certificates)
      return error(Code::data_invalid,
                   fmt::format("the PKCS#12 file holds more than {} certificates", most_certificates));
    Bytes der(static_cast<std::size_t>(std::max(i2d_X509(certificate.get(), nullptr), 0)));
    unsigned char* next = der.data();
    if (der.empty() || i2d_X509(certificate.get(), &next) <= 0) return unreadable();
    contents_.certificates.push_back(std::move(der));
    return {};
  }

  SecretBytes text_;
  int size_ = 0;
  bool no_password_ = false;
  std::int64_t spent_ = 0;
  Pkcs12Contents contents_;
};

}  // namespace

Result<Pkcs12Contents> read_pkcs12(ByteView file, const SecretBytes& password) {
  const ErrorScope errors;
  return Reader(password).read(file);
}

}  // namespace cardea::crypto
