#include "conformance/profile_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "cryptoki/names.h"

namespace cardea::conformance {
namespace {

const std::pair<const char*, ConstantKind> number_kinds[] = {
    {"CKA", ConstantKind::CKA}, {"CKF", ConstantKind::CKF}, {"CKK", ConstantKind::CKK}, {"CKM", ConstantKind::CKM},
    {"CKO", ConstantKind::CKO}, {"CKR", ConstantKind::CKR}, {"CKU", ConstantKind::CKU}, {"CKC", ConstantKind::CKC}};

enum class Encoding { boolean, number, text, hex };

/// Encoding and, for numbers, the kind of constant that an attribute's value is.
std::pair<Encoding, std::string> encoding_of(CK_ATTRIBUTE_TYPE type) {
  switch (type) {
    case CKA_CLASS:
      return {Encoding::number, "CKO"};
    case CKA_KEY_TYPE:
      return {Encoding::number, "CKK"};
    case CKA_CERTIFICATE_TYPE:
      return {Encoding::number, "CKC"};
    case CKA_KEY_GEN_MECHANISM:
      return {Encoding::number, "CKM"};
    case CKA_VALUE_LEN:
    case CKA_MODULUS_BITS:
      return {Encoding::number, ""};
    case CKA_LABEL:
    case CKA_APPLICATION:
      return {Encoding::text, ""};
    case CKA_TOKEN:
    case CKA_PRIVATE:
    case CKA_SENSITIVE:
    case CKA_EXTRACTABLE:
    case CKA_MODIFIABLE:
    case CKA_COPYABLE:
    case CKA_DESTROYABLE:
    case CKA_LOCAL:
    case CKA_ALWAYS_SENSITIVE:
    case CKA_NEVER_EXTRACTABLE:
    case CKA_ENCRYPT:
    case CKA_DECRYPT:
    case CKA_SIGN:
    case CKA_SIGN_RECOVER:
    case CKA_VERIFY:
    case CKA_VERIFY_RECOVER:
    case CKA_WRAP:
    case CKA_UNWRAP:
    case CKA_DERIVE:
    case CKA_TRUSTED:
      return {Encoding::boolean, ""};
    default:
      return {Encoding::hex, ""};
  }
}

// Items that may differ from the test case: the profile's own list (6.1.1), what depends on the key the token holds
// (modulus, signature, label), and sizes that belong to the token's configuration ("may depend on a specific
// configuration", 6).
bool may_vary(const std::string& name) {
  static constexpr std::array names = {"LibraryDescription",
                                       "LibraryVersion",
                                       "ManufacturerID",
                                       "SlotDescription",
                                       "HardwareVersion",
                                       "FirmwareVersion",
                                       "serialNumber",
                                       "label",
                                       "model",
                                       "utcTime",
                                       "SlotID",
                                       "Object",
                                       "Session",
                                       "Data",
                                       "EncryptedData",
                                       "RandomData",
                                       "Signature",
                                       "MaxSessionCount",
                                       "SessionCount",
                                       "MaxRwSessionCount",
                                       "RwSessionCount",
                                       "MaxPinLen",
                                       "MinPinLen",
                                       "TotalPublicMemory",
                                       "FreePublicMemory",
                                       "TotalPrivateMemory",
                                       "FreePrivateMemory",
                                       "MinKeySize",
                                       "MaxKeySize"};
  return std::any_of(names.begin(), names.end(), [&](const char* known) { return name == known; });
}

bool attribute_may_vary(const std::string& type) {
  static constexpr std::array types = {"VALUE",      "PUBLIC_EXPONENT", "PRIVATE_EXPONENT", "PRIME_1", "PRIME_2",
                                       "EXPONENT_1", "EXPONENT_2",      "COEFFICIENT",      "PRIME",   "SUBPRIME",
                                       "BASE",       "EC_POINT",        "UNIQUE_ID",        "MODULUS", "LABEL"};
  return std::any_of(types.begin(), types.end(), [&](const char* known) { return type == known; });
}

std::optional<std::string> variable_in(const std::string& text) {
  if (text.size() < 4 || text.compare(0, 2, "${") != 0 || text.back() != '}') return std::nullopt;
  return text.substr(2, text.size() - 3);
}

std::string prefix_of(const std::string& element) {
  if (element == "Flags") return "CKF";
  if (element == "Type") return "CKM";
  return "";
}

bool values_agree(const std::string& element, const std::string& expected, const std::string& actual) {
  if (expected == actual) return true;
  const auto wanted = parse_number(expected, prefix_of(element));
  const auto got = parse_number(actual, prefix_of(element));
  if (!wanted || !got) return false;
  if (element == "Flags") return (*got & *wanted) == *wanted;  // a provider may be able to do more
  return *wanted == *got;
}

std::string compare_attribute(const char* which, const pugi::xml_node& expected, const pugi::xml_node& actual,
                              Variables& variables) {
  const std::string wanted = expected.attribute(which).value();
  if (wanted.empty()) return {};
  const std::string name = expected.name();
  const std::string got = actual.attribute(which).value();
  if (got.empty()) return name + " has no " + which + " in the answer";
  if (const auto variable = variable_in(wanted)) {
    variables[*variable] = got;
    return {};
  }
  const bool vary = name == "Attribute" ? attribute_may_vary(expected.attribute("type").value()) : may_vary(name);
  if (vary || values_agree(name, wanted, got)) return {};
  return name + " " + expected.attribute("type").value() + " " + which + " is " + got + " instead of " + wanted;
}

/// Lists may hold more, in any order (6.1.2): an expected entry needs one equal entry.
bool is_list(const std::string& name) {
  return name == "SlotList" || name == "MechanismList" || name == "InterfaceList";
}

std::string compare_list(const pugi::xml_node& expected, const pugi::xml_node& actual, Variables& variables) {
  std::set<const void*> used;
  for (const pugi::xml_node& wanted : expected.children()) {
    if (wanted.type() != pugi::node_element) continue;
    bool found = false;
    for (const pugi::xml_node& got : actual.children(wanted.name())) {
      if (found || used.count(got.internal_object()) != 0) continue;
      found = compare_response(wanted, got, variables).empty();
      if (found) used.insert(got.internal_object());
    }
    if (!found) return std::string(expected.name()) + " lacks " + wanted.attribute("value").value();
  }
  return {};
}

}  // namespace

std::optional<CK_ULONG> parse_number(const std::string& text, const std::string& prefix) {
  if (text == "UnavailableInformation") return CK_UNAVAILABLE_INFORMATION;
  if (text == "EffectivelyInfinite") return CK_EFFECTIVELY_INFINITE;
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    CK_ULONG value = 0;
    const char* begin = text.data() + (hex ? 2 : 0);
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
  for (const auto& [name, kind] : number_kinds) {
    if (prefix != name) continue;
    CK_ULONG sum = 0;
    std::size_t at = 0;
    while (at <= text.size()) {
      const std::size_t end = std::min(text.find_first_of("| ", at), text.size());
      const auto value = constant_value(kind, text.substr(at, end - at));
      if (!value) return std::nullopt;
      sum |= *value;
      at = end + 1;
    }
    return sum;
  }
  return std::nullopt;
}

std::optional<std::string> resolve(const std::string& text, const Variables& variables) {
  const auto name = variable_in(text);
  if (!name) return text;
  const auto found = variables.find(*name);
  if (found == variables.end()) return std::nullopt;
  return found->second;
}

ParsedTemplate parse_template(const pugi::xml_node& node, const Variables& variables) {
  ParsedTemplate out;
  for (const pugi::xml_node& item : node.children("Attribute")) {
    const auto type = parse_number(item.attribute("type").value(), "CKA");
    if (!type) throw std::runtime_error(std::string("unknown attribute ") + item.attribute("type").value());
    const std::string value = resolve(item.attribute("value").value(), variables).value_or("");
    const auto [encoding, prefix] = encoding_of(*type);
    p11::Bytes raw;
    if (!item.attribute("value")) {
      raw.resize(item.attribute("length").as_uint());
    } else if (encoding == Encoding::boolean) {
      raw = {static_cast<std::uint8_t>(value == "true" || value == "TRUE" ? CK_TRUE : CK_FALSE)};
    } else if (encoding == Encoding::number) {
      const CK_ULONG number = parse_number(value, prefix).value_or(CK_UNAVAILABLE_INFORMATION);
      raw.resize(sizeof(number));
      std::memcpy(raw.data(), &number, sizeof(number));
    } else {
      raw = encoding == Encoding::text ? p11::bytes_of(value) : p11::from_hex(value);
    }
    out.types.push_back(*type);
    out.has_buffer.push_back(item.attribute("value") || item.attribute("length"));
    out.values.push_back(std::move(raw));
  }
  return out;
}

std::string attribute_text(CK_ATTRIBUTE_TYPE type, const p11::Bytes& value) {
  const Encoding encoding = encoding_of(type).first;
  if (encoding == Encoding::boolean && value.size() == 1) return value[0] != CK_FALSE ? "TRUE" : "FALSE";
  if (encoding == Encoding::text) return {value.begin(), value.end()};
  if (encoding == Encoding::number && value.size() == sizeof(CK_ULONG)) {
    CK_ULONG number = 0;
    std::memcpy(&number, value.data(), sizeof(number));
    return std::to_string(number);
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : value) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

std::string compare_response(const pugi::xml_node& expected, const pugi::xml_node& actual, Variables& variables) {
  for (const char* which : {"value", "length", "major", "minor"}) {
    const bool whole_varies = (which[0] == 'm') && may_vary(expected.name());
    if (whole_varies) continue;
    if (std::string wrong = compare_attribute(which, expected, actual, variables); !wrong.empty()) return wrong;
  }
  if (is_list(expected.name())) return compare_list(expected, actual, variables);
  std::map<std::string, int> seen;
  for (const pugi::xml_node& wanted : expected.children()) {
    if (wanted.type() != pugi::node_element) continue;
    int skip = seen[wanted.name()]++;
    pugi::xml_node got = actual.child(wanted.name());
    while (got && skip-- > 0) got = got.next_sibling(wanted.name());
    if (!got) return std::string("no ") + wanted.name() + " in the answer";
    if (std::string wrong = compare_response(wanted, got, variables); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace cardea::conformance
