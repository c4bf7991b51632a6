#include "domain/open_issuances.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "domain/authority_work.h"
#include "domain/ca_retry.h"
#include "domain/certificates.h"
#include "domain/journal_parts.h"

namespace cardea::manager {

namespace {

// Longer than any call of the interface works on a certificate.
constexpr auto left_alone = std::chrono::minutes(2);
// A certificate that exists at the authority and not here could not be revoked, so asking never ends.
constexpr std::chrono::seconds after_the_schedule = std::chrono::days(1);

Error damaged(Id certificate) {
  return error(Code::store_corrupt, fmt::format("what certificate {} was asked for with cannot be read", certificate));
}

bool is_due(const Certificate& row, Time now) {
  const auto after = Time(std::chrono::seconds(journal::number_of(row.wish, "after")));
  return !row.wish.empty() && std::max(row.updated + left_alone, after) <= now;
}

// The rows to ask about, oldest first. One that is `issued` and still has its wish is not what was asked for, or did
// not reach whoever asked.
Result<std::vector<Certificate>> due_rows(const Ports& ports, std::size_t limit) {
  std::vector<Certificate> rows;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    rows.clear();
    for (const auto state : {CertificateState::requested, CertificateState::pending, CertificateState::issued}) {
      Filter filter;
      filter.state = name(state);
      filter.limit = 1000;
      do {
        CARDEA_ASSIGN(auto page, store.certificates(filter));
        for (auto& row : page.items)
          if (rows.size() < limit && is_due(row, ports.clock.now())) rows.push_back(std::move(row));
        filter.cursor = page.cursor;
      } while (!filter.cursor.empty() && rows.size() < limit);
    }
    return {};
  }));
  return rows;
}

// Notes when the authority is to be asked again.
Status put_off(const Ports& ports, Id id, std::optional<std::chrono::seconds> wanted) {
  return ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(Certificate row, store.certificate(id));
    if (row.wish.empty()) return {};
    CARDEA_ASSIGN(const CaRecord ca, store.ca(row.ca));
    CARDEA_ASSIGN(const RetrySchedule schedule,
                  RetrySchedule::parse(ca.retry_schedule.empty() ? RetrySchedule::standard
                                                                 : std::string_view(ca.retry_schedule)));
    const std::int64_t asked = journal::number_of(row.wish, "asked") + 1;
    const auto wait = schedule.wait_after(static_cast<std::size_t>(asked)).value_or(after_the_schedule);
    row.wish["asked"] = asked;
    row.wish["after"] = (ports.clock.now() + std::max(wait, wanted.value_or(wait))).time_since_epoch().count();
    return store.update(row);
  });
}

// True: settled. False: asked again later.
Result<bool> resume(const Ports& ports, const Certificate& row, std::set<Id>& silent) {
  CARDEA_ASSIGN(const IssuanceRequest wanted, wished_request(row.wish, row.id));
  bool exists_wrongly = row.state == CertificateState::issued;
  if (!exists_wrongly) {
    CARDEA_ASSIGN(const Settlement settlement,
                  settle(ports, manager_actor(), row.id, wanted,
                         [&](Transaction&, Certificate& answered, const Settlement& settled) {
                           const bool unwanted = settled.state == Settlement::State::refused ||
                                                 journal::flag_of(row.wish, not_handed_over);
                           exists_wrongly = unwanted && answered.state == CertificateState::issued;
                           return exists_wrongly ? Status() : make_live(answered, settled, ports.clock.now());
                         }));
    if (settlement.state == Settlement::State::pending) {
      if (!settlement.answered) silent.insert(row.ca);
      CARDEA_TRY(put_off(ports, row.id, settlement.retry_after));
      return false;
    }
  }
  if (!exists_wrongly) return true;
  const auto revoked = apply_at_authority(ports, manager_actor(), row.id, RevocationOrder::Action::revoke,
                                          RevocationReason::cessation_of_operation, std::nullopt);
  if (revoked && revoked->empty()) return true;
  if (!revoked) silent.insert(row.ca);
  CARDEA_TRY(put_off(ports, row.id, std::nullopt));
  return false;
}

}  // namespace

json::object wish_document(const IssuanceRequest& request) {
  json::object document = {{"profile", request.profile}, {"csr", journal::base64(request.csr)}};
  if (request.subject) document["subject"] = *request.subject;
  if (request.alternative_names) {
    json::array names;
    for (const auto& one : *request.alternative_names)
      names.push_back(json::object{{"kind", word(one.kind)}, {"value", one.value}});
    document["alternative_names"] = std::move(names);
  }
  if (request.extensions.sid) document["sid"] = *request.extensions.sid;
  if (request.extensions.naci_pending) document["naci_pending"] = *request.extensions.naci_pending;
  if (request.validity) document["validity"] = request.validity->count();
  return document;
}

Result<IssuanceRequest> wished_request(const json::object& document, Id certificate) {
  IssuanceRequest request;
  request.id = issuance_id(certificate);
  request.profile = journal::text_of(document, "profile");
  request.csr = journal::bytes_of(document, "csr");
  if (request.csr.empty()) return damaged(certificate);
  if (document.contains("subject")) request.subject = journal::text_of(document, "subject");
  if (const json::value* names = document.if_contains("alternative_names")) {
    request.alternative_names.emplace();
    if (!names->is_array()) return damaged(certificate);
    for (const auto& one : names->get_array()) {
      if (!one.is_object()) return damaged(certificate);
      CARDEA_ASSIGN(const auto kind, alternative_name_kind(journal::text_of(one.get_object(), "kind")));
      request.alternative_names->push_back({kind, journal::text_of(one.get_object(), "value")});
    }
  }
  if (document.contains("sid")) request.extensions.sid = journal::text_of(document, "sid");
  if (document.contains("naci_pending")) request.extensions.naci_pending = journal::flag_of(document, "naci_pending");
  if (document.contains("validity")) request.validity = std::chrono::seconds(journal::number_of(document, "validity"));
  return request;
}

Result<std::size_t> resume_issuances(const Ports& ports, std::size_t limit) {
  CARDEA_ASSIGN(const auto rows, due_rows(ports, limit));
  std::set<Id> silent;
  std::size_t settled = 0;
  std::optional<Error> failure;
  for (const auto& row : rows) {
    if (silent.contains(row.ca)) continue;
    auto done = resume(ports, row, silent);
    if (done) settled += *done ? 1 : 0;
    // key_changed: another daemon, or the caller who waited longer than anybody should, has settled it meanwhile. What
    // is wrong with one row keeps nobody from the others.
    if (!done && done.code() != Code::key_changed && !failure) failure = std::move(done).error();
  }
  if (failure) return std::move(*failure);
  return settled;
}

}  // namespace cardea::manager
