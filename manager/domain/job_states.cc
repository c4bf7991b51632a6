// A job's row: how its state changes, and what is said of it.
#include <fmt/format.h>

#include <algorithm>

#include "domain/job_kinds.h"
#include "domain/journal_parts.h"

namespace cardea::manager {

namespace journal {

std::uint32_t first_open(const Job& job) {
  std::uint32_t index = 0;
  while (index < job.steps.size() && job.steps[index].state == StepState::done) ++index;
  return index;
}

void release(Job& job) {
  job.claimed_by.clear();
  job.claimed_until.reset();
}

Status wake(Job& job) {
  if (job.state == JobState::waiting) {
    CARDEA_ASSIGN(job.state, after(job.state, "wake"));
  }
  job.waits_for.clear();
  job.next_attempt.reset();
  return {};
}

Status sleep(Job& job, std::string text, std::optional<Time> until) {
  if (job.state == JobState::ready) {
    CARDEA_ASSIGN(job.state, after(job.state, "wait"));
  }
  job.waits_for = std::move(text);
  job.next_attempt = until;
  release(job);
  return {};
}

Status begin_undo(Job& job, Time now, std::string why) {
  if (job.state == JobState::waiting || job.state == JobState::ready) {
    CARDEA_ASSIGN(job.state, after(job.state, "undo"));
  }
  job.waits_for = std::move(why);
  job.next_attempt = now;
  job.ca_attempts = 0;
  release(job);
  return {};
}

std::string completion_text(const Job& job) {
  std::string text = "Done";
  const bool chain_left_out = std::any_of(job.steps.begin(), job.steps.end(), [](const Step& step) {
    return step.kind == "write_certificate" && text_of(step.result, "chain") == "left_out";
  });
  if (chain_left_out) text += "; the token did not take the certificates of the CA";
  for (const auto& step : job.steps) {
    if (step.kind != "write_history") continue;
    const json::value* list = step.result.if_contains("left_out");
    if (list != nullptr && list->is_array() && !list->get_array().empty())
      text += fmt::format("; {} former keys did not fit on the token", list->get_array().size());
  }
  return text;
}

}  // namespace journal

std::string job_sentence(const Job& job) {
  if (job.state == JobState::completed) return fmt::format("All {} steps are done.", job.steps.size());
  if (job.state == JobState::failed) return fmt::format("Given up and taken back: {}.", job.waits_for);
  if (job.state == JobState::undoing) return fmt::format("Being taken back: {}.", job.waits_for);
  const std::uint32_t index = journal::first_open(job);
  if (index == job.steps.size()) return "All steps are done; the end is being recorded.";
  const Step& step = job.steps[index];
  const journal::StepKind* kind = journal::step_kind(step.kind);
  std::string text = fmt::format("Step {} of {}: {}", index + 1, job.steps.size(),
                                 kind == nullptr ? std::string_view(step.kind) : kind->words);
  if (step.state == StepState::running) text += ", begun";
  if (!job.waits_for.empty()) text += fmt::format("; waits for {}", job.waits_for);
  if (!step.problem.empty() && step.problem != job.waits_for) text += fmt::format("; last problem: {}", step.problem);
  return text + ".";
}

}  // namespace cardea::manager
