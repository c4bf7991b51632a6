// agent: stays on the workstation and carries out what the management daemon has for the tokens that come by.
#include <boost/json.hpp>

#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>

#include "agent/resident_agent.h"
#include "agent/rest_server.h"
#include "base/config.h"
#include "cli/card_access.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/terminal_user.h"

namespace cardea::cli {
namespace {

struct AgentOptions {
  std::string server;
  agent::ServerTrust trust;
  std::string device;
  std::size_t attempts = 5;
  std::size_t interval = 10;
  std::size_t again = 300;
  bool once = false;
};

volatile std::sig_atomic_t ending = 0;

void remember_end(int) {
  ending = 1;
}

// Without SA_RESTART, so that a wait ends at once. A second signal of the kind does what it does everywhere.
void end_between_steps() {
  struct sigaction action {};
  action.sa_handler = remember_end;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

// In pieces, since a signal that comes just before the sleep would not end it.
bool wait_for(std::chrono::seconds time) {
  constexpr long piece = 200'000'000;  // nanoseconds
  const auto end = std::chrono::steady_clock::now() + time;
  while (ending == 0 && std::chrono::steady_clock::now() < end) {
    const timespec pause{0, piece};
    nanosleep(&pause, nullptr);
  }
  return ending == 0;
}

Status stay(const Context& context, const AgentOptions& options) {
  auto client = agent::HttpClient::make(options.server, options.trust);
  if (!client) return library_failure(client.error(), "The agent cannot begin");
  agent::RestServer server(std::move(*client));
  const std::unique_ptr<agent::LocalTokens> tokens = agent::local_tokens(wanted_module(context));
  TerminalUser user(context);
  agent::ResidentOptions settings{.server = options.server,
                                  .device = options.device,
                                  .directory = load_settings().home / "agent",
                                  .again = std::chrono::seconds(options.again),
                                  .interval = std::chrono::seconds(options.interval),
                                  .attempts = static_cast<int>(options.attempts),
                                  .wait = wait_for,
                                  .ending = [] { return ending != 0; }};
  end_between_steps();
  agent::ResidentAgent resident(server, server, *tokens, user, std::move(settings));
  if (!options.once) {
    resident.stay();
  } else if (!resident.round(std::chrono::steady_clock::now())) {
    return failure(Code::function_failed, "Something was not done; it is said above. The next run goes on with it.");
  }
  return context.options.json ? print_json({{"done", true}}) : Status();
}

}  // namespace

void add_agent_commands(const Command& root, Context& context) {
  const auto options = std::make_shared<AgentOptions>();
  const Command command =
      root.command(context, "agent", "stay, and carry out what your organisation has for the tokens that come by",
                   "  cardea agent --server https://cardea.example.com\n"
                   "  cardea agent --server https://localhost:8443 --ca ca.pem --once\n",
                   Needs::module, [&context, options] { return stay(context, *options); });
  command.required("--server", options->server, "address of the management daemon", "URL")
      .text("--ca", options->trust.ca_file, "certificate (PEM) of the CA that the daemon's was issued by", "FILE")
      .text("--fingerprint", options->trust.fingerprint, "SHA-256 of the daemon's certificate, in place of --ca", "HEX")
      .text("--device", options->device,
            "only tokens of this kind (piv, gids, keystore, tpm), serial number, or part of a reader's name", "TOKEN")
      .flag("--once", options->once, "ask once about each token, carry out what waits, and end");
  constexpr std::size_t most_attempts = 1000;
  constexpr std::size_t longest_interval = 3600;
  constexpr std::size_t longest_again = 7 * 24 * 3600;
  command
      .number("--again", options->again, "seconds until it asks again about a token that stays (default: 300)", 1,
              longest_again)
      .number("--attempts", options->attempts, "how often what fails for the moment is tried again (default: 5)", 0,
              most_attempts)
      .number("--interval", options->interval, "seconds between them (default: 10)", 1, longest_interval);
  add_card_pin_options(command, context.options);
  command.text("--new-pin-file", context.options.new_pin_file, "read the new PIN from this file", "FILE");
}

}  // namespace cardea::cli
