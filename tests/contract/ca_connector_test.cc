// What every connector to a certification authority must do. A kind is a row of ca_connector_kinds.def; what only a
// faulty authority does is played by a connector that answers as it is told.
#include "base/testing.h"
#include "ca/checked_connector.h"
#include "contract/ca_kit.h"

using namespace cardea;
using namespace cardea::ca_kit;
using manager::EnrolmentAnswer;
using manager::IssuanceTicket;
using manager::Issued;
using manager::Pending;
using manager::Rejected;
using manager::RevocationOutcome;
using manager::RevocationReason;

namespace {

/// An authority of one kind, as a test sees it.
class ConnectorKind {
 public:
  virtual ~ConnectorKind() = default;
  virtual manager::CaConnector& connector() = 0;
  /// A profile for people's authentication keys.
  virtual std::string profile() const = 0;
  /// What the manager's services do in their store after the authority did it.
  virtual void record_issued(ByteView certificate) = 0;
  virtual void record_ended(ByteView certificate, RevocationReason reason) = 0;
  virtual void record_unsuspended(ByteView certificate) = 0;
};

class EmbeddedKind final : public ConnectorKind {
 public:
  EmbeddedKind() : connectors_({*bench_.keys, bench_.status, bench_.clock}) {
    ca::CaCreation wanted;
    wanted.name = "contract";
    wanted.subject = "CN=Contract CA,O=Cardea Test";
    manager::CaRecord record;
    record.id = 1;
    record.name = "contract";
    record.connector = "embedded";
    record.settings = ca::write_settings(must(ca::create_root(bench_.parts(), wanted)));
    connector_ = must(connectors_.connector(record));
  }
  manager::CaConnector& connector() override { return *connector_; }
  std::string profile() const override { return "smartcard-authentication"; }
  void record_issued(ByteView certificate) override { bench_.status.issued(certificate); }
  void record_ended(ByteView certificate, RevocationReason reason) override {
    bench_.status.revoked(certificate, bench_.clock.now(), reason);
  }
  void record_unsuspended(ByteView certificate) override { bench_.status.issued(certificate); }

 private:
  Bench bench_;
  ca::Connectors connectors_;
  std::shared_ptr<manager::CaConnector> connector_;
};

template <class Use>
void with_each_kind(Use use) {
#define CARDEA_CONNECTOR_KIND(name, type)   \
  BOOST_TEST_CONTEXT("connector " << #name) \
  use(*std::make_unique<type>());
#include "contract/ca_connector_kinds.def"
#undef CARDEA_CONNECTOR_KIND
}

manager::IssuanceRequest wish(const ConnectorKind& kind, const Holder& holder) {
  auto request = request_for(kind.profile(), holder.request("CN=Requested"));
  request.subject = "CN=Ana Archer,O=Cardea Test";
  request.alternative_names = {{{manager::AlternativeName::Kind::rfc822, "ana@example.org"}}};
  return request;
}

template <class Answer>
const Answer& is(const Result<EnrolmentAnswer>& answer) {
  BOOST_REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? std::string() : describe(answer.error())));
  BOOST_REQUIRE(std::holds_alternative<Answer>(*answer));
  return std::get<Answer>(*answer);
}

/// Answers as it is told, whatever is asked.
class ToldConnector final : public manager::CaConnector, public manager::Revoker {
 public:
  Result<EnrolmentAnswer> next = Code::timed_out;
  Result<RevocationOutcome> revocation = RevocationOutcome::done;
  int revocations = 0;

  Status check() override { return {}; }
  Result<std::vector<manager::CaProfile>> profiles() override { return std::vector<manager::CaProfile>(); }
  Result<EnrolmentAnswer> enrol(const manager::IssuanceRequest& request, IssuanceTicket&& ticket) override {
    CARDEA_TRY(ticket.spend(request.id));
    return next;
  }
  Result<EnrolmentAnswer> poll(const manager::IssuanceRequest& /*request*/, const std::string& /*reference*/) override {
    return next;
  }
  manager::Revoker* revoker() override { return this; }
  Result<RevocationOutcome> revoke(ByteView /*certificate*/, RevocationReason /*reason*/,
                                   std::optional<std::chrono::sys_seconds> /*invalid_since*/) override {
    ++revocations;
    return revocation;
  }
  Result<RevocationOutcome> suspend(ByteView /*certificate*/) override { return RevocationOutcome::cannot_suspend; }
  Result<RevocationOutcome> unsuspend(ByteView /*certificate*/) override { return RevocationOutcome::cannot_suspend; }
};

/// A told connector behind the check, with certificates of a real CA to tell.
struct ToldFixture {
  ToldFixture() {
    ca::CaCreation wanted;
    wanted.name = "told";
    wanted.subject = "CN=Told CA";
    ca = bench.root(wanted);
    auto inner = std::make_unique<ToldConnector>();
    told = inner.get();
    connector = ca::checked(std::move(inner), bench.clock);
    request = request_for("smartcard-authentication", holder.request("CN=Requested"));
    request.subject = "CN=Ana Archer,O=Cardea Test";
    request.alternative_names = {{{manager::AlternativeName::Kind::rfc822, "ana@example.org"},
                                  {manager::AlternativeName::Kind::upn, "ana@example.org"}}};
  }
  void tell(const manager::IssuanceRequest& other) {
    told->next = EnrolmentAnswer(Issued{issued(*ca, other), {}, "reference"});
  }
  void expect_refused(std::string_view words) {
    const Rejected& answer = is<Rejected>(last = enrol(*connector, request));
    BOOST_TEST(answer.reason.find(words) != std::string::npos, answer.reason);
  }

  Bench bench;
  Holder holder;
  std::unique_ptr<ca::EmbeddedCa> ca;
  ToldConnector* told = nullptr;
  std::unique_ptr<manager::CaConnector> connector;
  manager::IssuanceRequest request;
  Result<EnrolmentAnswer> last = Code::internal;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_certificate_is_issued_for_the_key_names_and_time_asked_for) {
  with_each_kind([](ConnectorKind& kind) {
    BOOST_TEST(kind.connector().check().ok());
    const auto profiles = must(kind.connector().profiles());
    const auto offered = std::ranges::find(profiles, kind.profile(), &manager::CaProfile::id);
    BOOST_REQUIRE((offered != profiles.end()));
    BOOST_TEST(offered->validity.count() > 0);
    const Holder holder;
    auto request = wish(kind, holder);
    request.validity = 240h;
    const auto answer = enrol(kind.connector(), request);
    const Issued& issued = is<Issued>(answer);
    BOOST_TEST(!issued.chain.empty());
    BOOST_TEST(!issued.reference.empty());
    const auto certificate = must(x509::view_certificate(issued.certificate));
    BOOST_TEST(same_bytes(certificate.key_info, holder.key_info()));
    BOOST_TEST(must(x509::name_text_of(certificate.subject)) == *request.subject);
    BOOST_TEST((certificate.not_after - certificate.not_before <= 241h));
  });
}

BOOST_AUTO_TEST_CASE(a_ticket_serves_one_request_once) {
  with_each_kind([](ConnectorKind& kind) {
    const Holder holder;
    const auto request = wish(kind, holder);
    auto ticket = IssuanceTicket::for_recorded_intent(request.id);
    BOOST_TEST(kind.connector().enrol(request, std::move(ticket)).ok());
    const auto again =
        kind.connector().enrol(request, std::move(ticket));  // NOLINT(bugprone-use-after-move): the point
    BOOST_TEST((again.code() == Code::action_prohibited));
    auto foreign = IssuanceTicket::for_recorded_intent("another");
    BOOST_TEST((kind.connector().enrol(request, std::move(foreign)).code() == Code::action_prohibited));
  });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_issued_is_rejected_in_words) {
  with_each_kind([](ConnectorKind& kind) {
    const Holder holder;
    const auto rejected = [&](const manager::IssuanceRequest& request, const char* what) {
      const auto answer = enrol(kind.connector(), request);
      BOOST_TEST_CONTEXT(what) BOOST_TEST(!is<Rejected>(answer).reason.empty());
    };
    auto request = wish(kind, holder);
    request.profile = "no-such-profile";
    rejected(request, "unknown profile");
    request = wish(kind, holder);
    request.csr[request.csr.size() - 5] ^= 1;
    rejected(request, "proof of possession");
    request = wish(kind, holder);
    request.csr.pop_back();
    rejected(request, "cut off");
    request.csr.clear();
    rejected(request, "nothing");
    request = wish(kind, holder);
    request.subject = "no name";
    rejected(request, "subject");
    request = wish(kind, holder);
    request.alternative_names = {{{manager::AlternativeName::Kind::rfc822, "no address"}}};
    rejected(request, "e-mail");
  });
}

BOOST_AUTO_TEST_CASE(certificates_end_and_ending_twice_is_success) {
  with_each_kind([](ConnectorKind& kind) {
    manager::Revoker* const revoker = kind.connector().revoker();
    if (revoker == nullptr) return;
    const Holder holder;
    const Bytes certificate = issued(kind.connector(), wish(kind, holder));
    kind.record_issued(certificate);
    const auto suspended = revoker->suspend(certificate);
    BOOST_REQUIRE(suspended.ok());
    if (*suspended != RevocationOutcome::cannot_suspend) {
      kind.record_ended(certificate, RevocationReason::certificate_hold);
      BOOST_TEST((must(revoker->suspend(certificate)) == RevocationOutcome::already));
      BOOST_TEST((must(revoker->unsuspend(certificate)) == RevocationOutcome::done));
      kind.record_unsuspended(certificate);
      BOOST_TEST((must(revoker->unsuspend(certificate)) == RevocationOutcome::already));
    }
    BOOST_TEST((must(revoker->revoke(certificate, RevocationReason::key_compromise, {})) == RevocationOutcome::done));
    kind.record_ended(certificate, RevocationReason::key_compromise);
    BOOST_TEST((must(revoker->revoke(certificate, RevocationReason::superseded, {})) == RevocationOutcome::already));
    BOOST_TEST(!revoker->unsuspend(certificate));
    BOOST_TEST(!revoker->suspend(certificate));
  });
}

BOOST_AUTO_TEST_CASE(certificates_of_others_are_not_found) {
  Bytes foreign;
  {
    EmbeddedKind other;
    const Holder holder;
    foreign = issued(other.connector(), wish(other, holder));
  }
  with_each_kind([&](ConnectorKind& kind) {
    manager::Revoker* const revoker = kind.connector().revoker();
    if (revoker == nullptr) return;
    BOOST_TEST((revoker->revoke(foreign, RevocationReason::superseded, {}).code() == Code::not_found));
    BOOST_TEST(!revoker->revoke(Bytes{1, 2, 3}, RevocationReason::superseded, {}));
  });
}

BOOST_AUTO_TEST_CASE(an_unknown_reference_is_not_found) {
  with_each_kind([](ConnectorKind& kind) {
    const Holder holder;
    BOOST_TEST((kind.connector().poll(wish(kind, holder), "nothing").code() == Code::not_found));
  });
}

BOOST_FIXTURE_TEST_CASE(what_was_asked_for_passes_the_check, ToldFixture) {
  tell(request);
  is<Issued>(last = enrol(*connector, request));
  is<Issued>(last = connector->poll(request, "reference"));
  BOOST_TEST(told->revocations == 0);
}

BOOST_FIXTURE_TEST_CASE(pending_rejected_and_time_out_pass_the_check, ToldFixture) {
  told->next = EnrolmentAnswer(Pending{"later", 15s});
  BOOST_TEST(is<Pending>(last = enrol(*connector, request)).reference == "later");
  told->next = EnrolmentAnswer(Rejected{"no"});
  BOOST_TEST(is<Rejected>(last = connector->poll(request, "later")).reason == "no");
  told->next = Code::timed_out;
  BOOST_TEST((enrol(*connector, request).code() == Code::timed_out));
  BOOST_TEST((must(connector->revoker()->suspend({})) == RevocationOutcome::cannot_suspend));
}

BOOST_FIXTURE_TEST_CASE(another_key_subject_name_or_time_is_refused_and_taken_back, ToldFixture) {
  auto other = request;
  const Holder stranger;
  other.csr = stranger.request("CN=Requested");
  tell(other);
  expect_refused("another key");
  BOOST_TEST(told->revocations == 1);

  other = request;
  other.subject = "CN=Eve,O=Cardea Test";
  tell(other);
  expect_refused("another subject");

  other = request;
  other.alternative_names->pop_back();
  tell(other);
  expect_refused("alternative names");

  other = request;
  other.alternative_names->push_back({manager::AlternativeName::Kind::upn, "administrator@example.org"});
  tell(other);
  expect_refused("alternative names");

  request.validity = 48h;
  other = request;
  other.validity = 240h;
  tell(other);
  expect_refused("longer");
  request.validity.reset();

  tell(request);
  bench.clock.set(bench.clock.now() + 24h * 365 * 4);
  expect_refused("expired");
  BOOST_TEST(told->revocations == 6);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_certificate_is_refused, ToldFixture) {
  told->next = EnrolmentAnswer(Issued{Bytes{0x30, 0x00}, {}, "reference"});
  told->revocation = Code::timed_out;
  expect_refused("revoke the certificate 'reference'");
}

BOOST_FIXTURE_TEST_CASE(names_that_mean_the_same_are_the_same, ToldFixture) {
  auto other = request;
  other.subject = "CN=ana  archer,O=CARDEA test";
  other.alternative_names = {{{manager::AlternativeName::Kind::upn, "ana@example.org"},
                              {manager::AlternativeName::Kind::rfc822, "ana@EXAMPLE.org"}}};
  tell(other);
  is<Issued>(last = enrol(*connector, request));
}
