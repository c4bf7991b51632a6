// Where in the source a call stands, remembered by errors for logs and debuggers. std::source_location would do, but
// clang 14 offers none with the C++ library of gcc 12.
#pragma once

namespace cardea {

/// A place in the source. The file name is the compiler's and lives as long as the code.
struct SourcePlace {
  const char* file = "";
  unsigned line = 0;

  /// The place of the call; as a default argument, the place of the call of the function that has it.
  static constexpr SourcePlace here(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

}  // namespace cardea
