// What can be asked for (job_kinds.def).
#pragma once

#include <span>
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
/// All of them, in the table's order.
std::span<const JobKind> job_kinds();
/// Null for an unknown one.
const JobKind* job_kind(std::string_view name);
/// Whether a job of that kind has certificates issued.
bool issues_certificates(std::string_view kind);

}  // namespace cardea::manager
