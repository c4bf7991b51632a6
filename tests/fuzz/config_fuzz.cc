// cardea.toml with any content: settings stay within their bounds and every problem is told in words.
#include <cstdlib>
#include <fstream>

#include "base/config.h"
#include "fuzz/input.h"
#include "fuzz/rig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path file = cardea::fuzz::home() / "cardea.toml";
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const cardea::Settings settings = cardea::load_settings();
  const cardea::PinCost& cost = settings.keystore.pin_cost;
  const bool sound = settings.keystore.min_pin_length <= settings.keystore.max_pin_length && cost.iterations > 0 &&
                     cost.lanes > 0 && cost.memory_kib >= 8 * cost.lanes && settings.keystore.retry_limit >= 0;
  if (!sound) std::abort();
  for (const std::string& problem : settings.problems) {
    if (problem.empty()) std::abort();
  }
  return 0;
}
