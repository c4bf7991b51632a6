#include "agent/resident_agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "agent/device_kinds.h"
#include "agent/job_memory.h"

namespace cardea::agent {
namespace {

/// The PIN that was given in this visit, so that a person types it once for the proof and the job. Gone with it.
class VisitUser final : public User {
 public:
  explicit VisitUser(User& user) : user_(user) {}

  void tell(std::string_view line) override { user_.tell(line); }
  Result<Pin> present_pin(std::string_view token, bool refused) override {
    if (refused || !pin_) {
      pin_.reset();
      confirmed_ = false;
      CARDEA_ASSIGN(pin_, user_.present_pin(token, refused));
    }
    return Pin(pin_->view());
  }
  Result<Pin> present_last_pin(std::string_view token) override {
    if (!confirmed_ || !pin_) {
      pin_.reset();
      CARDEA_ASSIGN(pin_, user_.present_last_pin(token));
      confirmed_ = true;
    }
    return Pin(pin_->view());
  }
  Result<bool> turn_to_pad(std::string_view token, bool refused, bool last) override {
    return user_.turn_to_pad(token, refused, last);
  }
  Result<Pin> new_pin(std::string_view token, std::string_view rules, std::string_view problem) override {
    pin_.reset();
    confirmed_ = false;
    return user_.new_pin(token, rules, problem);
  }
  Status show_pin(std::string_view token, const Pin& pin) override { return user_.show_pin(token, pin); }

 private:
  User& user_;
  std::optional<Pin> pin_;
  bool confirmed_ = false;  ///< it was given for the last try
};

/// Behind a proof there is the user's PIN and nothing else.
class HolderAuthority final : public Authority {
 public:
  HolderAuthority(User& user, std::string words) : user_(user), words_(std::move(words)) {}

  Result<Pin> user_pin(bool refused) override { return user_.present_pin(words_, refused); }
  Result<Pin> last_user_pin() override { return user_.present_last_pin(words_); }
  Result<bool> types_on_pad(bool refused, bool last) override { return user_.turn_to_pad(words_, refused, last); }
  Result<Bytes> answer(const AdminChallenge&, int) override { return nobody(); }
  Result<Pin> unblocking_secret() override { return nobody(); }
  Result<SecretBytes> admin_key() override { return nobody(); }

 private:
  static Error nobody() { return error(Code::user_not_logged_in, "there is no administrator here"); }

  User& user_;
  const std::string words_;
};

/// The daemon for one job: opened without a code, and left between two steps when the agent is to end.
class ContactServer final : public Server {
 public:
  using Opening = std::function<Result<AgentSession>(ByteView resume)>;
  ContactServer(Server& server, Opening opening, const std::function<bool()>& ending)
      : server_(server), opening_(std::move(opening)), ending_(ending) {}

  Result<AgentSession> open(std::string_view, ByteView resume) override { return opening_(resume); }
  Result<NextStep> next(const AgentSession& session, const std::optional<StepReport>& report) override {
    Result<NextStep> next = server_.next(session, report);
    // The step before is reported; the one that comes next is handed out again to whoever goes on.
    const bool leave = next && next->state == NextStep::State::step && ending_ && ending_();
    if (leave) return error(Code::function_canceled, "the agent is to end");
    return next;
  }
  Result<Bytes> answer(const AgentSession& session, std::uint32_t step, const AdminChallenge& challenge,
                       bool factory) override {
    return server_.answer(session, step, challenge, factory);
  }

 private:
  Server& server_;
  const Opening opening_;
  const std::function<bool()>& ending_;
};

/// In place of a code: what is remembered of a token's job is found again by it. A token has one job at a time.
std::string name_of_contact(const LocalToken& token) {
  return fmt::format("contact {} {}", token.kind, token.serial);
}

std::string words_of_token(const LocalToken& token) {
  return fmt::format("{} {}", words_of_kind(token.kind), token.serial);
}

std::string words_of_problem(const Error& problem) {
  return problem.detail.empty() ? std::string(words(problem.code)) : problem.detail;
}

/// Nobody was there, or the person did not want to.
bool is_put_off(Code code) {
  return code == Code::function_canceled || code == Code::user_not_logged_in || code == Code::pin_incorrect ||
         code == Code::pin_locked;
}

bool fits(const LocalToken& token, const std::string& wanted) {
  return wanted.empty() || token.kind == wanted || token.serial == wanted ||
         token.place.find(wanted) != std::string::npos;
}

}  // namespace

void ResidentAgent::tell_once(Known& known, const LocalToken& token, const std::string& sentence) {
  if (known.told == sentence) return;
  known.told = sentence;
  user_.tell(fmt::format("{}: {}", words_of_token(token), sentence));
}

void ResidentAgent::stay() {
  constexpr std::chrono::seconds glance{1};
  std::string seen;
  auto due = std::chrono::steady_clock::now();
  do {
    std::string there = tokens_.cards_there();
    const auto now = std::chrono::steady_clock::now();
    if (there == seen && now < due) continue;
    seen = std::move(there);
    due = now + options_.again;
    (void)round(now);  // what failed was told
  } while (options_.wait(glance));
}

bool ResidentAgent::round(std::chrono::steady_clock::time_point now) {
  bool all_done = true;
  const Result<std::vector<LocalToken>> tokens = tokens_.list(device_kinds());
  for (auto& [key, known] : known_) known.there = false;
  for (std::size_t i = 0; tokens && i < tokens->size(); ++i) {
    const LocalToken& token = (*tokens)[i];
    if (token.serial.empty() || !fits(token, options_.device)) continue;
    Known& known = known_[token.kind + " " + token.serial];
    known.there = true;
    if (known.put_off || known.due > now || (options_.ending && options_.ending())) continue;
    known.due = now + options_.again;
    all_done = visit(token, known) && all_done;
  }
  // A token that is inserted again is a new one: it is asked about at once, and its user may have come back.
  if (tokens) std::erase_if(known_, [](const auto& each) { return !each.second.there; });
  return all_done && tokens.ok();
}

bool ResidentAgent::visit(const LocalToken& token, Known& known) {
  VisitUser user(user_);
  const Status done = ask(token, known, user);
  if (done) {
    known.told.clear();
    return true;
  }
  if (done.code() == Code::not_found) return true;  // nothing on it that anybody could ask with
  const bool ends = options_.ending && options_.ending();
  if (ends) return false;
  known.put_off = is_put_off(done.code());
  tell_once(known, token, words_of_problem(done.error()));
  return false;
}

Status ResidentAgent::ask(const LocalToken& token, Known& known, User& user) {
  CARDEA_TRY(go_on(token, user));
  if (!known.ticket.empty()) {
    const Result<Contact> contact = contacts_.contact(known.ticket);
    if (contact && contact->jobs.empty()) return {};
    // Too old, or of a certificate that was replaced: the token has to prove itself again.
    if (!contact && contact.code() != Code::permission_denied) return contact.error();
    known.ticket.clear();
  }
  CARDEA_ASSIGN(const ContactProof proof, prove(token, user));
  CARDEA_ASSIGN(const Contact contact, contacts_.contact(proof));
  known.ticket = contact.ticket;
  for (const WaitingJob& job : contact.jobs) {
    user.tell(fmt::format("{}: {}", words_of_token(token), job.text));
    CARDEA_TRY(carry_out(token, proof, job, user));
  }
  return {};
}

Result<ContactProof> ResidentAgent::prove(const LocalToken& token, User& user) {
  CARDEA_ASSIGN(const std::unique_ptr<Device> device, tokens_.open(token));
  CARDEA_ASSIGN(const DeviceDescription about, device->describe());
  constexpr std::array<std::string_view, 2> containers{"authentication", "signature"};
  for (const std::string_view name : containers) {
    const auto found = std::ranges::find_if(
        about.containers, [&](const auto& each) { return each.name == name && !each.certificate.empty(); });
    if (found == about.containers.end()) continue;
    ContactProof proof;
    proof.certificate = found->certificate;
    HolderAuthority authority(user, words_of_token(token));
    // Typing may take longer than a nonce holds.
    if (about.has_pin_pad) {
      CARDEA_TRY(device->prove_user(authority));
    } else {
      CARDEA_TRY(about.user_pin.retries_left == 1 ? authority.last_user_pin() : authority.user_pin(false));
    }
    CARDEA_ASSIGN(proof.nonce, contacts_.nonce());
    CARDEA_ASSIGN(KeySignature signature,
                  device->sign(authority, found->name, Hash::none, contact_message(proof.nonce)));
    proof.mechanism = std::move(signature.mechanism);
    proof.signature = std::move(signature.signature);
    return proof;
  }
  return error(Code::not_found, "there is no certificate on the token to ask the daemon with");
}

Status ResidentAgent::carry_out(const LocalToken& token, const ContactProof& proof, const WaitingJob& job, User& user) {
  ContactServer server(
      server_, [&](ByteView resume) { return contacts_.open(proof, job.request, resume); }, options_.ending);
  return JobRunner(server, tokens_, user, runner_options(token)).collect(name_of_contact(token));
}

Status ResidentAgent::go_on(const LocalToken& token, User& user) {
  const JobMemory memory(options_.directory, options_.server, name_of_contact(token));
  const std::optional<RememberedJob> begun = memory.load();
  if (!begun || begun->job == 0) return {};
  {
    // Nobody goes on with a token whose holder is not there, though some steps would not ask.
    HolderAuthority authority(user, words_of_token(token));
    CARDEA_ASSIGN(const std::unique_ptr<Device> device, tokens_.open(token));
    CARDEA_TRY(device->prove_user(authority));
  }
  const auto same_session = [&](ByteView resume) -> Result<AgentSession> {
    AgentSession session;
    session.secret = SecretBytes(resume);
    session.job = begun->job;
    session.text = fmt::format("{}: going on with what was begun", words_of_token(token));
    session.device_kinds = {token.kind};
    return session;
  };
  ContactServer server(server_, same_session, options_.ending);
  const Status done = JobRunner(server, tokens_, user, runner_options(token)).collect(name_of_contact(token));
  if (done || (done.code() != Code::permission_denied && done.code() != Code::not_found)) return done;
  // Another agent has taken the job over, or an operator has given it a new code: it is no longer ours.
  memory.forget();
  return {};
}

RunnerOptions ResidentAgent::runner_options(const LocalToken& token) const {
  return {.server = options_.server,
          .device = token.serial,
          .directory = options_.directory,
          .attempts = options_.attempts,
          .interval = options_.interval,
          .wait = options_.wait};
}

Bytes contact_message(std::string_view nonce) {
  const std::string text = "cardea agent contact\n" + std::string(nonce);
  return to_bytes(view_of(text));
}

}  // namespace cardea::agent
