// The vendor interface to the software keystore (cryptoki/keystore_interface.h).
#include "cryptoki/keystore_interface.h"

#include "abi/functions.h"
#include "abi/sealing.h"
#include "abi/vendor_answer.h"

namespace cardea::abi {
namespace {

Status tries_left(const char* serial, CK_USER_TYPE user, CK_ULONG* tries) {
  if (serial == nullptr || tries == nullptr) return Code::arguments_bad;
  if (user != CKU_USER && user != CKU_SO) return Code::user_type_invalid;
  const Role role = user == CKU_SO ? Role::security_officer : Role::user;
  CARDEA_ASSIGN(const PinState state, keystore::pin_state(load_settings(), serial, role));
  *tries = state.retries_left ? static_cast<CK_ULONG>(*state.retries_left) : CK_UNAVAILABLE_INFORMATION;
  return {};
}

Status delete_token(const char* serial) {
  if (serial == nullptr) return Code::arguments_bad;
  return keystore::delete_token(load_settings(), serial);
}

Status check(CARDEA_FINDING finding, CK_ULONG* tokens, void* context) {
  if (finding == nullptr || tokens == nullptr) return Code::arguments_bad;
  const Settings settings = load_settings();
  const keystore::CheckReport report = keystore::check_keystore(settings, make_tpm_sealer(settings.tpm));
  *tokens = report.tokens;
  for (const keystore::Finding& found : report.findings) {
    finding(context, found.subject.c_str(), found.sentence.c_str(), found.next_step.c_str());
  }
  return {};
}

Status find_softhsm_tokens(const char* directory, CARDEA_SOFTHSM_TOKEN token, void* context) {
  if (directory == nullptr || token == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const auto tokens, keystore::find_softhsm_tokens(directory));
  for (const keystore::SofthsmToken& each : tokens) {
    token(context, each.path.c_str(), each.label.c_str(), each.serial.c_str());
  }
  return {};
}

Status import_softhsm(const char* directory, const CARDEA_PIN* user_pin, const CARDEA_PIN* so_pin,
                      CARDEA_IMPORTED imported, CARDEA_SKIPPED skipped, void* context) {
  if (directory == nullptr || imported == nullptr || skipped == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Pin user, pin_of(user_pin));
  CARDEA_ASSIGN(const Pin officer, pin_of(so_pin));
  CARDEA_ASSIGN(const auto report, keystore::import_softhsm(load_settings(), directory, user, officer));
  imported(context, report.serial.c_str(), report.label.c_str(), report.imported);
  for (const std::string& sentence : report.skipped) skipped(context, sentence.c_str());
  return {};
}

}  // namespace

CARDEA_KEYSTORE_FUNCTIONS keystore_functions = {
    {1, 0},
    [](const char* serial, CK_USER_TYPE user, CK_ULONG* tries, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("keystore.tries_left", "(serial, user, tries)", tries_left, failure, context, serial, user, tries);
    },
    [](const char* serial, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("keystore.delete_token", "(serial)", delete_token, failure, context, serial);
    },
    [](CARDEA_FINDING finding, CK_ULONG* tokens, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("keystore.check", "(finding, tokens, context)", check, failure, context, finding, tokens, context);
    },
    [](const char* directory, CARDEA_SOFTHSM_TOKEN token, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("keystore.find_softhsm_tokens", "(directory, token, context)", find_softhsm_tokens, failure,
                    context, directory, token, context);
    },
    [](const char* directory, const CARDEA_PIN* user_pin, const CARDEA_PIN* so_pin, CARDEA_IMPORTED imported,
       CARDEA_SKIPPED skipped, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("keystore.import_softhsm", "(directory, user_pin, so_pin, imported, skipped, context)",
                    import_softhsm, failure, context, directory, user_pin, so_pin, imported, skipped, context);
    },
};

}  // namespace cardea::abi
