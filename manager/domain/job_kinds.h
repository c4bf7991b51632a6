// What can be asked for (job_kinds.def).
#pragma once

#include <string_view>

#include "domain/rights.h"

namespace cardea::manager {

struct JobKind {
  std::string_view name;
  bool needs_agent;
  Right right;
  bool self_service;
  std::string_view words;
};
/// Null for an unknown one.
const JobKind* job_kind(std::string_view name);

}  // namespace cardea::manager
