#include "cards/card_source.h"

#include <fnmatch.h>

#include <algorithm>

#include "cards/card_slot.h"

namespace cardea::card {
namespace {

class CardSource final : public TokenSource {
 public:
  CardSource(const Settings& settings, std::shared_ptr<CardReaders> readers, std::span<const CardKind> kinds)
      : settings_(settings), readers_(std::move(readers)), kinds_(kinds) {}
  ~CardSource() override { readers_->listen(nullptr); }
  CardSource(const CardSource&) = delete;
  CardSource& operator=(const CardSource&) = delete;

  std::vector<TokenSlotPtr> slots() override {
    const std::vector<ReaderStatus> present = readers_->readers();
    return slots_.with([&](std::vector<std::shared_ptr<CardSlot>>& slots) {
      for (const ReaderStatus& reader : present) {
        const auto known = [&](const auto& slot) { return slot->reader() == reader.name; };
        if (ignored(reader.name) || std::any_of(slots.begin(), slots.end(), known)) continue;
        slots.push_back(std::make_shared<CardSlot>(settings_, reader.name, reader.vendor, readers_, kinds_));
      }
      return std::vector<TokenSlotPtr>(slots.begin(), slots.end());
    });
  }

  void listen(ChangeListener listener) override { readers_->listen(std::move(listener)); }

 private:
  bool ignored(const std::string& reader) const {
    return std::any_of(settings_.card.ignore_readers.begin(), settings_.card.ignore_readers.end(),
                       [&](const std::string& pattern) { return ::fnmatch(pattern.c_str(), reader.c_str(), 0) == 0; });
  }

  const Settings settings_;
  const std::shared_ptr<CardReaders> readers_;
  const std::span<const CardKind> kinds_;
  Guarded<std::vector<std::shared_ptr<CardSlot>>> slots_;
};

}  // namespace

std::unique_ptr<TokenSource> make_card_source(const Settings& settings, std::shared_ptr<CardReaders> readers,
                                              std::span<const CardKind> kinds) {
  return std::make_unique<CardSource>(settings, std::move(readers), kinds);
}

}  // namespace cardea::card
