#include "domain/requests.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/certificate_policy.h"
#include "domain/job_kinds.h"
#include "domain/journal.h"
#include "domain/journal_parts.h"
#include "domain/revocation.h"
#include "domain/time_seen.h"

namespace cardea::manager {

namespace {

constexpr std::array<std::string_view, 5> everyday_reasons = {"", "lost", "damaged", "forgotten", "left"};
constexpr auto uncollected_after = std::chrono::days(30);

std::string subject(Id request) {
  return fmt::format("request:{}", request);
}

bool among(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Whether the profile lets this actor's roles do it.
Status check_roles(const Actor& actor, const std::vector<std::string>& allowed, std::string_view what) {
  if (allowed.empty() || among(actor.roles, "manager")) return {};
  for (const auto& role : actor.roles)
    if (among(allowed, role)) return {};
  return error(Code::permission_denied,
               fmt::format("the credential profile lets only these roles {}: {}", what, fmt::join(allowed, ", ")));
}

// The token's states in which a kind makes sense; `event` is checked against lifecycle.def.
Status check_token_state(const Token& token, std::string_view kind) {
  const bool live = token.state == TokenState::issued;
  if (kind == "disable") return after(token.state, "disable").ok() ? Status() : after(token.state, "disable").error();
  if (kind == "enable") return after(token.state, "enable").ok() ? Status() : after(token.state, "enable").error();
  if (kind == "cancel") return after(token.state, "cancel").ok() ? Status() : after(token.state, "cancel").error();
  if (kind == "retire") return after(token.state, "retire").ok() ? Status() : after(token.state, "retire").error();
  if (kind == "replace" && (token.state == TokenState::cancelled || token.state == TokenState::disabled)) return {};
  if (live) return {};
  return error(Code::action_prohibited,
               fmt::format("the token is {}; only an issued one can be used for '{}'", name(token.state), kind));
}

// Devices that the person holds under the profile.
Status check_device_limit(Transaction& store, const Person& person, const Profile& profile, const ProfileRules& rules) {
  if (rules.devices_per_person == 0) return {};
  Filter filter;
  filter.person = person.id;
  filter.limit = 1000;
  CARDEA_ASSIGN(const auto tokens, store.tokens(filter));
  const auto held = std::count_if(tokens.items.begin(), tokens.items.end(), [&](const Token& token) {
    return token.profile == profile.id && (token.state == TokenState::assigned || token.state == TokenState::issued ||
                                           token.state == TokenState::disabled);
  });
  if (static_cast<std::uint32_t>(held) < rules.devices_per_person) return {};
  return error(Code::action_prohibited,
               fmt::format("{} holds {} of the {} devices that '{}' allows: replace or cancel one", person.name, held,
                           rules.devices_per_person, profile.name));
}

// A decryption key that is on the token and nowhere else would be lost with it.
Status check_nothing_lost(Transaction& store, const Token& token, const json::object& parameters) {
  if (journal::flag_of(parameters, "destroy_unarchived")) return {};
  Filter filter;
  filter.token = token.id;
  filter.limit = 1000;
  CARDEA_ASSIGN(const auto certificates, store.certificates(filter));
  for (const auto& certificate : certificates.items) {
    if (certificate.container != "encryption" || certificate.archived_key || certificate.public_key_hash.empty())
      continue;
    CARDEA_ASSIGN(const auto archived, store.archived_key_by_public_key(certificate.public_key_hash));
    if (archived || certificate.state == CertificateState::rejected) continue;
    return error(
        Code::action_prohibited,
        fmt::format("the decryption key of certificate {} is on this token only and would be lost with all that "
                    "was encrypted to it; say destroy_unarchived to do it nevertheless",
                    certificate.serial));
  }
  return {};
}

Status check_reason(std::string_view reason) {
  if (std::find(everyday_reasons.begin(), everyday_reasons.end(), reason) != everyday_reasons.end()) return {};
  if (auto known = revocation_reason(reason); !known)
    return error(Code::arguments_bad, "/reason: lost, damaged, forgotten, left, or: " + known.error().detail);
  return {};
}

// Who may ask: operators with the right, persons for themselves where the profile says so.
Status check_asker(const Actor& actor, const JobKind& kind, const Person& person, const ProfileRules& rules) {
  if (actor.operator_id || among(actor.roles, "manager")) {
    CARDEA_TRY(require(actor, kind.right, person));
    return check_roles(actor, rules.may_request, "ask for it");
  }
  if (actor.person != person.id) return error(Code::permission_denied, "a person asks for oneself only");
  if (kind.self_service && among(rules.self_service, kind.name)) return {};
  return error(Code::permission_denied,
               fmt::format("the credential profile does not let people ask for '{}' alone", kind.name));
}

Status find_token_and_profile(Transaction& store, const NewRequest& wanted, const Person& person, const JobKind& kind,
                              Request& request, ProfileRules& rules) {
  std::optional<Profile> profile;
  if (kind.name == "issue" || (kind.name == "recover" && !wanted.token)) {
    if (!wanted.profile.empty() || kind.name == "issue") {
      auto found = store.profile_by_name(wanted.profile);
      if (!found && found.code() != Code::not_found) return std::move(found).error();
      if (!found || !found->enabled)
        return error(Code::arguments_bad,
                     fmt::format("/profile: there is no credential profile '{}' in use", wanted.profile));
      profile = std::move(*found);
    }
  } else {
    if (!wanted.token) return error(Code::arguments_bad, fmt::format("/token: '{}' needs a token", kind.name));
    CARDEA_ASSIGN(const Token token, store.token(*wanted.token));
    if (token.person != person.id)
      return error(Code::arguments_bad, fmt::format("/token: this token is not one of {}", person.name));
    CARDEA_TRY(check_token_state(token, kind.name));
    if (kind.name == "retire") CARDEA_TRY(check_nothing_lost(store, token, wanted.parameters));
    request.token = token.id;
    if (token.profile) {
      CARDEA_ASSIGN(profile, store.profile(*token.profile));
    }
  }
  if (profile) {
    request.profile = profile->id;
    CARDEA_ASSIGN(rules, read_profile(profile->document));
    if (kind.name == "issue") CARDEA_TRY(check_device_limit(store, person, *profile, rules));
  }
  return {};
}

Status check_parameters(const NewRequest& wanted) {
  if (wanted.kind == "recover") {
    const std::string to = journal::text_of(wanted.parameters, "to");
    if (to != "token" && to != "pkcs12") return error(Code::arguments_bad, "/parameters/to: must be token or pkcs12");
    if (to == "token" && !wanted.token)
      return error(Code::arguments_bad, "/token: recovery onto a token needs the token");
    const json::value* keys = wanted.parameters.if_contains("keys");
    const bool fine = keys == nullptr ||
                      (keys->is_string() && (keys->get_string() == "all" || keys->get_string() == "latest")) ||
                      (keys->is_array() && keys->get_array().size() <= 100 &&
                       std::all_of(keys->get_array().begin(), keys->get_array().end(),
                                   [](const json::value& one) { return one.is_int64(); }));
    if (!fine)
      return error(Code::arguments_bad, "/parameters/keys: must be all, latest, or a list of numbers of archived keys");
  }
  return check_reason(wanted.reason);
}

// How many other operators have to agree: two for every recovery, whatever the profile says (K4); one at least where a
// certificate policy wants what it issues validated (C1).
constexpr std::uint32_t recovery_approvals = 2;

// A new token that is to have the person's former keys is a recovery of them.
Result<bool> brings_former_keys(Transaction& store, const Request& request, const ProfileRules& rules) {
  if ((request.kind != "issue" && request.kind != "replace") || rules.history_depth == 0) return false;
  CARDEA_ASSIGN(const auto keys, key_history(store, request.person, 1));
  return !keys.empty();
}

Result<std::uint32_t> approvals_for(Transaction& store, std::string_view kind, const ProfileRules& rules) {
  if (kind == "recover") return recovery_approvals;
  std::uint32_t needed = kind == "issue" || kind == "replace" ? rules.approvals : 0;
  for (const auto& rule : rules.certificates) {
    if (!issues_certificates(kind) || rule.policy.empty()) continue;
    CARDEA_ASSIGN(const CertificatePolicy policy, store.policy_by_name(rule.policy));
    CARDEA_ASSIGN(const PolicyRules policy_rules, read_policy(policy.document));
    if (policy_rules.requires_validation) needed = std::max<std::uint32_t>(needed, 1);
  }
  return needed;
}

// An open request for the same thing makes a second one a mistake.
Status check_no_other(Transaction& store, const Request& request) {
  if (!request.token) return {};
  Filter filter;
  filter.token = request.token;
  filter.kind = request.kind;
  filter.limit = 1000;
  CARDEA_ASSIGN(const auto others, store.requests(filter));
  for (const auto& other : others.items)
    if (other.state == RequestState::pending || other.state == RequestState::approved ||
        other.state == RequestState::collecting)
      return error(Code::action_prohibited, fmt::format("request {} for the same is {}", other.id, name(other.state)));
  return {};
}

Right right_to_decide(const Request& request) {
  return request.kind == "recover" || request.parameters.contains(former_keys) ? Right::recovery_approve
                                                                               : Right::request_approve;
}

}  // namespace

Result<Request> create_request(const Ports& ports, const Actor& actor, const NewRequest& wanted) {
  const JobKind* kind = job_kind(wanted.kind);
  if (kind == nullptr)
    return error(Code::arguments_bad, fmt::format("/kind: '{}' is nothing that can be asked for", wanted.kind));
  CARDEA_TRY(check_parameters(wanted));
  Request request;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    request = Request();
    ProfileRules rules;
    auto person = store.person(wanted.person);
    if (!person && person.code() == Code::not_found)
      return error(Code::arguments_bad, "/person: there is no such person");
    if (!person) return std::move(person).error();
    if (!person->enabled && issues_certificates(kind->name))
      return error(Code::action_prohibited, fmt::format("{} is disabled and gets no credentials", person->name));
    CARDEA_TRY(find_token_and_profile(store, wanted, *person, *kind, request, rules));
    CARDEA_TRY(check_asker(actor, *kind, *person, rules));
    request.kind = wanted.kind;
    request.person = person->id;
    request.requested_by = actor.operator_id;
    request.reason = wanted.reason;
    request.parameters = wanted.parameters;
    CARDEA_TRY(check_no_other(store, request));
    CARDEA_ASSIGN(request.approvals_needed, approvals_for(store, kind->name, rules));
    request.parameters.erase(former_keys);
    CARDEA_ASSIGN(const bool recovers, brings_former_keys(store, request, rules));
    if (recovers) {
      request.parameters[former_keys] = true;
      request.approvals_needed = std::max(request.approvals_needed, recovery_approvals);
    }
    request.created = request.updated = ports.clock.now();
    request.state = request.approvals_needed == 0 ? RequestState::approved : RequestState::pending;
    CARDEA_ASSIGN(request.id, store.insert(request));
    CARDEA_TRY(
        audit(store, actor, request.created, AuditAction::request_made, subject(request.id),
              {{"kind", request.kind}, {"person", request.person}, {"state", std::string(name(request.state))}}));
    if (request.state == RequestState::approved && !kind->needs_agent)
      if (auto job = journal::start_job(store, ports, request); !job) return std::move(job).error();
    return {};
  }));
  return request;
}

Result<Request> approve_request(const Ports& ports, const Actor& actor, Id id, std::string comment) {
  Request request;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(request, store.request(id));
    CARDEA_ASSIGN(const Person person, store.person(request.person));
    const bool recovery = request.kind == "recover";
    CARDEA_TRY(require(actor, right_to_decide(request), person));
    if (!actor.operator_id) return error(Code::permission_denied, "only an operator approves");
    if (request.profile && !recovery) {
      CARDEA_ASSIGN(const Profile profile, store.profile(*request.profile));
      CARDEA_ASSIGN(const ProfileRules rules, read_profile(profile.document));
      CARDEA_TRY(check_roles(actor, rules.may_approve, "approve it"));
    }
    if (request.requested_by == actor.operator_id)
      return error(Code::permission_denied, "nobody approves one's own request: it takes another operator");
    if (actor.person == request.person)
      return error(Code::permission_denied, "nobody approves what is done for oneself: it takes another operator");
    for (const auto& earlier : request.approvals)
      if (earlier.operator_id == *actor.operator_id)
        return error(Code::action_prohibited, "you have approved it already: it takes another operator");
    CARDEA_ASSIGN(const RequestState approved, after(request.state, "approve"));
    request.updated = ports.clock.now();
    request.approvals.push_back({*actor.operator_id, request.updated, comment});
    if (request.approvals.size() >= request.approvals_needed) request.state = approved;
    CARDEA_TRY(store.update(request));
    CARDEA_TRY(audit(store, actor, request.updated, AuditAction::request_approved, subject(id),
                     {{"approvals", request.approvals.size()}, {"needed", request.approvals_needed}}));
    const JobKind* kind = job_kind(request.kind);
    if (request.state == RequestState::approved && kind != nullptr && !kind->needs_agent)
      if (auto job = journal::start_job(store, ports, request); !job) return std::move(job).error();
    return {};
  }));
  return request;
}

Result<Request> reject_request(const Ports& ports, const Actor& actor, Id id, std::string comment) {
  Request request;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(request, store.request(id));
    CARDEA_ASSIGN(const Person person, store.person(request.person));
    CARDEA_TRY(require(actor, right_to_decide(request), person));
    CARDEA_ASSIGN(request.state, after(request.state, "reject"));
    request.updated = ports.clock.now();
    CARDEA_TRY(store.update(request));
    return audit(store, actor, request.updated, AuditAction::request_rejected, subject(id), {{"comment", comment}});
  }));
  return request;
}

Result<Request> cancel_request(const Ports& ports, const Actor& actor, Id id) {
  Request request;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(request, store.request(id));
    CARDEA_ASSIGN(const Person person, store.person(request.person));
    const JobKind* kind = job_kind(request.kind);
    const bool own = !actor.operator_id && actor.person == request.person;
    if (!own) CARDEA_TRY(require(actor, kind == nullptr ? Right::request_create : kind->right, person));
    CARDEA_ASSIGN(request.state, after(request.state, "cancel"));
    request.updated = ports.clock.now();
    request.code_check.clear();
    CARDEA_TRY(store.update(request));
    // At once with its job: one whose request has ended could neither go on nor end.
    if (request.job)
      CARDEA_TRY(
          journal::give_up(store, ports, *request.job, fmt::format("the request was withdrawn ({})", actor.name)));
    return audit(store, actor, request.updated, AuditAction::request_cancelled, subject(id));
  }));
  return request;
}

Result<IssuedCode> make_code(const Ports& ports, const Actor& actor, Id id) {
  CodeRules rules;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(const Request request, store.request(id));
    CARDEA_ASSIGN(const Person person, store.person(request.person));
    const JobKind* kind = job_kind(request.kind);
    if (kind == nullptr || !kind->needs_agent)
      return error(Code::action_prohibited,
                   fmt::format("'{}' is done by the manager alone and needs no code", request.kind));
    CARDEA_TRY(require(actor, kind->right, person));
    if (request.state != RequestState::approved && request.state != RequestState::collecting)
      return error(Code::action_prohibited,
                   fmt::format("the request is {}; only an approved one can be collected", name(request.state)));
    if (!request.profile) return {};
    CARDEA_ASSIGN(const Profile profile, store.profile(*request.profile));
    CARDEA_ASSIGN(const ProfileRules profile_rules, read_profile(profile.document));
    rules = profile_rules.code;
    const auto& allowed = request.kind == "unblock" ? profile_rules.may_unblock : profile_rules.may_collect;
    if (actor.operator_id) CARDEA_TRY(check_roles(actor, allowed, "hand out a code for it"));
    return {};
  }));
  CARDEA_ASSIGN(const SecretBytes code, random_code(rules));
  CARDEA_ASSIGN(const Bytes check, code_check(ports.keys, id, code));
  IssuedCode issued{displayed_code(id, code), {}};
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(Request request, store.request(id));
    if (request.state != RequestState::approved && request.state != RequestState::collecting)
      return error(Code::action_prohibited, fmt::format("the request is {} meanwhile", name(request.state)));
    request.updated = ports.clock.now();
    // By the time that it is judged by, or it would be of no use while the clock is behind.
    CARDEA_ASSIGN(const Time latest, latest_time(store, ports.clock));
    issued.expires = latest + std::chrono::hours(rules.valid_hours);
    request.code_check = check;
    request.code_expires = issued.expires;
    request.code_attempts = 0;
    CARDEA_TRY(store.update(request));
    if (request.job) {
      // Whoever gets the new code goes on with the job, on whichever machine.
      CARDEA_ASSIGN(Job job, store.job(*request.job));
      job.agent_check.clear();
      CARDEA_TRY(store.update(job));
    }
    return audit(store, actor, request.updated, AuditAction::code_made, subject(id));
  }));
  return issued;
}

namespace {

// What somebody began and left lying: certificates that were issued for it are on no token that is known to work.
Status give_up_left_jobs(const Ports& ports) {
  return ports.store.transact([&](Transaction& store) -> Status {
    const Time latest = ports.clock.now() - uncollected_after;
    // By state alone, and so oldest first: in the order of time everything that ever was would be looked through.
    Filter filter;
    filter.state = name(JobState::waiting);
    filter.limit = 100;
    do {
      CARDEA_ASSIGN(const auto page, store.jobs(filter));
      for (const Job& job : page.items) {
        if (job.created > latest) return {};
        // One that waits for a time is gone on with by the manager.
        if (job.updated > latest || job.next_attempt) continue;
        CARDEA_ASSIGN(const Request request, store.request(job.request));
        if (request.updated <= latest)
          CARDEA_TRY(journal::give_up(store, ports, job.id, "nobody went on with it for 30 days"));
      }
      filter.cursor = page.cursor;
    } while (!filter.cursor.empty());
    return {};
  });
}

}  // namespace

Result<std::size_t> expire_requests(const Ports& ports) {
  CARDEA_TRY(give_up_left_jobs(ports));
  std::size_t expired = 0;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    expired = 0;
    const Time now = ports.clock.now();
    for (const RequestState state : {RequestState::pending, RequestState::approved}) {
      Filter filter;
      filter.state = name(state);
      filter.limit = 100;
      CARDEA_ASSIGN(auto oldest, store.requests(filter));
      for (auto& request : oldest.items) {
        if (request.created > now - uncollected_after) break;
        CARDEA_ASSIGN(request.state, after(request.state, "expire"));
        request.updated = now;
        request.code_check.clear();
        CARDEA_TRY(store.update(request));
        CARDEA_TRY(audit(store, manager_actor(), now, AuditAction::request_expired, subject(request.id)));
        ++expired;
      }
    }
    return {};
  }));
  return expired;
}

}  // namespace cardea::manager
