// Random bytes from the kernel, in the two forms the card code needs.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace cardea::vcard {

/// Fills with random bytes from getrandom(2), which does not fail for a valid buffer once the kernel's pool is seeded.
void fill_random(MutableBytes out) noexcept;

/// `size` random bytes.
Bytes random_bytes(std::size_t size);

/// The same as mbedTLS calls it; the context is not used. Returns 0.
int random_for_mbedtls(void* context, unsigned char* out, std::size_t size) noexcept;

}  // namespace cardea::vcard
