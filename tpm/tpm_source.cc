#include "tpm/tpm_source.h"

#include <unistd.h>

#include "token/kept_slot.h"
#include "tpm/directories.h"
#include "tpm/tpm_token.h"

namespace cardea {
namespace tpm {
namespace {

class TpmSource final : public TokenSource {
 public:
  explicit TpmSource(const Settings& settings)
      : settings_(settings),
        slots_({.name = "tpm", .words = "Cardea TPM", .token = "the virtual card", .hardware = true},
               [settings, tpm = shared_tpm(settings.tpm)](const std::string& serial) {
                 return TpmToken::open(settings, serial, tpm);
               }) {}

  std::vector<TokenSlotPtr> slots() override {
    if (!settings_.tpm.enabled) return {};
    return slots_.update(cards(), [](const auto&) {});
  }

  // Cards do not come and go by themselves; those that other processes make show when slots() is asked.
  void listen(ChangeListener) override {}

 private:
  /// Serial numbers of the cards that there is a TPM for.
  std::vector<std::string> cards() const {
    std::vector<std::string> serials = list_cards(state_directory(settings_));
    constexpr std::string_view device_prefix = "device:";
    const std::string& tcti = settings_.tpm.tcti;
    const bool absent = tcti.starts_with(device_prefix) && access(tcti.c_str() + device_prefix.size(), F_OK) != 0;
    if (absent) serials.clear();
    return serials;
  }

  const Settings settings_;
  KeptSlots<TpmToken> slots_;
};

}  // namespace
}  // namespace tpm

std::unique_ptr<TokenSource> make_tpm_source(const Settings& settings) {
  return std::make_unique<tpm::TpmSource>(settings);
}

}  // namespace cardea
