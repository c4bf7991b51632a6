#include "card/sample_state.h"

#include <numeric>

#include "card/random.h"

namespace cardea::vcard {

SampleState new_sample() {
  constexpr int pin_tries = 3;
  constexpr int admin_tries = 5;
  constexpr std::size_t serial_size = 8;
  SampleState state;
  state.serial = random_bytes(serial_size);
  state.pin.reset(view_of("123456"), pin_tries);
  state.puk.reset(view_of("12345678"), pin_tries);
  Bytes key(sample_admin_key_size);
  std::iota(key.begin(), key.end(), Byte{0});
  state.admin.reset(key, admin_tries);
  return state;
}

}  // namespace cardea::vcard
