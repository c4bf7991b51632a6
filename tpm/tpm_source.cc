#include "tpm/tpm_source.h"

#include <unistd.h>

#include <algorithm>

#include "base/guarded.h"
#include "tpm/directories.h"
#include "tpm/tpm_token.h"

namespace cardea {
namespace tpm {
namespace {

class TpmSlot final : public TokenSlot {
 public:
  TpmSlot(const Settings& settings, std::string serial, std::shared_ptr<Tpm> tpm)
      : settings_(settings), serial_(std::move(serial)), tpm_(std::move(tpm)) {}

  const std::string& serial() const noexcept { return serial_; }

  std::string key() const override { return "tpm:" + serial_; }

  SlotDescription describe() const override {
    SlotDescription description{
        .description = "Cardea TPM " + serial_, .manufacturer = "Cardea", .removable = false, .hardware = true};
    failure_.read([&](const std::optional<Code>& failure) {
      if (failure) description.description = "Cardea TPM: " + std::string(words(*failure));
    });
    return description;
  }

  Result<TokenPtr> token() override {
    auto token = token_.with([&](std::shared_ptr<TpmToken>& present) -> Result<TokenPtr> {
      if (!present) {
        CARDEA_ASSIGN(present, TpmToken::open(settings_, serial_, tpm_));
      }
      if (!present->in_place()) return error(Code::token_absent, "the virtual card " + serial_ + " was deleted");
      return TokenPtr(present);
    });
    failure_.with(
        [&](std::optional<Code>& failure) { failure = token ? std::nullopt : std::optional<Code>(token.code()); });
    return token;
  }

 private:
  const Settings settings_;
  const std::string serial_;
  const std::shared_ptr<Tpm> tpm_;
  Guarded<std::shared_ptr<TpmToken>> token_;
  Guarded<std::optional<Code>> failure_;
};

class TpmSource final : public TokenSource {
 public:
  explicit TpmSource(const Settings& settings) : settings_(settings), tpm_(shared_tpm(settings.tpm)) {}

  std::vector<TokenSlotPtr> slots() override {
    if (!settings_.tpm.enabled) return {};
    return slots_.with([&](std::vector<std::shared_ptr<TpmSlot>>& slots) {
      for (const std::string& serial : cards()) {
        const auto known = [&](const auto& slot) { return slot->serial() == serial; };
        if (std::any_of(slots.begin(), slots.end(), known)) continue;
        slots.push_back(std::make_shared<TpmSlot>(settings_, serial, tpm_));
      }
      return std::vector<TokenSlotPtr>(slots.begin(), slots.end());
    });
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
  const std::shared_ptr<Tpm> tpm_;
  Guarded<std::vector<std::shared_ptr<TpmSlot>>> slots_;
};

}  // namespace
}  // namespace tpm

std::unique_ptr<TokenSource> make_tpm_source(const Settings& settings) {
  return std::make_unique<tpm::TpmSource>(settings);
}

}  // namespace cardea
