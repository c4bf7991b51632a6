// What was measured, and whether it reached its target.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cardea::bench {

enum class Wanted : unsigned char { at_least, at_most };

struct Row {
  std::string id;                     ///< short name for programs, e.g. "rsa_sign"
  std::string what;                   ///< for people
  std::string unit;                   ///< "of raw", "x", "µs", "/s" …
  double value = 0;                   ///< the module's
  std::optional<double> target = {};  ///< absent: shown only
  Wanted wanted = Wanted::at_least;
  std::map<std::string, double> others = {};  ///< raw and peers, same unit
  std::string note = {};

  bool reached() const { return !target || (wanted == Wanted::at_least ? value >= *target : value <= *target); }
};

std::string as_table(const std::vector<Row>& rows);
std::string as_json(const std::vector<Row>& rows);

}  // namespace cardea::bench
