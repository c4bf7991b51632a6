// A card's state as this process sees it, kept in step with what other processes write.
#pragma once

#include <atomic>

#include "base/guarded.h"
#include "tpm/state_file.h"

namespace cardea::tpm {

/// Thread-safe. Asking again costs one system call as long as nothing has changed.
class Contents {
 public:
  explicit Contents(std::filesystem::path directory) : file_(std::move(directory)) {}

  const StateFile& file() const noexcept { return file_; }
  /// Takes over what others have written. Errors as StateFile::read.
  Status refresh();
  /// See Token::generation(); as of the last refresh().
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /// Calls read(const CardState&) under the lock, on the state of the last refresh().
  template <class Read>
  decltype(auto) read(Read&& read) const {
    return known_.read([&](const Known& known) -> decltype(auto) { return read(known.state); });
  }
  /// A durable transaction (StateFile::write), whose outcome is taken over.
  Status write(const std::function<Status(CardWriter&)>& work);

 private:
  struct Known {
    CardState state;
    FileStamp stamp;
    bool loaded = false;
  };
  Status load(Known& known);
  static void apply(CardChanges changes, CardState& state);

  const StateFile file_;
  SharedGuarded<Known> known_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace cardea::tpm
