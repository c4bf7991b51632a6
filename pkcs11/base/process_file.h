// A file that carries a lock of this process.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace cardea {

/// An open file that a child of fork() loses before it runs. Locks of flock(2) and F_OFD_SETLK belong to what open(2)
/// made, which a child shares: one that outlived its parent would keep the parent's locks. Not for children made by
/// clone(2) alone, which runs no handlers of pthread_atfork(3); exec closes the file too.
class ProcessFile {
 public:
  /// As open(2), with O_CLOEXEC. number() is negative and errno tells why when that fails.
  ProcessFile(const std::filesystem::path& path, int flags, mode_t mode);
  ~ProcessFile();
  ProcessFile(const ProcessFile&) = delete;
  ProcessFile& operator=(const ProcessFile&) = delete;

  /// The descriptor; negative when there is none, as in a child that inherited the object.
  int number() const noexcept { return number_; }

 private:
  friend struct ProcessFiles;
  int number_ = -1;
  ProcessFile* next_ = nullptr;
  ProcessFile* previous_ = nullptr;
};

}  // namespace cardea
