#include "domain/agent_contact.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/random.h"
#include "domain/agent_opening.h"
#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "domain/job_kinds.h"
#include "domain/key_proof.h"
#include "domain/profile.h"

namespace cardea::manager {

namespace {

constexpr auto nonce_lifetime = std::chrono::minutes(5);
constexpr auto ticket_lifetime = std::chrono::hours(12);
constexpr std::size_t seal_size = 16;
constexpr std::size_t longest_sealed = 256;
constexpr std::string_view nonce_label = "agent-nonce";
constexpr std::string_view ticket_label = "agent-ticket";

Error denied(std::string text) {
  return error(Code::permission_denied, std::move(text));
}

// Text that we gave out and know again, without keeping it: any daemon on the same key token can.
Result<std::string> seal_of(const Ports& ports, std::string_view label, std::string_view text) {
  CARDEA_ASSIGN(const SecretBytes seal,
                ports.keys.derive(manager_key::one_time_codes, label, view_of(text), seal_size));
  return to_hex(seal.view());
}

Result<std::string> sealed(const Ports& ports, std::string_view label, std::string text) {
  CARDEA_ASSIGN(const std::string seal, seal_of(ports, label, text));
  return text + "." + seal;
}

struct Unsealed {
  std::string word;
  Time expires = {};
};

// "word-seconds.seal"
Result<Unsealed> unsealed(const Ports& ports, std::string_view label, std::string_view text) {
  const auto wrong = [] { return denied("the agent's proof or ticket is not one of ours; ask again"); };
  const auto point = text.find('.');
  const auto hyphen = text.find('-');
  if (text.size() > longest_sealed || point == text.npos || hyphen == text.npos || hyphen > point) return wrong();
  const std::string_view content = text.substr(0, point);
  CARDEA_ASSIGN(const std::string seal, seal_of(ports, label, content));
  if (!equal_in_constant_time(view_of(seal), view_of(text.substr(point + 1)))) return wrong();
  Unsealed found{std::string(content.substr(0, hyphen)), {}};
  std::int64_t seconds = 0;
  const std::string_view number = content.substr(hyphen + 1);
  if (std::from_chars(number.data(), number.data() + number.size(), seconds).ec != std::errc()) return wrong();
  found.expires = Time(std::chrono::seconds(seconds));
  if (found.expires <= ports.clock.now()) return denied("the agent's proof or ticket is too old; ask again");
  return found;
}

std::string until(const Ports& ports, std::chrono::seconds lifetime) {
  return fmt::format("{}", (ports.clock.now() + lifetime).time_since_epoch().count());
}

// The certificate's row, whichever of our authorities issued it.
Result<Certificate> row_of(Transaction& store, ByteView der, const std::string& serial) {
  Filter every;
  every.limit = 1000;
  CARDEA_ASSIGN(const auto authorities, store.cas(every));
  for (const CaRecord& ca : authorities.items) {
    auto row = store.certificate_by_serial(ca.id, serial);
    if (!row && row.code() != Code::not_found) return row;
    if (row && same_bytes(row->der, der)) return row;
  }
  return denied("this certificate was not issued by this manager");
}

struct Holder {
  Certificate certificate;
  Token token;
  Person person;
};

// Whoever has a decryption key from the archive, or a card without its PIN, is not the holder.
bool identifies(const Certificate& row) {
  return !row.archived_key && (row.container == "authentication" || row.container == "signature");
}

Result<Holder> holder_of(Transaction& store, const Ports& ports, Certificate row) {
  // In the middle of a renewal the token has the new certificate, which is active only once its key was proved.
  const bool good = row.state == CertificateState::active || row.state == CertificateState::issued;
  if (!good || !row.not_after || *row.not_after <= ports.clock.now())
    return denied("the token's certificate is not active");
  if (!row.token || !row.person || !identifies(row))
    return denied("this certificate does not identify the holder of a token");
  Holder holder{std::move(row), {}, {}};
  CARDEA_ASSIGN(holder.token, store.token(*holder.certificate.token));
  CARDEA_ASSIGN(holder.person, store.person(*holder.certificate.person));
  if (holder.token.state != TokenState::issued || holder.token.person != holder.certificate.person)
    return denied(fmt::format("the token {} is {}", holder.token.serial, name(holder.token.state)));
  if (!holder.person.enabled) return denied("the token's person is disabled");
  return holder;
}

Result<std::optional<WaitingJob>> waiting(Transaction& store, const Holder& holder, const Request& request) {
  const JobKind* kind = job_kind(request.kind);
  if (kind == nullptr || !kind->needs_agent || request.person != holder.person.id || !request.profile)
    return std::optional<WaitingJob>();
  if (request.job) {
    CARDEA_ASSIGN(const Job job, store.job(*request.job));
    if (job.state != JobState::ready && job.state != JobState::waiting) return std::optional<WaitingJob>();
  }
  CARDEA_ASSIGN(const Profile profile, store.profile(*request.profile));
  CARDEA_ASSIGN(const ProfileRules rules, read_profile(profile.document));
  const auto& allowed = rules.without_code;
  if (std::find(allowed.begin(), allowed.end(), request.kind) == allowed.end()) return std::optional<WaitingJob>();
  const std::string& who = holder.person.display_name.empty() ? holder.person.name : holder.person.display_name;
  return std::optional(
      WaitingJob{request.id, request.kind, fmt::format(fmt::runtime(std::string(kind->words)), profile.name, who)});
}

Result<std::vector<WaitingJob>> jobs_for(Transaction& store, const Holder& holder) {
  std::vector<WaitingJob> jobs;
  for (const RequestState state : {RequestState::approved, RequestState::collecting}) {
    Filter filter;
    filter.token = holder.token.id;
    filter.state = name(state);
    filter.limit = 1000;
    CARDEA_ASSIGN(const auto page, store.requests(filter));
    for (const Request& request : page.items) {
      CARDEA_ASSIGN(auto job, waiting(store, holder, request));
      if (job) jobs.push_back(std::move(*job));
    }
  }
  // What was begun goes on first; otherwise in the order it was asked for.
  std::sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.request < b.request; });
  return jobs;
}

// Whoever can sign holds the key; whether that says anything follows from the certificate's row.
Result<CertificateFacts> check_proof(const Ports& ports, const ContactProof& proof) {
  CARDEA_TRY(unsealed(ports, nonce_label, proof.nonce));
  auto facts = certificate_facts(proof.certificate);
  if (!facts) return denied("the proof holds no certificate");
  if (!check_key_proof(facts->spki, proof.mechanism, contact_message(proof.nonce), proof.signature))
    return denied("the proof is not signed by the certificate's key");
  return facts;
}

Result<Holder> holder_by_proof(Transaction& store, const Ports& ports, const ContactProof& proof,
                               const CertificateFacts& facts) {
  CARDEA_ASSIGN(Certificate row, row_of(store, proof.certificate, facts.serial));
  return holder_of(store, ports, std::move(row));
}

}  // namespace

Result<std::string> contact_nonce(const Ports& ports) {
  Bytes random(16);
  CARDEA_TRY(crypto::random_bytes(random));
  return sealed(ports, nonce_label, to_hex(random) + "-" + until(ports, nonce_lifetime));
}

Bytes contact_message(std::string_view nonce) {
  const std::string text = "cardea agent contact\n" + std::string(nonce);
  return to_bytes(view_of(text));
}

Result<Contact> make_contact(const Ports& ports, const ContactProof& proof) {
  CARDEA_ASSIGN(const CertificateFacts facts, check_proof(ports, proof));
  Contact contact;
  Id certificate = 0;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const Holder holder, holder_by_proof(store, ports, proof, facts));
    contact.token_kind = holder.token.kind;
    contact.token_serial = holder.token.serial;
    certificate = holder.certificate.id;
    CARDEA_ASSIGN(contact.jobs, jobs_for(store, holder));
    return {};
  }));
  CARDEA_ASSIGN(contact.ticket,
                sealed(ports, ticket_label, fmt::format("{}-{}", certificate, until(ports, ticket_lifetime))));
  return contact;
}

Result<Contact> renew_contact(const Ports& ports, std::string_view ticket) {
  CARDEA_ASSIGN(const Unsealed known, unsealed(ports, ticket_label, ticket));
  Id certificate = 0;
  std::from_chars(known.word.data(), known.word.data() + known.word.size(), certificate);
  Contact contact;
  contact.ticket = ticket;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(Certificate row, store.certificate(certificate));
    CARDEA_ASSIGN(const Holder holder, holder_of(store, ports, std::move(row)));
    contact.token_kind = holder.token.kind;
    contact.token_serial = holder.token.serial;
    CARDEA_ASSIGN(contact.jobs, jobs_for(store, holder));
    return {};
  }));
  return contact;
}

Result<AgentSession> open_contact_session(const Ports& ports, const ContactProof& proof, Id request,
                                          std::string_view resume, std::string_view host) {
  CARDEA_ASSIGN(const CertificateFacts facts, check_proof(ports, proof));
  CARDEA_ASSIGN(const SecretBytes fresh, fresh_session_secret());
  Opening opening;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    opening = Opening();
    CARDEA_ASSIGN(const Holder holder, holder_by_proof(store, ports, proof, facts));
    CARDEA_ASSIGN(const auto jobs, jobs_for(store, holder));
    if (std::none_of(jobs.begin(), jobs.end(), [&](const WaitingJob& job) { return job.request == request; }))
      return error(Code::not_found, "nothing waits for this token under that number");
    CARDEA_ASSIGN(Request row, store.request(request));
    CARDEA_TRY(take_job(store, ports, row, resume, fresh, opening));
    if (opening.refusal) return {};
    CARDEA_TRY(describe_session(store, opening.session));
    return audit(store, agent_actor(host), ports.clock.now(), AuditAction::contact_session,
                 fmt::format("request:{}", request),
                 {{"job", opening.session.job}, {"token", holder.token.id}, {"certificate", holder.certificate.id}});
  }));
  if (opening.refusal) return std::move(*opening.refusal);
  opening.session.secret = fresh.copy();
  return std::move(opening.session);
}

}  // namespace cardea::manager
