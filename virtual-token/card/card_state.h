// The one file a virtual card keeps.
#pragma once

#include <filesystem>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "card/gids_state.h"
#include "card/piv_state.h"
#include "card/sample_state.h"

namespace cardea::vcard {

struct CardState {
  std::variant<PivState, GidsState, SampleState> content;

  /// "piv", "gids" or "sample".
  std::string_view kind() const {
    constexpr std::string_view kinds[] = {"piv", "gids", "sample"};
    return kinds[content.index()];
  }
};

/// Reads a state file. Codes: not_found, permission_denied, store_corrupt, store_newer.
Result<CardState> read_state(const std::filesystem::path& file);

/// Replaces the file in one step: a reader sees the old state or the new one. Everything on the card, keys and PINs
/// too, stands in it in the clear; only its owner may read it. Codes: permission_denied, device_memory, device_error.
Status write_state(const std::filesystem::path& file, const CardState& state);

}  // namespace cardea::vcard
