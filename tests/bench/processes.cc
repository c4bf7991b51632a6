// What a fresh process sees: cardea-bench-child (child.cc) is started again and again and tells what it measured.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <system_error>

#include "bench/cases.h"

namespace cardea::bench {

namespace {

constexpr double start_target_ms = 2.5;
constexpr double loaded_start_target_ms = 4;
constexpr double memory_target_mb = 25;

std::string child_program() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "cardea-bench-child").string();
}

std::string now_in_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(now.tv_sec * 1000000000L + now.tv_nsec);
}

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  ~Pipe() {
    close_writing();
    close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] != -1) close(ends_[1]);
    ends_[1] = -1;
  }
  std::string read_all() {
    std::string all;
    char some[256];
    for (ssize_t size = 0; (size = read(ends_[0], some, sizeof some)) > 0;) {
      all.append(some, static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  int ends_[2] = {-1, -1};
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> lines(const test::Environment& environment) {
  std::vector<std::string> all{"PATH=/usr/bin:/bin"};
  for (const auto& [name, value] : environment) all.push_back(name + "=" + value);
  return all;
}

// Starts the child and reads its answer, numbers with spaces between. "NOW" in the arguments becomes the moment right
// before the start; posix_spawn, because a fork would charge the child for the size of this process.
std::vector<double> ask(std::vector<std::string> arguments, const test::Environment& environment) {
  arguments.insert(arguments.begin(), child_program());
  std::vector<std::string> environment_lines = lines(environment);
  Pipe pipe;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe.writing(), STDOUT_FILENO);
  std::replace(arguments.begin(), arguments.end(), std::string("NOW"), now_in_nanoseconds());
  pid_t child = 0;
  const int failure = posix_spawn(&child, arguments[0].c_str(), &actions, nullptr, pointers(arguments).data(),
                                  pointers(environment_lines).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::system_error(failure, std::generic_category(), arguments[0]);
  pipe.close_writing();
  std::istringstream text(pipe.read_all());
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("the measured process \"" + arguments[1] + "\" failed");
  std::vector<double> values;
  for (double value = 0; text >> value;) values.push_back(value);
  return values;
}

// Medians in milliseconds.
struct Start {
  double from_main;
  double from_exec;
  double login;
  double disk;  // of all this, waiting in fdatasync()
};

Start median_start(const std::vector<std::vector<double>>& answers) {
  std::vector<double> columns[4];
  for (const std::vector<double>& answer : answers) {
    for (std::size_t i = 0; i < 4; ++i) columns[i].push_back(i < answer.size() ? answer[i] : 0);
  }
  return {median(columns[0]), median(columns[1]), median(columns[2]), median(columns[3])};
}

using Environments = std::vector<test::Environment>;

// Starts of all contenders in turn: element 0 is raw.
std::vector<Start> starts(const Modules& modules, const char* label, const Environments& environments, const Plan& plan,
                          const std::filesystem::path& key_file) {
  std::vector<std::vector<std::vector<double>>> answers(modules.size() + 1);
  for (int round = 0; round < plan.starts; ++round) {
    answers[0].push_back(ask({"raw", key_file.string(), "NOW"}, {}));
    for (std::size_t i = 0; i < modules.size(); ++i) {
      answers[i + 1].push_back(ask({"sign", modules[i]->path(), label, ModuleContender::pin, "NOW"}, environments[i]));
    }
  }
  std::vector<Start> result;
  for (const auto& own : answers) result.push_back(median_start(own));
  return result;
}

std::string with_loader(const std::vector<Start>& all) {
  return fmt::format(
      "{:.2f} ms of C_Login in it, {:.2f} ms waiting for the disk; with exec and loader {:.2f} ms, raw {:.2f} ms",
      all[1].login, all[1].disk, all[1].from_exec, all[0].from_exec);
}

void put(std::vector<Row>& rows, std::size_t row, const Modules& modules, std::size_t who, double value) {
  if (who == 0) {
    rows[row].value = value;
  } else {
    rows[row].others[modules[who]->name()] = value;
  }
}

}  // namespace

std::vector<Row> processes(const Modules& modules, const Plan& plan, const std::filesystem::path& folder) {
  const std::string more = std::to_string(plan.more_objects), derived = std::to_string(plan.derivations);
  std::vector<Row> rows{
      {"start", "first P-256 signature of a new process", "ms", 0, start_target_ms, Wanted::at_most},
      {"start_loaded", "the same with " + more + " objects", "ms", 0, loaded_start_target_ms, Wanted::at_most},
      {"login", "PIN derivation at its default cost, apart", "ms", 0},
      {"memory", "memory with " + more + " objects listed", "MB", 0, memory_target_mb, Wanted::at_most},
      {"growth", "memory growth over " + derived + " derived keys", "KB", 0, 0, Wanted::at_most},
  };
  const std::filesystem::path key_file = folder / "raw.key";
  write_raw_key(key_file);
  for (ModuleContender* module : modules) module->fill(plan.more_objects);
  Environments alone, together;
  for (const ModuleContender* module : modules) {
    alone.push_back(module->single_environment());
    together.push_back(module->environment());
    ask({"make", module->path(), ModuleContender::few, ModuleContender::pin}, alone.back());
  }
  const std::vector<Start> few = starts(modules, ModuleContender::few, alone, plan, key_file);
  const std::vector<Start> many = starts(modules, ModuleContender::many, together, plan, key_file);
  for (const ModuleContender* module : modules) {
    ask({"renew", module->path(), ModuleContender::few, ModuleContender::pin}, module->default_environment());
  }
  const std::vector<Start> costly = starts(modules, ModuleContender::few, alone, plan, key_file);
  rows[0].others["raw"] = few[0].from_main;
  rows[1].others["raw"] = many[0].from_main;
  rows[0].note = with_loader(few);
  rows[1].note = with_loader(many);
  rows[2].note = fmt::format("first signature with it {:.2f} ms", costly[1].from_main);
  for (std::size_t i = 0; i < modules.size(); ++i) {
    put(rows, 0, modules, i, few[i + 1].from_main);
    put(rows, 1, modules, i, many[i + 1].from_main);
    put(rows, 2, modules, i, costly[i + 1].login - few[i + 1].login);
    const std::vector<std::string> token{modules[i]->path(), ModuleContender::many, ModuleContender::pin};
    put(rows, 3, modules, i, ask({"list", token[0], token[1], token[2]}, modules[i]->environment()).at(0));
    const std::vector<double> growth =
        ask({"derive", token[0], token[1], token[2], derived}, modules[i]->environment());
    put(rows, 4, modules, i, growth.at(0));
    if (i == 0) rows[4].note = fmt::format("with pages of files {:.0f} KB", growth.at(1));
  }
  return rows;
}

}  // namespace cardea::bench
