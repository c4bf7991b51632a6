#include "cards/card_slot.h"

namespace cardea::card {
namespace {

constexpr std::size_t longest_description = 64;
constexpr std::size_t longest_manufacturer = 32;

}  // namespace

SlotDescription CardSlot::describe() const {
  return {.description = reader_.substr(0, longest_description),
          .manufacturer = vendor_.substr(0, longest_manufacturer),
          .removable = true,
          .hardware = true};
}

ReaderStatus CardSlot::status() const {
  for (ReaderStatus& each : readers_->readers()) {
    if (each.name == reader_) return std::move(each);
  }
  return {};
}

std::uint64_t CardSlot::occupant() {
  return status().insertion;
}

Result<TokenPtr> CardSlot::token() {
  const ReaderStatus now = status();
  return inserted_.with([&](Inserted& inserted) -> Result<TokenPtr> {
    if (now.insertion < inserted.insertion && now.insertion != 0) {
      // Another thread saw a later insertion already.
      if (inserted.token) return TokenPtr(inserted.token);
    } else if (now.insertion != inserted.insertion) {
      if (inserted.token) inserted.token->mark_removed();
      inserted = Inserted{now.insertion, nullptr, std::nullopt};
    }
    if (now.insertion == 0) return Code::token_absent;
    if (now.mute)
      return error(Code::token_not_recognized, "the card does not answer; it may be inserted the wrong way");
    if (inserted.unusable) return *inserted.unusable;
    if (inserted.token && inserted.token->present()) return TokenPtr(inserted.token);
    inserted.token.reset();
    CardChannelPtr channel = readers_->open(reader_);
    if (!channel) return Code::token_absent;
    Result<std::shared_ptr<CardToken>> opened = CardToken::open(settings_, now, std::move(channel), kinds_);
    if (!opened) {
      if (opened.code() == Code::token_not_recognized) inserted.unusable = opened.error();
      if (opened.code() == Code::device_removed) return Code::token_absent;
      return std::move(opened).error();
    }
    inserted.token = std::move(*opened);
    return TokenPtr(inserted.token);
  });
}

}  // namespace cardea::card
