#include "card_program/commands.h"

#include <cstdio>

#include "card/piv_state.h"
#include "card_program/state_lock.h"

namespace cardea::vcard {

namespace {

Bytes padded_pin(std::string_view digits) {
  Bytes pin = to_bytes(view_of(digits));
  pin.resize(8, 0xFF);
  return pin;
}

Result<CardState> new_card(const CreateOptions& options) {
  if (options.kind == "gids") return CardState{options.initialised ? new_initialised_gids() : new_gids()};
  if (options.kind != "piv") return error(Code::arguments_bad, "the kinds of cards are piv and gids");
  CARDEA_ASSIGN(PivState piv, new_piv(options.piv));
  if (!options.global_pin.empty()) {
    if (options.global_pin.size() < 6 || options.global_pin.size() > 8) return Code::pin_length;
    piv.global_pin.emplace().reset(padded_pin(options.global_pin), 3);
    reset_piv(piv);
  }
  return CardState{std::move(piv)};
}

}  // namespace

Status create_card(const CreateOptions& options) {
  CARDEA_ASSIGN(const StateLock lock, StateLock::take(options.state));
  if (!options.replace && std::filesystem::exists(options.state)) {
    return error(Code::exists, options.state.string() + "; --replace makes a new card in its place");
  }
  CARDEA_ASSIGN(const CardState state, new_card(options));
  return write_state(options.state, state);
}

Status run_card(const std::filesystem::path& state, const ServiceOptions& options) {
  CARDEA_ASSIGN(const StateLock lock, StateLock::take(state));
  CARDEA_ASSIGN(CardState content, read_state(state));
  VirtualCard card(std::move(content), [&](const CardState& changed) { return write_state(state, changed); });
  CardService service(card, options);
  return service.run();
}

Status control_card(const std::filesystem::path& control, const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  CARDEA_ASSIGN(const std::string answer, ask_control(control, line));
  std::printf("%s\n", answer.c_str());
  if (answer.find("\"ok\":true") == std::string::npos) return Code::function_failed;
  return {};
}

}  // namespace cardea::vcard
