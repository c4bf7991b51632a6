// An authority for tests of the domain: certificates of the right shape that nobody signed, and planned misbehaviour.
#pragma once

#include <map>
#include <set>

#include "crypto/key_der.h"
#include "domain/ca_connector.h"
#include "domain/key_proof.h"
#include "domain/ports.h"

namespace cardea::manager::testing {

class FakeCa : public CaConnector, public Revoker {
 public:
  /// What enrol does before it behaves: as many answers of that kind.
  int pending = 0;
  bool reject = false;
  bool wrong_key = false;
  bool can_suspend = true;
  bool dead = false;
  LocalCa* own = nullptr;  ///< set: the manager runs it itself
  /// Asked before the effect, and after it: true makes the call fail there.
  std::function<bool()> cut = [] { return false; };

  std::map<std::string, Bytes> issued;  ///< by the request's identifier
  std::map<Bytes, RevocationReason> revoked;
  std::set<Bytes> suspended;
  Time now = {};

  Status check() override { return {}; }
  Result<std::vector<CaProfile>> profiles() override { return std::vector<CaProfile>(); }
  Result<EnrolmentAnswer> enrol(const IssuanceRequest& request, IssuanceTicket&& ticket) override {
    CARDEA_TRY(ticket.spend(request.id));
    return answer(request);
  }
  Result<EnrolmentAnswer> poll(const IssuanceRequest& request, const std::string&) override { return answer(request); }
  Revoker* revoker() override { return this; }
  LocalCa* local() override { return own; }

  Result<RevocationOutcome> revoke(ByteView certificate, RevocationReason reason,
                                   std::optional<std::chrono::sys_seconds>) override {
    return change([&] { return revoked.emplace(to_bytes(certificate), reason).second; });
  }
  Result<RevocationOutcome> suspend(ByteView certificate) override {
    if (!can_suspend) return RevocationOutcome::cannot_suspend;
    return change([&] { return suspended.insert(to_bytes(certificate)).second; });
  }
  Result<RevocationOutcome> unsuspend(ByteView certificate) override {
    return change([&] { return suspended.erase(to_bytes(certificate)) > 0; });
  }

 private:
  template <class Change>
  Result<RevocationOutcome> change(Change&& apply) {
    if (dead || cut()) return error(Code::timed_out, "planned");
    const bool fresh = apply();
    if (cut()) return error(Code::timed_out, "planned");
    return fresh ? RevocationOutcome::done : RevocationOutcome::already;
  }

  Result<EnrolmentAnswer> answer(const IssuanceRequest& request) {
    if (dead || cut()) return error(Code::timed_out, "planned");
    if (reject) return EnrolmentAnswer(Rejected{"not today"});
    if (pending > 0) {
      --pending;
      return EnrolmentAnswer(Pending{"ticket " + request.id, std::nullopt});
    }
    if (!issued.contains(request.id)) {
      CARDEA_ASSIGN(const Bytes spki, key_of_request(request.csr));
      issued[request.id] = make(spki);
    }
    if (cut()) return error(Code::timed_out, "planned");
    return EnrolmentAnswer(Issued{issued[request.id], {}, request.id});
  }

  // tbsCertificate without extensions, a signature of zeros (RFC 5280, 4.1).
  Bytes make(Bytes spki) {
    using crypto::der;
    if (wrong_key) spki[spki.size() - 1] ^= 1;
    const Byte serial[] = {0x01, static_cast<Byte>(issued.size() >> 8), static_cast<Byte>(issued.size())};
    const Bytes algorithm =
        der<Bytes>(0x30, {der<Bytes>(0x06, {Bytes{0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02}})});
    const Bytes name =
        der<Bytes>(0x30, {der<Bytes>(0x31, {der<Bytes>(0x30, {der<Bytes>(0x06, {Bytes{0x55, 0x04, 0x03}}),
                                                              der<Bytes>(0x0C, {view_of("Fake")})})})});
    const Bytes validity = der<Bytes>(
        0x30, {der<Bytes>(0x17, {view_of("200101000000Z")}), der<Bytes>(0x18, {view_of("20990101000000Z")})});
    const Bytes signed_part =
        der<Bytes>(0x30, {der<Bytes>(0xA0, {Bytes{0x02, 0x01, 0x02}}), crypto::der_integer<Bytes>(serial), algorithm,
                          name, validity, name, spki});
    return der<Bytes>(0x30, {signed_part, algorithm, der<Bytes>(0x03, {Bytes{0, 0}})});
  }
};

class FakeAuthorities : public CaConnectors {
 public:
  std::shared_ptr<FakeCa> ca = std::make_shared<FakeCa>();
  Result<std::shared_ptr<CaConnector>> connector(const CaRecord&) override { return std::shared_ptr<CaConnector>(ca); }
};

}  // namespace cardea::manager::testing
