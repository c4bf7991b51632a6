// Object handles: where the object lives is written in the handle, so that no table of handles is needed.
#pragma once

#include <cstdint>
#include <optional>

#include "token/object.h"

namespace cardea {

/// Where an object lives.
enum class Residence : std::uint8_t {
  token = 0,    ///< on the token, found by its id there
  session = 1,  ///< among the session objects of the slot
  built_in = 2  ///< made by the module itself: profiles, mechanisms, hardware features
};

/// A handle taken apart. Bits: 0-39 object id, 40-59 slot id + 1, 60-61 residence. Never zero (CK_INVALID_HANDLE).
struct ObjectHandle {
  CK_SLOT_ID slot;
  Residence residence;
  ObjectId id;

  static constexpr unsigned id_bits = 40;
  static constexpr unsigned slot_bits = 20;

  CK_OBJECT_HANDLE packed() const noexcept {
    return static_cast<CK_OBJECT_HANDLE>(residence) << (id_bits + slot_bits) | (slot + 1) << id_bits | id;
  }

  /// Absent when the number is no handle of ours.
  static std::optional<ObjectHandle> unpack(CK_OBJECT_HANDLE handle) noexcept {
    const CK_ULONG residence = handle >> (id_bits + slot_bits);
    const CK_ULONG slot = handle >> id_bits & ((CK_ULONG{1} << slot_bits) - 1);
    const ObjectId id = handle & ((CK_ULONG{1} << id_bits) - 1);
    if (residence > static_cast<CK_ULONG>(Residence::built_in) || slot == 0 || id == 0) return std::nullopt;
    return ObjectHandle{slot - 1, static_cast<Residence>(residence), id};
  }
};

}  // namespace cardea
