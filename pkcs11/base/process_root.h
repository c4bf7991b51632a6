// The few pointers from which everything of this process hangs. They live in a page that the kernel empties in the
// child of a fork (MADV_WIPEONFORK), so that a child starts clean by itself: it sees null, builds its own state, and
// never touches what it inherited. No process id is asked for on the way of a call.
#pragma once

#include <atomic>

namespace cardea {

enum class Root : unsigned {
  secret_arena,
  library,
  crypto,
  hashes,
  blake2b,
  ciphers,
  aead,
  derivations,
  pkcs1_rejection,
  gcrypt,
  mechanisms,
  stores,
  tpm,
  card_readers,
  card_plugins,
  count
};

/// The root pointer of that kind: null at first and again after fork(). What it points to is never destroyed by static
/// destructors, so it may be used by threads that run while the process exits.
std::atomic<void*>& process_root(Root root) noexcept;

/// The object under `root`, made on first use in this process. T needs a default constructor.
template <class T>
T& process_singleton(Root root) {
  std::atomic<void*>& slot = process_root(root);
  if (void* const existing = slot.load(std::memory_order_acquire)) return *static_cast<T*>(existing);
  auto* const fresh = new T;
  void* expected = nullptr;
  if (slot.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel)) return *fresh;
  delete fresh;
  return *static_cast<T*>(expected);
}

}  // namespace cardea
