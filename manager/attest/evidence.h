// What agents send in the step attest_key (docs/manager.md), read without trust.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::manager::attest {

/// A text; empty when it is missing or none.
std::string text_in(const boost::json::object& object, std::string_view member);
/// data_invalid unless the evidence has that format.
Status check_format(const boost::json::object& evidence, std::string_view format);
/// The member `certificates`, in base64 there; data_invalid.
Result<std::vector<Bytes>> certificates_in(const boost::json::object& evidence);

}  // namespace cardea::manager::attest
