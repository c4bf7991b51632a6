// A plug-in's card in the shape that all cards have. Does with the minidriver's files what Windows' base provider does.
#pragma once

#include <optional>

#include "cardmodules/card_module.h"
#include "cardmodules/minidriver_files.h"
#include "cardmodules/padding_replacement.h"
#include "plugin/plugin_session.h"

namespace cardea::card::plugin {

class PluginCard final : public CardModule, public CardAdministrator {
 public:
  PluginCard(std::unique_ptr<PluginCaller> caller, const cardea_plugin_capabilities& capabilities)
      : caller_(std::move(caller)), capabilities_(capabilities) {}

  /// Asks the plug-in what its cards can do, and makes the card. The plug-in has recognised it.
  static Result<std::unique_ptr<PluginCard>> make(CardTransaction& transaction, std::unique_ptr<PluginCaller> caller);

  Status select(CardTransaction& transaction) override;
  Result<CardDescription> describe(CardTransaction& transaction) override;
  Result<std::vector<ContainerPlace>> places(CardTransaction& transaction) override;
  Result<std::optional<Container>> read_container(CardTransaction& transaction, const ContainerPlace& place) override;
  Result<std::vector<FileEntry>> files(CardTransaction& transaction) override;
  Result<Bytes> read_file(CardTransaction& transaction, const FileEntry& file) override;
  Result<std::optional<std::size_t>> free_space(CardTransaction& transaction) override;

  Status verify(CardTransaction& transaction, PinRole role, const Pin& pin) override;
  /// function_not_supported: the interface has no way to a reader's pad.
  Status verify_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) override;
  Result<PinState> pin_state(CardTransaction& transaction, PinRole role) override;
  Status change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) override;
  Status unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) override;
  bool deauthenticate(CardTransaction& transaction) override;

  Result<std::size_t> perform(CardTransaction& transaction, const Container& container, const PrimitiveRequest& request,
                              ByteView input, MutableBytes out) override;

  CardAdministrator* administrator() override { return capabilities_.read_only != 0 ? nullptr : this; }

  Status authenticate(CardTransaction& transaction, const SecretBytes& key) override;
  Result<Bytes> challenge(CardTransaction& transaction) override;
  Status answer_challenge(CardTransaction& transaction, ByteView answer) override;
  Status set_key(CardTransaction& transaction, const SecretBytes& new_key) override;
  SecretBytes factory_key() const override { return {}; }

  Result<Bytes> generate(CardTransaction& transaction, const ContainerPlace& place, const KeyRequest& request) override;
  Status import_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                    const KeyRequest& request) override;
  Status delete_key(CardTransaction& transaction, const ContainerPlace& place) override;
  Status write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) override;
  Status write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) override;
  Status set_user_pin(CardTransaction& transaction, const Pin& new_pin) override;
  Status set_default(CardTransaction& transaction, const ContainerPlace& place) override;

 private:
  Result<Bytes> property(CardTransaction& transaction, cardea_plugin_property property);
  Result<Bytes> content_of(CardTransaction& transaction, std::string directory, std::string name);
  Result<std::vector<std::string>> names_in(CardTransaction& transaction, std::string directory);
  /// Writes, and creates before that what is not there.
  Status put(CardTransaction& transaction, std::string directory, std::string name, ByteView content,
             cardea_plugin_access access);
  Status erase(CardTransaction& transaction, std::string directory, std::string name);

  Status load_map(CardTransaction& transaction);
  Status ensure_map(CardTransaction& transaction);
  Status write_map(CardTransaction& transaction);
  Status advance(CardTransaction& transaction, CacheChange change);
  Status create(CardTransaction& transaction, const ContainerPlace& place, const KeyRequest& request,
                std::shared_ptr<SecretBytes> pkcs8);
  Status read_certificate(CardTransaction& transaction, bool exchanges, Container& container);

  Primitives primitives_of(const cardea_plugin_container_info& info) const;
  Result<SecretBytes> sign(CardTransaction& transaction, const Container& container, cardea_plugin_padding padding,
                           const PrimitiveRequest& request, ByteView input, std::size_t size);
  Result<SecretBytes> decrypt(CardTransaction& transaction, const Container& container, cardea_plugin_padding padding,
                              const PrimitiveRequest& request, ByteView input);
  Result<std::size_t> decrypt_pkcs1(CardTransaction& transaction, const Container& container, ByteView input,
                                    MutableBytes out);
  Result<SecretBytes> agree(CardTransaction& transaction, const Container& container, ByteView peer);

  std::unique_ptr<PluginCaller> caller_;
  cardea_plugin_capabilities capabilities_;
  std::optional<std::vector<ContainerRecord>> map_;
  PaddingReplacement replacement_;
};

}  // namespace cardea::card::plugin
