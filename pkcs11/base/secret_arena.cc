#include "base/secret_arena.h"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <mutex>
#include <new>

#include "base/process_root.h"
#include "base/secret.h"

namespace cardea {
namespace {

// Small secrets share locked pages by size class (32 bytes to 4 KiB); larger ones get pages of their own. Blocks of a
// class are chained through their own first bytes while free. Pages are kept until the process ends: secrets come and
// go at the rate of key operations and unmapping would cost more than it saves.
constexpr std::size_t smallest_block = 32;
constexpr std::size_t largest_block = 4096;
constexpr std::size_t chunk_size = 64 * 1024;
constexpr std::size_t class_count = std::bit_width(largest_block / smallest_block);

struct FreeBlock {
  FreeBlock* next;
};

struct Arena {
  std::mutex mutex;
  std::array<FreeBlock*, class_count> free{};
};

// Reached through the process root: never destroyed, and a forked child gets its own instead of a lock that a thread of
// its parent may have held.
Arena& arena() {
  return process_singleton<Arena>(Root::secret_arena);
}

void* map_pages(std::size_t size) {
  void* const pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  // Both are best effort: an unprivileged process may lock little (RLIMIT_MEMLOCK) and secrets must still work.
  static_cast<void>(mlock(pages, size));
  static_cast<void>(madvise(pages, size, MADV_DONTDUMP));
  return pages;
}

std::size_t round_to_page(std::size_t size) {
  constexpr std::size_t page = 4096;
  return (size + page - 1) / page * page;
}

}  // namespace

void* secret_allocate(std::size_t size, std::size_t& capacity) {
  if (size > largest_block) {
    capacity = round_to_page(size);
    return map_pages(capacity);
  }
  capacity = std::bit_ceil(size < smallest_block ? smallest_block : size);
  const std::size_t index = std::countr_zero(capacity / smallest_block);
  Arena& shared = arena();
  const std::lock_guard lock(shared.mutex);
  FreeBlock*& head = shared.free[index];
  if (head == nullptr) {
    auto* const chunk = static_cast<Byte*>(map_pages(chunk_size));
    for (std::size_t offset = 0; offset < chunk_size; offset += capacity) {
      head = new (chunk + offset) FreeBlock{head};
    }
  }
  FreeBlock* const block = head;
  head = block->next;
  return block;
}

void secret_release(void* memory, std::size_t capacity) noexcept {
  wipe({static_cast<Byte*>(memory), capacity});
  if (capacity > largest_block) {
    munmap(memory, capacity);
    return;
  }
  Arena& shared = arena();
  const std::lock_guard lock(shared.mutex);
  FreeBlock*& head = shared.free[std::countr_zero(capacity / smallest_block)];
  head = new (memory) FreeBlock{head};
}

}  // namespace cardea
