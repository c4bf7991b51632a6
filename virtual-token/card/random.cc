#include "card/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace cardea::vcard {

void fill_random(MutableBytes out) noexcept {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = getrandom(out.data() + done, out.size() - done, 0);
    // A card without randomness must not go on: its nonces would give its keys away.
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) done += static_cast<std::size_t>(got);
  }
}

Bytes random_bytes(std::size_t size) {
  Bytes out(size);
  fill_random(out);
  return out;
}

int random_for_mbedtls(void*, unsigned char* out, std::size_t size) noexcept {
  fill_random({out, size});
  return 0;
}

}  // namespace cardea::vcard
