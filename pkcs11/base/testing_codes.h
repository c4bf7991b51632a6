// Lets a failed comparison of a test name the code.
#pragma once

#include <ostream>

#include "base/result.h"

namespace cardea {

inline std::ostream& operator<<(std::ostream& out, Code code) {
  return out << name(code);
}

}  // namespace cardea
