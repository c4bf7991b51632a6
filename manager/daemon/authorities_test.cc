// Authorities that cannot be made as somebody wants them.
#include "daemon/authorities.h"

#include <boost/test/unit_test.hpp>

#include "domain/store_status.h"
#include "domain/testing/memory_keys.h"
#include "domain/testing/memory_store.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

// A store on whose disk nothing fits any more, while somebody says so.
class FullStore : public testing::MemoryStore {
 public:
  Status transact(const std::function<Status(Transaction&)>& work) override {
    if (!full) return MemoryStore::transact(work);
    const Status done = after_all ? MemoryStore::transact(work) : Status();
    return done ? Status(error(Code::device_memory, "the disk is full")) : done;
  }
  bool full = false;
  bool after_all = false;  ///< what was written is there all the same
};

struct Fixture {
  CaRecord wish(std::string_view settings) {
    CaRecord wanted;
    wanted.name = "new";
    wanted.connector = "embedded";
    wanted.settings = testing::parsed(settings);
    return wanted;
  }

  FullStore store;
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

BOOST_AUTO_TEST_CASE(an_authority_that_cannot_be_stored_leaves_no_keys) {
  store.full = true;
  BOOST_TEST((authorities.create(manager_actor(), wish(R"({"subject": "CN=New"})")).code() == Code::device_memory));
  BOOST_TEST(keys.key_pairs() == 0U);
  // One that was stored although the call failed keeps its keys.
  store.after_all = true;
  BOOST_TEST(!authorities.create(manager_actor(), wish(R"({"subject": "CN=New"})")).ok());
  BOOST_TEST(keys.key_pairs() == 2U);
}

BOOST_AUTO_TEST_CASE(a_certificate_is_served_whether_its_key_is_there_or_not) {
  const auto made = authorities.create(manager_actor(), wish(R"({"subject": "CN=New"})"));
  BOOST_REQUIRE(made.ok());
  const auto served = authorities.certificate("new");
  BOOST_REQUIRE(served.ok());
  store.state.cas_rows.at(made->id).settings["key"] = "gone";
  Authorities restarted(ports, ca::ConnectorParts{keys, status, clock}, "http://localhost");
  BOOST_TEST(!restarted.local("new").ok());
  const auto again = restarted.certificate("new");
  BOOST_REQUIRE(again.ok());
  BOOST_TEST((*again == *served));
  BOOST_TEST((restarted.certificate("other").code() == Code::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
