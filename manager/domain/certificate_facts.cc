// What the manager reads of a certificate. By hand rather than by the crypto library's parser, which decodes the public
// key as well and takes longer for that than the authority for signing.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "crypto/certificate.h"
#include "crypto/key_der.h"
#include "domain/certificates.h"
#include "x509/asn1.h"
#include "x509/name.h"

namespace cardea::manager {

namespace {

constexpr Byte utc_time = 0x17;
constexpr Byte generalized_time = 0x18;
constexpr Byte der_set = 0x31;

struct AttributeName {
  std::string_view oid;  ///< content bytes
  std::string_view name;
};
// RFC 4514, 3, and what else OpenSSL and ourselves write by name.
constexpr std::array attribute_names = {AttributeName{"\x55\x04\x03", "CN"},
                                        AttributeName{"\x55\x04\x04", "SN"},
                                        AttributeName{"\x55\x04\x05", "serialNumber"},
                                        AttributeName{"\x55\x04\x06", "C"},
                                        AttributeName{"\x55\x04\x07", "L"},
                                        AttributeName{"\x55\x04\x08", "ST"},
                                        AttributeName{"\x55\x04\x09", "street"},
                                        AttributeName{"\x55\x04\x0A", "O"},
                                        AttributeName{"\x55\x04\x0B", "OU"},
                                        AttributeName{"\x55\x04\x0C", "title"},
                                        AttributeName{"\x55\x04\x11", "postalCode"},
                                        AttributeName{"\x55\x04\x2A", "GN"},
                                        AttributeName{"\x55\x04\x41", "pseudonym"},
                                        AttributeName{"\x55\x04\x61", "organizationIdentifier"},
                                        AttributeName{"\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x01", "UID"},
                                        AttributeName{"\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x19", "DC"},
                                        AttributeName{"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01", "emailAddress"}};

// RFC 4514, 2.4, for text without control characters.
std::string escaped(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool edge = (c == ' ' && (i == 0 || i + 1 == value.size())) || (c == '#' && i == 0);
    if (edge || std::string_view("\"+,;<>\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// "CN=Alice"; texts of one byte a character and UTF-8 as they are. Anything else is in hexadecimal (RFC 4514, 2.4), and
// so is what says that it is text and is none: it could be neither stored nor shown.
Result<std::string> attribute_text(ByteView attribute) {
  crypto::DerReader fields(attribute);
  crypto::DerReader first = fields;
  const auto type = fields.take(crypto::der_oid);
  const Byte tag = fields.next_tag();
  crypto::DerReader again = fields;
  const auto value = fields.take(tag);
  const auto whole = again.take_whole(tag);
  if (!type || !value || !whole || !fields.at_end())
    return error(Code::data_invalid, "a name in the certificate is malformed");
  constexpr Byte utf8_string = 0x0C;
  constexpr Byte printable_string = 0x13;
  constexpr Byte ia5_string = 0x16;
  const auto known = std::find_if(attribute_names.begin(), attribute_names.end(),
                                  [&](const auto& row) { return text_of(*type) == row.oid; });
  const bool text =
      (tag == utf8_string || tag == printable_string || tag == ia5_string) && x509::is_utf8(text_of(*value));
  if (known != attribute_names.end() && text) return fmt::format("{}={}", known->name, escaped(text_of(*value)));
  std::string dotted = x509::dotted(first.take_whole(crypto::der_oid).value_or(ByteView()));
  // Numbers may be made of UUIDs (X.667, 6.3), which no 64 bits hold.
  if (dotted.empty()) dotted = "0x" + to_hex(*type);
  return fmt::format("{}=#{}", known != attribute_names.end() ? std::string(known->name) : dotted, to_hex(*whole));
}

// RFC 4514, 2.1: the last component first.
Result<std::string> name_text(ByteView name) {
  crypto::DerReader outer(name);
  const auto content = outer.take(crypto::der_sequence);
  if (!content) return error(Code::data_invalid, "a name in the certificate is malformed");
  std::string out;
  crypto::DerReader components(*content);
  while (!components.at_end()) {
    const auto set = components.take(der_set);
    if (!set) return error(Code::data_invalid, "a name in the certificate is malformed");
    std::string component;
    crypto::DerReader attributes(*set);
    while (!attributes.at_end()) {
      const auto attribute = attributes.take(crypto::der_sequence);
      if (!attribute) return error(Code::data_invalid, "a name in the certificate is malformed");
      CARDEA_ASSIGN(const std::string text, attribute_text(*attribute));
      component += (component.empty() ? "" : "+") + text;
    }
    out = out.empty() ? component : component + "," + out;
  }
  return out;
}

// RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ until 2049, YYYYMMDDHHMMSSZ afterwards.
Result<Time> time_of(crypto::DerReader& in) {
  const Byte tag = in.next_tag();
  const auto content = in.take(tag);
  const std::size_t year_digits = tag == utc_time ? 2 : 4;
  const auto wrong = [] { return error(Code::data_invalid, "a time in the certificate is malformed"); };
  if (!content || (tag != utc_time && tag != generalized_time) || content->size() != year_digits + 11 ||
      content->back() != 'Z')
    return wrong();
  const std::string_view text = text_of(*content);
  if (text.substr(0, text.size() - 1).find_first_not_of("0123456789") != std::string_view::npos) return wrong();
  const auto number = [&](std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  int year = number(0, year_digits);
  if (tag == utc_time) year += year < 50 ? 2000 : 1900;
  const std::size_t at = year_digits;
  const std::chrono::year_month_day day(std::chrono::year(year),
                                        std::chrono::month(static_cast<unsigned>(number(at, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(at + 2, 2))));
  const int hour = number(at + 4, 2);
  const int minute = number(at + 6, 2);
  const int second = number(at + 8, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 59) return wrong();
  return Time(std::chrono::sys_days(day)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

// The validity follows the issuer's name (RFC 5280, 4.1).
Status read_validity(ByteView der, CertificateFacts& facts) {
  constexpr Byte version_tag = 0xA0;
  crypto::DerReader outer(der);
  const auto certificate = outer.take(crypto::der_sequence);
  crypto::DerReader parts(certificate.value_or(ByteView()));
  const auto signed_part = parts.take(crypto::der_sequence);
  crypto::DerReader fields(signed_part.value_or(ByteView()));
  fields.take(version_tag);
  const bool there =
      fields.take(crypto::der_integer_tag) && fields.take(crypto::der_sequence) && fields.take(crypto::der_sequence);
  const auto validity = fields.take(crypto::der_sequence);
  if (!there || !validity) return error(Code::data_invalid, "this is no certificate");
  crypto::DerReader times(*validity);
  CARDEA_ASSIGN(facts.not_before, time_of(times));
  CARDEA_ASSIGN(facts.not_after, time_of(times));
  return {};
}

}  // namespace

Result<CertificateFacts> certificate_facts(ByteView der) {
  CARDEA_ASSIGN(const crypto::CertificateParts parts, crypto::certificate_parts(der));
  CertificateFacts facts;
  crypto::DerReader serial(parts.serial);
  const auto number = serial.take_unsigned();
  if (!number || number->empty())
    return error(Code::data_invalid, "the certificate's serial number is zero or negative");
  // RFC 5280, 4.1.2.2 allows 20 bytes; some authorities go a little further.
  constexpr std::size_t longest_serial = 64;
  if (number->size() > longest_serial) return error(Code::data_invalid, "the certificate's serial number is too long");
  facts.serial = to_hex(*number);
  if (facts.serial.front() == '0') facts.serial.erase(0, 1);
  CARDEA_ASSIGN(facts.subject, name_text(parts.subject));
  CARDEA_ASSIGN(facts.issuer, name_text(parts.issuer));
  facts.spki = to_bytes(parts.key_info);
  CARDEA_TRY(read_validity(der, facts));
  return facts;
}

}  // namespace cardea::manager
