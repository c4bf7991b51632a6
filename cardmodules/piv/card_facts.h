// What was learnt about one card and does not change while it is in the reader.
#pragma once

#include <array>
#include <optional>

#include "piv/metadata.h"
#include "piv/small_objects.h"

namespace cardea::card::piv {

/// Yubico's commands beyond the standard, known by their version; other makers answer them too.
struct Extensions {
  bool present = false;
  std::array<Byte, 3> version{};

  bool has_metadata() const noexcept { return present && version >= std::array<Byte, 3>{5, 3, 0}; }
};

/// Learns on demand, each thing once. Commands that the card does not know are answers too, so only errors of the
/// channel are passed on.
class CardFacts {
 public:
  explicit CardFacts(Application application) : application_(std::move(application)) {}

  const Application& application() const noexcept { return application_; }
  /// GET VERSION (FD), once.
  Result<Extensions> extensions(CardTransaction& transaction);
  /// What is known without asking.
  const std::optional<Extensions>& known_extensions() const noexcept { return extensions_; }
  /// The discovery object, once; without one there is the application PIN only (SP 800-73-4 part 1, 3.3.2).
  Result<Discovery> discovery(CardTransaction& transaction);
  /// GET METADATA of a key or PIN. function_not_supported on cards without, not_found when the place is empty.
  Result<Metadata> metadata(CardTransaction& transaction, Byte reference);
  /// GET SERIAL (F8); empty when the card has none.
  static Result<std::optional<std::uint32_t>> vendor_serial(CardTransaction& transaction);
  /// The key history; without one no retired key is known.
  static Result<KeyHistory> key_history(CardTransaction& transaction);

 private:
  Application application_;
  std::optional<Extensions> extensions_;
  std::optional<Discovery> discovery_;
};

/// Whether the error speaks of an object rather than of the channel: it is absent, not to be read, or damaged.
bool is_about_object(const Error& error) noexcept;

}  // namespace cardea::card::piv
