#include "fakes/failing_calls.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace cardea::test {

namespace {

std::atomic<Failure> planned{Failure::none};
std::atomic<std::uint64_t> planned_at{0};
std::atomic<std::uint64_t> calls{0};

[[noreturn]] void die() {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) syscall(SYS_pause);
}

// Counts a call. Answers 0 when it may go on, else the errno it must answer; does not return when the process is to
// die.
int count(bool needs_space) {
  const std::uint64_t number = calls.fetch_add(1) + 1;
  const std::uint64_t at = planned_at.load();
  switch (planned.load()) {
    case Failure::none:
      return 0;
    case Failure::killed:
    case Failure::killed_halfway:
      if (number == at) die();
      return 0;
    case Failure::disk_full:
      return number >= at && needs_space ? ENOSPC : 0;
    case Failure::input_output_error:
      return number == at ? EIO : 0;
  }
  return 0;
}

bool is_regular_file(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

bool dies_halfway_now() {
  return planned.load() == Failure::killed_halfway && calls.load() + 1 == planned_at.load();
}

template <class Call>
long counted(bool needs_space, Call call) {
  if (const int failure = count(needs_space); failure != 0) {
    errno = failure;
    return -1;
  }
  return call();
}

}  // namespace

void plan_failure(Failure failure, std::uint64_t at) noexcept {
  calls = 0;
  planned_at = at;
  planned = failure;
}

void forget_failure() noexcept {
  planned = Failure::none;
}

std::uint64_t counted_calls() noexcept {
  return calls.load();
}

}  // namespace cardea::test

using cardea::test::counted;
using cardea::test::dies_halfway_now;
using cardea::test::is_regular_file;

// The C library's own declarations carry attributes (nonnull, noexcept) that differ from call to call.
extern "C" {

__attribute__((visibility("default"))) ssize_t write(int descriptor, const void* data, size_t size) {
  if (!is_regular_file(descriptor)) return syscall(SYS_write, descriptor, data, size);
  if (dies_halfway_now()) syscall(SYS_write, descriptor, data, size / 2);
  return counted(true, [&] { return syscall(SYS_write, descriptor, data, size); });
}

__attribute__((visibility("default"))) ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  if (!is_regular_file(descriptor)) return syscall(SYS_writev, descriptor, parts, count);
  return counted(true, [&] { return syscall(SYS_writev, descriptor, parts, count); });
}

__attribute__((visibility("default"))) ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t offset) {
  if (dies_halfway_now()) syscall(SYS_pwrite64, descriptor, data, size / 2, offset);
  return counted(true, [&] { return syscall(SYS_pwrite64, descriptor, data, size, offset); });
}

__attribute__((visibility("default"))) ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  return pwrite64(descriptor, data, size, offset);
}

__attribute__((visibility("default"))) int ftruncate64(int descriptor, off64_t length) noexcept {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_ftruncate, descriptor, length); }));
}

__attribute__((visibility("default"))) int ftruncate(int descriptor, off_t length) noexcept {
  return ftruncate64(descriptor, length);
}

__attribute__((visibility("default"))) int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
  return static_cast<int>(counted(true, [&] { return syscall(SYS_fallocate, descriptor, mode, offset, length); }));
}

__attribute__((visibility("default"))) int fallocate(int descriptor, int mode, off_t offset, off_t length) {
  return fallocate64(descriptor, mode, offset, length);
}

__attribute__((visibility("default"))) int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
  return fallocate64(descriptor, 0, offset, length) == 0 ? 0 : errno;
}

__attribute__((visibility("default"))) int posix_fallocate(int descriptor, off_t offset, off_t length) {
  return posix_fallocate64(descriptor, offset, length);
}

__attribute__((visibility("default"))) int fsync(int descriptor) {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_fsync, descriptor); }));
}

__attribute__((visibility("default"))) int fdatasync(int descriptor) {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_fdatasync, descriptor); }));
}

__attribute__((visibility("default"))) int rename(const char* from, const char* to) noexcept {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_rename, from, to); }));
}

__attribute__((visibility("default"))) int link(const char* from, const char* to) noexcept {
  return static_cast<int>(counted(true, [&] { return syscall(SYS_link, from, to); }));
}

__attribute__((visibility("default"))) int symlink(const char* target, const char* path) noexcept {
  return static_cast<int>(counted(true, [&] { return syscall(SYS_symlink, target, path); }));
}

__attribute__((visibility("default"))) int unlink(const char* path) noexcept {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_unlink, path); }));
}

__attribute__((visibility("default"))) int mkdir(const char* path, mode_t mode) noexcept {
  return static_cast<int>(counted(true, [&] { return syscall(SYS_mkdir, path, mode); }));
}

__attribute__((visibility("default"))) int rmdir(const char* path) noexcept {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_rmdir, path); }));
}

__attribute__((visibility("default"))) int chmod(const char* path, mode_t mode) noexcept {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_chmod, path, mode); }));
}

__attribute__((visibility("default"))) int fchmod(int descriptor, mode_t mode) noexcept {
  return static_cast<int>(counted(false, [&] { return syscall(SYS_fchmod, descriptor, mode); }));
}

__attribute__((visibility("default"))) int open64(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  const auto call = [&] { return syscall(SYS_openat, AT_FDCWD, path, flags, mode); };
  return static_cast<int>((flags & O_CREAT) != 0 ? counted(true, call) : call());
}

__attribute__((visibility("default"))) int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return open64(path, flags, mode);
}

__attribute__((visibility("default"))) int openat(int folder, const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  const auto call = [&] { return syscall(SYS_openat, folder, path, flags, mode); };
  return static_cast<int>((flags & O_CREAT) != 0 ? counted(true, call) : call());
}

}  // extern "C"
