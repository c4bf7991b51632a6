#include "domain/journal_parts.h"

#include <fmt/format.h>

#include "crypto/digest.h"
#include "domain/job_kinds.h"
#include "x509/encoding.h"

namespace cardea::manager::journal {

namespace {

constexpr bool agent = true;
constexpr bool manager = false;
constexpr StepKind kinds[] = {
#define CARDEA_STEP(name, where, words) {#name, where, words},
#include "domain/steps.def"
#undef CARDEA_STEP
};

}  // namespace

const StepKind* step_kind(std::string_view name) {
  for (const auto& kind : kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

Result<JobView> view_job(Transaction& store, Id id) {
  JobView view;
  CARDEA_ASSIGN(view.job, store.job(id));
  CARDEA_ASSIGN(view.request, store.request(view.job.request));
  CARDEA_ASSIGN(view.person, store.person(view.request.person));
  if (view.request.profile) {
    CARDEA_ASSIGN(view.profile, store.profile(*view.request.profile));
    auto rules = read_profile(view.profile->document);
    if (rules) view.rules = std::move(*rules);
    // Taking back goes by what was done; a profile that a newer version does not take must not keep that up.
    const bool ends = view.job.state == JobState::undoing || view.job.state == JobState::failed;
    if (!rules && !ends)
      return error(rules.code(), fmt::format("the credential profile '{}' has to be mended before job {} goes on: {}",
                                             view.profile->name, id, rules.error().detail));
  }
  const auto token = view.job.token ? view.job.token : view.request.token;
  if (token) {
    CARDEA_ASSIGN(view.token, store.token(*token));
  }
  return view;
}

Result<Job> start_job(Transaction& store, const Ports& ports, Request& request) {
  JobView view;
  view.request = request;
  if (request.profile) {
    CARDEA_ASSIGN(const Profile profile, store.profile(*request.profile));
    CARDEA_ASSIGN(view.rules, read_profile(profile.document));
  }
  if (request.token) {
    CARDEA_ASSIGN(view.token, store.token(*request.token));
  }
  Job job;
  job.request = request.id;
  job.kind = request.kind;
  job.created = job.updated = ports.clock.now();
  // A replacement goes onto another token, which is not known yet.
  if (request.kind != "replace") job.token = request.token;
  append_steps(job, first_steps(view));
  CARDEA_ASSIGN(job.id, store.insert(job));
  CARDEA_ASSIGN(request.state, after(request.state, "collect"));
  request.job = job.id;
  request.updated = job.created;
  CARDEA_TRY(store.update(request));
  return job;
}

std::string decided_meanwhile(const JobView& view) {
  const JobKind* kind = job_kind(view.job.kind);
  // What withdraws a token works on withdrawn ones too; and once all is at work the rest has to be cleared away.
  if (kind == nullptr || !kind->needs_agent || view.job.kind == "retire") return "";
  if (step_before(view.job, static_cast<std::uint32_t>(view.job.steps.size()), "activate") != nullptr) return "";
  if (!view.person.enabled && issues_certificates(view.job.kind))
    return fmt::format("{} is disabled and gets no credentials", view.person.name);
  if (!view.job.token || !view.token) return "";
  const Token& token = *view.token;
  if (token.state == TokenState::assigned || token.state == TokenState::issued) return "";
  return fmt::format("the token {} was {} while the job ran", token.serial, name(token.state));
}

void append_steps(Job& job, std::vector<Step> steps) {
  for (auto& step : steps) {
    step.index = static_cast<std::uint32_t>(job.steps.size());
    job.steps.push_back(std::move(step));
  }
}

Step planned_step(std::string_view kind, json::object parameters) {
  Step step;
  step.kind = kind;
  step.parameters = std::move(parameters);
  return step;
}

const Step* step_before(const Job& job, std::uint32_t index, std::string_view kind, std::string_view container) {
  for (std::size_t i = std::min<std::size_t>(index, job.steps.size()); i-- > 0;) {
    const Step& step = job.steps[i];
    if (step.kind == kind && step.state == StepState::done &&
        (container.empty() || text_of(step.parameters, "container") == container))
      return &step;
  }
  return nullptr;
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  if (found == nullptr) return 0;
  if (found->is_int64()) return found->get_int64();
  return found->is_uint64() ? static_cast<std::int64_t>(found->get_uint64()) : 0;
}

bool flag_of(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

Bytes bytes_of(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  if (found == nullptr || !found->is_string()) return {};
  auto bytes = x509::from_base64({found->get_string().data(), found->get_string().size()});
  return bytes ? std::move(*bytes) : Bytes();
}

json::string base64(ByteView bytes) {
  return json::string(x509::to_base64(bytes));
}

json::string base64(const SecretBytes& secret) {
  std::string text = x509::to_base64(secret.view());
  json::string out(text);
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  return out;
}

Actor job_actor(const Job& job) {
  return manager_actor(fmt::format("agent:job {}", job.id));
}

}  // namespace cardea::manager::journal
