#include "piv/key_references.h"

#include <fmt/format.h>

#include <array>

#include "piv/data_objects.h"

namespace cardea::card::piv {
namespace {

struct MainKey {
  Byte reference;
  std::uint32_t certificate;
  const char* label;
  PinPolicy pin;
};

// PIN rules of SP 800-73-4 part 1, table 2: 9C wants the PIN for each signature, 9E never.
constexpr std::array<MainKey, 4> main_keys{{
    {key_authentication, object::certificate_9a, "PIV Authentication", PinPolicy::once},
    {key_signature, object::certificate_9c, "Digital Signature", PinPolicy::always},
    {key_management, object::certificate_9d, "Key Management", PinPolicy::once},
    {key_card_authentication, object::certificate_9e, "Card Authentication", PinPolicy::never},
}};

}  // namespace

std::optional<ContainerPlace> place_of(std::uint32_t reference) {
  for (std::size_t i = 0; i < main_keys.size(); ++i) {
    if (main_keys[i].reference != reference) continue;
    return ContainerPlace{reference, {static_cast<Byte>(i + 1)}, main_keys[i].label, main_keys[i].pin};
  }
  if (!is_retired(reference)) return std::nullopt;
  const std::uint32_t number = reference - key_retired_first + 1;
  return ContainerPlace{reference,
                        {static_cast<Byte>(main_keys.size() + number)},
                        fmt::format("Retired Key Management {}", number),
                        PinPolicy::once};
}

std::uint32_t certificate_object(std::uint32_t reference) noexcept {
  for (const MainKey& key : main_keys) {
    if (key.reference == reference) return key.certificate;
  }
  if (is_retired(reference)) return object::retired_certificate_1 + (reference - key_retired_first);
  return reference == key_attestation ? object::attestation_certificate : 0;
}

}  // namespace cardea::card::piv
