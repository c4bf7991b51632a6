#include <cstdio>
#include <exception>

#include "card_program/commands.h"

int main(int argc, char** argv) {
  try {
    return cardea::vcard::run_program(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cardea-vcard: unexpected: %s\n", problem.what());
    return 1;
  }
}
