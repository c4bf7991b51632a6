// A card with the PIV application (NIST SP 800-73-4 and -5, FIPS 201), with the extensions that YubiKeys brought.
#pragma once

#include <memory>

#include "cardmodules/card_module.h"
#include "piv/card_facts.h"
#include "piv/management_key.h"

namespace cardea::card {

/// Recognises PIV cards by one SELECT (modules.def).
Result<Recognition> recognise_piv(CardTransaction& transaction);

}  // namespace cardea::card

namespace cardea::card::piv {

class PivCard final : public CardModule, public CardAdministrator {
 public:
  PivCard(Application application, bool is_yubikey)
      : facts_(std::move(application)), management_key_(facts_), is_yubikey_(is_yubikey) {}

  // CardModule
  Status select(CardTransaction& transaction) override;
  Result<CardDescription> describe(CardTransaction& transaction) override;
  Result<std::vector<ContainerPlace>> places(CardTransaction& transaction) override;
  Result<std::optional<Container>> read_container(CardTransaction& transaction, const ContainerPlace& place) override;
  Result<bool> is_free(CardTransaction& transaction, const ContainerPlace& place) override;
  Result<std::vector<FileEntry>> files(CardTransaction& transaction) override;
  Result<Bytes> read_file(CardTransaction& transaction, const FileEntry& file) override;
  Result<std::vector<FileField>> explain(const FileEntry& file, ByteView content) const override;
  Result<std::vector<ContentCheck>> check_contents(CardTransaction& transaction, ByteView issuer) override;
  Status verify(CardTransaction& transaction, PinRole role, const Pin& pin) override;
  Status verify_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) override;
  Result<PinState> pin_state(CardTransaction& transaction, PinRole role) override;
  Status change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) override;
  Status change_pin_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) override;
  Status unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) override;
  Status confirm_puk(CardTransaction& transaction, const Pin& puk) override;
  bool deauthenticate(CardTransaction& transaction) override;
  Result<std::size_t> perform(CardTransaction& transaction, const Container& container, const PrimitiveRequest& request,
                              ByteView input, MutableBytes out) override;
  CardAdministrator* administrator() override { return this; }

  // CardAdministrator
  Status authenticate(CardTransaction& transaction, const SecretBytes& key) override;
  Result<Bytes> challenge(CardTransaction& transaction) override;
  Status answer_challenge(CardTransaction& transaction, ByteView answer) override;
  std::string challenge_algorithm() const override { return management_key_.challenge_algorithm(); }
  Status set_key(CardTransaction& transaction, const SecretBytes& new_key) override;
  SecretBytes factory_key() const override;
  Result<Bytes> generate(CardTransaction& transaction, const ContainerPlace& place, const KeyRequest& request) override;
  Status import_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                    const KeyRequest& request) override;
  Result<std::size_t> import_all(CardTransaction& transaction, std::span<const KeyToImport> keys) override;
  Status delete_key(CardTransaction& transaction, const ContainerPlace& place) override;
  Status move_key(CardTransaction& transaction, const ContainerPlace& from, const ContainerPlace& to) override;
  Status write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) override;
  Status write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) override;
  Result<Bytes> attest(CardTransaction& transaction, const ContainerPlace& place) override;
  Status reset(CardTransaction& transaction) override;
  Status set_tries(CardTransaction& transaction, int user, int unblock) override;
  Status set_user_pin(CardTransaction& transaction, const Pin& new_pin) override;

 private:
  Result<Byte> pin_reference(CardTransaction& transaction, PinRole role);
  Result<std::optional<Container>> container_by_metadata(CardTransaction& transaction, const ContainerPlace& place);
  Status add_retired_by_metadata(CardTransaction& transaction, std::vector<ContainerPlace>& places);
  Status drop_stale_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView key_info);
  Result<Bytes> put_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                        const KeyRequest& request);
  Status put_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der);
  Status update_key_history(CardTransaction& transaction, Byte reference, bool present);
  Status block_pins(CardTransaction& transaction);

  CardFacts facts_;
  ManagementKey management_key_;
  bool is_yubikey_;            ///< by its ATR, which costs nothing to know
  bool administered_ = false;  ///< the administrator was authenticated since the application was selected
};

}  // namespace cardea::card::piv
