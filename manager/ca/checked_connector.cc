#include "ca/checked_connector.h"

#include <fmt/format.h>

#include "ca/match.h"

namespace cardea::ca {
namespace {

using manager::CaConnector;
using manager::EnrolmentAnswer;
using manager::Issued;
using manager::Rejected;

class CheckedConnector final : public CaConnector {
 public:
  CheckedConnector(std::unique_ptr<CaConnector> inner, manager::Clock& clock)
      : inner_(std::move(inner)), clock_(clock) {}

  Status check() override { return inner_->check(); }
  Result<std::vector<manager::CaProfile>> profiles() override { return inner_->profiles(); }
  Result<EnrolmentAnswer> enrol(const manager::IssuanceRequest& request, manager::IssuanceTicket&& ticket) override {
    return compared(request, inner_->enrol(request, std::move(ticket)));
  }
  Result<EnrolmentAnswer> poll(const manager::IssuanceRequest& request, const std::string& reference) override {
    return compared(request, inner_->poll(request, reference));
  }
  manager::Revoker* revoker() override { return inner_->revoker(); }
  manager::KeyRecoverer* key_recoverer() override { return inner_->key_recoverer(); }
  manager::EventSource* event_source() override { return inner_->event_source(); }
  manager::LocalCa* local() override { return inner_->local(); }

 private:
  Result<EnrolmentAnswer> compared(const manager::IssuanceRequest& request, Result<EnrolmentAnswer> answer) {
    const Issued* const issued = answer ? std::get_if<Issued>(&*answer) : nullptr;
    if (issued == nullptr) return answer;
    const Status same = match_certificate(request, issued->certificate, clock_.now());
    if (same) return answer;
    return EnrolmentAnswer(Rejected{fmt::format("{}; {}", same.error().detail, take_back(*issued))});
  }

  // What became of a certificate that nobody may use.
  std::string take_back(const Issued& issued) {
    manager::Revoker* const revoker = inner_->revoker();
    if (revoker == nullptr) return fmt::format("revoke the certificate '{}' at the CA", issued.reference);
    const auto outcome =
        revoker->revoke(issued.certificate, manager::RevocationReason::cessation_of_operation, std::nullopt);
    if (outcome) return "it was revoked";
    return fmt::format("revoke the certificate '{}' at the CA, which could not be done from here: {}", issued.reference,
                       describe(outcome.error()));
  }

  std::unique_ptr<CaConnector> inner_;
  manager::Clock& clock_;
};

}  // namespace

std::unique_ptr<CaConnector> checked(std::unique_ptr<CaConnector> connector, manager::Clock& clock) {
  return std::make_unique<CheckedConnector>(std::move(connector), clock);
}

}  // namespace cardea::ca
