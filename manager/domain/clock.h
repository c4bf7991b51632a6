// The time, as a port: tests and clock jumps set their own.
#pragma once

#include "domain/model.h"

namespace cardea::manager {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock : public Clock {
 public:
  Time now() const override { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }
};

}  // namespace cardea::manager
