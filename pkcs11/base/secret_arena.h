// Allocator behind SecretBytes: pages of its own, locked in memory and excluded from core dumps where permitted.
#pragma once

#include <cstddef>

namespace cardea {

/// At least `size` bytes, never null (the process ends when memory is exhausted, as with operator new's handler unset).
/// The capacity granted is written to `capacity` and must be given back with the pointer.
void* secret_allocate(std::size_t size, std::size_t& capacity);

/// Wipes and takes back what secret_allocate gave.
void secret_release(void* memory, std::size_t capacity) noexcept;

}  // namespace cardea
