// What a virtual GIDS card remembers without power (Generic Identity Device Specification 2.0).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "card/card_key.h"
#include "card/pin.h"

namespace cardea::vcard {

/// An elementary file: data objects, or one key.
struct GidsFile {
  Bytes control_parameters;  ///< template 62 as CREATE FILE brought it: kind, identifier, access rules, key uses
  bool activated = false;    ///< before that nothing can be done with it
  std::map<std::uint32_t, Bytes> objects;  ///< by tag
  std::optional<CardKey> key;
  SecretBytes symmetric_key;  ///< an administrator's key
};

struct GidsState {
  bool activated = false;  ///< before that everything is allowed: the card is being initialised
  PinState pin;
  std::optional<PinState> puk;
  std::map<std::uint16_t, GidsFile> files;
};

/// Longest and shortest PIN or PUK.
inline constexpr std::size_t gids_shortest_pin = 4;
inline constexpr std::size_t gids_longest_pin = 16;

/// A card as its maker delivers it: nothing on it, waiting for initialisation.
GidsState new_gids();

/// A card as Windows' own minidriver leaves it after initialisation: the files with their access rules, master file,
/// cardid (random), cardcf, cardapps and an empty cmapfile; PIN 123456, administrator's key 0102…08 three times.
GidsState new_initialised_gids();

}  // namespace cardea::vcard
