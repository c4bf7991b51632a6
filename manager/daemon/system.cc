#include "daemon/system.h"

#include <filesystem>

#include "daemon/attestation_roots.h"
#include "daemon/key_token_setup.h"
#include "keys/pkcs11_key_token.h"
#include "p11client/module.h"
#include "store/database.h"

namespace cardea::manager {

System::System(const DaemonSettings& settings, Log& log, std::unique_ptr<Store> store, std::unique_ptr<KeyToken> keys,
               std::unique_ptr<AttestationVerifier> attestation)
    : store_(std::move(store)),
      keys_(std::move(keys)),
      attestation_(std::move(attestation)),
      status_(*store_),
      connectors_(ca::ConnectorParts{*keys_, status_, clock_}),
      ports_{*store_, *keys_, connectors_, clock_, attestation_.get(), settings.name},
      authorities_(ports_, ca::ConnectorParts{*keys_, status_, clock_}, settings.public_url),
      services_{ports_,
                log,
                authorities_,
                [this] { return ready(); },
                http::AttemptLimit(settings.wrong_codes),
                http::AttemptLimit(settings.refused_contacts),
                settings.session_lasts} {}

Result<std::unique_ptr<System>> System::open(const DaemonSettings& settings, Log& log) {
  use_own_token_home(settings.data_directory);
  store::Settings database;
  database.database = settings.database;
  database.readers = settings.database_readers;
  CARDEA_ASSIGN(auto opened, store::open(database));
  keys::LinkSettings link;
  link.module = settings.keys.module.empty() ? p11client::own_module_path() : settings.keys.module;
  link.token = settings.keys.token;
  link.pin_source = settings.keys.pin_source;
  std::unique_ptr<KeyToken> keys = keys::make_key_token(std::move(link));
  CARDEA_TRY(keys->check());
  CARDEA_ASSIGN(AttestationRoots roots, read_attestation_roots(settings));
  return std::unique_ptr<System>(
      new System(settings, log, std::move(opened), std::move(keys), make_attestation_verifier(std::move(roots))));
}

// What a disk that is full or a lock of somebody else does to the store shows only when something is written.
Status System::probe() {
  CARDEA_TRY(store_->transact([this](Transaction& transaction) {
    return transaction.put_setting("ready", std::to_string(clock_.now().time_since_epoch().count()));
  }));
  return keys_->check();
}

Status System::ready() {
  constexpr std::chrono::seconds holds{1};
  {
    const std::lock_guard lock(ready_mutex_);
    if (looking_ || std::chrono::steady_clock::now() - looked_at_ < holds) return found_;
    looking_ = true;
  }
  Status found = probe();
  const std::lock_guard lock(ready_mutex_);
  looking_ = false;
  looked_at_ = std::chrono::steady_clock::now();
  found_ = std::move(found);
  return found_;
}

}  // namespace cardea::manager
