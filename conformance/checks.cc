#include "conformance/check.h"
#include "conformance/isolate.h"

namespace cardea::conformance {

const std::vector<Check>& all_checks() {
  static const std::vector<Check> checks = {
#define CARDEA_CHECK(name, summary) {#name, summary, check_##name},
#include "conformance/checks.def"
#undef CARDEA_CHECK
  };
  return checks;
}

std::vector<Finding> run_check(const Check& check, const Target& target, int seconds) {
  return isolate(check.name, seconds, [&](const Context::Sink& sink, const Context::Announce& announce) {
    Context context(target, check.name, sink, announce);
    check.run(context);
  });
}

}  // namespace cardea::conformance
