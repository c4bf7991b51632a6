// Credential profiles.
#include "domain/profile.h"

#include <boost/json.hpp>

#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::Profile;
using manager::Right;
using manager::Transaction;

void read_profile_body(JsonReader& reader, Profile& profile, bool is_new) {
  if (is_new) {
    profile.name = reader.required_string("name", 128);
  } else if (auto name = reader.optional_string("name", 128)) {
    profile.name = std::move(*name);
  }
  if (const auto enabled = reader.optional_bool("enabled")) profile.enabled = *enabled;
  const boost::json::value* document = reader.raw("document");
  if (document != nullptr && document->is_object()) {
    profile.document = document->get_object();
  } else if (document != nullptr || is_new) {
    reader.refuse("document", "It must be an object; GET /v1/profiles/examples shows some.");
  }
}

}  // namespace

Result<HttpResponse> list_profiles(RequestContext& context) {
  return list_rows<Profile>(context, Right::profile_read, &Transaction::profiles);
}

Result<HttpResponse> show_profile(RequestContext& context) {
  return show_row<Profile>(context, Right::profile_read, &Transaction::profile);
}

Result<HttpResponse> list_example_profiles(RequestContext& context) {
  CARDEA_TRY(context.query_done());
  boost::json::array items;
  for (const manager::ExampleProfile& example : manager::example_profiles())
    items.push_back(boost::json::object{{"name", example.name}, {"document", boost::json::parse(example.document)}});
  return json_answer({{"items", std::move(items)}, {"next", nullptr}});
}

Result<HttpResponse> create_profile(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  Profile profile;
  read_profile_body(reader, profile, true);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Profile saved, manager::save_profile(context.ports(), context.actor(), profile));
  return created("/v1/profiles/" + std::to_string(saved.id), shape(saved));
}

Result<HttpResponse> change_profile(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(Profile profile, find_row<Profile>(context, Right::profile_write, &Transaction::profile));
  CARDEA_TRY(context.if_match(shape(profile)));
  JsonReader reader(body, context.errors);
  read_profile_body(reader, profile, false);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Profile saved, manager::save_profile(context.ports(), context.actor(), profile));
  return entity_answer(shape(saved));
}

}  // namespace cardea::http
