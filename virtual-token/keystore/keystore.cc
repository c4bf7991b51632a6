#include "keystore/keystore.h"

#include <algorithm>

#include "keystore/files.h"
#include "keystore/keystore_token.h"
#include "token/kept_slot.h"

namespace cardea {
namespace keystore {
namespace {

/// A blank token's slot turns into the token's place when it is initialised.
class KeystoreSource final : public TokenSource {
 public:
  KeystoreSource(const Settings& settings, SealerPtr sealer)
      : settings_(settings),
        sealer_(std::move(sealer)),
        slots_({.name = "keystore", .words = "Cardea keystore", .token = "the token"},
               [settings, sealer = sealer_](const std::string& serial) {
                 return KeystoreToken::open(settings, serial, sealer);
               }) {}

  std::vector<TokenSlotPtr> slots() override {
    if (!settings_.keystore.enabled) return {};
    return slots_.update(list_tokens(settings_.home), [&](Slots::Slots& slots) {
      const auto blank = [](const auto& slot) {
        const auto token = slot->opened();
        return token && token->blank();
      };
      if (std::none_of(slots.begin(), slots.end(), blank)) add_blank(slots);
    });
  }

  // Tokens do not come and go by themselves here; those that other processes make show when slots() is asked.
  void listen(ChangeListener) override {}

 private:
  using Slots = KeptSlots<KeystoreToken>;

  void add_blank(Slots::Slots& slots) {
    auto serial = random_serial();
    if (!serial) return;  // without randomness no token can be made either
    auto token = std::make_shared<KeystoreToken>(settings_, *serial, sealer_);
    slots.push_back(slots_.make(std::move(*serial), std::move(token)));
  }

  const Settings settings_;
  const SealerPtr sealer_;
  Slots slots_;
};

std::string remedy(Code code) {
  switch (code) {
    case Code::store_newer:
      return "use the newer version that wrote it, or restore a backup made before";
    case Code::store_corrupt:
      return "restore the token's directory from a backup";
    case Code::permission_denied:
      return "make the directory belong to the user who runs this, with mode 0700, and no symbolic link";
    case Code::device_memory:
      return "free space on the disk";
    case Code::locking_impossible:
      return "let the program load the module once, from one file";
    default:
      return "look at the directory and its disk";
  }
}

void check_token(const Settings& settings, const std::string& serial, const SealerPtr& sealer, CheckReport& report) {
  const std::string subject = "token " + serial;
  auto token = KeystoreToken::open(settings, serial, sealer);
  if (!token) {
    report.findings.push_back({subject, describe(token.error()), remedy(token.code())});
    return;
  }
  auto sentences = (*token)->check();
  if (!sentences) {
    report.findings.push_back({subject, describe(sentences.error()), remedy(sentences.code())});
    return;
  }
  for (std::string& sentence : *sentences) {
    report.findings.push_back(
        {subject, std::move(sentence), "restore it from a backup; the token's other objects work"});
  }
  if (const Status seal = (*token)->check_seal(); !seal) {
    report.findings.push_back(
        {subject, describe(seal.error()),
         "make that TPM available again; without it: cardea token unseal " + serial + " --recovery-code"});
  }
  const TokenDescription description = (*token)->describe();
  if (description.user_pin.locked) {
    report.findings.push_back({subject, "the user PIN is locked", "unlock it with: cardea token pin unlock"});
  }
  if (description.so_pin.locked) {
    report.findings.push_back(
        {subject, "the SO PIN is locked", "the user PIN still works; copy what is needed elsewhere"});
  }
}

Result<std::shared_ptr<KeystoreToken>> open_known(const Settings& settings, const std::string& serial,
                                                  const SealerPtr& sealer = nullptr) {
  std::error_code failed;
  if (!is_serial(serial) || !std::filesystem::exists(tokens_directory(settings.home) / serial, failed)) {
    return error(Code::not_found, "no token has the serial number " + serial);
  }
  return KeystoreToken::open(settings, serial, sealer);
}

}  // namespace

Status delete_token(const Settings& settings, const std::string& serial) {
  std::vector<std::string> problems;
  CARDEA_TRY(check_directory(tokens_directory(settings.home), problems));
  return remove_token_directory(settings.home, serial);
}

Result<PinState> pin_state(const Settings& settings, const std::string& serial, Role role) {
  CARDEA_ASSIGN(const auto token, open_known(settings, serial));
  const TokenDescription description = token->describe();
  return role == Role::security_officer ? description.so_pin : description.user_pin;
}

Result<bool> is_sealed(const Settings& settings, const std::string& serial) {
  CARDEA_ASSIGN(const auto token, open_known(settings, serial));
  return token->sealed();
}

Status check_seal(const Settings& settings, const std::string& serial, const SealerPtr& sealer) {
  CARDEA_ASSIGN(const auto token, open_known(settings, serial, sealer));
  return token->check_seal();
}

Result<Pin> seal_token(const Settings& settings, const std::string& serial, const SealerPtr& sealer, Role role,
                       const Pin& pin) {
  CARDEA_ASSIGN(const auto token, open_known(settings, serial, sealer));
  return token->seal(role, pin);
}

Status unseal_token(const Settings& settings, const std::string& serial, const SealerPtr& sealer, Role role,
                    const Pin& pin) {
  CARDEA_ASSIGN(const auto token, open_known(settings, serial, sealer));
  return token->unseal(role, pin);
}

Status unseal_token_with_code(const Settings& settings, const std::string& serial, const Pin& code) {
  CARDEA_ASSIGN(const auto token, open_known(settings, serial));
  return token->unseal_with_code(code);
}

CheckReport check_keystore(const Settings& settings, const SealerPtr& sealer) {
  CheckReport report;
  std::error_code failed;
  if (!std::filesystem::exists(settings.home, failed)) return report;
  for (const std::filesystem::path& directory : {settings.home, tokens_directory(settings.home)}) {
    if (!std::filesystem::exists(directory, failed)) continue;
    std::vector<std::string> problems;
    const Status checked = check_directory(directory, problems);
    if (!checked) {
      report.findings.push_back({directory.string(), describe(checked.error()), remedy(checked.code())});
    }
  }
  for (const std::string& serial : list_tokens(settings.home)) {
    ++report.tokens;
    check_token(settings, serial, sealer, report);
  }
  return report;
}

}  // namespace keystore

std::unique_ptr<TokenSource> make_keystore_source(const Settings& settings, SealerPtr sealer) {
  return std::make_unique<keystore::KeystoreSource>(settings, std::move(sealer));
}

}  // namespace cardea
