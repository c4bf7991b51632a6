// A card reader as a slot.
#pragma once

#include "base/config.h"
#include "base/guarded.h"
#include "cards/card_readers.h"
#include "cards/card_token.h"

namespace cardea::card {

/// Stays when its reader is unplugged, as a slot without a token: slots are never taken away from an application.
class CardSlot final : public TokenSlot {
 public:
  CardSlot(const Settings& settings, std::string reader, std::string vendor, std::shared_ptr<CardReaders> readers,
           std::span<const CardKind> kinds)
      : settings_(settings),
        reader_(std::move(reader)),
        vendor_(std::move(vendor)),
        readers_(std::move(readers)),
        kinds_(kinds) {}

  const std::string& reader() const noexcept { return reader_; }

  std::string key() const override { return "card:" + reader_; }
  SlotDescription describe() const override;
  Result<TokenPtr> token() override;
  std::uint64_t occupant() override;

 private:
  struct Inserted {
    std::uint64_t insertion = 0;
    std::shared_ptr<CardToken> token;
    std::optional<Error> unusable;  ///< what will not change before the next insertion
  };
  ReaderStatus status() const;

  const Settings settings_;
  const std::string reader_;
  const std::string vendor_;
  const std::shared_ptr<CardReaders> readers_;
  const std::span<const CardKind> kinds_;
  Guarded<Inserted> inserted_;  // held while a card is recognised: this slot's callers wait for it, others do not
};

}  // namespace cardea::card
