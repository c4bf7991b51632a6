// How profile test cases write values (PKCS#11 Profiles 3.2, chapter 4), and which of them may vary (6.1).
#pragma once

#include <map>
#include <optional>
#include <pugixml.hpp>
#include <string>

#include "conformance/p11.h"

namespace cardea::conformance {

/// Values of `${name}` as responses gave them.
using Variables = std::map<std::string, std::string>;

/// A number written in decimal, hexadecimal, or as names of flags or of one constant ("RW_SESSION|SERIAL_SESSION",
/// "USER"). `prefix` is that of the constant's kind: "CKF", "CKU", "CKM" …
std::optional<CK_ULONG> parse_number(const std::string& text, const std::string& prefix);

/// The text with a `${name}` replaced; absent when the name is not bound.
std::optional<std::string> resolve(const std::string& text, const Variables& variables);

/// A template of `<Attribute type= value=|length=>` elements: with values for a call that gives them, with empty values
/// of that length for one that reads them.
struct ParsedTemplate {
  std::vector<CK_ATTRIBUTE_TYPE> types;
  std::vector<p11::Bytes> values;
  std::vector<bool> has_buffer;  ///< false: the caller passes a null pointer
};
ParsedTemplate parse_template(const pugi::xml_node& node, const Variables& variables);

/// An attribute's value as the test cases write it.
std::string attribute_text(CK_ATTRIBUTE_TYPE type, const p11::Bytes& value);

/// Compares a response with what the test case expects and binds its variables; empty when they agree, else what
/// differs.
std::string compare_response(const pugi::xml_node& expected, const pugi::xml_node& actual, Variables& variables);

}  // namespace cardea::conformance
