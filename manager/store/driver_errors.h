// What a database's own error codes mean to us.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/connection.h"

namespace cardea::manager::store {

struct Failure {
  Fault fault = Fault::none;
  Error error{Code::device_error};
};

/// Of SQLite's extended result code (sqlite.org/rescode.html).
Failure sqlite_failure(int extended_code, std::string_view message);
/// Of a SQLSTATE (PostgreSQL's manual, appendix A); empty: the driver knows none.
Failure postgresql_failure(std::string_view sqlstate, bool connected, std::string_view message);

/// The message without line breaks and without what a database adds about the contents of rows.
std::string one_line(std::string_view message);

}  // namespace cardea::manager::store
