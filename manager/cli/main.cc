#include <cstdio>
#include <exception>

#include "cli/context.h"
#include "cli/exit_status.h"

int main(int argc, char** argv) {
  try {
    return cardea::cli::run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cardea: unexpected: %s. `cardea doctor` looks for the cause.\n", problem.what());
    return cardea::cli::exit_failed;
  }
}
