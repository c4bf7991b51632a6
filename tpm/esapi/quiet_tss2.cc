#include "esapi/quiet_tss2.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace cardea::tpm {
namespace {

char quiet[] = "TSS2_LOG=all+NONE";

std::size_t count_of(char* const* variables) {
  std::size_t count = 0;
  while (variables != nullptr && variables[count] != nullptr) ++count;
  return count;
}

}  // namespace

void quiet_tss2() noexcept {
  if (std::getenv("TSS2_LOG") != nullptr) return;
  const std::atomic_ref<char**> present(environ);
  char** const before = present.load(std::memory_order_acquire);
  const std::size_t count = count_of(before);
  // From malloc and never freed by us: a host that manages its environment itself may resize it.
  auto** const after = static_cast<char**>(std::malloc((count + 3) * sizeof(char*)));
  if (after == nullptr) return;
  std::copy_n(before, count, after);
  after[count] = quiet;
  after[count + 1] = nullptr;
  // When the host has changed its environment meanwhile, its change counts, and a line on stderr does no harm.
  char** expected = before;
  if (present.compare_exchange_strong(expected, after, std::memory_order_acq_rel)) {
    // A host that sets a variable goes over to an array of its own and leaves this one behind, readers perhaps in it.
    // So each stays, reachable from the next, behind its end.
    static std::atomic<char**> latest;
    after[count + 2] = reinterpret_cast<char*>(latest.exchange(after));
  } else {
    std::free(after);
  }
}

}  // namespace cardea::tpm
