#include "cli/card_users.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cli/text.h"

namespace cardea::cli {
namespace {

namespace fs = std::filesystem;

std::optional<pid_t> process_id(const std::string& name) {
  pid_t id = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (failed != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return id;
}

bool has_in_use(const fs::path& process, std::string_view library) {
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t name = line.rfind('/');
    if (name != std::string::npos && std::string_view(line).substr(name + 1).starts_with(library)) return true;
  }
  return false;
}

}  // namespace

std::vector<RunningProgram> programs_with_library(std::string_view library) {
  std::vector<RunningProgram> found;
  std::error_code failed;
  fs::directory_iterator processes("/proc", failed);
  for (; !failed && processes != fs::directory_iterator(); processes.increment(failed)) {
    const std::optional<pid_t> id = process_id(processes->path().filename());
    if (!id || *id == getpid() || !has_in_use(processes->path(), library)) continue;
    RunningProgram program{*id, {}};
    std::ifstream comm(processes->path() / "comm");
    std::getline(comm, program.name);
    found.push_back(std::move(program));
  }
  return found;
}

std::vector<RunningProgram> programs_with_cards() {
  return programs_with_library("libpcsclite");
}

std::string advice_about_holders(const std::vector<RunningProgram>& programs) {
  const auto is_scdaemon = [](const RunningProgram& program) { return program.name == "scdaemon"; };
  if (std::any_of(programs.begin(), programs.end(), is_scdaemon)) {
    return "end GnuPG's scdaemon, which takes cards for itself alone: gpgconf --kill scdaemon; with the line "
           "pcsc-shared in ~/.gnupg/scdaemon.conf it shares them";
  }
  if (programs.empty()) return "end the program that holds the card; it may be another user's";
  std::string names;
  for (const RunningProgram& program : programs) {
    names += fmt::format("{}{} (process {})", names.empty() ? "" : ", ", printable(program.name), program.id);
  }
  return "end the program that holds the card; these use cards now: " + names;
}

}  // namespace cardea::cli
