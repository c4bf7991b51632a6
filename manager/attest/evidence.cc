#include "attest/evidence.h"

#include <boost/json.hpp>

#include "x509/encoding.h"

namespace cardea::manager::attest {

namespace json = boost::json;

std::string text_in(const json::object& object, std::string_view member) {
  const json::value* const value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Status check_format(const json::object& evidence, std::string_view format) {
  if (text_in(evidence, "format") == format) return {};
  return error(Code::data_invalid, "the token's statement has a format that is not known for its kind");
}

Result<std::vector<Bytes>> certificates_in(const json::object& evidence) {
  constexpr std::size_t most = 8;
  const json::value* const list = evidence.if_contains("certificates");
  if (list == nullptr || !list->is_array() || list->get_array().size() > most)
    return error(Code::data_invalid, "the token's statement has no certificates");
  std::vector<Bytes> certificates;
  for (const json::value& one : list->get_array()) {
    if (!one.is_string()) return error(Code::data_invalid, "a certificate of the token's statement is no text");
    CARDEA_ASSIGN(Bytes der, x509::from_base64(one.get_string()));
    certificates.push_back(std::move(der));
  }
  return certificates;
}

}  // namespace cardea::manager::attest
