#include "domain/ports.h"

namespace cardea::manager {

Status ensure_manager_keys(KeyToken& keys) {
  CARDEA_TRY(keys.ensure_secret_key(manager_key::token_secrets, SecretKeyUse::derive));
  CARDEA_TRY(keys.ensure_secret_key(manager_key::one_time_codes, SecretKeyUse::derive));
  CARDEA_TRY(keys.ensure_secret_key(manager_key::archive, SecretKeyUse::wrap));
  if (auto made = keys.generate_signing_key(manager_key::audit, SigningKeyType::p256);
      !made && made.code() != Code::exists)
    return std::move(made).error();
  return {};
}

}  // namespace cardea::manager
