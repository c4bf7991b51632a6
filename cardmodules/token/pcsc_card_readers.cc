// The readers of this host as card tokens need them.
#include "cards/card_source.h"
#include "pcsc/pcsc_readers.h"

namespace cardea {
namespace card {
namespace {

class PcscCardReaders final : public CardReaders {
 public:
  std::vector<ReaderStatus> readers() override {
    // Without a service there are no readers; `cardea doctor` says why.
    Result<std::vector<Reader>> present = readers_.list();
    std::vector<ReaderStatus> statuses;
    if (!present) return statuses;
    for (Reader& reader : *present) {
      statuses.push_back({.name = std::move(reader.name),
                          .vendor = std::move(reader.vendor),
                          .insertion = reader.insertion,
                          .mute = reader.content == ReaderContent::mute_card,
                          .insertion_identity = std::move(reader.insertion_identity)});
    }
    return statuses;
  }
  CardChannelPtr open(const std::string& reader) override { return readers_.open(reader); }
  void listen(ChangeListener listener) override { readers_.listen(std::move(listener)); }

 private:
  PcscReaders readers_;
};

/// For who switched cards off: no service is asked for anything.
class NoReaders final : public CardReaders {
 public:
  std::vector<ReaderStatus> readers() override { return {}; }
  CardChannelPtr open(const std::string&) override { return nullptr; }
  void listen(ChangeListener) override {}
};

}  // namespace
}  // namespace card

std::unique_ptr<TokenSource> make_card_source(const Settings& settings) {
  std::shared_ptr<card::CardReaders> readers;
  if (settings.card.enabled) {
    readers = std::make_shared<card::PcscCardReaders>();
  } else {
    readers = std::make_shared<card::NoReaders>();
  }
  return card::make_card_source(settings, std::move(readers), card::card_kinds());
}

}  // namespace cardea
