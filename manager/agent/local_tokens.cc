#include "agent/local_tokens.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "agent/card_device.h"
#include "agent/device_kinds.h"
#include "base/config.h"
#include "pcsc/pcsc_readers.h"

namespace cardea::agent {
namespace {

bool wants(const std::vector<std::string>& kinds, std::string_view kind) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

class HostTokens final : public LocalTokens {
 public:
  explicit HostTokens(std::string module_path) : module_path_(std::move(module_path)) {}

  Result<std::vector<LocalToken>> list(const std::vector<std::string>& kinds) override {
    std::vector<LocalToken> found;
    if (std::ranges::any_of(kinds, [](const std::string& kind) { return !is_made(kind); })) add_cards(kinds, found);
    for (const MadeKind kind : {MadeKind::keystore, MadeKind::tpm}) {
      if (wants(kinds, kind_name(kind))) CARDEA_TRY(add_made(kind, found));
    }
    return found;
  }

  std::string cards_there() override {
    std::string seen;
    const Result<std::vector<card::Reader>> readers = readers_.list();
    for (std::size_t i = 0; readers && i < readers->size(); ++i) {
      seen += fmt::format("{} {}\n", (*readers)[i].name, (*readers)[i].insertion);
    }
    return seen;
  }

  Result<std::unique_ptr<Device>> open(const LocalToken& token) override {
    if (is_made(token.kind)) {
      CARDEA_ASSIGN(const Pkcs11Device::ModulePtr module, load());
      CARDEA_ASSIGN(std::unique_ptr<Device> device, Pkcs11Device::open(module, made_kind(token.kind), token.serial));
      return device;
    }
    // The reader may hold another card by now, and the card another reader.
    CARDEA_ASSIGN(const std::vector<LocalToken> now, list({token.kind}));
    for (const LocalToken& each : now) {
      // A blank card has no number yet, so it is known by its place.
      if (each.serial != token.serial || (token.serial.empty() && each.place != token.place)) continue;
      CARDEA_ASSIGN(std::unique_ptr<Device> device,
                    CardDevice::open(readers_.open(each.place), load_settings().runtime_directory));
      return device;
    }
    return error(Code::device_removed, fmt::format("token {} is in no reader", token.serial));
  }

  Result<std::unique_ptr<Device>> create(std::string_view kind, const NewToken& token) override {
    CARDEA_ASSIGN(const Pkcs11Device::ModulePtr module, load());
    CARDEA_ASSIGN(std::unique_ptr<Device> device, Pkcs11Device::create(module, made_kind(kind), token));
    return device;
  }

 private:
  static bool is_ignored(const Settings& settings, const std::string& reader) {
    return std::ranges::any_of(settings.card.ignore_readers, [&](const std::string& pattern) {
      return fnmatch(pattern.c_str(), reader.c_str(), 0) == 0;
    });
  }

  // A reader or card that does not work must not keep anybody from the others.
  void add_cards(const std::vector<std::string>& kinds, std::vector<LocalToken>& found) {
    const Settings settings = load_settings();
    const Result<std::vector<card::Reader>> readers = readers_.list();
    if (!readers) return;
    for (const card::Reader& reader : *readers) {
      if (reader.content != card::ReaderContent::card || is_ignored(settings, reader.name)) continue;
      const auto device = CardDevice::open(readers_.open(reader.name));
      if (device && wants(kinds, (*device)->kind())) {
        found.push_back({.kind = (*device)->kind(),
                         .serial = (*device)->serial(),
                         .label = (*device)->label(),
                         .place = reader.name,
                         .maker_number = (*device)->maker_number()});
      }
    }
  }

  Status add_made(MadeKind kind, std::vector<LocalToken>& found) {
    CARDEA_ASSIGN(const Pkcs11Device::ModulePtr module, load());
    CARDEA_ASSIGN(const auto tokens, Pkcs11Device::list(*module, kind));
    for (const p11client::TokenInfo& token : tokens) {
      found.push_back({std::string(kind_name(kind)), token.serial, token.label, std::string(kind_name(kind))});
    }
    return {};
  }

  Result<Pkcs11Device::ModulePtr> load() {
    if (module_ == nullptr) {
      CARDEA_ASSIGN(module_, p11client::Module::load(module_path_));
    }
    return module_;
  }

  const std::string module_path_;
  card::PcscReaders readers_;
  Pkcs11Device::ModulePtr module_;
};

}  // namespace

std::unique_ptr<LocalTokens> local_tokens(std::string module_path) {
  return std::make_unique<HostTokens>(std::move(module_path));
}

}  // namespace cardea::agent
