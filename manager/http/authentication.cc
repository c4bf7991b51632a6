#include "http/authentication.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "domain/people.h"

namespace cardea::http {
namespace {

constexpr std::string_view how_to_log_on =
    "Log on with an operator's certificate in the TLS handshake, or send an access token as 'Authorization: Bearer …'.";

bool says_who_it_is_not(Code code) {
  return code == Code::permission_denied || code == Code::action_prohibited || code == Code::not_found ||
         code == Code::arguments_bad;
}

Result<Authentication> outcome(Result<manager::Actor> found, std::string_view advice) {
  if (found) return Authentication{std::move(*found), {}};
  if (!says_who_it_is_not(found.code())) return std::move(found).error();
  return Authentication{std::nullopt, fmt::format("{}. {}", describe(found.error()), advice)};
}

}  // namespace

std::optional<std::string_view> bearer_token(const HttpRequest& request) {
  const auto header = request.header("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (!header) return std::nullopt;
  // The scheme's name may be written in any case (RFC 9110, 11.1).
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  if (!std::ranges::equal(header->substr(0, scheme.size()), scheme, same)) return std::nullopt;
  return header->substr(scheme.size());
}

Result<Authentication> authenticate(const HttpRequest& request, const manager::Ports& ports) {
  if (request.header("Authorization")) {
    const auto token = bearer_token(request);
    if (!token) return Authentication{std::nullopt, "Only the Bearer scheme is known in the Authorization header."};
    return outcome(manager::actor_of_access_token(ports, view_of(*token)),
                   "Make a new one with `cardea operator access-token create`.");
  }
  const auto& certificate = request.peer.certificate;
  if (!certificate) return Authentication{std::nullopt, std::string(how_to_log_on)};
  if (!certificate->mistrust.empty())
    return Authentication{std::nullopt,
                          fmt::format("The certificate of the TLS handshake ({}) cannot be trusted: {}. {}",
                                      certificate->subject, certificate->mistrust, how_to_log_on)};
  Bytes hash;
  if (!from_hex(certificate->sha256, hash)) return error(Code::internal, "a certificate's fingerprint is no hash");
  return outcome(manager::actor_of_certificate(ports, hash),
                 "An operator with the right to appoint operators can add this certificate.");
}

}  // namespace cardea::http
