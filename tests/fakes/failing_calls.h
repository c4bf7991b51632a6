// System calls that change files, made to fail or to be the last thing a process does. Linked into a program, these
// definitions come before the C library's in symbol order, so the module under test and the libraries it uses call them
// too. Counted: pwrite, write, writev, ftruncate, fallocate, fsync, fdatasync, rename, link, symlink, unlink, mkdir,
// rmdir, chmod, and open with O_CREAT; descriptors that are no regular file (pipes, terminals) are left alone.
#pragma once

#include <cstdint>

namespace cardea::test {

enum class Failure : std::uint8_t {
  none,
  killed,             ///< the process ends by SIGKILL instead of making the call
  killed_halfway,     ///< a write puts down half of its bytes first; other calls as `killed`
  disk_full,          ///< calls that need space answer ENOSPC from then on; the rest works
  input_output_error  ///< this one call answers EIO
};

/// From now on the `at`-th counted call (from 1) fails that way. Zero with `none` only counts.
void plan_failure(Failure failure, std::uint64_t at) noexcept;
/// Ends the plan, as if space had been made.
void forget_failure() noexcept;
/// Counted calls since the plan was made.
std::uint64_t counted_calls() noexcept;

}  // namespace cardea::test
