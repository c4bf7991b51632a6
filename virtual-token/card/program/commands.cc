#include "card_program/commands.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "card/piv_load.h"
#include "card/piv_state.h"
#include "card_program/state_lock.h"

namespace cardea::vcard {

namespace {

Bytes padded_pin(std::string_view digits) {
  Bytes pin = to_bytes(view_of(digits));
  pin.resize(8, 0xFF);
  return pin;
}

Result<CardState> new_gids_card(const CreateOptions& options) {
  GidsState gids = options.initialised ? new_initialised_gids() : new_gids();
  if (!options.puk.empty()) {
    if (options.puk.size() < gids_shortest_pin || options.puk.size() > gids_longest_pin) return Code::pin_length;
    gids.puk.emplace().reset(view_of(options.puk), 3);
  }
  return CardState{std::move(gids)};
}

Result<CardState> new_card(const CreateOptions& options) {
  if (options.kind == "gids") return new_gids_card(options);
  if (options.kind == "sample") return CardState{new_sample()};
  if (options.kind != "piv") return error(Code::arguments_bad, "the kinds of cards are piv, gids and sample");
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

Result<LoadItem> parse_load_item(const std::string& text) {
  LoadItem item;
  const std::size_t equals = text.find('=');
  const char* const end = text.data() + std::min(equals, text.size());
  const auto [stop, failure] = std::from_chars(text.data(), end, item.number, 16);
  if (equals == std::string::npos || failure != std::errc() || stop != end || equals + 1 == text.size()) {
    return error(Code::arguments_bad, "\"" + text + "\" is not like 9A=key.pem or 5FC102=chuid");
  }
  item.file = text.substr(equals + 1);
  return item;
}

Status load_card(const LoadOptions& options) {
  CARDEA_ASSIGN(const StateLock lock, StateLock::take(options.state));
  CARDEA_ASSIGN(CardState card, read_state(options.state));
  auto* piv = std::get_if<PivState>(&card.content);
  if (!piv) return error(Code::function_not_supported, "only PIV cards are filled from files");
  if (!options.folder.empty()) CARDEA_TRY(load_folder(*piv, options.folder));
  const auto load = [&](const std::vector<LoadItem>& items, auto&& put) -> Status {
    for (const LoadItem& item : items) {
      CARDEA_ASSIGN(const SecretBytes content, read_whole_file(item.file));
      const Status done = put(item.number, content.view());
      if (!done) return error(done.code(), item.file.string() + " " + done.error().detail);
    }
    return {};
  };
  CARDEA_TRY(load(options.objects, [&](std::uint32_t tag, ByteView content) {
    load_object(*piv, tag, content);
    return Status();
  }));
  CARDEA_TRY(load(options.certificates, [&](std::uint32_t reference, ByteView content) {
    return load_certificate(*piv, static_cast<Byte>(reference), content);
  }));
  CARDEA_TRY(load(options.keys, [&](std::uint32_t reference, ByteView content) {
    return load_key(*piv, static_cast<Byte>(reference), content);
  }));
  return write_state(options.state, card);
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
