// Certificates asked for outside of jobs: what they were asked for with, kept as a document, and how often a row is
// written.
#include "domain/open_issuances.h"

#include <boost/test/unit_test.hpp>

#include "domain/archive.h"
#include "domain/authority_work.h"
#include "domain/certificates.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

// Counts how often rows of certificates are written after they were inserted.
class CountingStore : public testing::MemoryStore {
 public:
  Status transact(const std::function<Status(Transaction&)>& work) override {
    const std::lock_guard lock(counting_);
    testing::MemoryState copy = state;
    Counting transaction(copy, writes);
    CARDEA_TRY(work(transaction));
    state = std::move(copy);
    return {};
  }
  int writes = 0;

 private:
  struct Counting : testing::MemoryTransaction {
    Counting(testing::MemoryState& state, int& count) : MemoryTransaction(state), writes(count) {}
    using MemoryTransaction::update;
    Status update(const Certificate& value) override {
      ++writes;
      return MemoryTransaction::update(value);
    }
    int& writes;
  };
  std::mutex counting_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(open_issuances_suite)

BOOST_AUTO_TEST_CASE(an_issuance_writes_its_row_once_after_the_intent) {
  CountingStore counted;
  testing::Rig rig(testing::Rig::standard_profile, &counted);
  CsrIssuance wanted;
  wanted.policy = "authentication";
  wanted.csr = *request_for_key(generate_decryption_key("ec:P-256")->pkcs8);
  wanted.person = rig.person.id;
  const auto answer = issue_for_csr(rig.ports, rig.admin, wanted);
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST(counted.writes == 1);
  const Certificate& row = counted.state.certificates_rows.at(answer->id);
  BOOST_TEST((row.state == CertificateState::active && answer->state == CertificateState::active));
  BOOST_TEST(row.der == answer->der);
  BOOST_TEST(row.wish.empty());
}

BOOST_AUTO_TEST_CASE(a_wish_comes_back_as_it_was) {
  IssuanceRequest full;
  full.id = issuance_id(7);
  full.profile = "tls-server";
  full.csr = {0x30, 0x03, 0x02, 0x01, 0x00};
  full.subject = "CN=host,O=Öl & Söhne";
  full.alternative_names = {{{AlternativeName::Kind::dns, "host.example.org"}, {AlternativeName::Kind::ip, "::1"}}};
  full.extensions = {"S-1-5-21-1-2-3-4", true};
  full.validity = std::chrono::hours(48);
  IssuanceRequest bare;
  bare.id = full.id;
  bare.profile = "tls-client";
  bare.csr = full.csr;
  for (const IssuanceRequest& wanted : {full, bare}) {
    const auto back = wished_request(wish_document(wanted), 7);
    BOOST_REQUIRE(back.ok());
    BOOST_TEST(back->id == wanted.id);
    BOOST_TEST(back->profile == wanted.profile);
    BOOST_TEST((back->csr == wanted.csr));
    BOOST_TEST((back->subject == wanted.subject));
    BOOST_TEST((back->alternative_names == wanted.alternative_names));
    BOOST_TEST((back->extensions.sid == wanted.extensions.sid));
    BOOST_TEST((back->extensions.naci_pending == wanted.extensions.naci_pending));
    BOOST_TEST((back->validity == wanted.validity));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_wish_is_told) {
  BOOST_TEST((wished_request({{"profile", "x"}}, 7).code() == Code::store_corrupt));
  BOOST_TEST(!wished_request({{"csr", "MAA="}, {"alternative_names", "x"}}, 7).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
