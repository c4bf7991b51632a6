#include "base/secret_arena.h"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <new>

#include "base/guarded.h"
#include "base/process_root.h"
#include "base/secret.h"
#include "base/thread_number.h"

namespace cardea {
namespace {

// Small secrets share locked pages by size class (32 bytes to 4 KiB); larger ones get pages of their own. Blocks of a
// class are chained through their own first bytes while free. Pages are kept until the process ends: secrets come and
// go at the rate of key operations and unmapping would cost more than it saves.
constexpr std::size_t smallest_block = 32;
constexpr std::size_t largest_block = 4096;
constexpr std::size_t chunk_size = 16 * 1024;  // locking faults all of it in, which every new process waits for
constexpr std::size_t class_count = std::bit_width(largest_block / smallest_block);

struct FreeBlock {
  FreeBlock* next;
};

using FreeLists = std::array<FreeBlock*, class_count>;

// Threads have shelves of their own, on cache lines of their own, so that they do not wait for each other at every
// secret. A thread whose shelf is empty looks at the others before it maps more, so that blocks which one thread takes
// and another gives back do not pile up.
constexpr std::size_t shelf_count = 8;
struct alignas(64) Shelf {
  Guarded<FreeLists> free{};
};
struct Arena {
  std::array<Shelf, shelf_count> shelves{};
};

// Reached through the process root: never destroyed, and a forked child gets its own instead of a lock that a thread of
// its parent may have held.
Arena& arena() {
  return process_singleton<Arena>(Root::secret_arena);
}

Shelf& shelf(unsigned number) {
  return arena().shelves[number % shelf_count];
}

void* map_pages(std::size_t size) {
  void* const pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  // Both are best effort: an unprivileged process may lock little (RLIMIT_MEMLOCK) and secrets must still work.
  static_cast<void>(mlock(pages, size));
  static_cast<void>(madvise(pages, size, MADV_DONTDUMP));
  return pages;
}

std::size_t index_of(std::size_t capacity) noexcept {
  return static_cast<std::size_t>(std::countr_zero(capacity / smallest_block));
}

/// The first block of a list, or null.
void* take(FreeBlock*& head) noexcept {
  FreeBlock* const block = head;
  if (block != nullptr) head = block->next;
  return block;
}

void cut_chunk(FreeBlock*& head, std::size_t capacity) {
  auto* const chunk = static_cast<Byte*>(map_pages(chunk_size));
  for (std::size_t offset = 0; offset < chunk_size; offset += capacity) {
    head = new (chunk + offset) FreeBlock{head};
  }
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
  const std::size_t index = index_of(capacity);
  const unsigned own = thread_number();
  for (unsigned i = 0; i < shelf_count; ++i) {
    if (void* const block = shelf(own + i).free.with([&](FreeLists& free) { return take(free[index]); })) return block;
  }
  return shelf(own).free.with([&](FreeLists& free) {
    cut_chunk(free[index], capacity);
    return take(free[index]);
  });
}

void secret_release(void* memory, std::size_t capacity) noexcept {
  wipe({static_cast<Byte*>(memory), capacity});
  if (capacity > largest_block) {
    munmap(memory, capacity);
    return;
  }
  shelf(thread_number()).free.with([&](FreeLists& free) {
    FreeBlock*& head = free[index_of(capacity)];
    head = new (memory) FreeBlock{head};
  });
}

}  // namespace cardea
