#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "cli/context.h"
#include "cli/exit_status.h"

namespace {

// A descriptor that the caller closed would be given to the next file that is opened, such as a token's database, and
// our output would go there. This way it stays an error to use it.
void hold_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is fd, since those below are open by now.
    if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  // A reader that goes away is an error of write(), not a silent end in the middle of a change on a token.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return cardea::cli::run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cardea: unexpected: %s. `cardea doctor` looks for the cause.\n", problem.what());
    return cardea::cli::exit_failed;
  }
}
