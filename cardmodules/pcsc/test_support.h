// Scripted cards for the tests of this folder.
#pragma once

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "pcsc/memory_channel.h"

namespace cardea::card {

inline Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
}

/// Answers commands in the order of the script and complains about any other.
class ScriptedCard {
 public:
  struct Step {
    std::string command;  ///< hexadecimal
    std::string answer;
  };
  explicit ScriptedCard(std::vector<Step> steps) : steps_(std::move(steps)) {}

  Result<Bytes> operator()(ByteView command) {
    BOOST_REQUIRE_LT(next_, steps_.size());
    BOOST_TEST(to_hex(command) == steps_[next_].command);
    return hex(steps_[next_++].answer);
  }
  bool finished() const { return next_ == steps_.size(); }

 private:
  std::vector<Step> steps_;
  std::size_t next_ = 0;
};

inline std::string repeated(std::string_view digits, std::size_t times) {
  std::string text;
  for (; times > 0; --times) text += digits;
  return text;
}

}  // namespace cardea::card
