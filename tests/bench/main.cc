// cardea-bench: how close the module comes to OpenSSL used directly, and how it compares with others, in one run.
#include <sys/vfs.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "bench/cases.h"

namespace cardea::bench {

Plan Plan::smoke() {
  Plan plan;
  plan.effort = {1, std::chrono::microseconds(1000)};
  plan.thread_effort = {1, std::chrono::microseconds(1000)};
  plan.fewer_objects = 10;
  plan.more_objects = 20;
  plan.object_writes = 5;
  plan.finds = 10;
  plan.starts = 1;
  plan.derivations = 10;
  return plan;
}

namespace {

struct Options {
  std::string module;
  std::vector<std::string> peers;
  std::string folder = "/var/tmp";
  std::vector<std::string> parts{"operations", "objects", "processes"};
  std::string loop;
  std::string who = "cardea";
  int times = 1000;
  bool json = false;
  bool smoke = false;
};

std::string default_module() {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  return (program.parent_path().parent_path() / "lib" / "libcardea-pkcs11.so").string();
}

void warn_about_memory_disks(const std::string& folder) {
  constexpr long tmpfs_magic = 0x01021994;  // statfs(2)
  struct statfs status {};
  if (statfs(folder.c_str(), &status) == 0 && status.f_type == tmpfs_magic) {
    std::fprintf(stderr, "%s lies in memory: durable writes look faster than they are; see --folder\n", folder.c_str());
  }
}

std::vector<std::unique_ptr<ModuleContender>> load(const Options& options, const std::filesystem::path& folder) {
  std::vector<std::unique_ptr<ModuleContender>> modules;
  modules.push_back(std::make_unique<ModuleContender>("cardea", options.module, folder / "0"));
  for (const std::string& peer : options.peers) {
    const std::size_t equals = peer.find('=');
    const std::string name = peer.substr(0, equals), path = peer.substr(equals + 1);
    modules.push_back(std::make_unique<ModuleContender>(name, path, folder / std::to_string(modules.size())));
  }
  return modules;
}

std::vector<Row> measure(const Options& options) {
  setenv("TMPDIR", options.folder.c_str(), 1);
  const test::TemporaryFolder folder;
  const Plan plan = options.smoke ? Plan::smoke() : Plan{};
  const auto wanted = [&](const char* part) {
    return std::find(options.parts.begin(), options.parts.end(), part) != options.parts.end();
  };
  const std::vector<std::unique_ptr<ModuleContender>> owned = load(options, folder.path());
  Modules modules;
  for (const auto& module : owned) modules.push_back(module.get());
  std::vector<Row> rows;
  const auto append = [&](std::vector<Row> more) { rows.insert(rows.end(), more.begin(), more.end()); };
  if (wanted("operations")) append(operations(*make_raw(), modules, plan));
  if (wanted("objects")) append(objects(modules, plan, folder.path()));
  if (wanted("processes")) append(processes(modules, plan, folder.path()));
  return rows;
}

// One case alone, for a profiler.
void loop(const Options& options) {
  setenv("TMPDIR", options.folder.c_str(), 1);
  const test::TemporaryFolder folder;
  const auto owned = load(options, folder.path());
  const std::unique_ptr<Contender> raw = make_raw();
  Contender* contender = raw.get();
  for (const auto& module : owned) {
    if (module->name() == options.who) contender = module.get();
  }
  if (contender->name() != options.who) throw std::runtime_error("nobody is called " + options.who);
  const double each = processor_seconds_each(work_by_name(*contender, options.loop), options.times);
  std::printf("%s by %s: %.3f µs of processor time\n", options.loop.c_str(), options.who.c_str(), 1e6 * each);
}

int run(int count, char** arguments) {
  Options options;
  options.module = default_module();
  CLI::App app("Measures a PKCS#11 module against OpenSSL used directly, taking turns on the same cores.");
  app.add_option("--module", options.module, "the module (default: the one built beside this program)");
  app.add_option("--peer", options.peers, "another module to compare with, NAME=PATH; may be repeated");
  app.add_option("--folder", options.folder, "where token stores are made; a real disk tells more than memory")
      ->capture_default_str();
  app.add_option("--only", options.parts, "operations, objects, processes")->delimiter(',');
  app.add_flag("--json", options.json, "results for programs");
  app.add_flag("--smoke", options.smoke, "only prove that it works; the numbers mean nothing");
  auto* const loop_option =
      app.add_option("--loop", options.loop, "only repeat one case (its name as in --json: ecdh, rsa_sign, …)");
  app.add_option("--who", options.who, "who repeats it: cardea, raw or a peer")
      ->needs(loop_option)
      ->capture_default_str();
  app.add_option("--times", options.times, "how often")->needs(loop_option)->capture_default_str();
  CLI11_PARSE(app, count, arguments);
  if (!options.loop.empty()) {
    loop(options);
    return 0;
  }
  warn_about_memory_disks(options.folder);
  const std::vector<Row> rows = measure(options);
  std::fputs(options.json ? as_json(rows).c_str() : as_table(rows).c_str(), stdout);
  return 0;
}

}  // namespace

}  // namespace cardea::bench

int main(int count, char** arguments) {
  try {
    return cardea::bench::run(count, arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "cardea-bench: %s\n", failure.what());
    return 1;
  }
}
