// cardea-conformance: tries what PKCS#11 3.2 asks of a module, on any module, from outside.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <map>

#include "conformance/check.h"
#include "conformance/expected.h"
#include "conformance/profile.h"

namespace {

using namespace cardea::conformance;

struct Options {
  Target target;
  std::string pin_file;
  std::string so_pin_file;
  std::string profile;
  std::vector<std::string> checks;
  std::string expected;
  int timeout = 300;
  bool prepare = false;
  bool json = false;
  bool list = false;
};

/// The first line of a file.
std::string read_pin(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path);
  std::string pin;
  if (!std::getline(file, pin)) throw std::runtime_error("no PIN can be read from " + path);
  return pin;
}

std::vector<const Check*> chosen_checks(const Options& options) {
  std::vector<const Check*> chosen;
  std::vector<std::string> names = options.checks;
  // A profile asked for alone runs alone.
  if (names.empty() && options.profile.empty() && !options.prepare) names = {"all"};
  for (const std::string& name : names) {
    bool known = false;
    for (const Check& check : all_checks()) {
      if (name != "all" && name != check.name) continue;
      chosen.push_back(&check);
      known = true;
    }
    if (!known) throw std::runtime_error("no check is called " + name);
  }
  return chosen;
}

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::skip:
      return "skip";
  }
  return "";
}

void print_text(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    std::cout << word(finding.verdict) << "  " << finding.name;
    if (!finding.detail.empty()) std::cout << ": " << finding.detail;
    std::cout << "\n";
  }
  std::cout.flush();
}

void print_summary(const Options& options, const std::vector<Finding>& findings) {
  std::map<Verdict, int> count;
  for (const Finding& finding : findings) ++count[finding.verdict];
  if (!options.json) {
    std::cout << count[Verdict::pass] << " passed, " << count[Verdict::fail] << " failed, " << count[Verdict::skip]
              << " skipped\n";
    return;
  }
  boost::json::array results;
  for (const Finding& finding : findings) {
    results.push_back({{"name", finding.name}, {"verdict", word(finding.verdict)}, {"detail", finding.detail}});
  }
  const boost::json::object whole = {{"module", options.target.module_path},
                                     {"passed", count[Verdict::pass]},
                                     {"failed", count[Verdict::fail]},
                                     {"skipped", count[Verdict::skip]},
                                     {"results", results}};
  std::cout << boost::json::serialize(whole) << "\n";
}

std::vector<Finding> run_all(const Options& options) {
  std::vector<Finding> all;
  const auto take = [&](std::vector<Finding> findings) {
    if (!options.json) print_text(findings);
    all.insert(all.end(), std::make_move_iterator(findings.begin()), std::make_move_iterator(findings.end()));
  };
  if (options.prepare) take(prepare_token(options.target, options.timeout));
  if (!options.profile.empty()) {
    for (const std::string& file : profile_files(options.profile))
      take(run_profile(file, options.target, options.timeout));
  }
  for (const Check* check : chosen_checks(options)) take(run_check(*check, options.target, options.timeout));
  return all;
}

int run(Options& options) {
  if (options.list) {
    for (const Check& check : all_checks()) std::cout << check.name << "  " << check.summary << "\n";
    return 0;
  }
  if (options.target.module_path.empty()) throw std::runtime_error("--module is missing");
  options.target.pin = read_pin(options.pin_file);
  options.target.so_pin = read_pin(options.so_pin_file);
  chosen_checks(options);  // a wrong name is an error before anything runs
  const std::vector<Finding> findings = run_all(options);
  print_summary(options, findings);
  if (!options.expected.empty()) {
    const std::vector<std::string> differences = compare_with_expected(options.expected, findings);
    for (const std::string& difference : differences) std::cerr << difference << "\n";
    return differences.empty() ? 0 : 1;
  }
  for (const Finding& finding : findings) {
    if (finding.verdict == Verdict::fail) return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Tries what PKCS#11 3.2 asks of a module, on any module. Exit status: 0 all passed or skipped, 1 something "
      "failed, 2 nothing could be tried."};
  Options options;
  CK_SLOT_ID slot = 0;
  app.add_option("--module", options.target.module_path, "PKCS#11 module (shared library)");
  auto* slot_option = app.add_option("--slot", slot, "slot number");
  app.add_option("--token", options.target.token_label, "label of the token")->excludes(slot_option);
  app.add_option("--pin-file", options.pin_file, "file with the user PIN in its first line");
  app.add_option("--so-pin-file", options.so_pin_file, "file with the security officer's PIN");
  app.add_option("--profile", options.profile, "profile test case (XML) or a folder of them");
  app.add_option("--checks", options.checks, "names of checks, or all")->delimiter(',');
  app.add_option("--expected", options.expected, "file of expected results: only differences from it count");
  app.add_option("--timeout", options.timeout, "seconds for one check")->check(CLI::Range(1, 3600));
  app.add_flag("--prepare", options.prepare, "create the objects that profile test cases expect, where missing");
  app.add_flag("--json", options.json, "report as JSON");
  app.add_flag("--list", options.list, "list the checks");
  try {
    app.parse(argc, argv);
    if (slot_option->count() > 0) options.target.slot = slot;
    return run(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "cardea-conformance: " << error.what() << "\n";
    return 2;
  }
}
