// Certificates: searched, issued for requests made elsewhere, revoked and suspended one by one or in bulk.
#include "domain/certificates.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "domain/identity_issuance.h"
#include "domain/revocation.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::AlternativeName;
using manager::Certificate;
using manager::Id;
using manager::RevocationOrder;
using manager::Right;
using manager::Transaction;

constexpr Id largest_id = std::numeric_limits<Id>::max();
constexpr std::size_t longest_request = 64 * 1024;
constexpr std::size_t most_names = 256;
constexpr std::size_t most_in_bulk = 10'000;

std::optional<std::vector<AlternativeName>> read_names(JsonReader& reader) {
  if (!reader.has("alternative_names")) return std::nullopt;
  std::vector<AlternativeName> names;
  for (JsonReader& entry : reader.objects("alternative_names", most_names)) {
    const std::string kind = entry.required_string("kind", 32);
    AlternativeName name{.value = entry.required_string("value", 2048)};
    if (const auto known = manager::alternative_name_kind(kind)) {
      name.kind = *known;
    } else if (!kind.empty()) {
      entry.refuse("kind", known.error().detail);
    }
    entry.finish();
    names.push_back(std::move(name));
  }
  return names;
}

manager::CsrIssuance read_issuance(JsonReader& reader) {
  manager::CsrIssuance wanted;
  wanted.policy = reader.required_string("policy", 128);
  wanted.person = reader.optional_number("person", 1, largest_id);
  wanted.subject = reader.optional_string("subject", 4096);
  wanted.alternative_names = read_names(reader);
  if (const auto seconds = reader.optional_number("validity_seconds", 1, 100LL * 366 * 86400))
    wanted.validity = std::chrono::seconds(*seconds);
  return wanted;
}

std::optional<RevocationOrder::Action> action_of(std::string_view word) {
  if (word == "revoke") return RevocationOrder::Action::revoke;
  if (word == "suspend") return RevocationOrder::Action::suspend;
  if (word == "unsuspend") return RevocationOrder::Action::unsuspend;
  return std::nullopt;
}

void read_reason(JsonReader& reader, RevocationOrder& order) {
  if (auto reason = reader.optional_string("reason", 64)) {
    const auto known = manager::revocation_reason(*reason);
    if (!known) reader.refuse("reason", known.error().detail);
    order.reason = std::move(*reason);
  }
  if (const auto since = reader.optional_string("invalid_since", 20)) {
    order.invalid_since = parse_time(*since);
    if (!order.invalid_since) reader.refuse("invalid_since", "It must be a time like 2026-11-20T21:50:00Z.");
  }
}

Result<HttpResponse> carry_out(RequestContext& context, const RevocationOrder& order) {
  CARDEA_ASSIGN(const auto lines, manager::revoke_certificates(context.ports(), context.actor(), order));
  boost::json::array items;
  for (const manager::RevocationLine& line : lines) items.push_back(shape(line));
  return json_answer({{"items", std::move(items)}});
}

// Of one certificate: what went wrong is the answer.
Result<HttpResponse> change_one(RequestContext& context, RevocationOrder::Action action) {
  CARDEA_ASSIGN(const Id id, context.id_part("id"));
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  RevocationOrder order;
  order.certificates = {id};
  order.action = action;
  if (action == RevocationOrder::Action::revoke) read_reason(reader, order);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const auto lines, manager::revoke_certificates(context.ports(), context.actor(), order));
  for (const manager::RevocationLine& line : lines) {
    if (!line.done) return problem(Problem::conflict, line.problem);
  }
  // It is done: whoever may do it may see that, without the right to read others.
  return show_row<Certificate>(context, Right::certificate_revoke, &Transaction::certificate);
}

}  // namespace

Result<HttpResponse> list_certificates(RequestContext& context) {
  return list_rows<Certificate>(context, Right::certificate_read, &Transaction::certificates);
}

Result<HttpResponse> show_certificate(RequestContext& context) {
  return show_row<Certificate>(context, Right::certificate_read, &Transaction::certificate);
}

Result<HttpResponse> issue_certificate(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  manager::CsrIssuance wanted = read_issuance(reader);
  wanted.csr = to_bytes(view_of(reader.required_base64("csr", longest_request)));
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Certificate issued, manager::issue_for_csr(context.ports(), context.actor(), wanted));
  return created(fmt::format("/v1/certificates/{}", issued.id), shape(issued));
}

Result<HttpResponse> issue_identity(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  manager::CsrIssuance wanted = read_issuance(reader);
  const std::string algorithm = reader.required_string("key_algorithm", 32);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const manager::IssuedIdentity identity,
                manager::issue_identity(context.ports(), context.actor(), std::move(wanted), algorithm));
  context.shows_secret = true;
  return created(fmt::format("/v1/certificates/{}", identity.certificate.id),
                 {{"certificate", shape(identity.certificate)},
                  {"pkcs12", to_base64(text_of(identity.pkcs12.view()))},
                  {"password", std::string(text_of(identity.password.view()))}});
}

Result<HttpResponse> revoke_certificate(RequestContext& context) {
  return change_one(context, RevocationOrder::Action::revoke);
}

Result<HttpResponse> suspend_certificate(RequestContext& context) {
  return change_one(context, RevocationOrder::Action::suspend);
}

Result<HttpResponse> unsuspend_certificate(RequestContext& context) {
  return change_one(context, RevocationOrder::Action::unsuspend);
}

Result<HttpResponse> revoke_in_bulk(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  RevocationOrder order;
  order.certificates = reader.numbers("certificates", most_in_bulk, 1, largest_id);
  order.person = reader.optional_number("person", 1, largest_id);
  order.token = reader.optional_number("token", 1, largest_id);
  const std::string action = reader.required_word("action", {"revoke", "suspend", "unsuspend"});
  read_reason(reader, order);
  if (order.certificates.empty() && !order.person && !order.token)
    reader.refuse("certificates", "Say which: certificates, a person or a token.");
  CARDEA_TRY(reader.done());
  order.action = *action_of(action);
  return carry_out(context, order);
}

}  // namespace cardea::http
