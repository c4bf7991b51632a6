// Who asks: operators by their certificate in the TLS handshake, scripts by a bearer token (RFC 6750).
#pragma once

#include <optional>
#include <string>

#include "http/context.h"

namespace cardea::http {

/// The bearer token of the Authorization header, or nothing.
std::optional<std::string_view> bearer_token(const HttpRequest& request);

/// Who a request is from, or why it is from nobody, as a sentence.
struct Authentication {
  std::optional<manager::Actor> actor;
  std::string problem;
};

/// Reads certificate and Authorization header; the header counts where both are there. Errors are the store's.
Result<Authentication> authenticate(const HttpRequest& request, const manager::Ports& ports);

}  // namespace cardea::http
