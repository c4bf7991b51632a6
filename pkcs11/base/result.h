// How functions report failure: Result<T> carries a value or an Error. No exception crosses an interface of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/source_place.h"

namespace cardea {

/// Every kind of failure (errors.def).
enum class Code : std::uint8_t {
#define CARDEA_ERROR(code, words) code,
#include "base/errors.def"
#undef CARDEA_ERROR
};

/// What the code means, as a clause that can follow "because".
std::string_view words(Code code);

/// The code's name as in errors.def.
std::string_view name(Code code);

/// A failure: what kind, further words for a person (never a secret), PIN tries left where that is known, and where.
struct Error {
  Code code;
  std::string detail = {};
  std::optional<int> retries_left = {};
  SourcePlace where = {};
};

/// Makes an Error that remembers the place of the call. `detail` is for people and must contain no secret.
inline Error error(Code code, std::string detail = {}, SourcePlace where = SourcePlace::here()) {
  return Error{code, std::move(detail), {}, where};
}

/// One line for logs and the command line: words, detail, tries left.
std::string describe(const Error& error);

/// A value of type T or an Error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Error failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT(google-explicit-constructor)
  Result(Code code, SourcePlace where = SourcePlace::here())                     // NOLINT
      : state_(std::in_place_index<1>, cardea::error(code, {}, where)) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  bool ok() const noexcept { return state_.index() == 0; }

  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }
  Code code() const { return error().code; }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error failure) : failure_(std::move(failure)) {}     // NOLINT(google-explicit-constructor)
  Result(Code code, SourcePlace where = SourcePlace::here())  // NOLINT
      : failure_(cardea::error(code, {}, where)) {}

  explicit operator bool() const noexcept { return !failure_; }
  bool ok() const noexcept { return !failure_; }
  const Error& error() const& { return *failure_; }
  Error&& error() && { return std::move(*failure_); }
  Code code() const { return failure_->code; }

 private:
  std::optional<Error> failure_;
};

using Status = Result<void>;

}  // namespace cardea

/// Leaves the function with the error of `expression` (a Result or Status) when it failed.
#define CARDEA_TRY(expression)                                                                                  \
  do {                                                                                                          \
    if (auto cardea_try_result = (expression); !cardea_try_result) return std::move(cardea_try_result).error(); \
  } while (false)

#define CARDEA_CONCAT_(a, b) a##b
#define CARDEA_CONCAT(a, b) CARDEA_CONCAT_(a, b)

/// `CARDEA_ASSIGN(auto x, f());`: x becomes the value of f(), or the function is left with its error.
#define CARDEA_ASSIGN(declaration, expression)                                                                     \
  auto CARDEA_CONCAT(cardea_result_, __LINE__) = (expression);                                                     \
  if (!CARDEA_CONCAT(cardea_result_, __LINE__)) return std::move(CARDEA_CONCAT(cardea_result_, __LINE__)).error(); \
  declaration = std::move(*CARDEA_CONCAT(cardea_result_, __LINE__))
