// Whether this process has the module twice, as two files. Each has an SQLite of its own then, and two of those on one
// store undo each other's locks: closing a file ends all locks that the process has on it
// (https://sqlite.org/howtocorrupt.html, 2.2.1). So only the copy that was loaded first opens stores.
#pragma once

#include <string>

namespace cardea::database {

/// Path of a copy of the module that was loaded before the code that asks; empty when there is none.
std::string earlier_copy();

}  // namespace cardea::database
