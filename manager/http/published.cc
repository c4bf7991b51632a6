// What relying parties fetch: CRLs, OCSP answers and CA certificates, in plain HTTP too (RFC 5280, 8: whoever checks a
// certificate must not need another check for that).
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "domain/crl_publisher.h"
#include "http/route.h"
#include "http/services.h"

namespace cardea::http {
namespace {

// "/crl/staff.crl" and "/crl/staff" are the same.
std::string_view without_ending(std::string_view name, std::string_view ending) {
  if (name.ends_with(ending)) name.remove_suffix(ending.size());
  return name;
}

HttpResponse binary_answer(std::string_view content_type, ByteView body, std::chrono::seconds max_age) {
  HttpResponse response;
  response.content_type = content_type;
  response.body = std::string(text_of(body));
  response.headers.emplace_back("Cache-Control",
                                max_age.count() > 0 ? fmt::format("public, max-age={}", max_age.count()) : "no-store");
  return response;
}

// RFC 6960, A.1: what cannot be answered is told inside of OCSP where that is possible.
Result<HttpResponse> answer_ocsp(RequestContext& context, ByteView request) {
  CARDEA_ASSIGN(const OwnCa own, context.services.cas.local(context.part("ca")));
  CARDEA_ASSIGN(const Bytes answer, own.ca->answer_ocsp(request, context.ports().clock.now()));
  return binary_answer("application/ocsp-response", answer, std::chrono::seconds(0));
}

}  // namespace

Result<HttpResponse> serve_crl(RequestContext& context) {
  const std::string_view name = without_ending(context.part("ca"), ".crl");
  const auto own = context.services.cas.local(name);
  auto crl = own ? manager::current_crl(context.ports(), *own->ca, own->id) : Result<manager::CrlState>(own.error());
  // One that cannot sign goes on being relied on by what it signed before; what is wrong is for the log to say.
  if (!crl) {
    auto before = manager::valid_crl(context.ports(), name);
    if (!before) return crl.error();
    crl = std::move(before);
  }
  // A minute: long enough to spare the network, short enough for a CRL that was made out of turn.
  return binary_answer("application/pkix-crl", crl->der, std::chrono::seconds(60));
}

Result<HttpResponse> serve_ca_certificate(RequestContext& context) {
  CARDEA_ASSIGN(const Bytes certificate, context.services.cas.certificate(without_ending(context.part("ca"), ".cer")));
  return binary_answer("application/pkix-cert", certificate, std::chrono::hours(1));
}

Result<HttpResponse> serve_ocsp_post(RequestContext& context) {
  if (context.request.header("Content-Type") != "application/ocsp-request")
    return problem(Problem::wrong_content_type, "Send the request as application/ocsp-request.");
  return answer_ocsp(context, view_of(context.request.body));
}

Result<HttpResponse> serve_ocsp_get(RequestContext& context) {
  const auto request = from_base64(context.part("request"));
  return answer_ocsp(context, request ? view_of(*request) : ByteView());
}

}  // namespace cardea::http
