#include "base/result.h"

namespace cardea {

std::string_view words(Code code) {
  switch (code) {
#define CARDEA_ERROR(code, words) \
  case Code::code:                \
    return words;
#include "base/errors.def"
#undef CARDEA_ERROR
  }
  return "an unknown error";
}

std::string_view name(Code code) {
  switch (code) {
#define CARDEA_ERROR(code, words) \
  case Code::code:                \
    return #code;
#include "base/errors.def"
#undef CARDEA_ERROR
  }
  return "unknown";
}

std::string describe(const Error& error) {
  std::string line{words(error.code)};
  if (!error.detail.empty()) line += ": " + error.detail;
  if (error.retries_left) line += " (tries left: " + std::to_string(*error.retries_left) + ")";
  return line;
}

}  // namespace cardea
