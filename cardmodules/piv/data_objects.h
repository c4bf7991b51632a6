// What data objects a PIV card can hold, and which of them is the certificate of which key.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace cardea::card::piv {

/// Data object tags (SP 800-73-4 part 1, table 3), by the names in data_objects.def.
namespace object {
#define CARDEA_PIV_OBJECT(name, words, oid, container, tag, pin) inline constexpr std::uint32_t name = tag;
#include "piv/data_objects.def"
#undef CARDEA_PIV_OBJECT
/// The certificate of the attestation key F9 on YubiKeys (Yubico, "PIV attestation").
inline constexpr std::uint32_t attestation_certificate = 0x5fff01;
}  // namespace object

/// One row of data_objects.def.
struct DataObject {
  std::string_view name;
  std::string_view identifier;  ///< object identifier, dotted
  std::uint16_t container;      ///< container id, as the security object names it
  std::uint32_t tag;
  bool needs_pin;
};

/// All of them, in the order of the standard's table.
std::span<const DataObject> data_objects() noexcept;

/// The object with that container id; null when there is none.
const DataObject* object_of_container(std::uint16_t container) noexcept;

/// DER of an object identifier written in dotted form. `dotted` is one of the table.
Bytes encode_identifier(std::string_view dotted);

}  // namespace cardea::card::piv
