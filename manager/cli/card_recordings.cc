// card record, card replay: a conversation with a card in a text file, for bug reports.
#include <fmt/format.h>

#include <memory>

#include "cli/card_parts.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "pcsc/replay_channel.h"

namespace cardea::cli {
namespace {

constexpr std::size_t recording_limit = 16 << 20;

Result<std::vector<std::string>> card_command(const std::vector<std::string>& words) {
  if (!words.empty() && (words.front() == "record" || words.front() == "replay")) {
    return failure(Code::arguments_bad, "A recording is of another command than record and replay.");
  }
  std::vector<std::string> arguments{"card"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return arguments;
}

Status record(const Context& context, const std::string& file, const std::vector<std::string>& words) {
  CARDEA_ASSIGN(const std::vector<std::string> command, card_command(words));
  CARDEA_TRY(check_output(file));
  Options preset;
  preset.json = context.options.json;
  preset.card_recording = std::make_shared<std::string>();
  const Status done = run_inside(command, preset);
  // A command that failed is what a bug report is about, so its conversation is written too.
  if (!preset.card_recording->empty()) {
    CARDEA_TRY(write_output(file, view_of(*preset.card_recording), FileMode::secret, true));
    note("what was said to the card is in " + file + "; PINs and keys are left out, names and certificates are not");
  }
  return done;
}

Status replay(const Context& context, const std::string& file, const std::vector<std::string>& words) {
  CARDEA_ASSIGN(const std::vector<std::string> command, card_command(words));
  CARDEA_ASSIGN(const Bytes bytes, read_file(file, recording_limit));
  auto recording = card::parse_recording(text_of(bytes));
  if (!recording) return library_failure(recording.error(), "The recording cannot be read");
  const auto channel = std::make_shared<card::ReplayChannel>(std::move(*recording));
  Options preset;
  preset.json = context.options.json;
  preset.card_recorded = channel;
  Status done = run_inside(command, preset);
  if (const auto unknown = channel->unknown_commands(); !unknown.empty()) {
    note(fmt::format("{} commands are not in the recording, the first of them {}", unknown.size(), unknown.front()));
  }
  return done;
}

}  // namespace

void add_card_recording_commands(const Command& card_group, Context& context) {
  const auto file = std::make_shared<std::string>();
  const auto words = std::make_shared<std::vector<std::string>>();
  const Command record_command =
      card_group.command(context, "record", "run a command of `cardea card` and keep what was said to the card",
                         "  cardea card record bug.txt -- info\n", Needs::nothing,
                         [&context, file, words] { return record(context, *file, *words); });
  const Command replay_command =
      card_group.command(context, "replay", "run a command of `cardea card` on a recording instead of a card",
                         "  cardea card replay bug.txt -- info --json\n", Needs::nothing,
                         [&context, file, words] { return replay(context, *file, *words); });
  for (const Command& command : {record_command, replay_command}) {
    command.required("file", *file, "the recording", "FILE");
    command.rest("command", *words, "what would follow `cardea card`", "COMMAND");
  }
}

}  // namespace cardea::cli
