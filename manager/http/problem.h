// Problems: what a client gets instead of an answer (RFC 9457, "Problem Details for HTTP APIs").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace cardea::http {

/// Every kind of problem (problems.def).
enum class Problem : std::uint8_t {
#define PROBLEM(name, status, title) name,
#include "http/problems.def"
#undef PROBLEM
};

unsigned status(Problem kind);
std::string_view title(Problem kind);
/// The stable identifier, "urn:cardea:problem:<name with dashes>".
std::string type_uri(Problem kind);

/// One thing wrong inside a body.
struct FieldError {
  std::string pointer;  ///< JSON pointer (RFC 6901) of the member, or "?name" for a query parameter
  std::string detail;   ///< a sentence
};

/// The answer for a problem. `detail` is a sentence that says what to do next; it must contain no secret.
HttpResponse problem(Problem kind, std::string_view detail, const std::vector<FieldError>& errors = {});

/// Which problem an error of the layers below is; total over Code.
Problem problem_of(Code code);

/// The answer for an error of the layers below. What went wrong inside the machine is not told to the client: its
/// sentence then names the request, under which the log has the rest.
HttpResponse problem(const Error& error, std::string_view request_id);

}  // namespace cardea::http
