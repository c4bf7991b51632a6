// Taking a token for a job: whether it is the right one, may be used, and what follows from what it is.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "domain/audit_log.h"
#include "domain/journal_parts.h"

namespace cardea::manager::journal {

namespace {

constexpr auto another_token_after = std::chrono::seconds(10);

// What the agent told of the token last.
const json::object* told_facts(const Job& job, const Step& claim) {
  for (std::uint32_t i = claim.index; i-- > 0;) {
    const std::string& kind = job.steps[i].kind;
    if (kind == "inspect_token" || kind == "create_token" || kind == "initialise_token") return &job.steps[i].result;
  }
  return nullptr;
}

// The token that is there is not the one that is needed: the agent reads again after a while.
Outcome ask_for_another(JobView& view, const Step& claim, std::string text) {
  for (std::uint32_t i = claim.index; i-- > 0;)
    if (view.job.steps[i].kind == "inspect_token") {
      view.job.steps[i].state = StepState::planned;
      break;
    }
  return {.state = Outcome::State::waiting, .problem = std::move(text), .retry_after = another_token_after};
}

bool issues(const JobView& view) {
  return view.request.kind == "issue" || view.request.kind == "replace";
}

Outcome plan_creation(JobView& view, const std::string& kind) {
  const std::string label = view.person.display_name.empty() ? view.person.name : view.person.display_name;
  append_steps(view.job,
               {planned_step("create_token", {{"kind", kind}, {"label", label}}), planned_step("claim_token")});
  return {};
}

// Whether the request was made by the person it is for, alone or as an operator with rights over oneself.
Result<bool> asked_for_oneself(Transaction& store, const Request& request) {
  if (!request.requested_by) return true;
  CARDEA_ASSIGN(const Operator asker, store.operator_(*request.requested_by));
  return asker.person == request.person;
}

// Whose token it has to be before anybody may use it for this request (L6).
Status check_owner(Transaction& store, const JobView& view, const Token& token) {
  if (!view.rules.own_devices_only || token.person == view.person.id) return {};
  CARDEA_ASSIGN(const bool own, asked_for_oneself(store, view.request));
  if (!own) return {};
  return error(Code::action_prohibited,
               fmt::format("the {} token {} is not registered to {}: take one that is, or have an operator ask for it",
                           token.kind, token.serial, view.person.name));
}

// A blank card gets its number while it is initialised, so nobody can have registered it.
Result<Outcome> plan_initialisation(Transaction& store, JobView& view, const std::string& kind) {
  if (view.rules.registered_stock_only)
    return failed("the card is blank, so it is none that is registered as stock: initialise and register it first");
  CARDEA_ASSIGN(const bool own, asked_for_oneself(store, view.request));
  if (view.rules.own_devices_only && own)
    return failed(
        fmt::format("the card is blank, so it is not registered to {}: have an operator ask for it", view.person.name));
  append_steps(view.job, {planned_step("initialise_token", {{"kind", kind}}), planned_step("claim_token")});
  return Outcome();
}

Result<Token> find_or_add(Transaction& store, const Ports& ports, const JobView& view, const json::object& facts) {
  const std::string kind = text_of(facts, "kind");
  const std::string serial = text_of(facts, "serial");
  auto known = store.token_by_serial(kind, serial);
  if (known || known.code() != Code::not_found) return known;
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(kind));
  if (view.rules.registered_stock_only && !secrets.made)
    return error(Code::action_prohibited, fmt::format("the {} token {} is not registered as stock", kind, serial));
  Token token;
  token.kind = kind;
  token.serial = serial;
  token.card_type = text_of(facts, "card_type");
  if (factory_algorithm(kind, token.card_type).empty()) token.card_type.clear();
  if (issues(view)) CARDEA_TRY(check_owner(store, view, token));
  token.created = token.updated = ports.clock.now();
  CARDEA_ASSIGN(token.id, store.insert(token));
  CARDEA_TRY(audit(store, job_actor(view.job), token.created, AuditAction::token_registered,
                   fmt::format("token:{}", token.id), {{"kind", kind}, {"serial", serial}}));
  return token;
}

// A job that was given up after the token got its new key and before anybody knew: the same key is derived again, and
// the agent finds it there.
Result<bool> may_have_ours(Transaction& store, const Token& token) {
  Filter filter;
  filter.token = token.id;
  filter.limit = 1000;
  do {
    CARDEA_ASSIGN(const auto page, store.jobs(filter));
    for (const Job& job : page.items)
      for (const Step& step : job.steps)
        if (step.kind == "replace_admin_key" && step.attempts > 0) return true;
    filter.cursor = page.cursor;
  } while (!filter.cursor.empty());
  return false;
}

// A token whose secrets nobody here knows cannot be managed; one that was reset elsewhere has the factory's again.
Status check_secrets(Transaction& store, Token& token, const json::object& facts, const KindSecrets& secrets) {
  const json::value* factory = facts.if_contains("factory");
  const json::value* told =
      factory == nullptr || !factory->is_object() ? nullptr : factory->get_object().if_contains("admin_key");
  if (secrets.made || !secrets.admin_key || told == nullptr || !told->is_bool()) return {};
  if (told->get_bool()) {
    token.secret_version = token.puk_version = 0;
    return {};
  }
  if (token.secret_version > 0) return {};
  CARDEA_ASSIGN(const bool ours, may_have_ours(store, token));
  if (ours) return {};
  return error(
      Code::action_prohibited,
      fmt::format("the administrator's key of token {} is neither the factory's nor one of ours: reset the token",
                  token.serial));
}

// A decryption key that is on the token and not in the archive would be overwritten (the guard of docs/manager.md).
Status check_overwrite(Transaction& store, const JobView& view, const json::object& facts) {
  if (flag_of(view.request.parameters, "destroy_unarchived")) return {};
  const json::value* list = facts.if_contains("containers");
  for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->get_array().size(); ++i) {
    const json::object* one = list->get_array()[i].if_object();
    if (one == nullptr || text_of(*one, "container") != "encryption") continue;
    const Bytes spki = bytes_of(*one, "spki");
    if (spki.empty() || text_of(*one, "certificate_sha256").empty()) continue;
    CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, spki));
    CARDEA_ASSIGN(const auto archived, store.archived_key_by_public_key(hash));
    if (!archived)
      return error(
          Code::action_prohibited,
          "the token holds a decryption key that is not archived; whoever says destroy_unarchived in the request "
          "loses what was encrypted to it");
  }
  return {};
}

Status check_free(Transaction& store, const JobView& view, const Token& token) {
  for (const JobState state : {JobState::ready, JobState::waiting, JobState::undoing}) {
    Filter filter;
    filter.token = token.id;
    filter.state = name(state);
    filter.limit = 2;
    CARDEA_ASSIGN(const auto jobs, store.jobs(filter));
    for (const auto& other : jobs.items)
      if (other.id != view.job.id)
        return error(
            Code::action_prohibited,
            fmt::format("job {} works on this token already: finish it, or 'cardea job undo {}'", other.id, other.id));
  }
  return {};
}

bool promised(const Token& token, const JobView& view) {
  return token.state == TokenState::assigned && token.person == view.person.id;
}

Status assign(Token& token, const JobView& view) {
  if (!promised(token, view)) {
    auto next = after(token.state, "assign");
    if (!next)
      return error(Code::action_prohibited, fmt::format("the token {} is {}: cancel and retire it, or take another",
                                                        token.serial, name(token.state)));
    token.state = *next;
  }
  token.person = view.person.id;
  token.profile = view.request.profile;
  return {};
}

Result<Outcome> take_token(Transaction& store, const Ports& ports, JobView& view, const json::object& facts) {
  CARDEA_ASSIGN(Token token, find_or_add(store, ports, view, facts));
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(token.kind));
  CARDEA_TRY(check_free(store, view, token));
  CARDEA_TRY(check_secrets(store, token, facts, secrets));
  Outcome outcome;
  if (issues(view)) {
    CARDEA_TRY(check_owner(store, view, token));
    // One that was promised before stays so when the job is taken back.
    outcome.result[keeps_person] = promised(token, view);
    CARDEA_TRY(check_overwrite(store, view, facts));
    CARDEA_TRY(assign(token, view));
  }
  token.model = text_of(facts, "model");
  token.label = token.label.empty() ? text_of(facts, "label") : token.label;
  token.facts = facts;
  token.updated = ports.clock.now();
  CARDEA_TRY(store.update(token));
  view.token = token;
  view.job.token = token.id;
  CARDEA_ASSIGN(auto steps, steps_on_token(store, ports, view, facts));
  append_steps(view.job, std::move(steps));
  return outcome;
}

}  // namespace

Result<Outcome> claim_token(Transaction& store, const Ports& ports, JobView& view, Step& step) {
  const json::object* told = told_facts(view.job, step);
  if (told == nullptr) return Code::internal;
  const json::object facts = *told;
  const std::string kind = text_of(facts, "kind");
  const std::string serial = text_of(facts, "serial");
  if (issues(view)) {
    const auto& kinds = view.rules.device_kinds;
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
      return ask_for_another(view, step, fmt::format("The credential profile takes no tokens of kind {}", kind));
    CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(kind));
    if (serial.empty() && secrets.made) {
      if (std::string why = attestation_obstacle(ports, view.rules, kind, nullptr); !why.empty())
        return failed(std::move(why));
      return plan_creation(view, kind);
    }
    if (serial.empty() && flag_of(facts, "blank")) {
      if (std::string why = attestation_obstacle(ports, view.rules, kind, nullptr); !why.empty())
        return failed(std::move(why));
      return plan_initialisation(store, view, kind);
    }
    if (view.request.token && view.token && view.token->kind == kind && view.token->serial == serial)
      return ask_for_another(view, step, "This is the token that is to be replaced: take another one");
  } else if (!view.token || view.token->kind != kind || view.token->serial != serial) {
    return ask_for_another(view, step,
                           fmt::format("This is another token; the one that is needed has the serial number {}",
                                       view.token ? view.token->serial : ""));
  }
  if (serial.empty()) return ask_for_another(view, step, "There is no token");
  auto taken = take_token(store, ports, view, facts);
  const bool refused = !taken && (taken.code() == Code::action_prohibited || taken.code() == Code::arguments_bad ||
                                  taken.code() == Code::not_found);
  if (refused) return failed(taken.error().detail.empty() ? describe(taken.error()) : taken.error().detail);
  return taken;
}

}  // namespace cardea::manager::journal
