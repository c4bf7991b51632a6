// Certification authorities and certificate policies.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "domain/cause.h"
#include "domain/certificate_policy.h"
#include "domain/crl_publisher.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::CaRecord;
using manager::CertificatePolicy;
using manager::Id;
using manager::Right;
using manager::Transaction;

constexpr std::size_t longest_chain = 128 * 1024;
constexpr Id largest_id = std::numeric_limits<Id>::max();

void read_object(JsonReader& reader, std::string_view name, boost::json::object& place, bool required) {
  const boost::json::value* value = reader.raw(name);
  if (value != nullptr && value->is_object()) {
    place = value->get_object();
  } else if (value != nullptr || required) {
    reader.refuse(name, "It must be an object.");
  }
}

void read_policy_body(JsonReader& reader, CertificatePolicy& policy, bool is_new) {
  if (is_new) {
    policy.name = reader.required_string("name", 128);
    policy.ca = reader.required_number("ca", 1, largest_id);
    policy.ca_profile = reader.required_string("ca_profile", 128);
  } else {
    if (auto text = reader.optional_string("name", 128)) policy.name = std::move(*text);
    if (auto text = reader.optional_string("ca_profile", 128)) policy.ca_profile = std::move(*text);
  }
  if (const auto enabled = reader.optional_bool("enabled")) policy.enabled = *enabled;
  read_object(reader, "document", policy.document, is_new);
}

Status read_nothing(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  return JsonReader(body, context.errors).done();
}

}  // namespace

Result<HttpResponse> list_cas(RequestContext& context) {
  return list_rows<CaRecord>(context, Right::ca_read, &Transaction::cas);
}

Result<HttpResponse> show_ca(RequestContext& context) {
  return show_row<CaRecord>(context, Right::ca_read, &Transaction::ca);
}

Result<HttpResponse> create_ca(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  CaRecord ca;
  ca.name = reader.required_string("name", 64);
  ca.connector = reader.required_string("connector", 64);
  ca.retry_schedule = reader.optional_string("retry_schedule", 256).value_or("");
  read_object(reader, "settings", ca.settings, false);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const CaRecord saved, context.services.cas.create(context.actor(), ca));
  return created(fmt::format("/v1/cas/{}", saved.id), shape(saved));
}

Result<HttpResponse> change_ca(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(const CaRecord ca, find_row<CaRecord>(context, Right::ca_write, &Transaction::ca));
  CARDEA_TRY(context.if_match(shape(ca)));
  JsonReader reader(body, context.errors);
  CaChange change;
  change.enabled = reader.optional_bool("enabled");
  change.retry_schedule = reader.optional_string("retry_schedule", 256);
  read_object(reader, "settings", change.settings, false);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const CaRecord saved, context.services.cas.change(context.actor(), ca, change));
  return entity_answer(shape(saved));
}

Result<HttpResponse> install_ca_certificate(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(const CaRecord ca, find_row<CaRecord>(context, Right::ca_write, &Transaction::ca));
  JsonReader reader(body, context.errors);
  const std::string pem = reader.required_text("chain", longest_chain);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const CaRecord saved, context.services.cas.install(context.actor(), ca, view_of(pem)));
  return entity_answer(shape(saved));
}

Result<HttpResponse> renew_ca(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(const CaRecord ca, find_row<CaRecord>(context, Right::ca_write, &Transaction::ca));
  CARDEA_TRY(context.if_match(shape(ca)));
  JsonReader reader(body, context.errors);
  std::optional<manager::IsoDuration> validity;
  if (const auto text = reader.optional_string("validity", 32)) {
    const auto parsed = manager::IsoDuration::parse(*text);
    if (parsed) validity = *parsed;
    if (!parsed) reader.refuse("validity", parsed.error().detail);
  }
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const CaRecord saved, context.services.cas.renew(context.actor(), ca, validity));
  return entity_answer(shape(saved));
}

Result<HttpResponse> check_ca(RequestContext& context) {
  CARDEA_TRY(read_nothing(context));
  CARDEA_ASSIGN(const CaRecord ca, find_row<CaRecord>(context, Right::ca_read, &Transaction::ca));
  // One that cannot be opened does not work, which is what was asked.
  const auto connector = context.ports().authorities.connector(ca);
  const Status works = connector ? (*connector)->check() : Status(connector.error());
  return json_answer({{"works", works.ok()}, {"problem", works.ok() ? "" : manager::cause(works.error())}});
}

Result<HttpResponse> list_ca_profiles(RequestContext& context) {
  CARDEA_TRY(context.query_done());
  CARDEA_ASSIGN(const CaRecord ca, find_row<CaRecord>(context, Right::ca_read, &Transaction::ca));
  CARDEA_ASSIGN(const auto connector, context.ports().authorities.connector(ca));
  CARDEA_ASSIGN(const auto profiles, connector->profiles());
  boost::json::array items;
  for (const manager::CaProfile& profile : profiles) {
    items.push_back(boost::json::object{{"id", profile.id},
                                        {"name", profile.name},
                                        {"description", profile.description},
                                        {"group", profile.group},
                                        {"validity_seconds", profile.validity.count()},
                                        {"encryption", profile.encryption}});
  }
  return json_answer({{"items", std::move(items)}, {"next", nullptr}});
}

Result<HttpResponse> publish_ca_crl(RequestContext& context) {
  CARDEA_TRY(read_nothing(context));
  CARDEA_ASSIGN(const CaRecord ca, find_row<CaRecord>(context, Right::crl_publish, &Transaction::ca));
  CARDEA_ASSIGN(const auto local, context.services.cas.local(ca.name));
  CARDEA_ASSIGN(const auto crl, manager::publish_crl(context.ports(), context.actor(), *local.ca, ca.id));
  return json_answer({{"number", crl.number},
                      {"this_update", format_time(crl.this_update)},
                      {"next_update", format_time(crl.next_update)},
                      {"bytes", crl.der.size()}});
}

Result<HttpResponse> list_policies(RequestContext& context) {
  return list_rows<CertificatePolicy>(context, Right::ca_read, &Transaction::policies);
}

Result<HttpResponse> show_policy(RequestContext& context) {
  return show_row<CertificatePolicy>(context, Right::ca_read, &Transaction::policy);
}

Result<HttpResponse> create_policy(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  CertificatePolicy policy;
  read_policy_body(reader, policy, true);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const CertificatePolicy saved, manager::save_policy(context.ports(), context.actor(), policy));
  return created(fmt::format("/v1/policies/{}", saved.id), shape(saved));
}

Result<HttpResponse> change_policy(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(CertificatePolicy policy, find_row<CertificatePolicy>(context, Right::ca_write, &Transaction::policy));
  CARDEA_TRY(context.if_match(shape(policy)));
  JsonReader reader(body, context.errors);
  read_policy_body(reader, policy, false);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const CertificatePolicy saved, manager::save_policy(context.ports(), context.actor(), policy));
  return entity_answer(shape(saved));
}

}  // namespace cardea::http
