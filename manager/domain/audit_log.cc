#include "domain/audit_log.h"

#include <fmt/format.h>

#include <chrono>

#include <boost/json/serialize.hpp>

#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "domain/audit.h"
#include "domain/key_proof.h"

namespace cardea::manager {

namespace {

constexpr std::string_view names[] = {
#define CARDEA_AUDIT_ACTION(name, words) #name,
#include "domain/audit_actions.def"
#undef CARDEA_AUDIT_ACTION
};

constexpr std::size_t page = 1000;

// What a head's signature covers.
Bytes head_message(const AuditHead& head) {
  const std::string text = fmt::format("cardea audit head 1\n{}\n{}\n{}\n", head.number,
                                       head.at.time_since_epoch().count(), to_hex(head.hash));
  return to_bytes(view_of(text));
}

// RFC 3339 in UTC.
std::string time_text(Time at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

std::string line_of(const AuditEvent& event) {
  const json::object out = {{"number", event.number},
                            {"at", time_text(event.at)},
                            {"actor", event.actor},
                            {"action", event.action},
                            {"subject", event.subject},
                            {"detail", event.detail},
                            {"previous", to_hex(event.previous)},
                            {"hash", to_hex(event.hash)}};
  return json::serialize(out);
}

// The next events from that number on; empty at the end.
Result<std::vector<AuditEvent>> events_from(const Ports& ports, std::uint64_t number) {
  std::vector<AuditEvent> events;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(events, store.audit(number, page));
    return {};
  }));
  return events;
}

// Reads the whole log into the verdict. Answers the hash of the event with that number.
Result<Bytes> walk(const Ports& ports, AuditChain& chain, std::uint64_t number, AuditVerdict& verdict) {
  Bytes hash;
  Status right;
  while (right) {
    CARDEA_ASSIGN(const auto events, events_from(ports, chain.last() + 1));
    if (events.empty()) break;
    for (auto event = events.begin(); right && event != events.end(); ++event) {
      right = chain.take(*event);
      if (event->number == number) hash = event->hash;
    }
  }
  if (right) right = chain.end();
  verdict.events = chain.last();
  verdict.intact = right.ok();
  if (!right) verdict.problem = right.error().detail;
  return hash;
}

Status check_head(const Ports& ports, const AuditHead& head, ByteView hash_there, AuditVerdict& verdict) {
  if (!same_bytes(head.hash, hash_there)) {
    verdict.intact = false;
    verdict.problem =
        fmt::format("event {} is not the one whose hash was signed: the log was written anew", head.number);
    return {};
  }
  CARDEA_ASSIGN(const SigningKey key, ports.keys.signing_key(manager_key::audit));
  verdict.head_verified = check_key_proof(key.public_key, "ecdsa-sha256", head_message(head), head.signature).ok();
  if (verdict.head_verified) return {};
  verdict.intact = false;
  verdict.problem =
      fmt::format("the signature on the head of event {} is not by this manager's audit key", head.number);
  return {};
}

}  // namespace

std::string_view name(AuditAction action) {
  return names[static_cast<std::size_t>(action)];
}

Status audit(Transaction& store, const Actor& actor, Time now, AuditAction action, std::string subject,
             json::object detail) {
  AuditEvent event;
  event.at = now;
  event.actor = actor.name;
  event.action = name(action);
  event.subject = std::move(subject);
  event.detail = std::move(detail);
  return store.append(std::move(event));
}

Status sign_audit_head(const Ports& ports) {
  std::optional<AuditHead> last;
  std::vector<AuditEvent> events;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(last, store.last_audit_head());
    return {};
  }));
  AuditHead head;
  for (std::uint64_t from = last ? last->number + 1 : 1;; from = head.number + 1) {
    CARDEA_ASSIGN(events, events_from(ports, from));
    if (events.empty()) break;
    head.number = events.back().number;
    head.hash = events.back().hash;
  }
  if (head.number == 0) return {};
  head.at = ports.clock.now();
  CARDEA_ASSIGN(head.signature, ports.keys.sign(manager_key::audit, SignatureScheme::ecdsa_sha256, head_message(head)));
  return ports.store.transact([&](Transaction& store) { return store.put(head); });
}

Result<AuditVerdict> verify_audit_log(const Ports& ports, const Actor& actor) {
  CARDEA_TRY(require_over_all(actor, Right::audit_read));
  AuditVerdict verdict;
  std::optional<AuditHead> head;
  std::optional<AuditTail> tail;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(head, store.last_audit_head());
    CARDEA_ASSIGN(tail, store.audit_tail());
    return {};
  }));
  AuditChain chain;
  if (tail) chain.expect(std::move(*tail));
  CARDEA_ASSIGN(const Bytes at_head, walk(ports, chain, head ? head->number : 0, verdict));
  if (!verdict.intact) return verdict;
  if (head && head->number > verdict.events) {
    verdict.intact = false;
    verdict.problem =
        fmt::format("events after {} are missing: one with the number {} was signed", verdict.events, head->number);
  } else if (head) {
    CARDEA_TRY(check_head(ports, *head, at_head, verdict));
  }
  return verdict;
}

Status export_audit_log(const Ports& ports, const Actor& actor, std::uint64_t from,
                        const std::function<Status(std::string_view line)>& sink) {
  CARDEA_TRY(require_over_all(actor, Right::audit_read));
  CARDEA_TRY(ports.store.transact([&](Transaction& store) {
    return audit(store, actor, ports.clock.now(), AuditAction::audit_exported, "audit", {{"from", from}});
  }));
  for (std::uint64_t next = std::max<std::uint64_t>(from, 1);;) {
    CARDEA_ASSIGN(const auto events, events_from(ports, next));
    if (events.empty()) return {};
    for (const auto& event : events) CARDEA_TRY(sink(line_of(event)));
    next = events.back().number + 1;
  }
}

}  // namespace cardea::manager
