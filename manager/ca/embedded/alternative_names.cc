#include "embedded/alternative_names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "x509/asn1.h"
#include "x509/name.h"

namespace cardea::ca {
namespace {

using manager::AlternativeName;
using x509::element;
using Kind = AlternativeName::Kind;

constexpr std::string_view upn_oid = "1.3.6.1.4.1.311.20.2.3";
constexpr std::string_view fasc_n_oid = "2.16.840.1.101.3.6.6";
constexpr std::size_t fasc_n_size = 25;
constexpr std::string_view uuid_prefix = "urn:uuid:";
constexpr std::size_t longest_value = 4096;

Error bad(const AlternativeName& name, std::string_view why) {
  return error(Code::arguments_bad, fmt::format("the alternative name {}:{} {}", word(name.kind), name.value, why));
}

bool visible_ascii(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

// Labels of letters, digits and hyphens, with a wildcard as the first at most (RFC 5280, 4.2.1.6; RFC 9525, 6.3).
bool is_dns_name(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, end);
    const bool fits = !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
                      std::ranges::all_of(label, [](unsigned char c) {
                        return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '_');
                      });
    if (!fits) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  return visible_ascii(text) && at != std::string_view::npos && at > 0 && is_dns_name(text.substr(at + 1)) &&
         !text.substr(at + 1).starts_with('*') && text.find_first_of("<>,;\"") == std::string_view::npos;
}

// scheme ":" rest (RFC 3986, 3.1).
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  return visible_ascii(text) && colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() &&
         std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::ranges::all_of(text.substr(0, colon),
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.'; });
}

// 8-4-4-4-12 hexadecimal digits (RFC 9562, 4).
bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

Bytes address_octets(const std::string& text) {
  Bytes octets(16);
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  octets.resize(4);
  if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) return octets;
  return {};
}

Bytes text_name(int tag, std::string_view text) {
  return element(x509::primitive_context_tag(tag), {view_of(text)});
}

Result<Bytes> other_name(std::string_view type, ByteView value) {
  CARDEA_ASSIGN(const Bytes oid, x509::object_identifier(type));
  return element(x509::context_tag(0), {oid, element(x509::context_tag(0), {value})});
}

Result<Bytes> encode_directory(const AlternativeName& name) {
  auto parsed = x509::name_der(name.value);
  if (!parsed) return bad(name, "is no distinguished name: " + parsed.error().detail);
  return element(x509::context_tag(4), {*parsed});
}

Result<Bytes> encode(const AlternativeName& name) {
  if (name.value.size() > longest_value) return bad(name, "is too long");
  switch (name.kind) {
    case Kind::rfc822:
      return is_email(name.value) ? Result<Bytes>(text_name(1, name.value))
                                  : bad(name, "is no e-mail address in ASCII");
    case Kind::dns:
      return is_dns_name(name.value) ? Result<Bytes>(text_name(2, name.value)) : bad(name, "is no DNS name");
    case Kind::upn:
      if (name.value.empty() || name.value.find('@') == std::string::npos) return bad(name, "has no @");
      if (!x509::is_utf8(name.value)) return bad(name, "is not UTF-8");
      return other_name(upn_oid, element(x509::tag_utf8_string, {view_of(name.value)}));
    case Kind::uri:
      return is_uri(name.value) ? Result<Bytes>(text_name(6, name.value)) : bad(name, "is no absolute URI in ASCII");
    case Kind::ip: {
      const Bytes octets = address_octets(name.value);
      return octets.empty() ? Result<Bytes>(bad(name, "is no IP address"))
                            : element(x509::primitive_context_tag(7), {octets});
    }
    case Kind::directory:
      return encode_directory(name);
    case Kind::fasc_n: {
      Bytes octets;
      if (!from_hex(name.value, octets) || octets.size() != fasc_n_size)
        return bad(name, "is not 50 hexadecimal digits");
      return other_name(fasc_n_oid, x509::octet_string(octets));
    }
    case Kind::uuid:
      return is_uuid(name.value) ? Result<Bytes>(text_name(6, std::string(uuid_prefix) + lower(name.value)))
                                 : bad(name, "is no UUID");
    case Kind::registered_id: {
      auto oid = x509::object_identifier(name.value);
      if (!oid) return bad(name, "is no object identifier");
      oid->front() = x509::primitive_context_tag(8);
      return oid;
    }
  }
  return Code::internal;
}

std::string text_from(ByteView value) {
  return std::string(text_of(value));
}

std::optional<AlternativeName> decode_other(ByteView content) {
  crypto::DerReader reader(content);
  const auto type = reader.take_whole(x509::tag_oid);
  const auto wrapped = reader.take(x509::context_tag(0));
  if (!type || !wrapped || !reader.at_end()) return {};
  crypto::DerReader value(*wrapped);
  const std::string oid = x509::dotted(*type);
  if (oid == upn_oid) {
    const auto text = value.take(x509::tag_utf8_string);
    if (text && value.at_end()) return AlternativeName{Kind::upn, text_from(*text)};
  }
  if (oid == fasc_n_oid) {
    const auto octets = value.take(x509::tag_octet_string);
    if (octets && value.at_end()) return AlternativeName{Kind::fasc_n, to_hex(*octets)};
  }
  return {};
}

std::optional<AlternativeName> decode_address(ByteView octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = octets.size() == 4 ? AF_INET : AF_INET6;
  if (octets.size() != 4 && octets.size() != 16) return {};
  if (inet_ntop(family, octets.data(), text.data(), text.size()) == nullptr) return {};
  return AlternativeName{Kind::ip, text.data()};
}

std::optional<AlternativeName> decode_uri(std::string_view text) {
  if (lower(text.substr(0, uuid_prefix.size())) == uuid_prefix && is_uuid(text.substr(uuid_prefix.size()))) {
    return AlternativeName{Kind::uuid, lower(text.substr(uuid_prefix.size()))};
  }
  return AlternativeName{Kind::uri, std::string(text)};
}

std::optional<AlternativeName> decode_one(Byte tag, ByteView content) {
  switch (tag) {
    case x509::context_tag(0):
      return decode_other(content);
    case x509::primitive_context_tag(1):
      return AlternativeName{Kind::rfc822, text_from(content)};
    case x509::primitive_context_tag(2):
      return AlternativeName{Kind::dns, text_from(content)};
    case x509::context_tag(4): {
      // Its text goes into the certificate, so nothing may be lost on the way to it.
      if (!x509::check_name_der(content)) return {};
      auto text = x509::name_text_of(content);
      return text ? std::optional(AlternativeName{Kind::directory, std::move(*text)}) : std::nullopt;
    }
    case x509::primitive_context_tag(6):
      return decode_uri(text_of(content));
    case x509::primitive_context_tag(7):
      return decode_address(content);
    case x509::primitive_context_tag(8):
      return AlternativeName{Kind::registered_id, x509::dotted(element(x509::tag_oid, {content}))};
    default:
      return {};
  }
}

// One spelling for what means the same.
AlternativeName canonical(AlternativeName name) {
  if (name.kind == Kind::dns || name.kind == Kind::uuid || name.kind == Kind::fasc_n) name.value = lower(name.value);
  if (name.kind == Kind::rfc822) {
    const std::size_t at = std::min(name.value.rfind('@'), name.value.size());
    name.value = name.value.substr(0, at) + lower(name.value.substr(at));
  }
  if (name.kind == Kind::ip) {
    const Bytes octets = address_octets(name.value);
    if (!octets.empty()) name.value = to_hex(octets);
  }
  if (name.kind == Kind::directory) {
    // What is written again by one hand differs in nothing but case.
    const auto der = x509::name_der(name.value);
    const auto text = der ? x509::name_text_of(*der) : Result<std::string>(der.error());
    if (text) name.value = lower(*text);
  }
  return name;
}

std::vector<std::pair<Kind, std::string>> sorted(const std::vector<AlternativeName>& names) {
  std::vector<std::pair<Kind, std::string>> result;
  for (const AlternativeName& name : names) {
    AlternativeName one = canonical(name);
    result.emplace_back(one.kind, std::move(one.value));
  }
  std::ranges::sort(result);
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace

Result<Bytes> encode_alternative_names(const std::vector<AlternativeName>& names) {
  Bytes content;
  for (const AlternativeName& name : names) {
    CARDEA_ASSIGN(const Bytes one, encode(name));
    content.insert(content.end(), one.begin(), one.end());
  }
  return x509::sequence({content});
}

Result<DecodedNames> decode_alternative_names(ByteView value) {
  const Error malformed = error(Code::data_invalid, "the alternative names are malformed");
  crypto::DerReader outer(value);
  const auto content = outer.take(x509::tag_sequence);
  if (!content || content->empty() || !outer.at_end()) return malformed;
  DecodedNames decoded;
  for (crypto::DerReader reader(*content); !reader.at_end();) {
    const Byte tag = reader.next_tag();
    const auto one = reader.take(tag);
    if (!one) return malformed;
    auto name = decode_one(tag, *one);
    if (name) {
      decoded.names.push_back(std::move(*name));
    } else {
      decoded.complete = false;
    }
  }
  return decoded;
}

bool same_alternative_names(const std::vector<AlternativeName>& a, const std::vector<AlternativeName>& b) {
  return sorted(a) == sorted(b);
}

}  // namespace cardea::ca
