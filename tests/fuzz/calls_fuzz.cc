// Any sequence of calls through the C interface, in any state, with a sensitive key planted that must not come out.
#include "fuzz/verbs.h"

using namespace cardea::fuzz;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  make_rig();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Memory memory;
  Rig rig;
  for (int calls = 0; calls < 60 && input.more(); ++calls) any_call(rig, input, memory);
  return 0;
}
