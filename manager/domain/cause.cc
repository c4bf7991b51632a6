#include "domain/cause.h"

namespace cardea::manager {

std::string cause(const Error& problem) {
  const bool may_be_other =
      problem.code == Code::device_error || problem.code == Code::device_memory || problem.code == Code::timed_out;
  return may_be_other && !problem.detail.empty() ? problem.detail : describe(problem);
}

}  // namespace cardea::manager
