#include "conformance/expected.h"

#include <fstream>

namespace cardea::conformance {
namespace {

struct Line {
  Verdict verdict;
  std::string name;
  bool used = false;

  bool covers(const std::string& other) const {
    if (!name.empty() && name.back() == '*') return other.compare(0, name.size() - 1, name, 0, name.size() - 1) == 0;
    return name == other;
  }
};

std::vector<Line> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<Line> lines;
  std::string text;
  while (std::getline(file, text)) {
    if (text.empty() || text[0] == '#') continue;
    const bool fail = text.compare(0, 5, "fail ") == 0;
    if (!fail && text.compare(0, 5, "skip ") != 0) throw std::runtime_error(path + ": not understood: " + text);
    lines.push_back({fail ? Verdict::fail : Verdict::skip, text.substr(5)});
  }
  return lines;
}

}  // namespace

std::vector<std::string> compare_with_expected(const std::string& file, const std::vector<Finding>& findings) {
  std::vector<Line> lines = read_lines(file);
  std::vector<std::string> differences;
  for (const Finding& finding : findings) {
    Verdict wanted = Verdict::pass;
    for (Line& line : lines) {
      if (!line.covers(finding.name)) continue;
      wanted = line.verdict;
      line.used = true;
    }
    if (wanted == finding.verdict) continue;
    const char* what = finding.verdict == Verdict::fail   ? "unexpected failure: "
                       : finding.verdict == Verdict::skip ? "unexpected skip: "
                                                          : "unexpected pass: ";
    differences.push_back(what + finding.name + (finding.detail.empty() ? "" : ": " + finding.detail));
  }
  for (const Line& line : lines) {
    if (!line.used) differences.push_back("expected but not seen: " + line.name);
  }
  return differences;
}

}  // namespace cardea::conformance
