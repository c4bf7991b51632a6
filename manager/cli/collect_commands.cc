// collect: carries out what the management daemon has for a one-time code, on a token at hand.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <chrono>
#include <memory>
#include <thread>

#include "agent/job_runner.h"
#include "agent/rest_server.h"
#include "base/config.h"
#include "cli/card_access.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/terminal_user.h"

namespace cardea::cli {
namespace {

struct CollectOptions {
  std::string code;
  std::string server;
  agent::ServerTrust trust;
  std::string device;
  std::size_t attempts = 5;
  std::size_t interval = 10;
};
using CollectOptionsPtr = std::shared_ptr<CollectOptions>;

std::string_view advice_for(Code code) {
  switch (code) {
    case Code::timed_out:
      return "Run the command again: it goes on where it stopped.";
    case Code::device_removed:
    case Code::token_absent:
      return "Insert or connect the token and run the command again: it goes on where it stopped.";
    case Code::pin_expired:
      return "Ask for a new code.";
    case Code::session_exists:
      return "A code serves once. Where the job was begun on another machine, go on there, or ask for a new code.";
    case Code::function_failed:
      return "Everything was taken back; ask who administers your credentials.";
    case Code::signature_invalid:
      return "Check --server, --ca and --fingerprint with who administers your credentials; nothing was sent.";
    case Code::function_canceled:
    case Code::user_not_logged_in:
    case Code::pin_too_weak:
      return "Run the command again: it goes on where it stopped.";
    case Code::pin_locked:
      return "Ask who administers your credentials to unblock it.";
    default:
      return "";
  }
}

Error job_failure(const Error& cause) {
  const std::string_view next = advice_for(cause.code);
  std::string why = cause.detail.empty() ? std::string(words(cause.code)) : cause.detail;
  if (!why.ends_with('.')) why += '.';
  Error result = failure(cause.code, next.empty() ? fmt::format("The job is not done: {}", why)
                                                  : fmt::format("The job is not done: {} {}", why, next));
  result.retries_left = cause.retries_left;
  return result;
}

Status collect(const Context& context, const CollectOptions& options) {
  auto client = agent::HttpClient::make(options.server, options.trust);
  if (!client) return job_failure(client.error());
  agent::RestServer server(std::move(*client));
  const std::unique_ptr<agent::LocalTokens> tokens = agent::local_tokens(wanted_module(context));
  TerminalUser user(context);
  agent::RunnerOptions settings{.server = options.server,
                                .device = options.device,
                                .directory = load_settings().home / "agent",
                                .attempts = static_cast<int>(options.attempts),
                                .interval = std::chrono::seconds(options.interval),
                                .wait = [](std::chrono::seconds time) {
                                  std::this_thread::sleep_for(time);
                                  return true;
                                }};
  agent::JobRunner runner(server, *tokens, user, std::move(settings));
  if (const Status done = runner.collect(options.code); !done) return job_failure(done.error());
  return context.options.json ? print_json({{"done", true}}) : Status();
}

}  // namespace

void add_collect_commands(const Command& root, Context& context) {
  const auto options = std::make_shared<CollectOptions>();
  const Command command =
      root.command(context, "collect", "carry out on a token what your organisation has for a one-time code",
                   "  cardea collect '1234 5678' --server https://cardea.example.com\n"
                   "  cardea collect 12345678 --server https://localhost:8443 --ca ca.pem --device piv\n",
                   Needs::module, [&context, options] { return collect(context, *options); });
  command.required("code", options->code, "one-time code; a space in the middle does not matter", "CODE")
      .required("--server", options->server, "address of the management daemon", "URL")
      .text("--ca", options->trust.ca_file, "certificate (PEM) of the CA that the daemon's was issued by", "FILE")
      .text("--fingerprint", options->trust.fingerprint, "SHA-256 of the daemon's certificate, in place of --ca", "HEX")
      .text("--device", options->device,
            "token by its kind (piv, gids, keystore, tpm), its serial number, or a part of its reader's name", "TOKEN");
  constexpr std::size_t most_attempts = 1000;
  constexpr std::size_t longest_interval = 3600;
  command.number("--attempts", options->attempts, "how often what fails for the moment is tried again (default: 5)", 0,
                 most_attempts);
  command.number("--interval", options->interval, "seconds between them (default: 10)", 1, longest_interval);
  add_card_pin_options(command, context.options);
  command.text("--new-pin-file", context.options.new_pin_file, "read the new PIN from this file", "FILE");
}

}  // namespace cardea::cli
