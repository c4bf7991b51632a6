// The life of a credential on a real token of every kind: services, journal, store, key token, embedded CA and agent
// together (CARDEA_DEVICE_KIND).
#include "contract/manager_rig.h"
#include "crypto/digest.h"

using namespace cardea;
using lifecycle::must;
using lifecycle::Setting;

namespace {

Bytes container_key(const agent::DeviceDescription& device, std::string_view name) {
  for (const auto& container : device.containers)
    if (container.name == name && !container.certificate.empty())
      return must(manager::certificate_facts(container.certificate)).spki;
  return {};
}

std::size_t history_size(const agent::DeviceDescription& device) {
  std::size_t count = 0;
  for (const auto& container : device.containers) count += container.name.starts_with("retired-") ? 1 : 0;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_credential_lives_from_issue_to_the_replacement_of_the_lost_token) {
  Setting setting;
  setting.new_card("first");
  setting.run(setting.ask("issue"));
  BOOST_TEST(setting.certificates("active").size() == 3U);
  const manager::Id first = setting.token().id;
  BOOST_TEST((setting.token().state == manager::TokenState::issued));
  BOOST_TEST(setting.token().kind == setting.kind);
  const agent::DeviceDescription fresh = setting.look();
  for (const auto* name : {"authentication", "signature", "encryption"})
    BOOST_TEST(!container_key(fresh, name).empty(), name);
  // No default secret survives issuance.
  BOOST_TEST(!fresh.factory.admin_key.value_or(false));
  BOOST_TEST(!fresh.factory.puk.value_or(false));
  BOOST_TEST(!fresh.factory.user_pin.value_or(false));

  std::vector<Bytes> generations;
  for (int round = 0; round < 3; ++round) {
    generations.push_back(container_key(setting.look(), "encryption"));
    const Bytes authentication = container_key(setting.look(), "authentication");
    setting.run(setting.ask("renew", first));
    const agent::DeviceDescription renewed = setting.look();
    BOOST_TEST((container_key(renewed, "authentication") == authentication));
    BOOST_TEST((container_key(renewed, "encryption") != generations.back()));
    BOOST_TEST(history_size(renewed) == generations.size());
    BOOST_TEST(setting.certificates("active").size() == 3U);
  }
  generations.push_back(container_key(setting.look(), "encryption"));

  setting.run(setting.ask("unblock", first));
  setting.user.pin = "80357147";
  setting.run(setting.ask("unblock", first));

  setting.ask("cancel", first, "lost");
  setting.work_alone();
  BOOST_TEST(setting.certificates("active").empty());
  BOOST_TEST((setting.token().state == manager::TokenState::cancelled));

  setting.new_card("second");
  setting.run(setting.ask("replace", first, "lost"));
  BOOST_TEST(setting.token().id != first);
  BOOST_TEST(setting.certificates("active").size() == 3U);
  const agent::DeviceDescription spare = setting.look();
  std::size_t found = 0;
  for (const auto& container : spare.containers) {
    const Bytes key =
        container.certificate.empty() ? Bytes() : must(manager::certificate_facts(container.certificate)).spki;
    found += std::ranges::find(generations, key) != generations.end() ? 1 : 0;
  }
  BOOST_TEST(found == generations.size());
  const auto verdict = must(manager::verify_audit_log(*setting.ports, setting.admin));
  BOOST_TEST(verdict.intact);
}

BOOST_AUTO_TEST_CASE(a_profile_puts_the_certificates_of_the_ca_onto_the_token) {
  Setting setting;
  manager::Profile profile;
  must(setting.store->read([&](manager::Transaction& work) -> Status {
    CARDEA_ASSIGN(profile, work.profile_by_name("staff-" + setting.kind));
    return {};
  }));
  profile.document["write_chain"] = true;
  must(manager::save_profile(*setting.ports, setting.admin, profile));
  setting.new_card("chained");
  const manager::Request request = setting.ask("issue");
  setting.run(request);
  const bool has_place = setting.kind != "piv";
  std::size_t steps = 0;
  must(setting.store->read([&](manager::Transaction& work) -> Status {
    CARDEA_ASSIGN(const auto row, work.request(request.id));
    CARDEA_ASSIGN(const auto job, work.job(*row.job));
    for (const manager::Step& step : job.steps) {
      if (step.kind != "write_certificate") continue;
      ++steps;
      BOOST_TEST(step.result.at("chain").as_string() == (has_place ? "written" : "left_out"));
    }
    return {};
  }));
  BOOST_TEST(steps == 3U);
  // What is there is no container, and is found again.
  BOOST_TEST(setting.look().containers.size() == 3U);
  setting.run(setting.ask("renew", setting.token().id));
}

BOOST_AUTO_TEST_CASE(a_collection_that_is_cut_off_after_any_step_goes_on) {
  Setting setting;
  setting.new_card("cut");
  const manager::Request request = setting.ask("issue");
  const std::string code = setting.code_for(request);
  int cuts = 0;
  std::uint32_t from = 0;
  for (;; ++cuts) {
    setting.server->stop_from = from;
    const Status done = setting.collect(code);
    if (done.ok()) break;
    BOOST_REQUIRE_MESSAGE(done.code() == Code::function_canceled, describe(done.error()) << setting.where(request.id));
    from = setting.server->stopped_at + 1;
  }
  BOOST_TEST(cuts > 5);
  BOOST_TEST(setting.certificates("active").size() == 3U);
  BOOST_TEST(setting.certificates("issued").empty());
  BOOST_TEST(setting.certificates("requested").empty());
}

BOOST_AUTO_TEST_CASE(a_retired_token_has_its_factory_secrets_again) {
  Setting setting;
  setting.new_card("retired");
  setting.run(setting.ask("issue"));
  const manager::Id id = setting.token().id;
  setting.run(setting.ask("retire", id, "left"));
  BOOST_TEST((setting.token().state == manager::TokenState::retired));
  BOOST_TEST(setting.certificates("active").empty());
  if (!setting.is_card()) return;
  // A new card holder's identifier goes with a reset, and with it the serial number that a card without FASC-N has.
  const auto blank = must(must(setting.tokens->open(must(setting.tokens->list({setting.kind})).at(0)))->describe());
  BOOST_TEST(blank.factory.admin_key.value_or(true));
  for (const auto& container : blank.containers) BOOST_TEST(container.certificate.empty(), container.name);
}
