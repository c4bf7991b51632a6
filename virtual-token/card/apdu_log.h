// The record of what was exchanged with a card, with everything secret left out.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "base/bytes.h"

namespace cardea::vcard {

/// One exchange in hexadecimal. Secret data fields are replaced by their length: "00200080<9 bytes>".
struct LoggedExchange {
  std::string command;
  std::string response;
};

class ApduLog {
 public:
  /// Records an exchange; an empty response means that none was given. The oldest of 10,000 is dropped.
  void add(ByteView command, ByteView response);
  /// Forgets the record.
  void clear();
  const std::deque<LoggedExchange>& exchanges() const { return exchanges_; }

 private:
  std::deque<LoggedExchange> exchanges_;
  bool secret_chain_ = false;     ///< the command being chained began with a secret
  bool secret_response_ = false;  ///< the answer to the last command other than GET RESPONSE was secret
};

}  // namespace cardea::vcard
