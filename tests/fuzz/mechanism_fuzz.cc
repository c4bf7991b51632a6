// Every mechanism with every verb: one whole operation an input, or a few.
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
  for (int operations = 0; operations < 4 && input.more(); ++operations) {
    try_mechanism(rig, input, memory, input.one_of(mechanisms()));
  }
  return 0;
}
