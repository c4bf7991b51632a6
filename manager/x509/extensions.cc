#include "x509/extensions.h"

#include <fmt/format.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "crypto/library.h"
#include "x509/name.h"

namespace cardea::x509 {
namespace {

struct FreeAsn1 {
  void operator()(GENERAL_NAME* p) const { GENERAL_NAME_free(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
  void operator()(ASN1_STRING* p) const { ASN1_STRING_free(p); }
  void operator()(ASN1_OBJECT* p) const { ASN1_OBJECT_free(p); }
  void operator()(ASN1_TYPE* p) const { ASN1_TYPE_free(p); }
  void operator()(EXTENDED_KEY_USAGE* p) const { EXTENDED_KEY_USAGE_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeAsn1>;

// Microsoft's user principal name and smart card logon.
constexpr const char* upn_oid = "1.3.6.1.4.1.311.20.2.3";
constexpr const char* smartcard_logon_oid = "1.3.6.1.4.1.311.20.2.2";

Error bad(std::string why) {
  (void)crypto::openssl_error(Code::arguments_bad);  // OpenSSL's queue is left empty
  return error(Code::arguments_bad, std::move(why));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

Result<Owned<GENERAL_NAME>> text_name(int type, std::string_view value) {
  const bool fits = !value.empty() && std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!fits) return bad(fmt::format("the alternative name '{}' must be printable ASCII without blanks", value));
  Owned<GENERAL_NAME> name(GENERAL_NAME_new());
  Owned<ASN1_STRING> text(ASN1_IA5STRING_new());
  if (!name || !text || ASN1_STRING_set(text.get(), value.data(), static_cast<int>(value.size())) != 1) {
    return crypto::openssl_error(Code::host_memory);
  }
  GENERAL_NAME_set0_value(name.get(), type, text.release());
  return name;
}

Result<Owned<GENERAL_NAME>> address_name(const std::string& value) {
  Owned<GENERAL_NAME> name(GENERAL_NAME_new());
  Owned<ASN1_STRING> address(a2i_IPADDRESS(value.c_str()));
  if (!address) return bad(fmt::format("'{}' is no IP address", value));
  if (!name) return crypto::openssl_error(Code::host_memory);
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address.release());
  return name;
}

Result<Owned<GENERAL_NAME>> upn_name(std::string_view value) {
  // What OpenSSL writes as it is given, no authority of ours would certify.
  if (!is_utf8(value)) return bad("the user principal name is not UTF-8, or has control characters");
  Owned<GENERAL_NAME> name(GENERAL_NAME_new());
  Owned<ASN1_TYPE> content(ASN1_TYPE_new());
  Owned<ASN1_STRING> text(ASN1_UTF8STRING_new());
  Owned<ASN1_OBJECT> type(OBJ_txt2obj(upn_oid, 1));
  if (!name || !content || !text || !type ||
      ASN1_STRING_set(text.get(), value.data(), static_cast<int>(value.size())) != 1) {
    return crypto::openssl_error(Code::host_memory);
  }
  ASN1_TYPE_set(content.get(), V_ASN1_UTF8STRING, text.release());
  if (GENERAL_NAME_set0_othername(name.get(), type.get(), content.get()) != 1) {
    return crypto::openssl_error(Code::host_memory);
  }
  (void)type.release();
  (void)content.release();
  return name;
}

Result<Owned<GENERAL_NAME>> alternative_name(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string kind = lower(text.substr(0, colon));
  const std::string value = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "dns") return text_name(GEN_DNS, value);
  if (kind == "email") return text_name(GEN_EMAIL, value);
  if (kind == "uri") return text_name(GEN_URI, value);
  if (kind == "ip") return address_name(value);
  if (kind == "upn" && !value.empty()) return upn_name(value);
  return bad(fmt::format("the alternative name '{}' must begin with dns:, email:, ip:, uri: or upn:", text));
}

Status add_alternative_names(Extensions& extensions, const RequestSpec& spec) {
  if (spec.alt_names.empty()) return {};
  const Owned<GENERAL_NAMES> names(GENERAL_NAMES_new());
  for (const std::string& text : spec.alt_names) {
    CARDEA_ASSIGN(auto name, alternative_name(text));
    if (!names || sk_GENERAL_NAME_push(names.get(), name.get()) <= 0) return crypto::openssl_error(Code::host_memory);
    (void)name.release();
  }
  // Critical when it is the only name (RFC 5280, 4.2.1.6).
  return extensions.add(NID_subject_alt_name, spec.subject.empty(), names.get());
}

Status add_key_usage(Extensions& extensions, const RequestSpec& spec) {
  constexpr std::array<std::string_view, 9> bits = {"digitalsignature", "nonrepudiation", "keyencipherment",
                                                    "dataencipherment", "keyagreement",   "keycertsign",
                                                    "crlsign",          "encipheronly",   "decipheronly"};
  if (spec.key_usage.empty()) return {};
  const Owned<ASN1_BIT_STRING> usage(ASN1_BIT_STRING_new());
  for (const std::string& word : spec.key_usage) {
    const std::string name = lower(word) == "contentcommitment" ? "nonrepudiation" : lower(word);
    const auto* const bit = std::ranges::find(bits, name);
    if (bit == bits.end()) return bad(fmt::format("there is no key usage '{}'; digitalSignature is one", word));
    if (!usage || ASN1_BIT_STRING_set_bit(usage.get(), static_cast<int>(bit - bits.begin()), 1) != 1) {
      return crypto::openssl_error(Code::host_memory);
    }
  }
  return extensions.add(NID_key_usage, true, usage.get());
}

Status add_extended_key_usage(Extensions& extensions, const RequestSpec& spec) {
  if (spec.ext_key_usage.empty()) return {};
  const Owned<EXTENDED_KEY_USAGE> usage(EXTENDED_KEY_USAGE_new());
  for (const std::string& word : spec.ext_key_usage) {
    const std::string name = lower(word);
    const bool logon = name == "smartcardlogin" || name == "smartcardlogon";
    Owned<ASN1_OBJECT> object(OBJ_txt2obj(logon ? smartcard_logon_oid : word.c_str(), 0));
    if (!object) return bad(fmt::format("there is no extended key usage '{}'; clientAuth is one", word));
    if (!usage || sk_ASN1_OBJECT_push(usage.get(), object.get()) <= 0) return crypto::openssl_error(Code::host_memory);
    (void)object.release();
  }
  return extensions.add(NID_ext_key_usage, false, usage.get());
}

}  // namespace

Status Extensions::add(int nid, bool critical, void* value) {
  X509_EXTENSION* extension = X509V3_EXT_i2d(nid, critical ? 1 : 0, value);
  if (extension == nullptr) return crypto::openssl_error(Code::host_memory);
  if (sk_X509_EXTENSION_push(list_.get(), extension) <= 0) {
    X509_EXTENSION_free(extension);
    return crypto::openssl_error(Code::host_memory);
  }
  return {};
}

Result<Extensions> make_extensions(const RequestSpec& spec) {
  Extensions extensions;
  CARDEA_TRY(add_alternative_names(extensions, spec));
  CARDEA_TRY(add_key_usage(extensions, spec));
  CARDEA_TRY(add_extended_key_usage(extensions, spec));
  return extensions;
}

}  // namespace cardea::x509
