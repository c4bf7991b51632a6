// What processes of one user tell each other about a card: who is logged in, and whether somebody wrote to it.
#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.h"
#include "base/process_file.h"

namespace cardea::card {

/// A small file for each card in the user's runtime directory. Logged-in processes hold a lock on it that the kernel
/// takes back when they die (open file description locks, fcntl(2)), and which their children do not inherit. Without a
/// directory of that kind every process believes to be alone. One thread at a time.
class SharedState {
 public:
  /// `identity` names the card (CardDescription::identity), or a reader to line up at before the card is known.
  SharedState(const std::filesystem::path& runtime_directory, ByteView identity);
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

  /// Changes whenever a process wrote to the card; one system call.
  std::uint64_t stamp() const;
  /// To be called after every write to the card; answers the new stamp.
  std::uint64_t stamp_anew();

  /// Lines up for the card, a bounded time. The service hands a card to whoever asks at the right moment, so that a
  /// process which uses it without pause would keep it from all others; who must line up before each use lets them in.
  void line_up();
  /// Has the card now, or gave up: the next one may.
  void step_out();

  /// Counts this process among those that are logged in. To be called before the PIN is shown to the card, so that
  /// nobody who logs out meanwhile closes the card's security status. Waits a bounded time for one who does.
  void enter();
  /// Runs `close_status` if this process is the last one that is logged in, then counts it out.
  template <class F>
  void leave(F&& close_status) {
    if (become_only_one()) close_status();
    count_out();
  }

 private:
  bool become_only_one();
  void count_out();

  int descriptor() const noexcept { return file_ ? file_->number() : -1; }

  std::optional<ProcessFile> file_;
};

}  // namespace cardea::card
