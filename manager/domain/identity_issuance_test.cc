// Certificates with keys that are made here: handed over, or taken back.
#include "domain/identity_issuance.h"

#include <boost/test/unit_test.hpp>

#include "domain/audit_log.h"
#include "domain/housekeeping.h"
#include "domain/local_ca.h"
#include "domain/testing/rig.h"

namespace cardea::manager {
namespace {

using testing::Rig;

// What an authority of ours is asked for beside certificates: its own, which goes along.
class OwnCa : public LocalCa {
 public:
  explicit OwnCa(Bytes certificate) : certificate_(std::move(certificate)) {}
  std::int64_t id() const override { return 1; }
  const Bytes& certificate() const override { return certificate_; }
  const std::vector<Bytes>& chain() const override { return none_; }
  Result<Bytes> make_crl(std::uint64_t, std::chrono::sys_seconds) override { return Code::function_not_supported; }
  std::chrono::seconds crl_lifetime() const override { return std::chrono::hours(24); }
  std::chrono::seconds crl_interval() const override { return std::chrono::hours(12); }
  Result<Bytes> answer_ocsp(ByteView, std::chrono::sys_seconds) override { return Code::function_not_supported; }

 private:
  Bytes certificate_;
  std::vector<Bytes> none_;
};

// A store that is gone after so many transactions.
class ShortStore : public Store {
 public:
  explicit ShortStore(Store& real) : real_(real) {}
  Status transact(const std::function<Status(Transaction&)>& work) override {
    if (left == 0) return error(Code::device_error, "planned");
    if (left > 0) --left;
    return real_.transact(work);
  }
  Status read(const std::function<Status(Transaction&)>& work) override { return real_.read(work); }
  int left = -1;  ///< negative: any number

 private:
  Store& real_;
};

struct Fixture {
  Fixture() {
    wanted.policy = "authentication";
    wanted.csr = *request_for_key(generate_decryption_key("ec:P-256")->pkcs8);
    wanted.person = rig.person.id;
    own.emplace(issue_for_csr(rig.ports, rig.admin, wanted)->der);
    rig.authorities.ca->own = &*own;
    for (auto& [id, policy] : rig.memory.state.policies_rows) policy.document["archive_keys"] = true;
  }
  Result<IssuedIdentity> issue() { return issue_identity(ports, rig.admin, wanted, "ec:P-256"); }

  Rig rig;
  ShortStore store{rig.memory};
  Ports ports{store, rig.keys, rig.authorities, rig.clock};
  CsrIssuance wanted;
  std::optional<OwnCa> own;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(identity_issuance_suite, Fixture)

BOOST_AUTO_TEST_CASE(it_is_live_archived_and_audited) {
  const auto identity = issue();
  BOOST_REQUIRE_MESSAGE(identity.ok(), (identity ? "" : describe(identity.error())));
  BOOST_TEST((identity->certificate.state == CertificateState::active));
  BOOST_TEST(identity->pkcs12.size() > 0U);
  const Certificate& row = rig.memory.state.certificates_rows.at(identity->certificate.id);
  BOOST_TEST((row.state == CertificateState::active));
  BOOST_TEST(row.wish.empty());
  BOOST_REQUIRE(row.archived_key.has_value());
  BOOST_TEST((rig.memory.state.archived_keys_rows.at(*row.archived_key).certificate == row.id));
  const auto& events = rig.memory.state.events;
  BOOST_TEST(std::any_of(events.begin(), events.end(),
                         [](const AuditEvent& event) { return event.action == name(AuditAction::key_archived); }));
}

BOOST_AUTO_TEST_CASE(one_that_nobody_got_is_taken_back_wherever_it_was_cut_off) {
  // The intent, the answer, the handing over together with the archive.
  for (int transactions = 0; transactions < 3; ++transactions) BOOST_TEST_CONTEXT("after " << transactions) {
      Fixture fresh;
      fresh.store.left = transactions;
      BOOST_TEST(!fresh.issue().ok());
      for (int round = 0; round < 2; ++round) {
        fresh.rig.clock.at += std::chrono::minutes(10);
        const auto kept = keep_house(fresh.rig.ports);
        BOOST_REQUIRE(kept.ok());
        BOOST_TEST(!kept->failure);
      }
      BOOST_TEST(fresh.rig.certificates(CertificateState::active).size() == 1U);
      BOOST_TEST(fresh.rig.certificates(CertificateState::issued).empty());
      BOOST_TEST(fresh.rig.certificates(CertificateState::revoked).size() == (transactions < 1 ? 0U : 1U));
      BOOST_TEST(fresh.rig.orphans() == 0U);
      BOOST_TEST(fresh.rig.memory.state.archived_keys_rows.empty());
    }
  store.left = 3;
  BOOST_TEST(issue().ok());
}

BOOST_AUTO_TEST_CASE(what_the_authority_refuses_leaves_no_key_in_the_archive) {
  rig.authorities.ca->reject = true;
  BOOST_TEST((issue().code() == Code::action_prohibited));
  BOOST_TEST(rig.memory.state.archived_keys_rows.empty());
  rig.authorities.ca->reject = false;
  BOOST_TEST(issue().ok());
  BOOST_TEST(rig.memory.state.archived_keys_rows.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
