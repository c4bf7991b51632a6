// The slot of a token that is kept on disk under its serial number, for keystores and virtual cards alike.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "token/token_source.h"

namespace cardea {

/// What is the same for all slots of a kind.
struct SlotKind {
  std::string name;   ///< in the slot's key: "keystore"
  std::string words;  ///< in its description: "Cardea keystore"
  std::string token;  ///< what its token is called: "the token"
  bool hardware = false;
};

/// A place for one token, which is opened when somebody first asks for it. KeptToken has in_place(): whether what it is
/// kept in is still there.
template <class KeptToken>
class KeptSlot final : public TokenSlot {
 public:
  using Opener = std::function<Result<std::shared_ptr<KeptToken>>(const std::string& serial)>;

  KeptSlot(SlotKind kind, std::string serial, Opener opener, std::shared_ptr<KeptToken> token = nullptr)
      : kind_(std::move(kind)), serial_(std::move(serial)), opener_(std::move(opener)), token_(std::move(token)) {}

  const std::string& serial() const noexcept { return serial_; }
  /// The token as far as it has been opened.
  std::shared_ptr<KeptToken> opened() {
    return token_.with([](const auto& token) { return token; });
  }

  std::string key() const override { return kind_.name + ":" + serial_; }

  SlotDescription describe() const override {
    SlotDescription description{.description = kind_.words + " " + serial_, .manufacturer = "Cardea"};
    description.hardware = kind_.hardware;
    failure_.read([&](const std::optional<Code>& failure) {
      if (failure) description.description = kind_.words + ": " + std::string(words(*failure));
    });
    return description;
  }

  Result<TokenPtr> token() override {
    auto token = token_.with([&](std::shared_ptr<KeptToken>& present) -> Result<TokenPtr> {
      if (!present) {
        CARDEA_ASSIGN(present, opener_(serial_));
      }
      if (!present->in_place()) return error(Code::token_absent, kind_.token + " " + serial_ + " was deleted");
      return TokenPtr(present);
    });
    failure_.with(
        [&](std::optional<Code>& failure) { failure = token ? std::nullopt : std::optional<Code>(token.code()); });
    return token;
  }

 private:
  const SlotKind kind_;
  const std::string serial_;
  const Opener opener_;
  Guarded<std::shared_ptr<KeptToken>> token_;
  Guarded<std::optional<Code>> failure_;
};

/// The slots of a kind: once seen, a token's slot stays.
template <class KeptToken>
class KeptSlots {
 public:
  using Slot = KeptSlot<KeptToken>;
  using Slots = std::vector<std::shared_ptr<Slot>>;

  KeptSlots(SlotKind kind, typename Slot::Opener opener) : kind_(std::move(kind)), opener_(std::move(opener)) {}

  std::shared_ptr<Slot> make(std::string serial, std::shared_ptr<KeptToken> token = nullptr) const {
    return std::make_shared<Slot>(kind_, std::move(serial), opener_, std::move(token));
  }

  /// Adds slots for those that are new among the tokens on disk, then calls more(Slots&) for what else is to be done.
  template <class More>
  std::vector<TokenSlotPtr> update(const std::vector<std::string>& serials, More&& more) {
    return slots_.with([&](Slots& slots) {
      for (const std::string& serial : serials) {
        const auto known = [&](const auto& slot) { return slot->serial() == serial; };
        if (std::none_of(slots.begin(), slots.end(), known)) slots.push_back(make(serial));
      }
      more(slots);
      return std::vector<TokenSlotPtr>(slots.begin(), slots.end());
    });
  }

 private:
  const SlotKind kind_;
  const typename Slot::Opener opener_;
  Guarded<Slots> slots_;
};

}  // namespace cardea
