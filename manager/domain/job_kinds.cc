#include "domain/job_kinds.h"

namespace cardea::manager {

namespace {

constexpr bool agent = true;
constexpr bool manager = false;
constexpr JobKind kinds[] = {
#define CARDEA_JOB_KIND(name, where, right, self_service, words) {#name, where, Right::right, self_service, words},
#include "domain/job_kinds.def"
#undef CARDEA_JOB_KIND
};

}  // namespace

std::span<const JobKind> job_kinds() {
  return kinds;
}

const JobKind* job_kind(std::string_view name) {
  for (const auto& kind : kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

bool issues_certificates(std::string_view kind) {
  return kind == "issue" || kind == "replace" || kind == "renew" || kind == "update";
}

}  // namespace cardea::manager
