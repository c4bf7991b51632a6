// Programs that may hold a card. The card service does not tell who does.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace cardea::cli {

struct RunningProgram {
  pid_t id = 0;
  std::string name;  ///< as the kernel has it, at most 15 characters
};

/// Other processes that have a library of this name in use, as far as this user may look into them (/proc/<id>/maps).
std::vector<RunningProgram> programs_with_library(std::string_view library);

/// Those that use the library of the card service.
std::vector<RunningProgram> programs_with_cards();

/// What to do about a card that one of these holds.
std::string advice_about_holders(const std::vector<RunningProgram>& programs);

}  // namespace cardea::cli
