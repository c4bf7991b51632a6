// Reading the parameters of steps. All answer arguments_bad with the member's name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::agent {

namespace json = boost::json;

Result<std::string> required_text(const json::object& parameters, std::string_view member);
/// Empty when it is missing.
Result<std::string> optional_text(const json::object& parameters, std::string_view member);
/// Empty optional when it is missing or empty.
Result<std::optional<Pin>> optional_pin(const json::object& parameters, std::string_view member);
Result<Pin> required_pin(const json::object& parameters, std::string_view member);
/// From base64.
Result<SecretBytes> required_secret(const json::object& parameters, std::string_view member);
Result<std::optional<SecretBytes>> optional_secret(const json::object& parameters, std::string_view member);
Result<Bytes> required_bytes(const json::object& parameters, std::string_view member);
/// From hexadecimal; empty when it is missing.
Result<Bytes> optional_hex(const json::object& parameters, std::string_view member);
/// An array of base64; empty when it is missing.
Result<std::vector<Bytes>> bytes_list(const json::object& parameters, std::string_view member);
/// An array of objects; empty when it is missing.
Result<std::vector<const json::object*>> objects_in(const json::object& parameters, std::string_view member);
/// An object; an empty one when it is missing.
Result<json::object> optional_object(const json::object& parameters, std::string_view member);

}  // namespace cardea::agent
