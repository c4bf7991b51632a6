#include "base/process_root.h"

#include <sys/mman.h>

#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define CARDEA_LEAK_CHECKED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CARDEA_LEAK_CHECKED
#endif
#endif
#ifdef CARDEA_LEAK_CHECKED
#include <sanitizer/lsan_interface.h>
#endif

namespace cardea {
namespace {

using Slots = std::atomic<void*>[static_cast<unsigned>(Root::count)];
constexpr std::size_t page_size = 4096;
static_assert(sizeof(Slots) <= page_size);

std::atomic<std::atomic<void*>*> root_page{nullptr};

std::atomic<void*>* make_page() {
  void* const page = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || madvise(page, page_size, MADV_WIPEONFORK) != 0) throw std::bad_alloc();
  // The page is zero, which is a valid state of atomic pointers; the kernel makes it so again in a child.
  auto* const slots = static_cast<std::atomic<void*>*>(page);
  std::atomic<void*>* expected = nullptr;
  if (root_page.compare_exchange_strong(expected, slots, std::memory_order_acq_rel)) {
#ifdef CARDEA_LEAK_CHECKED
    // The leak checker looks for pointers in globals, stacks and the heap, not in pages mapped by hand.
    __lsan_register_root_region(slots, page_size);
#endif
    return slots;
  }
  munmap(page, page_size);
  return expected;
}

}  // namespace

std::atomic<void*>& process_root(Root root) noexcept {
  std::atomic<void*>* slots = root_page.load(std::memory_order_acquire);
  if (slots == nullptr) slots = make_page();
  return slots[static_cast<unsigned>(root)];
}

}  // namespace cardea
