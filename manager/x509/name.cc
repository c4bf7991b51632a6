#include "x509/name.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "crypto/library.h"

namespace cardea::x509 {
namespace {

struct FreeObject {
  void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
};

// One attribute of a relative distinguished name; `joined` when "+" ties it to the one before.
struct Attribute {
  std::string type;
  std::string value;
  bool joined = false;
};

// Attribute types by the names people write, in lower case, where OpenSSL writes them otherwise (RFC 4519, 2; RFC 2985;
// X.520).
constexpr std::array<std::pair<std::string_view, const char*>, 38> type_names{{
    {"cn", "CN"},
    {"commonname", "CN"},
    {"sn", "SN"},
    {"surname", "SN"},
    {"gn", "GN"},
    {"givenname", "GN"},
    {"initials", "initials"},
    {"generationqualifier", "generationQualifier"},
    {"pseudonym", "pseudonym"},
    {"name", "name"},
    {"title", "title"},
    {"serialnumber", "serialNumber"},
    {"dnqualifier", "dnQualifier"},
    {"e", "emailAddress"},
    {"email", "emailAddress"},
    {"emailaddress", "emailAddress"},
    {"c", "C"},
    {"country", "C"},
    {"st", "ST"},
    {"s", "ST"},
    {"state", "ST"},
    {"l", "L"},
    {"locality", "L"},
    {"street", "street"},
    {"streetaddress", "street"},
    {"postalcode", "postalCode"},
    {"telephonenumber", "telephoneNumber"},
    {"o", "O"},
    {"organization", "O"},
    {"ou", "OU"},
    {"organizationidentifier", "organizationIdentifier"},
    {"businesscategory", "businessCategory"},
    {"description", "description"},
    {"uid", "UID"},
    {"userid", "UID"},
    {"dc", "DC"},
    {"unstructuredname", "unstructuredName"},
    {"unstructuredaddress", "unstructuredAddress"},
}};

// Any other type is taken as typed: a short name of OpenSSL's, or an OID, with RFC 4512's "OID." before it or without.
std::string openssl_name(const std::string& type) {
  std::string lower = type;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const auto& [from, to] : type_names) {
    if (lower == from) return to;
  }
  return lower.starts_with("oid.") ? type.substr(4) : type;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<Attribute>> parse() {
    std::vector<Attribute> attributes;
    bool joined = false;
    while (true) {
      CARDEA_ASSIGN(Attribute attribute, one());
      attribute.joined = joined;
      attributes.push_back(std::move(attribute));
      if (rest_.empty()) return attributes;
      joined = rest_.front() == '+';
      rest_.remove_prefix(1);
    }
  }

 private:
  static Error bad_name(std::string why) { return error(Code::arguments_bad, std::move(why)); }

  Result<Attribute> one() {
    const std::size_t equals = rest_.find('=');
    if (equals == std::string_view::npos) return bad_name(fmt::format("the part '{}' has no '='", rest_));
    Attribute attribute;
    attribute.type = trimmed(rest_.substr(0, equals));
    rest_.remove_prefix(equals + 1);
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    CARDEA_ASSIGN(attribute.value, value());
    if (attribute.value.empty()) return bad_name(fmt::format("'{}' has no value", attribute.type));
    return attribute;
  }

  // RFC 4514, 2.4: a backslash before a special character or before two hexadecimal digits.
  Result<std::string> value() {
    std::string result;
    std::size_t keep = 0;  // escaped blanks at the end stay
    while (!rest_.empty() && rest_.front() != ',' && rest_.front() != '+') {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\\') {
        CARDEA_ASSIGN(c, escaped());
        keep = result.size() + 1;
      }
      result += c;
    }
    while (result.size() > keep && result.back() == ' ') result.pop_back();
    return result;
  }

  Result<char> escaped() {
    Bytes byte;
    if (rest_.size() >= 2 && from_hex(rest_.substr(0, 2), byte)) {
      rest_.remove_prefix(2);
      return static_cast<char>(byte.front());
    }
    if (rest_.empty() || std::string_view(" \"#+,;<=>\\").find(rest_.front()) == std::string_view::npos) {
      return bad_name("a backslash must stand before a special character or two hexadecimal digits");
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  static std::string trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return std::string(text);
  }

  std::string_view rest_;
};

Error bad_attribute(std::string why) {
  (void)crypto::openssl_error(Code::arguments_bad);  // OpenSSL's queue is left empty
  return error(Code::arguments_bad, std::move(why));
}

Status add(X509_NAME* name, const Attribute& attribute, int set) {
  const std::unique_ptr<ASN1_OBJECT, FreeObject> type(OBJ_txt2obj(openssl_name(attribute.type).c_str(), 0));
  if (!type) return bad_attribute(fmt::format("there is no attribute type '{}'", attribute.type));
  const auto* value = reinterpret_cast<const unsigned char*>(attribute.value.data());
  if (X509_NAME_add_entry_by_OBJ(name, type.get(), MBSTRING_UTF8, value, static_cast<int>(attribute.value.size()), -1,
                                 set) != 1) {
    return bad_attribute(fmt::format("the value of '{}' has a wrong length or is not UTF-8", attribute.type));
  }
  return {};
}

Result<NamePtr> name_of(ByteView der) {
  const unsigned char* next = der.data();
  NamePtr name(d2i_X509_NAME(nullptr, &next, static_cast<long>(der.size())));
  if (name && next == der.data() + der.size()) return name;
  (void)crypto::openssl_error(Code::data_invalid);
  return error(Code::data_invalid, "this is no distinguished name");
}

}  // namespace

void FreeName::operator()(X509_NAME* name) const {
  X509_NAME_free(name);
}

Result<NamePtr> parse_name(std::string_view text) {
  NamePtr name(X509_NAME_new());
  if (!name) return crypto::openssl_error(Code::host_memory);
  if (text.empty()) return name;
  CARDEA_ASSIGN(const std::vector<Attribute> attributes, Parser(text).parse());
  // X.501 puts the most significant component first, the text last; "+" keeps attributes in one component.
  for (std::size_t end = attributes.size(); end > 0;) {
    std::size_t begin = end - 1;
    while (attributes[begin].joined) --begin;
    for (std::size_t i = begin; i < end; ++i) CARDEA_TRY(add(name.get(), attributes[i], i == begin ? 0 : -1));
    end = begin;
  }
  return name;
}

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  // UTF-8 stays readable instead of being escaped byte by byte.
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return "";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<Bytes> name_der(std::string_view text) {
  CARDEA_ASSIGN(const NamePtr name, parse_name(text));
  const unsigned char* der = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(name.get(), &der, &size) != 1) return crypto::openssl_error(Code::host_memory);
  return Bytes(der, der + size);
}

Result<std::string> name_text_of(ByteView der) {
  CARDEA_ASSIGN(const NamePtr name, name_of(der));
  return name_text(name.get());
}

Result<bool> same_name(ByteView a, ByteView b) {
  if (same_bytes(a, b)) return true;
  CARDEA_ASSIGN(const NamePtr first, name_of(a));
  CARDEA_ASSIGN(const NamePtr second, name_of(b));
  return X509_NAME_cmp(first.get(), second.get()) == 0;
}

Status check_name_der(ByteView der) {
  constexpr int most_attributes = 64;
  constexpr int longest_value = 1024;
  CARDEA_ASSIGN(const NamePtr name, name_of(der));
  if (X509_NAME_entry_count(name.get()) > most_attributes) {
    return error(Code::data_invalid, "the name has more than 64 attributes");
  }
  // A name that is put together again from its parts is DER; what OpenSSL reads and would not write so hides something.
  const NamePtr again(X509_NAME_new());
  if (!again) return crypto::openssl_error(Code::host_memory);
  for (int i = 0; i < X509_NAME_entry_count(name.get()); ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(name.get(), i);
    unsigned char* raw = nullptr;
    const int size = ASN1_STRING_to_UTF8(&raw, X509_NAME_ENTRY_get_data(entry));
    const std::string text(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(std::max(size, 0)));
    OPENSSL_free(raw);
    if (size < 0) (void)crypto::openssl_error(Code::data_invalid);
    if (size < 0 || size > longest_value || !is_utf8(text)) {
      return error(Code::data_invalid, "an attribute of the name is no text, too long, or has control characters");
    }
    const bool joined =
        i > 0 && X509_NAME_ENTRY_set(entry) == X509_NAME_ENTRY_set(X509_NAME_get_entry(name.get(), i - 1));
    if (X509_NAME_add_entry(again.get(), entry, -1, joined ? -1 : 0) != 1) {
      return crypto::openssl_error(Code::data_invalid);
    }
  }
  const unsigned char* written = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(again.get(), &written, &size) != 1) return crypto::openssl_error(Code::host_memory);
  if (!same_bytes(der, {written, size})) return error(Code::data_invalid, "the name is not in DER");
  return {};
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  for (auto rest = static_cast<int>(text.size()); rest > 0;) {
    unsigned long point = 0;
    const int used = UTF8_getc(at, rest, &point);
    const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    if (used <= 0 || control || surrogate || point > 0x10ffff) return false;
    at += used;
    rest -= used;
  }
  return true;
}

}  // namespace cardea::x509
