// What a virtual sample card remembers without power: the card of the example plug-in (docs/card-plugins.md).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/secret.h"
#include "card/card_key.h"
#include "card/pin.h"

namespace cardea::vcard {

/// Who may do what with a file.
enum class SampleAccess : Byte {
  everyone_reads_user_writes = 1,
  everyone_reads_admin_writes = 2,
  user_reads_and_writes = 3
};

struct SampleFile {
  SampleAccess access = SampleAccess::everyone_reads_user_writes;
  Bytes content;
};

struct SampleKey {
  CardKey key;
  Byte pin_policy = 1;  ///< 0: no PIN, 1: once, 2: before each use
};

inline constexpr std::size_t sample_slots = 8;            ///< places for keys
inline constexpr std::size_t sample_memory = 32 * 1024;   ///< bytes for files
inline constexpr std::size_t sample_admin_key_size = 32;  ///< AES-256
inline constexpr std::size_t sample_shortest_pin = 4;
inline constexpr std::size_t sample_longest_pin = 12;

struct SampleState {
  Bytes serial;  ///< 8 bytes
  PinState pin;
  PinState puk;
  PinState admin;                           ///< the administrator's key, counted like a PIN
  std::map<std::string, SampleFile> files;  ///< by path, e.g. "mscp/cmapfile"
  std::map<Byte, SampleKey> keys;           ///< by slot
};

/// PIN 123456, PUK 12345678, administrator's key 00 01 … 1F; a random serial number, no files and no keys.
SampleState new_sample();

}  // namespace cardea::vcard
