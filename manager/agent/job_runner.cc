#include "agent/job_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/job_memory.h"
#include "agent/token_steps.h"

namespace cardea::agent {
namespace {

/// What may be otherwise in a moment: a card that is put back, a daemon that starts again.
bool passes(Code code) {
  return code == Code::device_removed || code == Code::timed_out || code == Code::device_error ||
         code == Code::token_absent;
}

/// What stops this run, while the job itself can go on: the person gave up, or has to do something first.
bool waits_for_person(Code code) {
  switch (code) {
    case Code::function_canceled:
    case Code::user_not_logged_in:
    case Code::pin_incorrect:
    case Code::pin_locked:
    case Code::pin_length:
    case Code::pin_too_weak:
    case Code::pin_invalid:
    case Code::arguments_bad:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// One run of collect().
class JobRunner::Run {
 public:
  Run(JobRunner& runner, std::string_view code)
      : server_(runner.server_),
        user_(runner.user_),
        options_(runner.options_),
        tokens_(runner.tokens_),
        memory_(options_.directory, options_.server, code),
        history_(options_.directory) {}

  Status open(std::string_view code) {
    std::optional<RememberedJob> known = memory_.load();
    const SecretBytes resume = known ? known->session.copy() : SecretBytes();
    // A session that cannot be kept would be lost, and its code taken for as long as its lease lasts.
    const bool is_new = resume.size() == 0;
    if (is_new) CARDEA_TRY(memory_.save({}));
    Result<AgentSession> opened = patiently([&] { return server_.open(code, resume.view()); });
    if (!opened) {
      if (is_new) memory_.forget();
      return std::move(opened).error();
    }
    session_ = std::move(*opened);
    steps_.emplace(server_, session_, tokens_, user_, history_, options_.device);
    if (known && known->token) steps_->bind(*known->token);
    user_.tell(session_.text);
    return remember();
  }

  Status run() {
    std::optional<StepReport> report;
    while (true) {
      Result<NextStep> next = patiently([&] { return server_.next(session_, report); });
      if (!next) return std::move(next).error();
      report.reset();
      switch (next->state) {
        case NextStep::State::completed:
          memory_.forget();
          user_.tell(next->text);
          return {};
        case NextStep::State::failed:
          memory_.forget();
          return error(Code::function_failed, next->text);
        case NextStep::State::waiting:
          user_.tell(next->text);
          if (!options_.wait(std::max(next->retry_after, std::chrono::seconds(1)))) return Code::function_canceled;
          break;
        case NextStep::State::step: {
          report = carry_out(*next);
          CARDEA_TRY(remember());
          if (report->result || !report->retry) break;
          // The job is left where it stands; the daemon is told, but nothing depends on that.
          (void)server_.next(session_, report);
          return report->problem;
        }
      }
    }
  }

 private:
  /// Tries what may pass by itself again.
  template <class Call>
  auto patiently(Call call) -> decltype(call()) {
    for (int attempt = 0;; ++attempt) {
      auto answer = call();
      if (answer || !passes(answer.code()) || attempt == options_.attempts) return answer;
      const std::string& detail = answer.error().detail;
      user_.tell(fmt::format("{}; trying again in {} s",
                             detail.empty() ? words(answer.code()) : std::string_view(detail),
                             options_.interval.count()));
      if (!options_.wait(options_.interval)) return answer;
    }
  }

  StepReport carry_out(const NextStep& step) {
    user_.tell(step.of > 0 ? fmt::format("[{}/{}] {}", step.index + 1, step.of, step.text) : step.text);
    Result<json::object> result = patiently([&] {
      Result<json::object> outcome = steps_->run(step);
      if (!outcome && passes(outcome.code())) steps_->let_go();
      return outcome;
    });
    StepReport report{.step = step.index, .result = {}};
    if (result) {
      report.result = std::move(*result);
      return report;
    }
    report.problem = result.error();
    report.retry = passes(result.code()) || waits_for_person(result.code());
    return report;
  }

  Status remember() { return memory_.save({session_.secret.copy(), steps_->token(), session_.job}); }

  Server& server_;
  User& user_;
  const RunnerOptions& options_;
  LocalTokens& tokens_;
  const JobMemory memory_;
  const PinHistory history_;
  AgentSession session_;
  std::optional<TokenSteps> steps_;
};

Status JobRunner::collect(std::string_view code) {
  Run run(*this, code);
  CARDEA_TRY(run.open(code));
  return run.run();
}

}  // namespace cardea::agent
