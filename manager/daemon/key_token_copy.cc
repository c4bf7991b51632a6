#include "daemon/key_token_copy.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "store/database.h"

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;

// The first bytes of every SQLite database (sqlite.org/fileformat.html, 1.3).
constexpr std::string_view database_start("SQLite format 3\0", 16);
// Beside a database that is open, and of the processes that have it open.
constexpr std::array<std::string_view, 3> logs = {"-wal", "-shm", "-journal"};
constexpr std::array<std::string_view, 2> of_processes = {"generation", "lock"};

bool is_database(const fs::path& file) {
  std::array<char, database_start.size()> start{};
  std::ifstream in(file, std::ios::binary);
  in.read(start.data(), start.size());
  return in.gcount() == static_cast<std::streamsize>(start.size()) &&
         std::string_view(start.data(), start.size()) == database_start;
}

bool left_out(const std::string& name) {
  // A hidden folder is a token that is being made or removed.
  return name.starts_with('.') || std::ranges::find(of_processes, name) != of_processes.end() ||
         std::ranges::any_of(logs, [&](std::string_view end) { return name.ends_with(end); });
}

Status failed(const fs::path& place, const std::error_code& problem) {
  return error(problem == std::errc::no_space_on_device ? Code::device_memory : Code::permission_denied,
               fmt::format("{} cannot be copied: {}", place.string(), problem.message()));
}

Status copy_entry(const fs::directory_entry& entry, const fs::path& to) {
  std::error_code problem;
  if (entry.is_directory(problem)) return copy_stores(entry.path(), to);
  if (!entry.is_regular_file(problem)) return {};
  if (is_database(entry.path())) return store::copy_sqlite(entry.path().string(), to.string());
  fs::copy_file(entry.path(), to, problem);
  return problem ? failed(entry.path(), problem) : Status();
}

}  // namespace

Status copy_stores(const fs::path& from, const fs::path& to) {
  std::error_code problem;
  if (!fs::exists(from, problem)) return {};
  if (mkdir(to.c_str(), 0700) != 0)
    return error(errno == EEXIST ? Code::exists : Code::permission_denied,
                 fmt::format("{} cannot be made as a new folder", to.string()));
  fs::directory_iterator entries(from, problem);
  for (; !problem && entries != fs::directory_iterator(); entries.increment(problem)) {
    const std::string name = entries->path().filename().string();
    if (!left_out(name)) CARDEA_TRY(copy_entry(*entries, to / name));
  }
  return problem ? failed(from, problem) : Status();
}

}  // namespace cardea::manager
