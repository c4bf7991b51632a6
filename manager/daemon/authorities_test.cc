// Authorities that cannot be made as somebody wants them.
#include "daemon/authorities.h"

#include <boost/test/unit_test.hpp>

#include "domain/store_status.h"
#include "domain/testing/memory_keys.h"
#include "domain/testing/memory_store.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

struct Fixture {
  CaRecord wish(std::string_view settings) {
    CaRecord wanted;
    wanted.name = "new";
    wanted.connector = "embedded";
    wanted.settings = testing::parsed(settings);
    return wanted;
  }

  testing::MemoryStore store;
  testing::MemoryKeys keys;
  testing::SetClock clock;
  StoreStatus status{store};
  ca::Connectors connectors{ca::ConnectorParts{keys, status, clock}};
  Ports ports{store, keys, connectors, clock};
  Authorities authorities{ports, ca::ConnectorParts{keys, status, clock}, "http://localhost"};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(authorities_of_ours, Fixture)

BOOST_AUTO_TEST_CASE(a_wrong_profile_is_refused_before_anything_is_made) {
  const auto made = authorities.create(
      manager_actor(), wish(R"({"subject": "CN=New", "profiles": [{"id": "y", "based_on": "nothing"}]})"));
  BOOST_TEST((made.code() == Code::arguments_bad));
  BOOST_TEST(store.state.cas_rows.empty());
  BOOST_TEST(keys.key_pairs() == 0U);
  BOOST_TEST(authorities.create(manager_actor(), wish(R"({"subject": "CN=New"})")).ok());
}

BOOST_AUTO_TEST_CASE(a_wrong_profile_is_refused_where_the_certificate_is_awaited) {
  const auto waiting = authorities.create(manager_actor(), wish(R"({"subject": "CN=New", "external": true})"));
  BOOST_REQUIRE(waiting.ok());
  http::CaChange change;
  change.settings = testing::parsed(R"({"profiles": [{"id": "tls-client", "based_on": "tls-server"}]})");
  BOOST_TEST((authorities.change(manager_actor(), *waiting, change).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
