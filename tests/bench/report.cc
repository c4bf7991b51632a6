#include "bench/report.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace cardea::bench {

namespace {

std::string number(double value) {
  if (value == 0) return "0";
  if (value >= 1000) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}", value, value >= 100 ? 1 : value >= 10 ? 2 : 3);
}

std::string verdict(const Row& row) {
  if (!row.target) return "";
  return row.reached() ? "reached" : "missed";
}

std::string target_text(const Row& row) {
  if (!row.target) return "";
  return (row.wanted == Wanted::at_least ? "≥ " : "≤ ") + number(*row.target);
}

// fmt counts display width for alignment, so µ and ≥ line up.
std::string line(const Row& row) {
  std::string others;
  for (const auto& [name, value] : row.others) others += fmt::format(" {} {}", name, number(value));
  if (!row.note.empty()) others += (others.empty() ? " (" : "; (") + row.note + ")";
  return fmt::format("{:<46}{:>10} {:<7}{:>10}  {:<8}{}\n", row.what, number(row.value), row.unit, target_text(row),
                     verdict(row), others);
}

}  // namespace

std::string as_table(const std::vector<Row>& rows) {
  std::string table =
      fmt::format("{:<46}{:>10} {:<7}{:>10}  {:<8} others\n", "case", "measured", "unit", "to reach", "");
  for (const Row& row : rows) table += line(row);
  return table;
}

std::string as_json(const std::vector<Row>& rows) {
  boost::json::array list;
  for (const Row& row : rows) {
    boost::json::object entry{{"id", row.id}, {"what", row.what}, {"unit", row.unit}, {"value", row.value}};
    if (row.target) {
      entry["target"] = *row.target;
      entry["wanted"] = row.wanted == Wanted::at_least ? "at least" : "at most";
      entry["verdict"] = verdict(row);
    }
    if (!row.note.empty()) entry["note"] = row.note;
    boost::json::object others;
    for (const auto& [name, value] : row.others) others[name] = value;
    entry["others"] = others;
    list.push_back(entry);
  }
  return boost::json::serialize(list) + "\n";
}

}  // namespace cardea::bench
