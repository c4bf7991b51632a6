#include "base/process_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

namespace cardea {

// All of the process. Unlike what hangs off the process root the list is met by a child as it was, so that the child
// can close them; around a fork nobody changes it.
struct ProcessFiles {
  static inline constinit std::mutex changing{};
  static inline constinit ProcessFile* first = nullptr;
  static void prepare() { changing.lock(); }
  static void parent() { changing.unlock(); }
  static void child() {
    for (ProcessFile* file = first; file != nullptr; file = file->next_) {
      ::close(file->number_);
      file->number_ = -1;
    }
    first = nullptr;
    changing.unlock();
  }

  static void add(ProcessFile& file) noexcept {
    file.next_ = first;
    if (first != nullptr) first->previous_ = &file;
    first = &file;
  }

  static void remove(ProcessFile& file) noexcept {
    (file.previous_ != nullptr ? file.previous_->next_ : first) = file.next_;
    if (file.next_ != nullptr) file.next_->previous_ = file.previous_;
  }
};

// When the library is loaded, before anybody can hold the lock: a child of a fork that came between would find it taken
// for ever. Handlers that are registered later get their locks first.
static const bool handlers_registered =
    pthread_atfork(ProcessFiles::prepare, ProcessFiles::parent, ProcessFiles::child) == 0;

ProcessFile::ProcessFile(const std::filesystem::path& path, int flags, mode_t mode) {
  const std::lock_guard lock(ProcessFiles::changing);
  if (!handlers_registered) {
    errno = ENOMEM;
    return;
  }
  number_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (number_ >= 0) ProcessFiles::add(*this);
}

ProcessFile::~ProcessFile() {
  const std::lock_guard lock(ProcessFiles::changing);
  if (number_ < 0) return;
  ProcessFiles::remove(*this);
  ::close(number_);
}

}  // namespace cardea
