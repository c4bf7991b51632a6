// The vendor interface to the seals of keystore tokens (cryptoki/seal_interface.h).
#include "cryptoki/seal_interface.h"

#include "abi/functions.h"
#include "abi/sealing.h"
#include "abi/vendor_answer.h"

namespace cardea::abi {
namespace {

Result<Role> role_of(CK_USER_TYPE user) {
  if (user == CKU_USER) return Role::user;
  if (user == CKU_SO) return Role::security_officer;
  return Code::user_type_invalid;
}

Status sealed(const char* serial, CK_BBOOL* answer) {
  if (serial == nullptr || answer == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const bool is_sealed, keystore::is_sealed(load_settings(), serial));
  *answer = is_sealed ? CK_TRUE : CK_FALSE;
  return {};
}

Status check(const char* serial) {
  if (serial == nullptr) return Code::arguments_bad;
  const Settings settings = load_settings();
  return keystore::check_seal(settings, serial, make_tpm_sealer(settings.tpm));
}

Status seal(const char* serial, CK_USER_TYPE user, const CARDEA_PIN* pin, CARDEA_RECOVERY_CODE receiver,
            void* context) {
  if (serial == nullptr || receiver == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Role role, role_of(user));
  CARDEA_ASSIGN(const Pin given, pin_of(pin));
  const Settings settings = load_settings();
  CARDEA_ASSIGN(const Pin code, keystore::seal_token(settings, serial, make_tpm_sealer(settings.tpm), role, given));
  receiver(context, code.view().data(), code.size());
  return {};
}

Status unseal(const char* serial, CK_USER_TYPE user, const CARDEA_PIN* pin) {
  if (serial == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Role role, role_of(user));
  CARDEA_ASSIGN(const Pin given, pin_of(pin));
  const Settings settings = load_settings();
  return keystore::unseal_token(settings, serial, make_tpm_sealer(settings.tpm), role, given);
}

Status recover(const char* serial, const CARDEA_PIN* code) {
  if (serial == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Pin given, pin_of(code));
  return keystore::unseal_token_with_code(load_settings(), serial, given);
}

}  // namespace

CARDEA_SEAL_FUNCTIONS seal_functions = {
    {1, 0},
    [](const char* serial, CK_BBOOL* is_sealed, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("seal.sealed", "(serial, sealed)", sealed, failure, context, serial, is_sealed);
    },
    [](const char* serial, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("seal.check", "(serial)", check, failure, context, serial);
    },
    [](const char* serial, CK_USER_TYPE user, const CARDEA_PIN* pin, CARDEA_RECOVERY_CODE code, CARDEA_FAILURE failure,
       void* context) -> CK_RV {
      return answer("seal.seal", "(serial, user, pin, code, context)", seal, failure, context, serial, user, pin, code,
                    context);
    },
    [](const char* serial, CK_USER_TYPE user, const CARDEA_PIN* pin, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("seal.unseal", "(serial, user, pin)", unseal, failure, context, serial, user, pin);
    },
    [](const char* serial, const CARDEA_PIN* code, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("seal.recover", "(serial, code)", recover, failure, context, serial, code);
    },
};

}  // namespace cardea::abi
