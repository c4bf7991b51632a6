// The cases of the benchmark. Each answers rows for the first module; further modules are peers.
#pragma once

#include <vector>

#include "bench/contender.h"
#include "bench/report.h"

namespace cardea::bench {

/// How much of everything. The smoke run only proves that the program works.
struct Plan {
  Effort effort;
  Effort thread_effort{11, std::chrono::microseconds(60000)};
  std::size_t fewer_objects = 1000;
  std::size_t more_objects = 10000;
  int object_writes = 1000;  ///< key generations, creations and destructions each
  int finds = 2000;
  int starts = 31;
  int derivations = 100000;
  static Plan smoke();
};

using Modules = std::vector<ModuleContender*>;

/// Signing, decrypting, deriving, verifying, encrypting: ratios to raw, and two threads over one.
std::vector<Row> operations(Contender& raw, const Modules& modules, const Plan& plan);
/// The work of one of these cases; throws when there is no case of that name.
Work work_by_name(Contender& contender, const std::string& name);
/// Finding, listing, generating, creating and destroying.
std::vector<Row> objects(const Modules& modules, const Plan& plan, const std::filesystem::path& folder);
/// New processes: time to the first signature, memory.
std::vector<Row> processes(const Modules& modules, const Plan& plan, const std::filesystem::path& folder);

}  // namespace cardea::bench
