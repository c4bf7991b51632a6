// Short hands for tests.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::testing {

/// The bytes of hexadecimal digits; anything else ends the test case as failed.
inline Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
}

/// The value of a result; a failure ends the test case with its words.
template <class T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result.ok(), (result.ok() ? std::string() : describe(result.error())));
  return std::move(*result);
}

}  // namespace cardea::testing
